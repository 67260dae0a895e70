/* A log that nobody reads: standard error is a pipe that is full, or becomes so. */
#include "../row.h"
#include "log_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"

enum { FILL = 'x', PATIENCE_MS = 20000, TEXT_SIZE = 1 << 20 };

static int reader;
static int real_stderr;
static char text[TEXT_SIZE];
static size_t length;

static int capture(void **state)
{
    int ends[2];

    (void)state;
    if (pipe(ends) != 0)
        return -1;
    reader = ends[0];
    real_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    length = 0;
    log_open("prog");
    return 0;
}

static int release(void **state)
{
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return close(reader);
}

/* So full that not one more byte goes into it. */
static void fill(void)
{
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    char bytes[4096];

    memset(bytes, FILL, sizeof bytes);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(STDERR_FILENO, bytes, sizeof bytes) > 0 || write(STDERR_FILENO, bytes, 1) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
}

/* Reads on until `last` is there. */
static void wait_logged(const char *last)
{
    struct pollfd ready = {.fd = reader, .events = POLLIN};

    text[length] = '\0';
    while (strstr(text, last) == NULL) {
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            fail_msg("'%s' was not logged", last);
        ssize_t more = read(reader, text + length, sizeof text - 1 - length);
        assert_true(more > 0);
        length += (size_t)more;
        text[length] = '\0';
    }
}

static const char *lines(void)
{
    return text + strspn(text, "x");
}

static void start(void)
{
    struct error error;

    assert_true(log_thread_start(&error));
}

static void lines_come_in_order_and_the_end_waits_for_them(void **state)
{
    char expected[64];

    (void)state;
    start();
    for (int i = 0; i < LOG_THREAD_LINES / 2; i++)
        log_err("line %d", i);
    assert_true(log_thread_stop(PATIENCE_MS));
    log_err("the last one, not by the thread");
    wait_logged("by the thread\n");
    const char *at = text;
    for (int i = 0; i < LOG_THREAD_LINES / 2; i++) {
        snprintf(expected, sizeof expected, "prog: err: line %d\n", i);
        row_true(expected, strncmp(at, expected, strlen(expected)) == 0);
        at += strlen(expected);
    }
    assert_string_equal(at, "prog: err: the last one, not by the thread\n");
}

static void a_full_log_holds_nobody_up(void **state)
{
    (void)state;
    fill();
    start();
    alarm(PATIENCE_MS / 1000); /* a log that is waited for would hang here */
    for (int i = 0; i < LOG_THREAD_LINES; i++)
        log_err("line %d", i);
    alarm(0);
    wait_logged("line 63\n");
    assert_true(log_thread_stop(PATIENCE_MS));
    assert_null(strstr(text, "lost"));
    assert_true(strncmp(lines(), "prog: err: line 0\n", strlen("prog: err: line 0\n")) == 0);
}

static void what_is_too_much_is_counted(void **state)
{
    char expected[64];
    int written = 0;
    int last = -1;

    (void)state;
    fill();
    start();
    for (int i = 0; i < 3 * LOG_THREAD_LINES; i++)
        log_err("line %d", i);
    wait_logged("lines were lost");
    log_err("later");
    wait_logged("prog: err: later\n");
    assert_true(log_thread_stop(PATIENCE_MS));
    for (const char *at = lines(); (at = strstr(at, "err: line ")) != NULL; at++) {
        int number = -1;
        assert_int_equal(sscanf(at, "err: line %d", &number), 1);
        assert_true(number > last && number < 3 * LOG_THREAD_LINES);
        assert_true(written >= LOG_THREAD_LINES || number == written);
        last = number;
        written++;
    }
    /* The thread takes one line out before it waits for the log, be it early or late. */
    assert_in_range(written, LOG_THREAD_LINES, LOG_THREAD_LINES + 1);
    snprintf(expected, sizeof expected, "prog: warning: %d log lines were lost: ", 3 * LOG_THREAD_LINES - written);
    row_contains("lost", text, expected);
}

/* ... until the log can be written again: here the thread is met once more. */
static void a_log_that_hangs_is_left_behind(void **state)
{
    (void)state;
    fill();
    start();
    log_err("never");
    int64_t began_ns = monotonic_ns();
    assert_false(log_thread_stop(100));
    assert_true(monotonic_ns() - began_ns >= 99 * 1000000);
    wait_logged("prog: err: never\n");
    assert_true(log_thread_stop(PATIENCE_MS));
}

static void without_a_thread(void **state)
{
    (void)state;
    assert_true(log_thread_stop(0));
    log_err("at once");
    wait_logged("prog: err: at once\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_thread, capture, release),
        cmocka_unit_test_setup_teardown(lines_come_in_order_and_the_end_waits_for_them, capture, release),
        cmocka_unit_test_setup_teardown(a_full_log_holds_nobody_up, capture, release),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_counted, capture, release),
        cmocka_unit_test_setup_teardown(a_log_that_hangs_is_left_behind, capture, release),
    };

    return cmocka_run_group_tests_name("log_thread", tests, NULL, NULL);
}
