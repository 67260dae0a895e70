#include "../row.h"
#include "connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct ends {
    int ours, client;
};

static struct ends socket_pair(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return (struct ends){ends[0], ends[1]};
}

static int tcp_listener(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(listener, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &size), 0);
    return listener;
}

static int tcp_client(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

static struct ends tcp_pair(void)
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address);
    struct ends ends = {.client = tcp_client(&address)};

    ends.ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(ends.ours >= 0);
    close(listener);
    return ends;
}

/* Runs `job` in a child, where standard descriptors may be replaced; its exit code. */
static int in_child(int (*job)(int), int argument)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(job(argument));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int input_of_standard_input(int fd)
{
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    return (int)input_of(STDIN_FILENO);
}

static void inputs(void **state)
{
    struct sockaddr_in address;
    struct sockaddr_un path = {.sun_family = AF_UNIX}; /* an abstract name of the kernel's choice */
    int ends[2];
    int closed = dup(STDIN_FILENO);
    int listener = tcp_listener(&address);
    int unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ends tcp = tcp_pair();
    struct ends gone = tcp_pair();
    struct ends pair = socket_pair();

    (void)state;
    close(closed);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(bind(unix_listener, (struct sockaddr *)&path, sizeof path.sun_family), 0);
    assert_int_equal(listen(unix_listener, 1), 0);
    /* A reset: the client closes with bytes that it has not read. */
    assert_int_equal(send(gone.ours, "x", 1, 0), 1);
    usleep(20000);
    close(gone.client);
    usleep(20000);

    const struct {
        const char *name;
        int fd;
        enum input input;
    } rows[] = {
        {"closed", closed, INPUT_OTHER},
        {"/dev/null", open("/dev/null", O_RDWR | O_CLOEXEC), INPUT_OTHER},
        {"a file", open("/proc/self/exe", O_RDONLY | O_CLOEXEC), INPUT_OTHER},
        {"pipe", ends[0], INPUT_OTHER},
        {"TCP connection", tcp.ours, INPUT_CONNECTION},
        {"TCP connection, client gone", gone.ours, INPUT_CONNECTION},
        {"TCP listener", listener, INPUT_LISTENER},
        {"Unix listener", unix_listener, INPUT_LISTENER},
        {"socket pair that is not standard output", pair.ours, INPUT_OTHER},
    };
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].name, input_of(rows[i].fd), rows[i].input);
    assert_int_equal(in_child(input_of_standard_input, pair.ours), INPUT_CONNECTION);
    for (size_t i = 1; i < ROW_COUNT(rows); i++)
        close(rows[i].fd);
    close(ends[1]);
    close(tcp.client);
    close(pair.client);
}

/* What a client gets after connection_detach when something writes to fds 1 and 2. */
static int detach_and_write(int fd)
{
    for (int standard = 0; standard <= 2; standard++)
        dup2(fd, standard);
    connection_detach();
    if (write(1, "out", 3) != 3 || write(2, "err", 3) != 3)
        return 1;
    return write(0, "answer", 6) == 6 ? 0 : 2;
}

static int detach_with_no_descriptor_free(int fd)
{
    struct rlimit none = {3, 3};

    for (int standard = 0; standard <= 2; standard++)
        dup2(fd, standard);
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        return 3;
    return detach_and_write(0);
}

static int detach_with_standard_output_closed(int fd)
{
    dup2(fd, 0);
    dup2(fd, 2);
    close(1);
    connection_detach();
    if (write(1, "out", 3) != 3 || write(2, "err", 3) != 3)
        return 1;
    return write(0, "answer", 6) == 6 ? 0 : 2;
}

static void detached(void **state)
{
    static const struct {
        const char *name;
        int (*job)(int);
    } rows[] = {
        {"usual", detach_and_write},
        {"no free descriptor", detach_with_no_descriptor_free},
        {"standard output is closed", detach_with_standard_output_closed},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        if (rows[i].job == detach_with_no_descriptor_free && under_valgrind())
            continue;
        struct ends ends = socket_pair();
        char text[64];
        row_number(rows[i].name, in_child(rows[i].job, ends.ours), 0);
        ssize_t length = recv(ends.client, text, sizeof text, MSG_DONTWAIT);
        row_number(rows[i].name, length, 6);
        row_number(rows[i].name, memcmp(text, "answer", 6), 0);
        close(ends.ours);
        close(ends.client);
    }
}

static int accept_and_answer(int listener)
{
    dup2(listener, STDIN_FILENO);
    if (!connection_accept())
        return 1;
    return write(STDIN_FILENO, "hello", 5) == 5 ? 0 : 2;
}

static void accepted(void **state)
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address);
    int client = tcp_client(&address);
    char text[16];

    (void)state;
    assert_int_equal(in_child(accept_and_answer, listener), 0);
    assert_int_equal(recv(client, text, sizeof text, 0), 5);
    close(client);
    /* Another process was faster: no connection is left. */
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(in_child(accept_and_answer, listener), 1);
    close(listener);
}

/* What a client does: pieces with pauses before them; a NULL piece ends it. */
struct piece {
    const char *bytes;
    int pause_ms;
};

/* Long times, so that a client that a busy machine lets wait does not become another one. */
enum { PIECES_MOST = 6, WAIT_MS = 1000, DEADLINE_MS = 4000, SLACK_MS = 900, NEAR_MS = 400 };

static void play(int fd, const struct piece *pieces, size_t times)
{
    for (; pieces->bytes != NULL; pieces++) {
        usleep((useconds_t)pieces->pause_ms * 1000);
        for (size_t i = 0; i < times; i++) {
            if (send(fd, pieces->bytes, strlen(pieces->bytes), MSG_NOSIGNAL) < 0)
                return;
        }
    }
}

static void readings(void **state)
{
    static const struct {
        const char *name;
        struct piece pieces[PIECES_MOST];
        bool closes; /* the client, after its last piece */
        enum request_progress progress;
        enum endpoint endpoint;
        int at_least_ms, at_most_ms;
    } rows[] = {
        {"at once", {{"GET /rw HTTP/1.0\r\n\r\n", 0}}, false, REQUEST_COMPLETE, ENDPOINT_RW, 0, 0},
        {"in two pieces", {{"GET /rw HT", 0}, {"TP/1.0\r\n\r\n", 30}}, false, REQUEST_COMPLETE, ENDPOINT_RW, 30, 30},
        {"silent", {{NULL, 0}}, false, REQUEST_EMPTY, ENDPOINT_POLICY, WAIT_MS, WAIT_MS},
        {"closed at once", {{NULL, 0}}, true, REQUEST_EMPTY, ENDPOINT_POLICY, 0, 0},
        {"closed after half a line", {{"GET /r", 0}}, true, REQUEST_STARTED, ENDPOINT_POLICY, 0, 0},
        {"closed after the line", {{"GET /rw HTTP/1.0\r\n", 0}}, true, REQUEST_LINE, ENDPOINT_RW, 0, 0},
        {"silent after the line", {{"GET /rw HTTP/1.0\r\n", 0}}, false, REQUEST_LINE, ENDPOINT_RW, WAIT_MS, WAIT_MS},
        {"silent after a header",
         {{"GET /rw HTTP/1.0\r\nHost: x\r\n", 0}},
         false,
         REQUEST_LINE,
         ENDPOINT_RW,
         WAIT_MS,
         WAIT_MS},
        {"slow headers",
         {{"GET /rw HTTP/1.0\r\n", 0}, {"A: b\r\n", NEAR_MS}, {"C: d\r\n", NEAR_MS}, {"\r\n", NEAR_MS}},
         false,
         REQUEST_COMPLETE,
         ENDPOINT_RW,
         3 * NEAR_MS,
         3 * NEAR_MS},
        {"half a line for ever", {{"GET /r", 0}}, false, REQUEST_STARTED, ENDPOINT_POLICY, DEADLINE_MS, DEADLINE_MS},
        {"a pause longer than the wait within the line",
         {{"GET /r", 0}, {"w HTTP/1.0\r\n\r\n", WAIT_MS + 500}},
         false,
         REQUEST_COMPLETE,
         ENDPOINT_RW,
         WAIT_MS + 500,
         WAIT_MS + 500},
        {"first byte in time, late rest",
         {{"G", NEAR_MS}, {"ET /ro HTTP/1.0\r\n\r\n", WAIT_MS}},
         false,
         REQUEST_COMPLETE,
         ENDPOINT_RO,
         NEAR_MS + WAIT_MS,
         NEAR_MS + WAIT_MS},
        {"pipelined",
         {{"GET /rw HTTP/1.0\r\n\r\nGET /ro HTTP/1.0\r\n\r\n", 0}},
         false,
         REQUEST_COMPLETE,
         ENDPOINT_RW,
         0,
         0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct ends ends = tcp_pair();
        int64_t started = monotonic_ns();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends.ours);
            play(ends.client, rows[i].pieces, 1);
            if (!rows[i].closes)
                pause();
            _exit(0);
        }
        close(ends.client);
        struct request request = connection_read(ends.ours, WAIT_MS, deadline_in_ms(DEADLINE_MS));
        int64_t took_ms = (monotonic_ns() - started) / 1000000;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends.ours);
        row_number(rows[i].name, request.progress, rows[i].progress);
        row_number(rows[i].name, request.endpoint, rows[i].endpoint);
        row_true(rows[i].name, took_ms >= rows[i].at_least_ms - 5 && took_ms <= rows[i].at_most_ms + SLACK_MS);
    }
}

static void byte_by_byte(void **state)
{
    static const char text[] = "HEAD /live HTTP/1.1\r\nX-Haproxy-Server-State: UP; weight=1/1\r\n\r\n";
    struct ends ends = tcp_pair();
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        int on = 1;
        setsockopt(ends.client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
        for (size_t i = 0; i < sizeof text - 1; i++) {
            usleep(500);
            if (send(ends.client, text + i, 1, MSG_NOSIGNAL) != 1)
                _exit(1);
        }
        _exit(0);
    }
    struct request request = connection_read(ends.ours, 20000, deadline_in_ms(20000));
    waitpid(child, NULL, 0);
    close(ends.ours);
    close(ends.client);
    assert_int_equal(request.progress, REQUEST_COMPLETE);
    assert_int_equal(request.endpoint, ENDPOINT_LIVE);
    assert_true(request.head);
    assert_int_equal(request.siblings, SIBLINGS_NONE_USABLE);
}

/* A megabyte of rubbish is looked at up to the limit, and no longer. */
static void rubbish(void **state)
{
    static const struct {
        const char *name;
        struct piece pieces[PIECES_MOST];
        enum request_progress progress;
    } rows[] = {
        {"one endless line", {{"0123456789abcdef", 0}}, REQUEST_STARTED},
        {"endless headers", {{"Header: value\r\n", 0}}, REQUEST_LINE},
        {"newlines", {{"\n\n\n\n\n\n\n\n", 0}}, REQUEST_STARTED},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct ends ends = tcp_pair();
        int64_t started = monotonic_ns();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends.ours);
            play(ends.client, rows[i].pieces, 65536);
            _exit(0);
        }
        close(ends.client);
        struct request request = connection_read(ends.ours, 20000, deadline_in_ms(20000));
        row_number(rows[i].name, request.progress, rows[i].progress);
        row_true(rows[i].name, monotonic_ns() - started < INT64_C(15000000000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends.ours);
    }
}

static void not_a_socket(void **state)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int closed = dup(null);

    (void)state;
    close(closed);
    assert_int_equal(connection_read(null, 1000, deadline_in_ms(1000)).progress, REQUEST_EMPTY);
    assert_int_equal(connection_read(closed, 1000, deadline_in_ms(1000)).progress, REQUEST_EMPTY);
    close(null);
}

static void deadline_that_has_passed(void **state)
{
    struct ends ends = socket_pair();

    (void)state;
    /* What has arrived is read all the same. */
    assert_int_equal(send(ends.client, "GET /rw HTTP/1.0\r\n\r\n", 20, 0), 20);
    assert_int_equal(connection_read(ends.ours, 1000, (struct deadline){0}).progress, REQUEST_COMPLETE);
    assert_int_equal(connection_read(ends.ours, 1000, (struct deadline){0}).progress, REQUEST_EMPTY);
    assert_int_equal(connection_read(ends.ours, 0, deadline_in_ms(1000)).progress, REQUEST_EMPTY);
    close(ends.ours);
    close(ends.client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs),       cmocka_unit_test(detached),
        cmocka_unit_test(accepted),     cmocka_unit_test(readings),
        cmocka_unit_test(byte_by_byte), cmocka_unit_test(rubbish),
        cmocka_unit_test(not_a_socket), cmocka_unit_test(deadline_that_has_passed),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
