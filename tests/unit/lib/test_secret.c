#include "../row.h"
#include "secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/clustercheck-secret-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void fill(const char *content, size_t length)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, length), length);
    close(fd);
}

static void first_line(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        const char *secret; /* NULL: refused */
    } rows[] = {
        {"one line", "s3cret\n", "s3cret"},
        {"without newline", "s3cret", "s3cret"},
        {"CRLF", "s3cret\r\n", "s3cret"},
        {"blanks belong to it", " s3 cret \n", " s3 cret "},
        {"further lines", "first\nsecond\n", "first"},
        {"UTF-8", "\xC3\xA4\xE2\x82\xAC\n", "\xC3\xA4\xE2\x82\xAC"},
        {"empty file", "", NULL},
        {"empty first line", "\nsecond\n", NULL},
        {"CRLF alone", "\r\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.code = EXIT_YES};
        char *secret = strdup("before");
        fill(rows[i].content, strlen(rows[i].content));
        row_number(rows[i].name, secret_read(path, &secret, &error), rows[i].secret != NULL);
        row_text(rows[i].name, secret, rows[i].secret == NULL ? "before" : rows[i].secret);
        row_number(rows[i].name, error.code, rows[i].secret == NULL ? EXIT_CONFIG : EXIT_YES);
        if (rows[i].secret == NULL)
            row_contains(rows[i].name, error.text, path);
        free(secret);
    }
}

static void too_long_is_refused(void **state)
{
    static char content[4096];
    struct error error;
    char *secret = NULL;

    (void)state;
    memset(content, 'x', sizeof content);
    fill(content, 1022);
    assert_true(secret_read(path, &secret, &error));
    assert_int_equal(strlen(secret), 1022);
    fill(content, sizeof content);
    assert_false(secret_read(path, &secret, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    row_contains("too long", error.text, "longer than");
    assert_int_equal(strlen(secret), 1022);
    free(secret);
}

static void unreadable(void **state)
{
    static const struct {
        const char *path;
        const char *why;
    } rows[] = {{"/nonexistent/secret", "No such file"}, {"/tmp", "Is a directory"}};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.code = EXIT_YES};
        char *secret = NULL;
        row_true(rows[i].path, !secret_read(rows[i].path, &secret, &error));
        row_number(rows[i].path, error.code, EXIT_CONFIG);
        row_contains(rows[i].path, error.text, rows[i].path);
        row_contains(rows[i].path, error.text, rows[i].why);
        row_true(rows[i].path, secret == NULL);
    }
}

static void wiped(void **state)
{
    char argument[] = "s3cret";

    (void)state;
    secret_wipe(argument);
    for (size_t i = 0; i < sizeof argument; i++)
        assert_int_equal(argument[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_line),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(wiped),
    };

    return cmocka_run_group_tests_name("secret", tests, make_file, remove_file);
}
