#include "agent.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "announce.h"
#include "deadline.h"
#include "log.h"
#include "notify.h"
#include "num.h"
#include "presence.h"
#include "sampler.h"
#include "signals.h"
#include "store.h"

enum { NS_PER_MS = 1000000, FIRST_SAMPLE_GRACE_MS = 200, SAMPLE_GRACE_MS = 2000, WAIT_MOST_MS = 60000 };

struct agent {
    const struct settings *settings;
    struct registry_entry *entry;
    struct announce announce;
    struct presence presence;
    struct store store;
    struct etcd *etcd;
    struct sampler *sampler; /* NULL: the server is not asked */
    int signal_fd;
    bool ready;          /* systemd has been told */
    int64_t sampled_ms;  /* when the last verdict came */
    int64_t watchdog_ms; /* when the next sign of life is due */
    enum exit_code code;
    struct error *error;
};

static int64_t now_ms(void)
{
    return monotonic_ns() / NS_PER_MS;
}

static struct deadline deadline_at_ms(int64_t at_ms)
{
    return (struct deadline){at_ms > INT64_MAX / NS_PER_MS ? INT64_MAX : at_ms * NS_PER_MS};
}

/* --- what the log says -------------------------------------------------------------------------------------------- */

static void tell_registered(const struct agent *agent, const char *how)
{
    const struct registry_entry *entry = agent->entry;
    char address[REGISTRY_IP_SIZE + 16];
    char lease[32];
    char ttl[32];

    registry_address(entry, address, sizeof address);
    duration_format(agent->announce.ttl_ms, ttl, sizeof ttl);
    snprintf(lease, sizeof lease, "%" PRIx64, agent->store.lease);
    const struct log_field fields[] = {
        {"id", entry->id},
        {"address", address},
        {"state", entry->state[0] == '\0' ? NULL : entry->state},
        {"ttl", ttl},
        {"lease", agent->store.lease == 0 ? NULL : lease},
        {"etcd", etcd_endpoint(agent->etcd)},
        {NULL, NULL},
    };
    log_event(LOG_LEVEL_NOTICE, fields, "%s", how);
    notify_send("STATUS=registered as %s (%s)", entry->id, address);
}

static void tell_not_withdrawn(const struct agent *agent, const struct error *error)
{
    int64_t left_ms = agent->announce.expires_at_ms - now_ms();

    if (left_ms > 0)
        log_warning("cannot remove the entry of %s in time: %s; it expires by itself within %" PRId64 " s",
                    agent->entry->id, error->text, left_ms / 1000 + 1);
    else
        log_warning("cannot remove the entry of %s in time: %s; it has expired by itself by now", agent->entry->id,
                    error->text);
}

/* Ends the loop with an exit code and the reason. */
static void end_with(struct agent *agent, enum exit_code code, const struct error *error, const char *advice)
{
    agent->code = code;
    error_set(agent->error, code, "cannot register %s: %s%s", agent->entry->id, error->text, advice);
}

static void tell(struct agent *agent, enum announce_news news, const struct error *error)
{
    const char *id = agent->entry->id;

    switch (news) {
    case NEWS_NONE:
        break;
    case NEWS_REGISTERED:
        tell_registered(agent, "registered");
        break;
    case NEWS_REGISTERED_AGAIN:
        tell_registered(agent, "registered again");
        break;
    case NEWS_LOST:
        log_warning("the entry of %s is gone: %s; registering again", id, error->text);
        break;
    case NEWS_OUTAGE:
        log_warning("cannot reach etcd: %s; %s; trying until it answers", error->text,
                    agent->announce.held ? "the entry lasts for its TTL" : "this node is not registered");
        notify_send("STATUS=etcd cannot be reached");
        break;
    case NEWS_OUTAGE_OVER:
        log_notice("etcd answers again: %s", etcd_endpoint(agent->etcd));
        notify_send("STATUS=registered as %s", id);
        break;
    case NEWS_EXPIRED:
        log_warning(
            "the entry of %s has expired, unless etcd itself stands still: other programs do not see this node now",
            id);
        break;
    case NEWS_CONTESTED:
        log_warning("%s; waiting to see whether that node still lives", error->text);
        break;
    case NEWS_OWNED:
        end_with(
            agent, EXIT_NO, error,
            ", which is alive or has an entry without a lease: choose another id (--id), or stop or delete that one");
        break;
    case NEWS_DISPLACED:
        end_with(agent, EXIT_NO, error, ": two galera-register run for the same server; this one ends");
        break;
    case NEWS_REFUSED:
    case NEWS_IMPOSSIBLE:
        end_with(agent, error->code, error, "");
        break;
    case NEWS_GIVEN_UP:
        end_with(agent, EXIT_UNAVAILABLE, error, "");
        break;
    case NEWS_WITHDRAWN:
        if (agent->announce.stopping)
            log_notice("removed the entry of %s", id);
        else
            log_notice("removed the entry of %s: the local server is not fit (%s)", id, agent->entry->state);
        notify_send("STATUS=not registered");
        break;
    case NEWS_NOT_WITHDRAWN:
        tell_not_withdrawn(agent, error);
        break;
    }
}

/* --- the local server --------------------------------------------------------------------------------------------- */

static void note_state(struct agent *agent, const char *word, bool fit, const char *detail)
{
    presence_note(&agent->presence, fit, now_ms());
    if (strcmp(agent->entry->state, word) == 0)
        return;
    log_info("state of the local server: %s (%s)", word, detail);
    snprintf(agent->entry->state, sizeof agent->entry->state, "%s", word);
    announce_outdate(&agent->announce);
}

static int64_t silence_ms(const struct agent *agent)
{
    return agent->settings->check_interval_ms + agent->settings->check_timeout_ms + SAMPLE_GRACE_MS;
}

static void read_sampler(struct agent *agent)
{
    struct verdict verdict;

    if (agent->sampler == NULL)
        return;
    if (sampler_read(agent->sampler, &verdict)) {
        agent->sampled_ms = now_ms();
        note_state(agent, reason_word(verdict.reason), verdict.state == VERDICT_UP, verdict.detail);
    } else if (now_ms() - agent->sampled_ms > silence_ms(agent)) {
        note_state(agent, reason_word(REASON_TIMED_OUT), false, "the check of it hangs");
    }
    if (agent->settings->when == WHEN_SYNCED)
        announce_want(&agent->announce, presence_is(&agent->presence, now_ms()), now_ms());
}

/* A first state, so that the first entry has one; without an answer the entry must not wait longer. */
static void wait_for_first_sample(struct agent *agent)
{
    struct pollfd fds[] = {{.fd = agent->signal_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    struct deadline deadline = deadline_in_ms(agent->settings->check_timeout_ms + FIRST_SAMPLE_GRACE_MS);

    if (agent->sampler == NULL)
        return;
    fds[1].fd = sampler_fd(agent->sampler);
    if (poll(fds, 2, deadline_left_ms(deadline)) > 0)
        read_sampler(agent);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static void read_signals(struct agent *agent)
{
    int number;

    while ((number = signals_next(agent->signal_fd)) != 0) {
        if (number == SIGHUP) {
            log_notice("SIGHUP changes nothing here: the configuration is read at the start");
            continue;
        }
        if (agent->announce.stopping)
            continue;
        log_info("%s: removing the entry and stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
        notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64, (agent->settings->stop_timeout_ms + 1000) * 1000);
        announce_stop(&agent->announce, now_ms());
        etcd_ignore_wake(agent->etcd);
    }
}

static void feed_watchdog(struct agent *agent)
{
    int64_t every_ms = notify_watchdog_ms();

    if (every_ms == 0 || now_ms() < agent->watchdog_ms)
        return;
    notify_send("WATCHDOG=1");
    agent->watchdog_ms = now_ms() + every_ms / 2;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * Ready is who has done what can be done: registered, or found that etcd is away or the server unfit. Waiting for those
 * could hold up the start of the host.
 */
static void tell_ready(struct agent *agent)
{
    if (!agent->ready)
        notify_send("READY=1");
    agent->ready = true;
}

static void wait_until(struct agent *agent, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = agent->signal_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

    tell_ready(agent);
    if (agent->sampler != NULL) {
        fds[1].fd = sampler_fd(agent->sampler);
        until_ms = earlier(until_ms, agent->sampled_ms + silence_ms(agent) + 1);
        if (agent->settings->when == WHEN_SYNCED)
            until_ms = earlier(until_ms, presence_change_ms(&agent->presence));
    }
    if (notify_watchdog_ms() != 0)
        until_ms = earlier(until_ms, agent->watchdog_ms);
    until_ms = earlier(until_ms, now_ms() + WAIT_MOST_MS);
    poll(fds, 2, deadline_left_ms(deadline_at_ms(until_ms)));
}

static void act(struct agent *agent, struct announce_step step)
{
    struct error error = {.code = EXIT_YES};
    struct announce_report report;
    int64_t sent_ms = now_ms();
    int64_t until_ms = step.until_ms;

    if (notify_watchdog_ms() != 0)
        until_ms = earlier(until_ms, sent_ms + notify_watchdog_ms());
    store_do(&agent->store, step.action, deadline_at_ms(until_ms), &report, &error);
    report.sent_ms = sent_ms;
    enum announce_news news = announce_take(&agent->announce, &report, now_ms(), random_number());
    if (report.outcome != OUTCOME_DONE && news == NEWS_NONE)
        log_debug("%s", error.text);
    tell(agent, news, &error);
}

static void loop(struct agent *agent)
{
    for (;;) {
        feed_watchdog(agent);
        read_signals(agent);
        read_sampler(agent);
        struct announce_step step = announce_next(&agent->announce, now_ms());
        if (step.action == ANNOUNCE_END)
            return;
        if (step.action == ANNOUNCE_WAIT)
            wait_until(agent, step.until_ms);
        else
            act(agent, step);
    }
}

static bool start(struct agent *agent, struct settings *settings, struct error *error)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, 0};

    agent->signal_fd = signals_open(handled, error);
    if (agent->signal_fd < 0)
        return false;
    agent->etcd = etcd_open(&settings->etcd, agent->signal_fd, error);
    if (agent->etcd == NULL)
        return false;
    if (settings->check_interval_ms > 0)
        agent->sampler = sampler_start(settings, error);
    return settings->check_interval_ms == 0 || agent->sampler != NULL;
}

static void finish(struct agent *agent)
{
    sampler_stop(agent->sampler);
    etcd_close(agent->etcd);
    if (agent->signal_fd >= 0)
        close(agent->signal_fd);
    notify_close();
}

enum exit_code agent_run(struct settings *settings, struct registry_entry *entry, bool once, struct error *error)
{
    struct agent agent = {.settings = settings, .entry = entry, .signal_fd = -1, .code = EXIT_YES, .error = error};

    notify_open();
    if (start(&agent, settings, error)) {
        store_init(&agent.store, agent.etcd, entry, settings->prefix, settings->ttl_ms);
        announce_init(&agent.announce, agent.store.ttl_s * 1000, settings->stop_timeout_ms, once);
        presence_init(&agent.presence, settings->up_after_ms, settings->down_after_ms, now_ms());
        announce_want(&agent.announce, settings->when == WHEN_ALWAYS || once, now_ms());
        agent.sampled_ms = now_ms();
        agent.watchdog_ms = now_ms();
        wait_for_first_sample(&agent);
        loop(&agent);
    } else {
        agent.code = error->code;
    }
    finish(&agent);
    return agent.code;
}
