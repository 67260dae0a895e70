#include "../row.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* The C library's syslog, replaced: what was logged there last. */
static char syslog_line[8192];
static int syslog_level = -1;
static int syslog_opened;
static int syslog_closed;

__attribute__((format(printf, 2, 0))) static void keep_syslog(int level, const char *format, va_list arguments)
{
    syslog_level = level;
    vsnprintf(syslog_line, sizeof syslog_line, format, arguments);
}

void openlog(const char *name, int option, int facility)
{
    (void)name;
    (void)option;
    assert_int_equal(facility, LOG_DAEMON);
    syslog_opened++;
}

void closelog(void)
{
    syslog_closed++;
}

void(syslog)(int level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep_syslog(level, format, arguments);
    va_end(arguments);
}

/* What syslog is when the C library is fortified; only then it has declared this. */
#if !defined __USE_FORTIFY_LEVEL || __USE_FORTIFY_LEVEL == 0
void __syslog_chk(int level, int flag, const char *format, ...);
#endif

void __syslog_chk(int level, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    keep_syslog(level, format, arguments);
    va_end(arguments);
}

/* What is written to stderr goes to this file while a test runs. */
static FILE *captured;
static int real_stderr;

static int capture(void **state)
{
    (void)state;
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    log_open("prog");
    log_set_level(LOG_LEVEL_NOTICE);
    log_set_format(LOG_FORMAT_TEXT);
    return captured == NULL ? -1 : 0;
}

static int release(void **state)
{
    (void)state;
    log_close();
    log_set_format(LOG_FORMAT_TEXT);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return fclose(captured);
}

/* Everything that was logged since the last call. */
static const char *logged(void)
{
    static char text[65536];
    ssize_t length = pread(fileno(captured), text, sizeof text - 1, 0);

    text[length < 0 ? 0 : length] = '\0';
    if (ftruncate(fileno(captured), 0) != 0)
        fail();
    lseek(fileno(captured), 0, SEEK_SET);
    return text;
}

static void texts(void **state)
{
    static const struct log_field with_fields[] = {
        {"reason", "non-primary"}, {"before", NULL}, {"detail", "a \"b\""}, {"empty", ""}, {NULL, NULL}};
    static const struct {
        const char *name;
        enum log_level level;
        const struct log_field *fields;
        const char *message;
        const char *expected;
    } rows[] = {
        {"plain", LOG_LEVEL_ERR, NULL, "it broke", "prog: err: it broke\n"},
        {"warning", LOG_LEVEL_WARNING, NULL, "x", "prog: warning: x\n"},
        {"notice", LOG_LEVEL_NOTICE, NULL, "x", "prog: notice: x\n"},
        {"below the level", LOG_LEVEL_INFO, NULL, "x", ""},
        {"two lines from outside", LOG_LEVEL_ERR, NULL, "a\nfake: err: b\r", "prog: err: a\\nfake: err: b\\x0d\n"},
        {"fields", LOG_LEVEL_ERR, with_fields, "m",
         "prog: err: m reason=non-primary detail=\"a \\\"b\\\"\" empty=\"\"\n"},
        {"percent", LOG_LEVEL_ERR, NULL, "100% %s %n", "prog: err: 100% %s %n\n"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        log_event(rows[i].level, rows[i].fields, "%s", rows[i].message);
        row_text(rows[i].name, logged(), rows[i].expected);
    }
}

static void levels(void **state)
{
    static const enum log_level levels[] = {LOG_LEVEL_ERR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
                                            LOG_LEVEL_DEBUG};

    (void)state;
    for (size_t set = 0; set < ROW_COUNT(levels); set++) {
        log_set_level(levels[set]);
        for (size_t i = 0; i < ROW_COUNT(levels); i++) {
            log_event(levels[i], NULL, "x");
            row_number("logged", logged()[0] != '\0', i <= set);
        }
    }
}

static void json(void **state)
{
    static const struct log_field fields[] = {{"reason", "a\"b\n"}, {"before", NULL}, {NULL, NULL}};
    const char *line;

    (void)state;
    log_set_format(LOG_FORMAT_JSON);
    log_event(LOG_LEVEL_WARNING, fields, "said \"%s\"", "x\\y");
    line = logged();
    row_contains("begins with the time", line, "{\"time\":\"20");
    row_contains("UTC", line, "Z\",\"program\":\"prog\",\"level\":\"warning\",\"message\":\"said \\\"x\\\\y\\\"\",");
    row_contains("fields", line, ",\"reason\":\"a\\\"b\\n\"}\n");
    row_true("one line", strchr(line, '\n') == line + strlen(line) - 1);
}

/* A message that fills every buffer with what escapes longest: still one whole line, and the fields that fit. */
static void huge_messages(void **state)
{
    static char huge[70000];
    struct log_field fields[] = {{"big", huge}, {"small", "x"}, {NULL, NULL}};

    (void)state;
    memset(huge, '\x01', sizeof huge - 1);
    for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        log_set_format((enum log_format)format);
        log_event(LOG_LEVEL_ERR, fields, "%s", huge);
        const char *line = logged();
        size_t length = strlen(line);
        row_true("one line", length > 2000 && strchr(line, '\n') == line + length - 1);
        if (format == LOG_FORMAT_JSON) {
            row_contains("the small field", line, "\"small\":\"x\"}\n");
            row_true("the big field is left out whole", strstr(line, "\"big\"") == NULL);
        }
    }
}

static void errno_is_kept(void **state)
{
    (void)state;
    errno = ENOTDIR;
    log_err("x");
    assert_int_equal(errno, ENOTDIR);
    logged();
}

static void to_syslog(void **state)
{
    static const struct log_field fields[] = {{"k", "v"}, {NULL, NULL}};

    (void)state;
    assert_true(log_target("syslog"));
    assert_int_equal(syslog_opened, 1);
    log_event(LOG_LEVEL_ERR, fields, "100%% of\n%s", "%s");
    assert_string_equal(syslog_line, "100% of\\n%s k=v"); /* syslog itself adds the name */
    assert_int_equal(syslog_level, LOG_ERR);
    assert_string_equal(logged(), "");
    log_close();
    assert_int_equal(syslog_closed, 1);
    log_err("x");
    assert_string_equal(logged(), "prog: err: x\n");
}

static void to_nowhere(void **state)
{
    (void)state;
    assert_true(log_target("none"));
    log_err("x");
    assert_string_equal(logged(), "");
    assert_true(log_target("stderr"));
    log_err("x");
    assert_string_equal(logged(), "prog: err: x\n");
}

static void to_a_file(void **state)
{
    char path[] = "/tmp/clustercheck-log-XXXXXX";
    char text[256] = "";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "before\n", 7), 7);
    assert_true(log_target(path));
    log_err("x");
    log_close();
    assert_true(pread(fd, text, sizeof text - 1, 0) > 7);
    row_true("appended, with the time", strncmp(text, "before\n20", 9) == 0);
    row_contains("the line", text, "Z prog: err: x\n");
    assert_string_equal(logged(), "");
    close(fd);
    unlink(path);
}

static void unusable_files(void **state)
{
    static const struct {
        const char *target;
        int why;
    } rows[] = {
        {"/nonexistent/log", ENOENT},
        {"/tmp", EISDIR},
        {"", ENOENT},
        {"/dev/null/x", ENOTDIR},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_true(rows[i].target, !log_target(rows[i].target));
        row_number(rows[i].target, errno, rows[i].why);
        log_err("x");
        row_text(rows[i].target, logged(), "prog: err: x\n"); /* where it was */
    }
}

/* Nobody reads from it: opening must not wait for a reader. */
static void fifo_does_not_block(void **state)
{
    char directory[] = "/tmp/clustercheck-log-XXXXXX";
    char path[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(10);
    assert_false(log_target(path));
    alarm(0);
    assert_int_equal(errno, ENXIO);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts, capture, release),
        cmocka_unit_test_setup_teardown(levels, capture, release),
        cmocka_unit_test_setup_teardown(json, capture, release),
        cmocka_unit_test_setup_teardown(huge_messages, capture, release),
        cmocka_unit_test_setup_teardown(errno_is_kept, capture, release),
        cmocka_unit_test_setup_teardown(to_syslog, capture, release),
        cmocka_unit_test_setup_teardown(to_nowhere, capture, release),
        cmocka_unit_test_setup_teardown(to_a_file, capture, release),
        cmocka_unit_test_setup_teardown(unusable_files, capture, release),
        cmocka_unit_test_setup_teardown(fifo_does_not_block, capture, release),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
