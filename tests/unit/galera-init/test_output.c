/* What a server without a log file writes: passed on, and its end kept. */
#include "../row.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "output.h"
#include "support/scratch.h"

enum { SETTLE_MS = 20000, LINE = 64 };

static int old_stderr;

/* Standard error of the process is a file, in which everything has to arrive. */
static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return 1;
    int fd = open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    old_stderr = dup(STDERR_FILENO);
    if (fd < 0 || old_stderr < 0 || dup2(fd, STDERR_FILENO) < 0)
        return 1;
    close(fd);
    return 0;
}

static int end(void **state)
{
    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    return scratch_end(state);
}

static int must_open(void)
{
    struct error error;
    int fd = output_open(&error);

    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    return fd;
}

static void must_write(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void output_is_passed_on_and_kept(void **state)
{
    int fd = must_open();

    (void)state;
    must_write(fd, "one\n");
    must_write(fd, "two\n");
    close(fd);
    output_settle(SETTLE_MS);
    char *kept = output_kept();
    assert_string_equal(kept, "one\ntwo\n");
    assert_string_equal(scratch_read("stderr"), "one\ntwo\n");
    free(kept);
}

/* Numbered lines: whatever is dropped, what is kept is the end of all of them. */
static void the_end_of_much_output_is_kept(void **state)
{
    enum { LINES = 10000 };
    char line[LINE];
    int fd = must_open();

    (void)state;
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "%0*d\n", LINE - 2, i);
        must_write(fd, line);
    }
    close(fd);
    output_settle(SETTLE_MS);
    char *kept = output_kept();
    size_t length = strlen(kept);
    assert_in_range(length, OUTPUT_KEPT, 2 * OUTPUT_KEPT);
    for (size_t back = 1; back <= length / (LINE - 1); back++) {
        snprintf(line, sizeof line, "%0*d\n", LINE - 2, (int)(LINES - back));
        assert_memory_equal(kept + length - back * (LINE - 1), line, LINE - 1);
    }
    assert_int_equal(strlen(scratch_read("stderr")), LINES * (LINE - 1));
    free(kept);
}

static void a_new_server_begins_anew(void **state)
{
    int first = must_open();

    (void)state;
    must_write(first, "old\n");
    close(first);
    output_settle(SETTLE_MS);
    int second = must_open();
    char *kept = output_kept();
    assert_string_equal(kept, "");
    free(kept);
    must_write(second, "new\n");
    close(second);
    output_settle(SETTLE_MS);
    kept = output_kept();
    assert_string_equal(kept, "new\n");
    free(kept);
}

static bool is_kept(void *context)
{
    char *kept = output_kept();
    bool same = strcmp(kept, context) == 0;

    free(kept);
    return same;
}

/* A transfer script of the server may outlive it and hold the pipe. */
static void waiting_for_the_end_is_bounded(void **state)
{
    int fd = must_open();

    (void)state;
    char said[] = "said\n";
    must_write(fd, said);
    output_settle(100);
    assert_true(eventually(is_kept, said));
    close(fd);
    output_settle(SETTLE_MS);
    output_settle(SETTLE_MS); /* nothing to wait for */
}

/* Nobody reads what we pass on: the server must go on all the same. */
static void a_closed_standard_error_holds_nobody_up(void **state)
{
    char line[LINE + 1];
    int fd = must_open();

    (void)state;
    memset(line, 'x', LINE);
    line[LINE] = '\0';
    close(STDERR_FILENO);
    for (int i = 0; i < 5000; i++)
        must_write(fd, line);
    close(fd);
    output_settle(SETTLE_MS);
    dup2(old_stderr, STDERR_FILENO);
    char *kept = output_kept();
    assert_true(strlen(kept) >= OUTPUT_KEPT);
    free(kept);
}

#define WITH_STDERR(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STDERR(output_is_passed_on_and_kept),
        WITH_STDERR(the_end_of_much_output_is_kept),
        WITH_STDERR(a_new_server_begins_anew),
        WITH_STDERR(waiting_for_the_end_is_bounded),
        WITH_STDERR(a_closed_standard_error_holds_nobody_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
