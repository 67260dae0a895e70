#include "balancer.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backoff.h"
#include "deadline.h"
#include "log.h"
#include "notify.h"
#include "registry_watch.h"
#include "round.h"
#include "signals.h"

enum {
    NS_PER_MS = 1000000,
    LOOK_MS = 500,     /* when nothing is going on */
    LOOK_SOON_MS = 30, /* while a check is awaited, or after steps */
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 2000
};

struct balancer {
    struct settings *settings;
    const struct reloading *reloading;
    struct round round;
    struct etcd *etcd;
    struct registry_watch *watch;
    int signal_fd;
    bool known; /* the registry has been read since `watch` was opened */
    bool ready; /* systemd has been told */
    bool stopping;
    int64_t look_ms;
    int64_t watchdog_ms;
    struct backoff backoff;
    char status[160]; /* that systemd was told */
};

static int64_t now_ms(void)
{
    return monotonic_ns() / NS_PER_MS;
}

static struct deadline deadline_at_ms(int64_t at_ms)
{
    return (struct deadline){at_ms > INT64_MAX / NS_PER_MS ? INT64_MAX : at_ms * NS_PER_MS};
}

static void feed_watchdog(struct balancer *balancer)
{
    if (notify_watchdog_ms() == 0 || now_ms() < balancer->watchdog_ms)
        return;
    notify_send("WATCHDOG=1");
    balancer->watchdog_ms = now_ms() + notify_watchdog_ms() / 4; /* a request to etcd may take half of the time */
}

/* --- what systemd is told ----------------------------------------------------------------------------------------- */

static void write_status(const struct balancer *balancer, char *status, size_t size)
{
    const struct round *round = &balancer->round;
    const struct plan *plan = &round->plan;
    size_t serving = 0;
    size_t used = 0;
    char title[96] = "none";

    if (!round->seen) {
        snprintf(status, size, "HAProxy does not answer");
        return;
    }
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        used += plan->slot[k].member >= 0 ? 1 : 0;
        serving += plan->slot[k].member >= 0 && view_slot_serves(&round->view.section[SECTION_ANY].slot[k]) ? 1 : 0;
    }
    if (plan->writer >= 0)
        member_title(&round->roster.member[plan->slot[plan->writer].member], title, sizeof title);
    snprintf(status, size, "%zu of %zu nodes serve, writer: %s", serving, used, title);
}

/*
 * Ready means that there is a file for HAProxy to start from, with the listeners that are configured and the last known
 * servers: whether HAProxy or etcd are there must not hold it up, since HAProxy is started after us, and from that file
 * when etcd is away. What has changed since reaches the running HAProxy.
 */
static void tell_systemd(struct balancer *balancer)
{
    char status[sizeof balancer->status];

    write_status(balancer, status, sizeof status);
    if (strcmp(status, balancer->status) != 0)
        notify_send("STATUS=%s", status);
    memcpy(balancer->status, status, sizeof status);
    if (!balancer->ready)
        notify_send("READY=1");
    balancer->ready = true;
}

/* --- the round ---------------------------------------------------------------------------------------------------- */

static void look_again(struct balancer *balancer, int64_t in_ms)
{
    balancer->look_ms = now_ms() + in_ms;
}

static void go_round(struct balancer *balancer)
{
    struct round *round = &balancer->round;
    struct error error;

    agreement_refresh(&round->agreement, now_ms());
    feed_watchdog(balancer);
    if (!round_look(round, now_ms(), &error)) {
        tell_no_view(&round->told, &error);
        look_again(balancer, backoff_delay_ms(&balancer->backoff, random_number()));
    } else {
        tell_view(&round->told, &round->view, balancer->settings);
        bool calm = round->plan.count == 0 && round->plan.propose < 0 && !round->plan.confirm;
        bool waiting = round->plan.waiting;
        bool done = !balancer->known || round_act(round, now_ms());
        if (done)
            backoff_reset(&balancer->backoff);
        if (!done)
            look_again(balancer, backoff_delay_ms(&balancer->backoff, random_number()));
        else
            look_again(balancer, calm && !waiting ? LOOK_MS : LOOK_SOON_MS);
    }
    feed_watchdog(balancer);
    (void)round_write_file(round, now_ms());
    tell_systemd(balancer);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static void close_etcd(struct balancer *balancer)
{
    registry_watch_close(balancer->watch);
    etcd_close(balancer->etcd);
    balancer->watch = NULL;
    balancer->etcd = NULL;
}

static bool open_etcd(struct balancer *balancer, struct error *error)
{
    struct settings *settings = balancer->settings;

    balancer->known = false;
    balancer->round.followed = 0; /* it may be another store */
    balancer->round.confirmed = 0;
    balancer->etcd = etcd_open(&settings->etcd, balancer->signal_fd, error);
    if (balancer->etcd == NULL)
        return false;
    int64_t most_ms = notify_watchdog_ms() != 0 ? notify_watchdog_ms() / 2 : INT64_MAX;
    int64_t request_ms = etcd_patience_ms(balancer->etcd, most_ms);
    struct registry_watch_settings watch = {.prefix = settings->prefix,
                                            .resync_ms = settings->resync_ms,
                                            .gather_ms = settings->gather_ms,
                                            .request_ms = request_ms};
    balancer->watch = registry_watch_open(balancer->etcd, &watch, error);
    round_open(&balancer->round, settings, balancer->etcd);
    return balancer->watch != NULL;
}

static bool reload(struct balancer *balancer, struct error *error)
{
    notify_send("RELOADING=1");
    struct settings *settings = balancer->reloading->read(balancer->reloading->context, error);
    if (settings == NULL) {
        log_err("%s; the configuration stays as it was", error->text);
        notify_send("READY=1");
        return true;
    }
    close_etcd(balancer);
    balancer->settings = settings;
    bool done = open_etcd(balancer, error);
    if (done)
        log_notice("the configuration was read again");
    balancer->ready = false; /* until the next round has written the file */
    look_again(balancer, 0);
    return done;
}

static bool read_signals(struct balancer *balancer, struct error *error)
{
    bool again = false;
    int number;

    while ((number = signals_next(balancer->signal_fd)) != 0) {
        balancer->stopping |= number == SIGTERM || number == SIGINT;
        again |= number == SIGHUP;
    }
    return !again || balancer->stopping || reload(balancer, error);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void wait_for_news(struct balancer *balancer)
{
    struct pollfd fds[] = {{.fd = balancer->signal_fd, .events = POLLIN}};
    int64_t until_ms = balancer->look_ms;
    struct error error;

    if (notify_watchdog_ms() != 0)
        until_ms = earlier(until_ms, balancer->watchdog_ms);
    if (balancer->known)
        until_ms = earlier(until_ms, leases_due_ms(&balancer->round.leases, &balancer->round.roster));
    enum registry_news news =
        registry_watch_turn(balancer->watch, fds, 1, deadline_at_ms(until_ms < 0 ? 0 : until_ms), &error);
    if (news == REGISTRY_CHANGED) {
        balancer->known = true;
        balancer->look_ms = INT64_MIN; /* at once */
    }
    /* Leases and revisions change without a word; taking the same registry again changes nothing. */
    if (balancer->known)
        round_follow(&balancer->round, registry_watch_current(balancer->watch),
                     registry_watch_revision(balancer->watch), now_ms());
}

static bool loop(struct balancer *balancer, struct error *error)
{
    for (;;) {
        feed_watchdog(balancer);
        if (now_ms() >= balancer->look_ms)
            go_round(balancer);
        wait_for_news(balancer);
        if (!read_signals(balancer, error))
            return false;
        if (balancer->stopping)
            return true;
        feed_watchdog(balancer);
        if (balancer->known)
            leases_refresh(&balancer->round.leases, balancer->etcd, &balancer->round.roster, now_ms());
    }
}

bool balancer_run(struct settings *settings, const struct reloading *reloading, struct error *error)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, 0};
    struct balancer *balancer = calloc(1, sizeof *balancer);
    bool done = false;

    if (balancer == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    balancer->settings = settings;
    balancer->reloading = reloading;
    balancer->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = RETRY_MOST_MS};
    notify_open();
    balancer->signal_fd = signals_open(handled, error);
    if (balancer->signal_fd >= 0 && open_etcd(balancer, error))
        done = loop(balancer, error);
    notify_send("STOPPING=1");
    if (done)
        log_notice("stopped; HAProxy goes on with the nodes that it has");
    close_etcd(balancer);
    if (balancer->signal_fd >= 0)
        close(balancer->signal_fd);
    notify_close();
    free(balancer);
    return done;
}
