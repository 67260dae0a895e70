#include "answer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WRITE_WAIT_MS = 250,  /* an answer fits into any socket buffer; this bounds the case that it does not */
    CLOSE_WAIT_MS = 1000, /* for a client that does not close */
    LATE_WAIT_S = 3,      /* nothing that comes after an answer, a log that hangs, may keep the process longer */
};

static struct {
    pthread_mutex_t taken; /* held for good by the one who answers */
    pthread_mutex_t filling;
    struct deadline deadline;
    struct reply fallback;
    int fd;
    bool is_client;
    int exit_code;
    void (*late)(void);
} watch = {.taken = PTHREAD_MUTEX_INITIALIZER, .filling = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static bool wait_for(int fd, short events, struct deadline deadline)
{
    struct pollfd waiting = {.fd = fd, .events = events};
    int ready;

    do {
        ready = poll(&waiting, 1, deadline_left_ms(deadline));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static void close_gently(int fd)
{
    struct deadline deadline = deadline_in_ms(CLOSE_WAIT_MS);
    char ignored[4096];

    if (shutdown(fd, SHUT_WR) != 0)
        return;
    /* A client that goes on sending is always ready to be read. */
    while (!deadline_passed(deadline) && wait_for(fd, POLLIN, deadline)) {
        ssize_t count = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
            return;
    }
}

static ssize_t write_some(int fd, bool is_socket, const char *text, size_t length)
{
    return is_socket ? send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) : write(fd, text, length);
}

void answer_write(int fd, bool is_client, const struct reply *reply)
{
    answer_write_text(fd, is_client, reply->text, reply->length);
}

void answer_write_text(int fd, bool is_client, const char *text, size_t length)
{
    struct deadline deadline = deadline_in_ms(WRITE_WAIT_MS);
    int type;
    socklen_t type_size = sizeof type;
    bool is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0;
    size_t done = 0;

    while (done < length) {
        ssize_t count = write_some(fd, is_socket, text + done, length - done);
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline))))
            break; /* the client has gone: nobody is left to be told */
    }
    if (is_client)
        close_gently(fd);
}

static void *watchdog(void *unused)
{
    struct timespec until = deadline_timespec(watch.deadline);

    (void)unused;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
    pthread_mutex_lock(&watch.taken);
    pthread_mutex_lock(&watch.filling);
    alarm(LATE_WAIT_S);
    if (watch.fd >= 0)
        answer_write(watch.fd, watch.is_client, &watch.fallback);
    watch.late();
    _exit(watch.exit_code);
}

bool answer_watch(struct deadline deadline, int exit_code, void (*late)(void), struct error *error)
{
    pthread_t thread;

    watch.deadline = deadline;
    watch.exit_code = exit_code;
    watch.late = late;
    int failure = pthread_create(&thread, NULL, watchdog, NULL);
    if (failure != 0)
        return error_set(error, EXIT_INTERNAL, "cannot start the watchdog: %s", strerror(failure));
    return true;
}

void answer_prepare(const struct reply *fallback, int fd, bool is_client)
{
    pthread_mutex_lock(&watch.filling);
    watch.fallback = *fallback;
    watch.fd = fd;
    watch.is_client = is_client;
    pthread_mutex_unlock(&watch.filling);
}

void answer_claim(void)
{
    pthread_mutex_lock(&watch.taken);
    if (watch.is_client)
        alarm(LATE_WAIT_S);
}
