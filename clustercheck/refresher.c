#include "refresher.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "marks.h"
#include "node.h"

enum order { ORDER_NONE, ORDER_REFRESH, ORDER_STOP };

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fd; /* eventfd: a refresh has ended */

    /* Under the lock. */
    enum order order;
    const struct settings *settings; /* of the order */
    bool ended;
    bool gone; /* the thread */

    /* The thread's while a refresh runs, the caller's otherwise. */
    struct node *node;
    struct snapshot *filling;

    /* The caller's. */
    struct snapshot *taken;
    bool running;
    struct snapshot pair[2]; /* what is filled and what was taken */
} refresher = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fd = -1};

static enum node_failure connect_and_ask(const struct settings *settings, struct deadline deadline,
                                         struct observed *observed)
{
    enum node_failure failure = node_open(&settings->node, deadline, &refresher.node, &observed->failure);

    if (failure != NODE_ANSWERED)
        return failure;
    return node_ask_again(refresher.node, deadline, &observed->facts, &observed->failure);
}

static void drop_connection(void)
{
    node_close(refresher.node);
    refresher.node = NULL;
}

/*
 * A server that has restarted, or has closed a connection that was idle for too long, is asked again at once: only the
 * connection has failed. One that did not answer in time has had its chance.
 */
static enum node_failure ask(const struct settings *settings, struct snapshot *snapshot)
{
    struct deadline deadline = deadline_in_ms(settings->timeout_ms);
    struct observed *observed = &snapshot->observed;

    if (refresher.node != NULL) {
        enum node_failure failure = node_ask_again(refresher.node, deadline, &observed->facts, &observed->failure);
        if (failure == NODE_ANSWERED || failure == NODE_TIMED_OUT)
            return failure;
        drop_connection();
        snapshot->reconnected = true;
    }
    return connect_and_ask(settings, deadline, observed);
}

static void refresh(const struct settings *settings, struct snapshot *snapshot)
{
    struct observation *seen = &snapshot->observed.observation;

    facts_clear(&snapshot->observed.facts);
    *seen = (struct observation){.facts = &snapshot->observed.facts};
    snapshot->reconnected = false;
    snapshot->began_ns = monotonic_ns();
    seen->failure = ask(settings, snapshot);
    if (seen->failure != NODE_ANSWERED) {
        drop_connection();
        seen->failure_text = snapshot->observed.failure.text;
        seen->sst_in_progress = mark_transfer(settings->datadir);
    }
    snapshot->ended_ns = monotonic_ns();
}

static void *run(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&refresher.lock);
    for (;;) {
        while (refresher.order == ORDER_NONE)
            pthread_cond_wait(&refresher.changed, &refresher.lock);
        if (refresher.order == ORDER_STOP)
            break;
        pthread_mutex_unlock(&refresher.lock);
        refresh(refresher.settings, refresher.filling);
        pthread_mutex_lock(&refresher.lock);
        refresher.ended = true;
        if (refresher.order == ORDER_REFRESH)
            refresher.order = ORDER_NONE;
        eventfd_write(refresher.fd, 1);
    }
    drop_connection();
    refresher.gone = true;
    pthread_cond_broadcast(&refresher.changed);
    pthread_mutex_unlock(&refresher.lock);
    return NULL;
}

bool refresher_start(struct error *error)
{
    refresher.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (refresher.fd < 0)
        return error_set(error, EXIT_INTERNAL, "cannot make an eventfd: %s", strerror(errno));
    refresher.filling = &refresher.pair[0];
    refresher.taken = &refresher.pair[1];
    int failure = pthread_create(&refresher.thread, NULL, run, NULL);
    if (failure != 0)
        return error_set(error, EXIT_INTERNAL, "cannot start the thread that asks the server: %s", strerror(failure));
    return true;
}

int refresher_fd(void)
{
    return refresher.fd;
}

void refresher_order(const struct settings *settings)
{
    if (refresher.running)
        return;
    refresher.running = true;
    pthread_mutex_lock(&refresher.lock);
    refresher.settings = settings;
    refresher.order = ORDER_REFRESH;
    pthread_cond_broadcast(&refresher.changed);
    pthread_mutex_unlock(&refresher.lock);
}

bool refresher_runs(void)
{
    return refresher.running;
}

struct snapshot *refresher_take(void)
{
    eventfd_t ignored;
    bool ended;

    eventfd_read(refresher.fd, &ignored);
    pthread_mutex_lock(&refresher.lock);
    ended = refresher.ended;
    refresher.ended = false;
    pthread_mutex_unlock(&refresher.lock);
    if (!ended)
        return NULL;
    struct snapshot *filled = refresher.filling;
    refresher.filling = refresher.taken;
    refresher.taken = filled;
    refresher.running = false;
    return filled;
}

void refresher_forget(void)
{
    if (!refresher.running)
        drop_connection();
}

bool refresher_stop(int64_t wait_ms)
{
    struct timespec until;
    bool gone;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&refresher.lock);
    refresher.order = ORDER_STOP;
    pthread_cond_broadcast(&refresher.changed);
    while (!refresher.gone && pthread_cond_timedwait(&refresher.changed, &refresher.lock, &until) == 0)
        ;
    gone = refresher.gone;
    pthread_mutex_unlock(&refresher.lock);
    if (gone)
        pthread_join(refresher.thread, NULL);
    return gone;
}
