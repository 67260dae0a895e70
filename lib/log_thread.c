#include "log_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deadline.h"
#include "log_internal.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct waiting {
    struct waiting *next;
    enum log_level level;
    size_t length;
    char text[];
};

static struct {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;

    /* Under the lock. */
    struct waiting *first;
    struct waiting **end;
    size_t count;
    size_t lost;
    bool ending;
    bool gone;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void put(enum log_level level, char *text, size_t length)
{
    struct waiting *line = malloc(sizeof *line + length + 2);

    if (line != NULL) {
        *line = (struct waiting){.level = level, .length = length};
        memcpy(line->text, text, length);
        line->text[length] = '\0';
    }
    pthread_mutex_lock(&queue.lock);
    if (line == NULL || queue.count == LOG_THREAD_LINES) {
        queue.lost++;
        free(line);
    } else {
        *queue.end = line;
        queue.end = &line->next;
        queue.count++;
        pthread_cond_signal(&queue.changed);
    }
    pthread_mutex_unlock(&queue.lock);
}

/* The next line, and when it is the last one, how many were lost; NULL at the end. */
static struct waiting *take(size_t *lost)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.first == NULL && !queue.ending)
        pthread_cond_wait(&queue.changed, &queue.lock);
    struct waiting *line = queue.first;
    if (line != NULL) {
        queue.first = line->next;
        queue.end = queue.first == NULL ? &queue.first : queue.end;
        queue.count--;
    }
    *lost = queue.first == NULL ? queue.lost : 0;
    queue.lost -= *lost;
    pthread_mutex_unlock(&queue.lock);
    return line;
}

static void *run(void *unused)
{
    struct waiting *line;
    size_t lost;

    (void)unused;
    while ((line = take(&lost)) != NULL) {
        log_write(line->level, line->text, line->length);
        free(line);
        if (lost > 0)
            log_warning("%zu log lines were lost: the log did not take them fast enough", lost);
    }
    pthread_mutex_lock(&queue.lock);
    queue.gone = true;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
    return NULL;
}

bool log_thread_start(struct error *error)
{
    queue.end = &queue.first;
    queue.ending = queue.gone = false;
    int failure = pthread_create(&queue.thread, NULL, run, NULL);
    if (failure != 0)
        return error_set(error, EXIT_INTERNAL, "cannot start the thread that writes the log: %s", strerror(failure));
    queue.started = true;
    log_set_writer(put);
    return true;
}

bool log_thread_stop(int64_t wait_ms)
{
    int64_t until_ns = monotonic_ns() + wait_ms * NS_PER_MS;
    struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};

    if (!queue.started)
        return true;
    pthread_mutex_lock(&queue.lock);
    queue.ending = true;
    pthread_cond_broadcast(&queue.changed);
    while (!queue.gone && pthread_cond_clockwait(&queue.changed, &queue.lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool gone = queue.gone;
    pthread_mutex_unlock(&queue.lock);
    if (!gone)
        return false;
    pthread_join(queue.thread, NULL);
    queue.started = false;
    log_set_writer(NULL);
    return true;
}
