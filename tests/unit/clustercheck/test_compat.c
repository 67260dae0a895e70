#include "../row.h"
#include "compat.h"
#include "settings.h"
#include "verdict.h"

#include <stdlib.h>
#include <unistd.h>

static struct settings settings;
static struct config config;
static struct error error;
static char option_file[] = "/tmp/clustercheck-compat-XXXXXX";

static const char *const variables[] = {
    "MYSQL_USERNAME",       "MYSQL_PASSWORD",          "MYSQL_HOST",         "MYSQL_PORT", "ERR_FILE",
    "AVAILABLE_WHEN_DONOR", "AVAILABLE_WHEN_READONLY", "DEFAULTS_EXTRA_FILE"};

static int start(void **state)
{
    (void)state;
    memset(&error, 0, sizeof error);
    config_init(&config);
    return config_add(&config, node_keys, node_key_count, &settings.node, &error) &&
                   config_add(&config, settings_keys, settings_key_count, &settings, &error)
               ? 0
               : -1;
}

static int stop(void **state)
{
    (void)state;
    config_free(&config);
    for (size_t i = 0; i < ROW_COUNT(variables); i++)
        unsetenv(variables[i]);
    return 0;
}

static int make_option_file(void **state)
{
    int fd = mkstemp(option_file);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_option_file(void **state)
{
    (void)state;
    return unlink(option_file);
}

enum { MOST = 8 };

static void arguments(void **state)
{
    static const struct {
        const char *name;
        const char *words[MOST];
        const char *user, *password;
        int donor;
        const char *log;
        bool readonly;
        const char *file; /* "*": option_file */
    } rows[] = {
        {"user and password", {"u", "p"}, "u", "p", DONOR_NEVER, "none", true, NULL},
        {"user alone", {"u"}, "u", "clustercheckpassword!", DONOR_NEVER, "none", true, NULL},
        {"all six", {"u", "p", "1", "/tmp/log", "0", "*"}, "u", "p", DONOR_ALWAYS, "/tmp/log", false, "*"},
        {"log is /dev/null", {"u", "p", "0", "/dev/null", "1"}, "u", "p", DONOR_NEVER, "none", true, NULL},
        {"missing option file",
         {"u", "p", "0", "/dev/null", "1", "/nonexistent"},
         "u",
         "p",
         DONOR_NEVER,
         "none",
         true,
         NULL},
        {"empty user and password", {"", "", "1"}, NULL, NULL, DONOR_ALWAYS, "none", true, NULL},
        {"empty rest is the default", {"u", "p", "", "", "", ""}, "u", "p", DONOR_NEVER, "none", true, NULL},
        {"dash", {"-"}, NULL, NULL, DONOR_NEVER, "none", true, NULL},
        {"dash and all", {"-", "1", "/tmp/log", "0", "*"}, NULL, NULL, DONOR_ALWAYS, "/tmp/log", false, "*"},
        {"dash and empty ones", {"-", "", "", "", "*"}, NULL, NULL, DONOR_NEVER, "none", true, "*"},
        {"new words in old places", {"u", "p", "last", "syslog", "no"}, "u", "p", DONOR_LAST, "syslog", false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char texts[MOST][64];
        char *words[MOST];
        int count = 0;
        stop(NULL);
        start(NULL);
        for (; rows[i].words[count] != NULL; count++) {
            bool file = strcmp(rows[i].words[count], "*") == 0;
            snprintf(texts[count], sizeof texts[count], "%s", file ? option_file : rows[i].words[count]);
            words[count] = texts[count];
        }
        bool done = compat_arguments(&config, count, words, &error);
        row_text(rows[i].name, done ? "" : error.text, "");
        row_text(rows[i].name, settings.node.user, rows[i].user);
        row_text(rows[i].name, settings.node.password, rows[i].password);
        row_number(rows[i].name, settings.available_when_donor, rows[i].donor);
        row_text(rows[i].name, settings.log, rows[i].log);
        row_number(rows[i].name, settings.available_when_readonly, rows[i].readonly);
        /* The classic default is a file that this machine may have. */
        if (rows[i].file != NULL || count >= 6)
            row_text(rows[i].name, settings.node.defaults_file, rows[i].file == NULL ? NULL : option_file);
        if (count > 1 && rows[i].words[0][0] != '-')
            row_text(rows[i].name, words[1], ""); /* ps must not show it */
    }
}

static void wrong_arguments(void **state)
{
    static const struct {
        const char *words[MOST];
        enum exit_code code;
        const char *error;
    } rows[] = {
        {{"u", "p", "0", "l", "1", "f", "x"}, EXIT_USAGE, "at most 6"},
        {{"-", "0", "l", "1", "f", "x"}, EXIT_USAGE, "at most 5"},
        {{"u", "p", "often"}, EXIT_CONFIG, "classic argument AVAILABLE_WHEN_DONOR: available_when_donor = 'often'"},
        {{"u", "p", "0", "/x", "2"}, EXIT_CONFIG, "classic argument AVAILABLE_WHEN_READONLY: "},
        {{"-", "often"}, EXIT_CONFIG, "classic argument AVAILABLE_WHEN_DONOR: "},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char texts[MOST][64];
        char *words[MOST];
        int count = 0;
        stop(NULL);
        start(NULL);
        for (; rows[i].words[count] != NULL; count++) {
            snprintf(texts[count], sizeof texts[count], "%s", rows[i].words[count]);
            words[count] = texts[count];
        }
        row_true(rows[i].error, !compat_arguments(&config, count, words, &error));
        row_number(rows[i].error, error.code, rows[i].code);
        row_contains(rows[i].error, error.text, rows[i].error);
    }
}

static void environment(void **state)
{
    (void)state;
    setenv("MYSQL_USERNAME", "u", 1);
    setenv("MYSQL_PASSWORD", "", 1);
    setenv("MYSQL_HOST", "db1", 1);
    setenv("MYSQL_PORT", "3307", 1);
    setenv("AVAILABLE_WHEN_DONOR", "1", 1);
    setenv("AVAILABLE_WHEN_READONLY", "", 1);
    setenv("ERR_FILE", "/dev/null", 1);
    assert_true(config_set(&config, "mysql", "password", "from the file", CONFIG_FROM_FILE, &error));
    assert_true(compat_environment(&config, &error));
    assert_string_equal(settings.node.user, "u");
    assert_null(settings.node.password);
    assert_string_equal(settings.node.host, "db1");
    assert_int_equal(settings.node.port, 3307);
    assert_int_equal(settings.available_when_donor, DONOR_ALWAYS);
    assert_true(settings.available_when_readonly);
    assert_string_equal(settings.log, "none");
    setenv("MYSQL_PORT", "tcp://10.0.0.1:3306", 1);
    assert_true(compat_environment(&config, &error)); /* Kubernetes' word for a service named "mysql" */
    assert_int_equal(settings.node.port, 3307);
    setenv("MYSQL_PORT", "three", 1);
    assert_false(compat_environment(&config, &error));
    row_contains("error", error.text, "environment variable MYSQL_PORT: port = 'three' is not a number");
}

static bool read_text(const char *text, size_t length)
{
    FILE *stream = fmemopen((void *)(uintptr_t)text, length, "r");

    assert_non_null(stream);
    bool done = compat_stream(&config, stream, "sysconfig", &error);
    fclose(stream);
    return done;
}

/* What a shell would assign. */
static void shell_words(void **state)
{
    static const struct {
        const char *value; /* in the file, after MYSQL_PASSWORD= */
        const char *word;  /* NULL: refused */
    } rows[] = {
        {"abc", "abc"},
        {"", ""},
        {"\"\"", ""},
        {"''", ""},
        {"\"a b\"", "a b"},
        {"'a b'", "a b"},
        {"a\"b c\"d'e f'g", "ab cde fg"},
        {"clustercheckpassword!", "clustercheckpassword!"},
        {"a\\ b", "a b"},
        {"a\\\\b", "a\\b"},
        {"a\\'b", "a'b"},
        {"\\\"", "\""},
        {"\"a\\\"b\"", "a\"b"},
        {"\"a\\\\b\"", "a\\b"},
        {"\"a\\$b\\`\"", "a$b`"},
        {"\"a\\b\"", "a\\b"}, /* in double quotes a backslash is kept before ordinary letters */
        {"\"a\\'b\"", "a\\'b"},
        {"'a\\b'", "a\\b"},
        {"'a$b`c\"'", "a$b`c\""},
        {"\"it's\"", "it's"},
        {"a#b", "a#b"},
        {"#a", "#a"}, /* not at the beginning of the shell's word */
        {"\"a\"#b", "a#b"},
        {"a # comment", "a"},
        {"a #comment", "a"},
        {"a\t", "a"},
        {"a ", "a"},
        {"a\r", "a"},
        {"a;", "a"},
        {"a; # b", "a"},
        {"*.?[x]{a,b}", "*.?[x]{a,b}"},
        {"a~b", "a~b"},
        {"\"~\"", "~"},
        {"a=b", "a=b"},
        {"\xC3\xA4", "\xC3\xA4"},
        {"$x", NULL},
        {"a$", NULL},
        {"\"$x\"", NULL},
        {"`x`", NULL},
        {"\"`x`\"", NULL},
        {"$(x)", NULL},
        {"a b", NULL},
        {"a; b", NULL},
        {"a;b=c", NULL},
        {"a&b", NULL},
        {"a|b", NULL},
        {"a<b", NULL},
        {"a>b", NULL},
        {"(a)", NULL},
        {"~", NULL},
        {"~/x", NULL},
        {"a:~/x", NULL},
        {"'a", NULL},
        {"\"a", NULL},
        {"\"a'", NULL},
        {"a\\", NULL},
        {"\"a\\", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[256];
        int length = snprintf(text, sizeof text, "MYSQL_PASSWORD=%s\n", rows[i].value);
        stop(NULL);
        start(NULL);
        row_number(rows[i].value, read_text(text, (size_t)length), rows[i].word != NULL);
        if (rows[i].word != NULL)
            row_text(rows[i].value, settings.node.password == NULL ? "" : settings.node.password, rows[i].word);
        else
            row_text(rows[i].value, error.text,
                     "sysconfig:1: the value of MYSQL_PASSWORD is not a plain or quoted word");
    }
}

/* The table above against the real thing. */
static void shell_words_as_sh_reads_them(void **state)
{
    static const char *const values[] = {
        "abc",
        "\"\"",
        "a\"b c\"d'e f'g",
        "a\\ b",
        "a\\\\b",
        "\"a\\\"b\"",
        "\"a\\b\"",
        "\"a\\'b\"",
        "'a\\b'",
        "a#b",
        "#a",
        "\"a\"#b",
        "a # comment",
        "a; # b",
        "*.?[x]{a,b}",
        "a~b",
        "\"~\"",
        "a=b",
        "\"a\\$b\\`\"",
        "clustercheckpassword!",
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(values); i++) {
        char path[] = "/tmp/clustercheck-sh-XXXXXX";
        char command[128];
        char word[256];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_true(dprintf(fd, "MYSQL_PASSWORD=%s\n", values[i]) > 0);
        close(fd);
        snprintf(command, sizeof command, ". %s; printf %%s \"$MYSQL_PASSWORD\"", path);
        FILE *shell = popen(command, "re");
        assert_non_null(shell);
        size_t length = fread(word, 1, sizeof word - 1, shell);
        word[length] = '\0';
        assert_int_equal(pclose(shell), 0);
        stop(NULL);
        start(NULL);
        row_true(values[i], compat_file(&config, path, &error));
        row_text(values[i], settings.node.password == NULL ? "" : settings.node.password, word);
        unlink(path);
    }
}

static void files(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *user;
        const char *host;
        const char *error;
    } rows[] = {
        {"comments and others' variables", "# c\n\nPATH=$PATH:/x\nmysql_username=a\nMYSQL_USERNAMES=b\nset -a\n", NULL,
         NULL, NULL},
        {"assignments", "MYSQL_USERNAME=u\nMYSQL_HOST='h'\n", "u", "h", NULL},
        {"export", "export MYSQL_USERNAME=u\n\texport\t MYSQL_HOST=h", "u", "h", NULL},
        {"exporting is another word", "exported MYSQL_USERNAME=u\n", NULL, NULL, NULL},
        {"the last one counts", "MYSQL_USERNAME=a\nMYSQL_USERNAME=b\n", "b", NULL, NULL},
        {"CRLF", "MYSQL_USERNAME=u\r\nMYSQL_HOST=\"h\"\r\n", "u", "h", NULL},
        {"blank before equals", "MYSQL_USERNAME =u\n", NULL, NULL, NULL},
        {"appending", "MYSQL_USERNAME+=u\n", NULL, NULL, NULL},
        {"computed", "\nMYSQL_USERNAME=$USER\n", NULL, NULL, "sysconfig:2: the value of MYSQL_USERNAME"},
        {"wrong value", "AVAILABLE_WHEN_DONOR=often\n", NULL, NULL, "sysconfig:1: available_when_donor = 'often'"},
        {"empty port", "MYSQL_PORT=\nMYSQL_USERNAME=u\n", "u", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        stop(NULL);
        start(NULL);
        row_number(rows[i].name, read_text(rows[i].text, strlen(rows[i].text)), rows[i].error == NULL);
        row_text(rows[i].name, settings.node.user, rows[i].user);
        row_text(rows[i].name, settings.node.host, rows[i].host);
        if (rows[i].error != NULL)
            row_contains(rows[i].name, error.text, rows[i].error);
    }
}

/* A long line is one line: what stands behind its first kilobyte is no assignment. */
static void long_lines(void **state)
{
    static char text[8192];

    (void)state;
    for (size_t front = 1000; front < 1050; front++) {
        memset(text, '#', front);
        snprintf(text + front, sizeof text - front, "MYSQL_USERNAME=evil\nMYSQL_HOST=h\n");
        stop(NULL);
        start(NULL);
        assert_true(read_text(text, strlen(text)));
        assert_null(settings.node.user);
        assert_string_equal(settings.node.host, "h");
    }
    memset(text, 'x', 6000);
    memcpy(text, "MYSQL_PASSWORD=", 15);
    text[6000] = '\n';
    stop(NULL);
    start(NULL);
    assert_true(read_text(text, 6001));
    assert_int_equal(strlen(settings.node.password), 6000 - 15);
}

static void nul_bytes(void **state)
{
    static const char text[] = "MYSQL_USERNAME=a\0b\n";

    (void)state;
    assert_false(read_text(text, sizeof text - 1));
    row_contains("error", error.text, "sysconfig:1: ");
}

static void unreadable_files(void **state)
{
    (void)state;
    assert_true(compat_file(&config, "/nonexistent/clustercheck", &error));
    assert_true(compat_file(&config, "/dev/null/clustercheck", &error));
    assert_false(compat_file(&config, "/tmp", &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    row_contains("directory", error.text, "cannot read /tmp");
}

/* Classic settings are weaker than the suite's own file, except those that were given as arguments. */
static void strengths(void **state)
{
    char user[] = "argument";
    char *words[] = {user};

    (void)state;
    assert_true(compat_arguments(&config, 1, words, &error));
    assert_true(read_text("MYSQL_USERNAME=a\nMYSQL_PASSWORD=sysconfig\nMYSQL_HOST=sysconfig\n", 62));
    assert_true(config_set(&config, "mysql", "host", "file", CONFIG_FROM_FILE, &error));
    assert_true(config_set(&config, "mysql", "user", "file", CONFIG_FROM_FILE, &error));
    assert_string_equal(settings.node.user, "argument");
    assert_string_equal(settings.node.password, "sysconfig"); /* the classic default is weaker still */
    assert_string_equal(settings.node.host, "file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arguments, start, stop),
        cmocka_unit_test_setup_teardown(wrong_arguments, start, stop),
        cmocka_unit_test_setup_teardown(environment, start, stop),
        cmocka_unit_test_setup_teardown(shell_words, start, stop),
        cmocka_unit_test_setup_teardown(shell_words_as_sh_reads_them, start, stop),
        cmocka_unit_test_setup_teardown(files, start, stop),
        cmocka_unit_test_setup_teardown(long_lines, start, stop),
        cmocka_unit_test_setup_teardown(nul_bytes, start, stop),
        cmocka_unit_test_setup_teardown(unreadable_files, start, stop),
        cmocka_unit_test_setup_teardown(strengths, start, stop),
    };

    return cmocka_run_group_tests_name("compat", tests, make_option_file, remove_option_file);
}
