#include "../row.h"
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
    char *host;
    char *password;
    char *path;
    int64_t port;
    int64_t timeout;
    int64_t ttl;
    bool verify;
    int mode;
    char *prefix;
};

static const struct config_choice modes[] = {{"never", 0}, {"always", 1}, {"last", 2}, {"0", 0}, {"1", 1}, {NULL, 0}};

static const struct config_key mysql_keys[] = {
    {"mysql", "host", CONFIG_STRING, offsetof(struct settings, host), "", 0, 0, NULL, "h"},
    {"mysql", "password", CONFIG_SECRET, offsetof(struct settings, password), "", 0, 0, NULL, "h"},
    {"mysql", "ssl_ca", CONFIG_PATH, offsetof(struct settings, path), "/etc/ca.pem", 0, 0, NULL, "h"},
    {"mysql", "port", CONFIG_NUMBER, offsetof(struct settings, port), "3306", 1, 65535, NULL, "h"},
    {"mysql", "ssl_verify", CONFIG_BOOLEAN, offsetof(struct settings, verify), "yes", 0, 0, NULL, "h"},
};

static const struct config_key check_keys[] = {
    {"clustercheck", "timeout", CONFIG_DURATION, offsetof(struct settings, timeout), "1s", 10, 60000, NULL, "h"},
    {"clustercheck", "mode", CONFIG_CHOICE, offsetof(struct settings, mode), "never", 0, 0, modes, "h"},
    {"clustercheck", "ttl", CONFIG_SECONDS, offsetof(struct settings, ttl), "10s", 2000, 60000, NULL, "h"},
    {"etcd", "prefix", CONFIG_STRING, offsetof(struct settings, prefix), "/galera", 0, 0, NULL, "h"},
};

static struct settings settings;
static struct config config;
static struct error error;

static int start(void **state)
{
    (void)state;
    memset(&error, 0, sizeof error);
    config_init(&config);
    return config_add(&config, mysql_keys, ROW_COUNT(mysql_keys), &settings, &error) &&
                   config_add(&config, check_keys, ROW_COUNT(check_keys), &settings, &error)
               ? 0
               : -1;
}

static int stop(void **state)
{
    (void)state;
    config_free(&config);
    return settings.host == NULL && settings.prefix == NULL ? 0 : -1;
}

static bool read_text(const char *text, size_t length)
{
    /* fmemopen refuses an empty buffer. */
    FILE *stream = length == 0 ? fopen("/dev/null", "r") : fmemopen((void *)(uintptr_t)text, length, "r");

    assert_non_null(stream);
    bool done = config_read_stream(&config, stream, "test.conf", &error);
    fclose(stream);
    return done;
}

static void defaults(void **state)
{
    (void)state;
    assert_null(settings.host);
    assert_null(settings.password);
    assert_string_equal(settings.path, "/etc/ca.pem");
    assert_int_equal(settings.port, 3306);
    assert_int_equal(settings.timeout, 1000);
    assert_true(settings.verify);
    assert_int_equal(settings.mode, 0);
    assert_string_equal(settings.prefix, "/galera");
}

static void good_files(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *host;
        int64_t port;
        const char *prefix;
    } rows[] = {
        {"empty", "", NULL, 3306, "/galera"},
        {"newline alone", "\n", NULL, 3306, "/galera"},
        {"comments", "# a\n; b\n  # c\n\t; d\n", NULL, 3306, "/galera"},
        {"plain", "[mysql]\nhost=db1\nport = 3307\n", "db1", 3307, "/galera"},
        {"without last newline", "[mysql]\nport = 3307", NULL, 3307, "/galera"},
        {"CRLF", "[mysql]\r\nhost = db1\r\nport = 3307\r\n", "db1", 3307, "/galera"},
        {"byte order mark", "\xEF\xBB\xBF[mysql]\nhost = db1\n", "db1", 3306, "/galera"},
        {"blanks around", "[mysql]\n  host   =   db1  \n\tport\t=\t3307\t\n", "db1", 3307, "/galera"},
        {"colon", "[mysql]\nhost: db1\n", "db1", 3306, "/galera"},
        {"letter case of names", "[MySQL]\nHost = DB1\n", "DB1", 3306, "/galera"},
        {"indentation means nothing", "[mysql]\n host = db1\n  port = 3307\n [etcd]\n  prefix = /x\n", "db1", 3307,
         "/x"},
        {"empty value", "[mysql]\nhost =\n", NULL, 3306, "/galera"},
        {"comment behind", "[mysql]\nhost = db1 ; the first\n", "db1", 3306, "/galera"},
        {"comment behind a section", "[mysql] ; the server\nhost = db1\n", "db1", 3306, "/galera"},
        {"semicolon inside", "[mysql]\nhost = a;b\n", "a;b", 3306, "/galera"},
        {"hash inside", "[mysql]\nhost = a #b\n", "a #b", 3306, "/galera"},
        {"equals inside", "[mysql]\nhost = a=b\n", "a=b", 3306, "/galera"},
        {"section twice", "[mysql]\nhost = db1\n[etcd]\nprefix=/x\n[mysql]\nport = 3307\n", "db1", 3307, "/x"},
        {"others' sections", "[haproxy]\nanything = at all\n[mysql]\nhost = db1\n", "db1", 3306, "/galera"},
        {"NUL byte in a comment keeps the next line", "[mysql]\n#\1\nhost = db1\n", "db1", 3306, "/galera"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[512];
        size_t length = strlen(rows[i].text);
        stop(NULL);
        start(NULL);
        memcpy(text, rows[i].text, length);
        for (size_t k = 0; k < length; k++)
            text[k] = text[k] == '\1' ? '\0' : text[k];
        bool done = read_text(text, length);
        row_text(rows[i].name, done ? "" : error.text, "");
        row_text(rows[i].name, settings.host, rows[i].host);
        row_number(rows[i].name, settings.port, rows[i].port);
        row_text(rows[i].name, settings.prefix, rows[i].prefix);
    }
}

static void bad_files(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *where;
        const char *what;
    } rows[] = {
        {"unknown key", "[mysql]\n\nhots = a\n",
         "test.conf:3: ", "unknown key 'hots' in [mysql] (did you mean 'host'?)"},
        {"nothing near", "[mysql]\ncolour = a\n", "test.conf:2: ", "unknown key 'colour' in [mysql]"},
        {"key of another section", "[mysql]\ntimeout = 1s\n", "test.conf:2: ", "unknown key 'timeout' in [mysql]"},
        {"empty name", "[mysql]\n= a\n", "test.conf:2: ", "unknown key ''"},
        {"unknown section", "[mysq]\nhost = a\n", "test.conf:1: ", "unknown section [mysq] (did you mean 'mysql'?)"},
        {"unknown section without keys", "[mysql]\n\n[foo]\n", "test.conf:3: ", "unknown section [foo]"},
        {"unknown section in blanks", "[ mysql ]\nhost = a\n", "test.conf:1: ", "(did you mean 'mysql'?)"},
        {"empty section", "[]\n", "test.conf:1: ", "unknown section []"},
        {"section without end", "[mysql\nhost = a\n", "test.conf:1: ", "ends with ']'"},
        {"text behind a section", "[mysql] host = a\n", "test.conf:1: ", "nothing may follow"},
        {"long section name", "[mysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysqlmysql]\n",
         "test.conf:1: ", "unknown section [mysqlmysql"},
        {"before a section", "host = a\n[mysql]\n", "test.conf:1: ", "before the first [section]"},
        {"no equals", "[mysql]\nhost\n", "test.conf:2: ", "neither a [section], nor key = value"},
        {"rubbish", "[mysql]\nhost = a\n\x7F\x45LF\x02\n", "test.conf:3: ", "neither a [section]"},
        {"the first of two mistakes", "[mysql]\nrubbish\nhots = a\n", "test.conf:2: ", "neither a [section]"},
        {"the first of two mistakes, other way", "[mysql]\nhots = a\nrubbish\n", "test.conf:2: ", "unknown key"},
        {"twice", "[mysql]\nhost = a\n\nhost = b\n", "test.conf:4: ", "'host' was already set in line 2"},
        {"twice in two sections", "[mysql]\nhost = a\n[etcd]\n[mysql]\nHOST = b\n",
         "test.conf:5: ", "already set in line 2"},
        {"number", "[mysql]\nport = 33o6\n", "test.conf:2: ", "port = '33o6' is not a number from 1 to 65535"},
        {"number out of range", "[mysql]\nport = 65536\n", "test.conf:2: ", "not a number from 1 to 65535"},
        {"empty number", "[mysql]\nport =\n", "test.conf:2: ", "port = '' is not a number"},
        {"boolean", "[mysql]\nssl_verify = maybe\n", "test.conf:2: ", "ssl_verify = 'maybe' is neither yes nor no"},
        {"path", "[mysql]\nssl_ca = ca.pem\n", "test.conf:2: ", "ssl_ca = 'ca.pem' is not an absolute path"},
        {"duration", "[clustercheck]\ntimeout = soon\n",
         "test.conf:2: ", "timeout = 'soon' is not a duration from 10ms to 1m (written like 250ms or 10s)"},
        {"duration too short", "[clustercheck]\ntimeout = 9ms\n", "test.conf:2: ", "not a duration from 10ms"},
        {"duration too long", "[clustercheck]\ntimeout = 61s\n", "test.conf:2: ", "not a duration from 10ms"},
        {"part of a second", "[clustercheck]\nttl = 2500ms\n",
         "test.conf:2: ", "ttl = '2500ms' is not possible: it is counted in whole seconds"},
        {"seconds, too few", "[clustercheck]\nttl = 500ms\n", "test.conf:2: ", "not a duration from 2s to 1m"},
        {"choice", "[clustercheck]\nmode = alway\n",
         "test.conf:2: ", "mode = 'alway' is not possible (did you mean 'always'?)"},
        {"choice, nothing near", "[clustercheck]\nmode = 2\n",
         "test.conf:2: ", "mode = '2' is not possible; choose one of never always last 0 1"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        stop(NULL);
        start(NULL);
        row_true(rows[i].name, !read_text(rows[i].text, strlen(rows[i].text)));
        row_number(rows[i].name, error.code, EXIT_CONFIG);
        row_true(error.text, strncmp(error.text, rows[i].where, strlen(rows[i].where)) == 0);
        row_contains(rows[i].name, error.text, rows[i].what);
    }
}

static void line_lengths(void **state)
{
    static const struct {
        const char *name;
        const char *front;
        size_t filling;
        bool good;
    } rows[] = {
        {"short value", "host = ", 100, true},           {"long value", "host = ", 190, true},
        {"too long a value", "host = ", 400, false},     {"long comment", "# ", 5000, true},
        {"long comment, indented", "   ; ", 5000, true}, {"long rubbish", "", 100000, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static char text[110000];
        int used = snprintf(text, sizeof text, "[mysql]\n%s", rows[i].front);
        memset(text + used, 'x', rows[i].filling);
        used += (int)rows[i].filling;
        used += snprintf(text + used, sizeof text - (size_t)used, "\nport = 3307\n");
        stop(NULL);
        start(NULL);
        row_number(rows[i].name, read_text(text, (size_t)used), rows[i].good);
        row_number(rows[i].name, settings.port, rows[i].good ? 3307 : 3306);
        if (!rows[i].good)
            row_contains(rows[i].name, error.text, "test.conf:2: line is longer than");
        else if (rows[i].front[0] == 'h')
            row_number(rows[i].name, strlen(settings.host), rows[i].filling);
    }
}

static void nul_bytes(void **state)
{
    static const char text[] = "[mysql]\nhost = a\0b\nport = 3307\n";
    static const char at_the_end[] = "[mysql]\nhost = a\0b";

    (void)state;
    assert_false(read_text(text, sizeof text - 1));
    row_contains("in the middle", error.text, "test.conf:2: ");
    stop(NULL);
    start(NULL);
    assert_false(read_text(at_the_end, sizeof at_the_end - 1));
    row_contains("in the last line", error.text, "test.conf:2: ");
}

static void missing_files(void **state)
{
    static const struct {
        const char *path;
        bool required, good;
        const char *why;
    } rows[] = {
        {"/nonexistent/x.conf", false, true, NULL},
        {"/nonexistent/x.conf", true, false, "No such file"},
        {"/tmp", false, false, "Is a directory"},
        {"/dev/null/x.conf", false, false, "Not a directory"},
        {"/dev/null", true, true, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].path, config_read_file(&config, rows[i].path, rows[i].required, &error), rows[i].good);
        if (!rows[i].good) {
            row_number(rows[i].path, error.code, EXIT_CONFIG);
            row_contains(rows[i].path, error.text, rows[i].path);
            row_contains(rows[i].path, error.text, rows[i].why);
        }
    }
}

/* Each pair of sources, in both orders of arrival. */
static void strength(void **state)
{
    static const enum config_strength all[] = {CONFIG_FROM_LEGACY, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT,
                                               CONFIG_FROM_COMMAND};
    static const char *const values[] = {"legacy", "file", "environment", "command"};

    (void)state;
    for (size_t first = 0; first < ROW_COUNT(all); first++) {
        for (size_t second = 0; second < ROW_COUNT(all); second++) {
            stop(NULL);
            start(NULL);
            assert_true(config_set(&config, "mysql", "host", values[first], all[first], &error));
            assert_true(config_set(&config, "mysql", "host", values[second], all[second], &error));
            row_text(values[first], settings.host, values[first > second ? first : second]);
        }
    }
}

static void wrong_value_changes_nothing(void **state)
{
    (void)state;
    assert_true(config_set(&config, "mysql", "port", "3307", CONFIG_FROM_FILE, &error));
    assert_false(config_set(&config, "mysql", "port", "x", CONFIG_FROM_COMMAND, &error));
    assert_string_equal(error.text, "port = 'x' is not a number from 1 to 65535");
    assert_int_equal(settings.port, 3307);
    assert_true(config_set(&config, "mysql", "port", "3308", CONFIG_FROM_FILE, &error));
    assert_int_equal(settings.port, 3308);
    assert_false(config_set(&config, "mysql", "ports", "1", CONFIG_FROM_COMMAND, &error));
    assert_false(config_set(&config, "mysqld", "port", "1", CONFIG_FROM_COMMAND, &error));
}

static void environment(void **state)
{
    (void)state;
    setenv("CLUSTERCHECK_MYSQL_HOST", "db9", 1);
    setenv("CLUSTERCHECK_MYSQL_SSL_CA", "", 1);
    setenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT", "2s", 1);
    setenv("CLUSTERCHECK_MYSQL_UNKNOWN", "ignored", 1);
    assert_true(read_text("[mysql]\nhost = a\n", 17));
    assert_true(config_read_environment(&config, &error));
    assert_string_equal(settings.host, "db9");
    assert_null(settings.path);
    assert_int_equal(settings.timeout, 2000);
    setenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT", "x", 1);
    assert_false(config_read_environment(&config, &error));
    row_contains("error", error.text, "environment variable CLUSTERCHECK_CLUSTERCHECK_TIMEOUT: timeout = 'x'");
    unsetenv("CLUSTERCHECK_MYSQL_HOST");
    unsetenv("CLUSTERCHECK_MYSQL_SSL_CA");
    unsetenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT");
    unsetenv("CLUSTERCHECK_MYSQL_UNKNOWN");
}

static void printed(void **state)
{
    static char long_host[3000];
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    memset(long_host, 'h', sizeof long_host - 1);
    setenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT", "1500ms", 1);
    assert_true(read_text("[mysql]\nport = 3307\npassword = geheim\n", 38));
    assert_true(config_read_environment(&config, &error));
    assert_true(config_set(&config, "clustercheck", "mode", "1", CONFIG_FROM_COMMAND, &error));
    assert_true(config_set(&config, "mysql", "host", long_host, CONFIG_FROM_LEGACY, &error));
    config_print(&config, stream);
    fclose(stream);
    row_contains("file", text, "\nport = 3307  ; test.conf:2\n");
    row_contains("secret", text, "\npassword = ********  ; test.conf:3\n");
    row_true("no secret", strstr(text, "geheim") == NULL);
    row_contains("default", text, "\nssl_ca = /etc/ca.pem  ; default\n");
    row_contains("environment", text, "timeout = 1500ms  ; environment CLUSTERCHECK_CLUSTERCHECK_TIMEOUT\n");
    row_contains("the first word of a choice", text, "\nmode = always  ; command line\n");
    row_contains("a long value", text, long_host);
    row_contains("classic", text, "h  ; classic settings\n");
    row_true("sections", strncmp(text, "[mysql]\n", 8) == 0 && strstr(text, "\n\n[clustercheck]\n") != NULL &&
                             strstr(text, "\n\n[etcd]\n") != NULL);
    free(text);
    unsetenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT");
}

/* What --check-config prints is a file that is read back to the same. */
static void printed_is_read_back(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    assert_true(config_set(&config, "mysql", "host", "db7", CONFIG_FROM_COMMAND, &error));
    assert_true(config_set(&config, "clustercheck", "timeout", "90ms", CONFIG_FROM_COMMAND, &error));
    config_print(&config, stream);
    fclose(stream);
    stop(NULL);
    start(NULL);
    assert_true(read_text(text, size));
    assert_string_equal(settings.host, "db7");
    assert_int_equal(settings.timeout, 90);
    assert_null(settings.password);
    free(text);
}

static void tables_are_bounded(void **state)
{
    static struct settings more[CONFIG_TABLES_MOST + 1];
    struct config many;
    size_t added = 0;

    (void)state;
    config_init(&many);
    while (added < ROW_COUNT(more) && config_add(&many, mysql_keys, ROW_COUNT(mysql_keys), &more[added], &error))
        added++;
    assert_int_equal(added, CONFIG_TABLES_MOST);
    assert_int_equal(error.code, EXIT_INTERNAL);
    config_free(&many);
}

static void wrong_default_is_an_error(void **state)
{
    static const struct config_key wrong[] = {
        {"mysql", "port", CONFIG_NUMBER, offsetof(struct settings, port), "x", 1, 2, NULL, "h"}};
    struct settings other;
    struct config broken;

    (void)state;
    config_init(&broken);
    assert_false(config_add(&broken, wrong, 1, &other, &error));
    row_contains("error", error.text, "default in [mysql]: port = 'x'");
    config_free(&broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults, start, stop),
        cmocka_unit_test_setup_teardown(good_files, start, stop),
        cmocka_unit_test_setup_teardown(bad_files, start, stop),
        cmocka_unit_test_setup_teardown(line_lengths, start, stop),
        cmocka_unit_test_setup_teardown(nul_bytes, start, stop),
        cmocka_unit_test_setup_teardown(missing_files, start, stop),
        cmocka_unit_test_setup_teardown(strength, start, stop),
        cmocka_unit_test_setup_teardown(wrong_value_changes_nothing, start, stop),
        cmocka_unit_test_setup_teardown(environment, start, stop),
        cmocka_unit_test_setup_teardown(printed, start, stop),
        cmocka_unit_test_setup_teardown(printed_is_read_back, start, stop),
        cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(wrong_default_is_an_error),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
