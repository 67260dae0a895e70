#include "../row.h"
#include "answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The watchdog ends its process, so every row runs in a child: it has a socket's one end, the test has the other.
 */

enum { EXIT_GOOD = 0, EXIT_LATE = 42, EXIT_BROKEN = 99, MARGIN_MS = 1000 };

static struct reply good;
static struct reply fallback;
static int late_pipe[2]; /* the child's `late` writes a byte into it */

static void note_late(void)
{
    if (write(late_pipe[1], "L", 1) != 1)
        _exit(EXIT_BROKEN);
}

static int prepare(void **state)
{
    (void)state;
    /* Long enough that two of them mixed up cannot look like one. */
    memset(good.text, 'G', sizeof good.text);
    memset(fallback.text, 'f', sizeof fallback.text);
    good.length = sizeof good.text;
    fallback.length = sizeof fallback.text - 48;
    signal(SIGPIPE, SIG_IGN);
    return pipe2(late_pipe, O_NONBLOCK | O_CLOEXEC);
}

static bool was_late(void)
{
    char byte;
    bool late = read(late_pipe[0], &byte, 1) == 1;

    assert_int_equal(read(late_pipe[0], &byte, 1), -1); /* never twice */
    return late;
}

static int exit_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Reads to the end of the stream. */
static size_t read_all(int fd, char *text, size_t size)
{
    size_t length = 0;
    ssize_t count;

    while ((count = recv(fd, text + length, size - length, 0)) > 0)
        length += (size_t)count;
    assert_int_equal(count, 0);
    return length;
}

static void start_watch(int64_t ms)
{
    struct error error;

    if (!answer_watch(deadline_in_ms(ms), EXIT_LATE, note_late, &error))
        _exit(EXIT_BROKEN);
}

static void spin_until(struct deadline deadline)
{
    while (!deadline_passed(deadline))
        ;
}

/* The good answer comes at the very moment of the deadline, a little before it or a little after. */
static void race(void **state)
{
    enum { ROUNDS = 600, DEADLINE_US = 4000, SPREAD_US = 300 };
    int good_ones = 0;
    int late_ones = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        char text[2 * REPLY_SIZE + 1];
        char name[32];
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct deadline deadline = {monotonic_ns() + DEADLINE_US * 1000};
            struct error error;
            close(ends[0]);
            answer_prepare(&fallback, ends[1], true);
            if (!answer_watch(deadline, EXIT_LATE, note_late, &error))
                _exit(EXIT_BROKEN);
            spin_until((struct deadline){deadline.at_ns + (round % (2 * SPREAD_US) - SPREAD_US) * 1000});
            answer_claim();
            answer_write(ends[1], true, &good);
            _exit(EXIT_GOOD);
        }
        close(ends[1]);
        size_t length = read_all(ends[0], text, sizeof text);
        close(ends[0]);
        int code = exit_of(child);
        bool late = was_late();
        snprintf(name, sizeof name, "round %d", round);
        row_true(name, code == EXIT_GOOD || code == EXIT_LATE);
        const struct reply *expected = code == EXIT_LATE ? &fallback : &good;
        row_number(name, length, expected->length);
        row_number(name, memcmp(text, expected->text, length), 0);
        row_number(name, late, code == EXIT_LATE);
        *(late ? &late_ones : &good_ones) += 1;
    }
    print_message("# %d in time, %d late\n", good_ones, late_ones);
    assert_true(good_ones > 0 && late_ones > 0);
}

/* A child that answers on one end; what the test does with the other end is the row. */
enum client { READS, NEVER_READS, HAS_CLOSED, FLOODS, FULL, SENDS_MUCH };

struct ends {
    int child, client;
};

static struct ends socket_pair(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return (struct ends){ends[0], ends[1]};
}

static struct ends tcp_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ends ends;

    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ends.client, (struct sockaddr *)&address, sizeof address), 0);
    ends.child = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(ends.child >= 0);
    close(listener);
    return ends;
}

static void fill(int fd)
{
    static const char rubbish[4096];

    while (send(fd, rubbish, sizeof rubbish, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    while (send(fd, rubbish, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
}

static void flood_until_end_of(pid_t child, int fd)
{
    static const char rubbish[4096];
    siginfo_t info;

    do {
        if (send(fd, rubbish, sizeof rubbish, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 10);
        info.si_pid = 0;
    } while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0);
}

static void clients(void **state)
{
    static const struct {
        const char *name;
        enum client client;
        bool tcp, late, read;
        int at_most_ms; /* that the child lives, besides its deadline */
    } rows[] = {
        {"reads", READS, false, false, true, 0},
        {"reads, TCP", READS, true, false, true, 0},
        {"reads a late answer", READS, true, true, true, 0},
        {"has sent much that nobody reads", SENDS_MUCH, true, false, true, 0},
        {"has sent much, late answer", SENDS_MUCH, true, true, true, 0},
        {"never reads and never closes", NEVER_READS, false, false, false, 1000},
        {"never reads and never closes, late answer", NEVER_READS, false, true, false, 1000},
        {"closed before the answer", HAS_CLOSED, false, false, false, 0},
        {"closed before the answer, TCP", HAS_CLOSED, true, false, false, 0},
        {"closed before a late answer", HAS_CLOSED, true, true, false, 0},
        {"its buffers are full", FULL, false, false, false, 1250},
        {"its buffers are full, late answer", FULL, false, true, false, 1250},
        {"floods", FLOODS, false, false, false, 1000},
        {"floods, TCP", FLOODS, true, false, false, 1000},
        {"floods, late answer", FLOODS, true, true, false, 1000},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct ends ends = rows[i].tcp ? tcp_pair() : socket_pair();
        char text[2 * REPLY_SIZE + 1];
        if (rows[i].client == FULL)
            fill(ends.child);
        if (rows[i].client == SENDS_MUCH)
            fill(ends.client);
        if (rows[i].client == HAS_CLOSED)
            close(ends.client);
        int64_t started = monotonic_ns();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (rows[i].client != HAS_CLOSED)
                close(ends.client);
            answer_prepare(&fallback, ends.child, true);
            start_watch(rows[i].late ? 20 : 60000);
            if (rows[i].late)
                sleep(60);
            answer_claim();
            answer_write(ends.child, true, &good);
            _exit(EXIT_GOOD);
        }
        close(ends.child);
        if (rows[i].read) {
            size_t length = read_all(ends.client, text, sizeof text);
            row_number(rows[i].name, length, (rows[i].late ? fallback : good).length);
            row_number(rows[i].name, text[length - 1], rows[i].late ? 'f' : 'G');
            close(ends.client);
        }
        if (rows[i].client == FLOODS)
            flood_until_end_of(child, ends.client);
        row_number(rows[i].name, exit_of(child), rows[i].late ? EXIT_LATE : EXIT_GOOD);
        row_number(rows[i].name, was_late(), rows[i].late);
        int64_t lived_ms = (monotonic_ns() - started) / 1000000;
        /* Who is not to wait for the client at all has less time than that wait takes. */
        row_true(rows[i].name, lived_ms < rows[i].at_most_ms + (rows[i].at_most_ms > 0 ? 10 : 1) * MARGIN_MS);
        if (!rows[i].read && rows[i].client != HAS_CLOSED)
            close(ends.client);
    }
}

/* Standard output may be a socket that others write to as well. */
static void output_is_not_closed(void **state)
{
    struct ends ends = socket_pair();
    char text[2 * REPLY_SIZE];

    (void)state;
    answer_write(ends.child, false, &good);
    assert_int_equal(send(ends.child, "more", 4, MSG_NOSIGNAL), 4);
    assert_int_equal(recv(ends.client, text, sizeof text, MSG_DONTWAIT), good.length + 4);
    close(ends.child);
    close(ends.client);
}

static void output_to_a_pipe(void **state)
{
    int ends[2];
    char text[2 * REPLY_SIZE];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    answer_write(ends[1], false, &good);
    assert_int_equal(read(ends[0], text, sizeof text), good.length);
    close(ends[0]);
    answer_write(ends[1], false, &good); /* nobody reads: no signal, no loop */
    close(ends[1]);
}

static void unusable_descriptors(void **state)
{
    int closed = dup(STDIN_FILENO);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    close(closed);
    answer_write(closed, false, &good);
    answer_write(closed, true, &good);
    answer_write(-1, true, &good);
    answer_write(full, false, &good);
    close(full);
}

/* Without a place for the answer the watchdog still ends the process. */
static void watchdog_without_answer(void **state)
{
    static const struct {
        const char *name;
        bool prepared;
    } rows[] = {{"never prepared", false}, {"prepared with no descriptor", true}};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (rows[i].prepared)
                answer_prepare(&fallback, -1, false);
            start_watch(10);
            sleep(60);
            _exit(EXIT_BROKEN);
        }
        row_number(rows[i].name, exit_of(child), EXIT_LATE);
        row_true(rows[i].name, was_late());
    }
}

static void hang(void)
{
    for (;;)
        pause();
}

/* Nothing that comes after the answer, a log that hangs, may keep the process. */
static void late_note_hangs(void **state)
{
    (void)state;
    for (int late = 0; late <= 1; late++) {
        struct ends ends = socket_pair();
        int64_t started = monotonic_ns();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct error error;
            close(ends.client);
            answer_prepare(&fallback, ends.child, true);
            if (!answer_watch(deadline_in_ms(late ? 10 : 60000), EXIT_LATE, hang, &error))
                _exit(EXIT_BROKEN);
            if (late)
                sleep(60);
            answer_claim();
            answer_write(ends.child, true, &good);
            hang();
        }
        close(ends.child);
        char text[2 * REPLY_SIZE];
        row_number("answered", read_all(ends.client, text, sizeof text), late ? fallback.length : good.length);
        close(ends.client);
        row_number("ended by the alarm", exit_of(child), 1000 + SIGALRM);
        row_true("in time", monotonic_ns() - started < INT64_C(20000000000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(race),
        cmocka_unit_test(clients),
        cmocka_unit_test(output_is_not_closed),
        cmocka_unit_test(output_to_a_pipe),
        cmocka_unit_test(unusable_descriptors),
        cmocka_unit_test(watchdog_without_answer),
        cmocka_unit_test(late_note_hangs),
    };

    return cmocka_run_group_tests_name("answer", tests, prepare, NULL);
}
