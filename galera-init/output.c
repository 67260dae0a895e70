#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    char kept[2 * OUTPUT_KEPT]; /* the last half counts when it is full */
    size_t length;
    int reading; /* our end of the last pipe; -1: it has ended */
} output = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER, .reading = -1};

static void keep(const char *bytes, size_t length)
{
    pthread_mutex_lock(&output.lock);
    if (output.length + length > sizeof output.kept) {
        size_t drop = output.length > OUTPUT_KEPT ? output.length - OUTPUT_KEPT : 0;
        memmove(output.kept, output.kept + drop, output.length - drop);
        output.length -= drop;
    }
    memcpy(output.kept + output.length, bytes, length);
    output.length += length;
    pthread_mutex_unlock(&output.lock);
}

static void *pump(void *context)
{
    int fd = (int)(intptr_t)context;
    char bytes[8192];
    ssize_t length;

    while ((length = read(fd, bytes, sizeof bytes)) > 0 || (length < 0 && errno == EINTR)) {
        if (length < 0)
            continue;
        keep(bytes, (size_t)length);
        for (ssize_t done = 0, more; done < length; done += more) {
            more = write(STDERR_FILENO, bytes + done, (size_t)(length - done));
            if (more <= 0)
                break; /* nobody reads our standard error: the server must go on */
        }
    }
    pthread_mutex_lock(&output.lock);
    if (output.reading == fd)
        output.reading = -1;
    pthread_cond_broadcast(&output.ended);
    pthread_mutex_unlock(&output.lock);
    close(fd);
    return NULL;
}

int output_open(struct error *error)
{
    int ends[2];
    pthread_t thread;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set(error, EXIT_INTERNAL, "cannot make a pipe for the server's output: %s", strerror(errno));
        return -1;
    }
    pthread_mutex_lock(&output.lock);
    output.length = 0;
    output.reading = ends[0];
    bool started = pthread_create(&thread, NULL, pump, (void *)(intptr_t)ends[0]) == 0;
    if (!started)
        output.reading = -1;
    pthread_mutex_unlock(&output.lock);
    if (!started) {
        error_set(error, EXIT_INTERNAL, "cannot start a thread for the server's output");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    pthread_detach(thread);
    return ends[1];
}

void output_settle(int64_t most_ms)
{
    struct timespec at = deadline_timespec(deadline_in_ms(most_ms));

    pthread_mutex_lock(&output.lock);
    while (output.reading >= 0 && pthread_cond_clockwait(&output.ended, &output.lock, CLOCK_MONOTONIC, &at) == 0) {
    }
    pthread_mutex_unlock(&output.lock);
}

char *output_kept(void)
{
    pthread_mutex_lock(&output.lock);
    char *copy = malloc(output.length + 1);
    if (copy != NULL) {
        memcpy(copy, output.kept, output.length);
        copy[output.length] = '\0';
    }
    pthread_mutex_unlock(&output.lock);
    return copy;
}
