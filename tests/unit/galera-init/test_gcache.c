/* Galera's cache: where the server's options say that it is, and that it goes with a copy that is given up. */
#include "../row.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gcache.h"

static void where_it_is(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *directory, *file;
    } rows[] = {
        {"no options", "", "", ""},
        {"other options", "gcache.size=1G; gcs.fc_limit=16", "", ""},
        {"a directory", "gcache.size=1G;gcache.dir=/cache;gcs.fc_limit=16", "/cache", ""},
        {"blanks", " gcache.dir = /cache ; gcache.name = ring ", "/cache", "ring"},
        {"a relative directory", "gcache.dir=cache", "/data/cache", ""},
        {"a name that begins alike", "gcache.directory=/cache; gcache.named=ring", "", ""},
        {"a name with a path", "gcache.name=/ram/ring", "", "/ram/ring"},
        {"no value", "gcache.dir; gcache.name=", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct server_info info;
        char text[256];
        snprintf(text, sizeof text, "datadir  /data\nwsrep-provider-options   %s\nport   3306\n", rows[i].options);
        server_parse_help(text, &info);
        row_text(rows[i].name, info.gcache_dir, rows[i].directory);
        row_text(rows[i].name, info.gcache_name, rows[i].file);
    }
}

/* The extension is always the server's own. */
static void where_the_ddl_log_is(void **state)
{
    static const struct {
        const char *name;
        const char *value, *path;
    } rows[] = {
        {"the default", "ddl_recovery.log", "/data/ddl_recovery.log"},
        {"no extension", "ddl", "/data/ddl.log"},
        {"another extension", "/var/lib/x.d/ddl.rec", "/var/lib/x.d/ddl.log"},
        {"a server without it", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct server_info info;
        char text[256];
        snprintf(text, sizeof text, "datadir  /data\nlog-ddl-recovery   %s\nport   3306\n", rows[i].value);
        server_parse_help(text, &info);
        row_text(rows[i].name, info.ddl_log, rows[i].path);
    }
}

static char *make_file(const char *directory, const char *name)
{
    static char path[2][256];
    static int turn;
    char *text = path[turn = !turn];

    snprintf(text, sizeof path[0], "%s/%s", directory, name);
    int fd = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    return text;
}

static bool there(const char *directory, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void what_goes_and_what_stays(void **state)
{
    static struct server_info info;
    char data[] = "/tmp/test_gcache.XXXXXX";
    char other[64];
    struct error error;

    (void)state;
    assert_non_null(mkdtemp(data));
    snprintf(other, sizeof other, "%s/other", data);
    assert_int_equal(mkdir(other, 0700), 0);
    snprintf(info.datadir, sizeof info.datadir, "%s", data);
    assert_true(gcache_drop(&info, &error)); /* none there */

    make_file(data, "galera.cache");
    make_file(data, "gcache.page.000003");
    make_file(data, "grastate.dat");
    assert_true(gcache_drop(&info, &error));
    assert_false(there(data, "galera.cache"));
    assert_false(there(data, "gcache.page.000003"));
    assert_true(there(data, "grastate.dat"));

    snprintf(info.gcache_dir, sizeof info.gcache_dir, "%s", other);
    snprintf(info.gcache_name, sizeof info.gcache_name, "ring");
    make_file(other, "ring");
    make_file(data, "ring");
    assert_true(gcache_drop(&info, &error));
    assert_false(there(other, "ring"));
    assert_true(there(data, "ring"));

    snprintf(info.gcache_name, sizeof info.gcache_name, "%s/ring", data);
    assert_true(gcache_drop(&info, &error));
    assert_false(there(data, "ring"));

    assert_int_equal(unlink(make_file(data, "grastate.dat")), 0);
    assert_int_equal(rmdir(other), 0);
    assert_int_equal(rmdir(data), 0);
    assert_true(gcache_drop(&info, &error)); /* a directory that is not there has no cache in it */
}

static void what_cannot_be_removed_is_an_error(void **state)
{
    static struct server_info info;
    char data[] = "/tmp/test_gcache.XXXXXX";
    char path[64];
    struct error error;

    (void)state;
    assert_non_null(mkdtemp(data));
    snprintf(path, sizeof path, "%s/galera.cache", data);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(info.datadir, sizeof info.datadir, "%s", data);
    assert_false(gcache_drop(&info, &error));
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
    assert_non_null(strstr(error.text, data));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_is),
        cmocka_unit_test(where_the_ddl_log_is),
        cmocka_unit_test(what_goes_and_what_stays),
        cmocka_unit_test(what_cannot_be_removed_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
