#include "discover.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "formats.h"
#include "log.h"
#include "notify.h"
#include "num.h"
#include "registry_watch.h"
#include "runner.h"
#include "selection.h"
#include "signals.h"

enum { READER_POLL_MS = 1000 };

struct discovery {
    const struct settings *settings;
    const struct job *job;
    struct selection selection;
    struct etcd *etcd;
    int signal_fd;
    struct registry_watch *watch;
    struct runner runner;
    struct registry chosen; /* what was found last */
    bool printed;           /* something has been printed or delivered */
    bool waiting;           /* for wait_for entries */
    bool stopped;           /* a signal came */
    struct deadline wait_until;
    struct deadline watchdog_at;
};

/* --- output ------------------------------------------------------------------------------------------------------- */

static bool write_all(const struct text *text, struct error *error)
{
    if (text->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    return fd_write(STDOUT_FILENO, text_string(text), text->length) || errno == EPIPE || /* seen by reader_has_gone */
           error_set(error, EXIT_UNAVAILABLE, "cannot write the list: %s", strerror(errno));
}

/* Blocks of several lines are told apart by a blank line. */
static const char *separator(enum format format)
{
    return format == FORMAT_JSON || format == FORMAT_GCOMM ? "" : "\n";
}

static bool deliver(struct discovery *discovery, int64_t revision, struct error *error)
{
    enum format format = (enum format)discovery->settings->format;
    struct text text = {0};
    bool done = true;

    format_registry(&text, format, &discovery->chosen, revision);
    if (discovery->job->command != NULL) {
        runner_submit(&discovery->runner, &text, &discovery->chosen);
    } else {
        if (discovery->job->watch && text.length > 0)
            text_add(&text, separator(format));
        done = write_all(&text, error);
    }
    if (discovery->chosen.count == 0)
        log_warning("no usable entry is below %s now", discovery->settings->prefix);
    text_free(&text);
    discovery->printed = true;
    notify_send("READY=1\nSTATUS=%zu entries", discovery->chosen.count);
    return done;
}

/* --- once --------------------------------------------------------------------------------------------------------- */

static bool list_once(struct discovery *discovery, struct error *error)
{
    struct etcd_range range;
    struct registry all = {0};
    enum etcd_failure failure = registry_read(discovery->etcd, discovery->settings->prefix,
                                              deadline_in_ms(discovery->settings->timeout_ms), &range, error);
    bool done = false;

    if (failure == ETCD_INTERRUPTED)
        return error_set(error, EXIT_UNKNOWN, "interrupted before etcd had answered");
    if (failure != ETCD_OK)
        return error_context(error, "cannot read the registry");
    if (registry_build(&all, discovery->settings->prefix, range.kv, range.count, error)) {
        registry_warn(&all, NULL);
        done = selection_apply(&discovery->selection, &all, &discovery->chosen, error);
    }
    if (done && discovery->chosen.count == 0)
        done = error_set(error, EXIT_NO, "no usable entry is below %s", discovery->settings->prefix);
    done = done && deliver(discovery, range.revision, error);
    registry_free(&all);
    etcd_range_free(&range);
    return done;
}

/* --- waiting and following ---------------------------------------------------------------------------------------- */

static void add_name(char *text, size_t size, const char *name, const char *reason)
{
    size_t length = strlen(text);

    snprintf(text + length, size - length, "%s%s%s%s%s", length == 0 ? "" : ", ", name, reason[0] == '\0' ? "" : " (",
             reason, reason[0] == '\0' ? "" : ")");
}

/* What is there, and what is there but not usable. */
static bool not_enough(const struct discovery *discovery, struct error *error)
{
    const struct registry *all = registry_watch_current(discovery->watch);
    char present[256] = "";
    char missing[512] = "";
    char time_text[32];

    for (size_t i = 0; i < discovery->chosen.count; i++)
        add_name(present, sizeof present, discovery->chosen.entry[i].id, "");
    for (size_t i = 0; i < all->problem_count; i++)
        add_name(missing, sizeof missing, all->problem[i].id, all->problem[i].reason);
    for (size_t i = 0; i < all->count; i++) {
        if (!selection_has(&discovery->selection, &all->entry[i]))
            add_name(missing, sizeof missing, all->entry[i].id, all->entry[i].state);
    }
    duration_format(discovery->settings->timeout_ms, time_text, sizeof time_text);
    return error_set(error, EXIT_NO,
                     "%zu of %" PRId64 " entries are below %s after %s, %" PRId64 " missing: there are %s%s%s",
                     discovery->chosen.count, discovery->job->wait_for, discovery->settings->prefix, time_text,
                     discovery->job->wait_for - (int64_t)discovery->chosen.count, present[0] == '\0' ? "none" : present,
                     missing[0] == '\0' ? "" : "; not counted: ", missing);
}

static bool take_change(struct discovery *discovery, struct error *error)
{
    struct registry chosen;

    if (!selection_apply(&discovery->selection, registry_watch_current(discovery->watch), &chosen, error))
        return false;
    bool changed = !discovery->printed || !registry_equal(&chosen, &discovery->chosen);
    registry_free(&discovery->chosen);
    discovery->chosen = chosen;
    if (discovery->waiting && (int64_t)chosen.count < discovery->job->wait_for) {
        log_info("%zu of %" PRId64 " entries are there", chosen.count, discovery->job->wait_for);
        return true;
    }
    discovery->waiting = false;
    registry_watch_limit(discovery->watch, (struct deadline){INT64_MAX});
    return !changed || deliver(discovery, registry_watch_revision(discovery->watch), error);
}

/* `galera-discover --watch | head -1`: whoever has read enough must not have to wait for the next change. */
static bool reader_has_gone(const struct discovery *discovery)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = 0};

    return discovery->job->command == NULL && poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

static void read_signals(struct discovery *discovery)
{
    int number;

    while ((number = signals_next(discovery->signal_fd)) != 0)
        discovery->stopped |= number == SIGTERM || number == SIGINT;
}

static struct deadline next_wake(const struct discovery *discovery)
{
    struct deadline wake = runner_wake(&discovery->runner, deadline_in_ms(READER_POLL_MS));

    if (discovery->waiting)
        wake = deadline_earlier(wake, discovery->wait_until);
    if (notify_watchdog_ms() != 0)
        wake = deadline_earlier(wake, discovery->watchdog_at);
    return wake;
}

static void feed_watchdog(struct discovery *discovery)
{
    if (notify_watchdog_ms() == 0 || !deadline_passed(discovery->watchdog_at))
        return;
    notify_send("WATCHDOG=1");
    discovery->watchdog_at = deadline_in_ms(notify_watchdog_ms() / 2);
}

static bool follow(struct discovery *discovery, struct error *error)
{
    struct pollfd fds[] = {{.fd = discovery->signal_fd, .events = POLLIN}};
    struct error unknown = {.code = EXIT_UNAVAILABLE, .text = "etcd has not answered in time"};
    bool known = false;

    while (discovery->waiting || discovery->job->watch) {
        feed_watchdog(discovery);
        runner_step(&discovery->runner);
        switch (registry_watch_turn(discovery->watch, fds, 1, next_wake(discovery), &unknown)) {
        case REGISTRY_CHANGED:
            known = true;
            if (!take_change(discovery, error))
                return false;
            break;
        case REGISTRY_UNKNOWN: /* it has been said */
        case REGISTRY_SAME:
            break;
        }
        read_signals(discovery);
        if (discovery->stopped)
            return !discovery->waiting ||
                   error_set(error, EXIT_UNKNOWN, "interrupted before there were enough entries");
        if (reader_has_gone(discovery))
            return true;
        if (discovery->waiting && deadline_passed(discovery->wait_until)) {
            if (known)
                return not_enough(discovery, error);
            *error = unknown;
            return error_context(error, "cannot read the registry");
        }
    }
    return true;
}

/* --- beginning and end -------------------------------------------------------------------------------------------- */

static bool open_watch(struct discovery *discovery, struct error *error)
{
    const struct settings *settings = discovery->settings;
    /* The watchdog has to be fed between two requests. */
    int64_t most_ms = notify_watchdog_ms() != 0 ? notify_watchdog_ms() : INT64_MAX;
    int64_t request_ms = etcd_patience_ms(discovery->etcd, most_ms);
    struct registry_watch_settings watch = {
        .prefix = settings->prefix,
        .resync_ms = settings->resync_ms,
        .gather_ms = settings->gather_ms,
        .request_ms = request_ms,
    };

    discovery->watch = registry_watch_open(discovery->etcd, &watch, error);
    if (discovery->watch != NULL && discovery->waiting)
        registry_watch_limit(discovery->watch, discovery->wait_until);
    return discovery->watch != NULL;
}

static bool run(struct discovery *discovery, struct error *error)
{
    if (!discovery->job->watch && !discovery->waiting)
        return list_once(discovery, error);
    return open_watch(discovery, error) && follow(discovery, error);
}

enum exit_code discover(struct settings *settings, const struct job *job, struct error *error)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};
    struct discovery discovery = {
        .settings = settings,
        .job = job,
        .selection = {.exclude = settings->exclude, .states = settings->states},
        .waiting = job->wait_for > 0,
        .wait_until = deadline_in_ms(settings->timeout_ms),
        .watchdog_at = deadline_in_ms(0),
    };
    bool done = false;

    if (job->watch)
        notify_open(); /* a single answer is part of somebody else's service */
    runner_init(&discovery.runner, job->command, settings->exec_timeout_ms);
    discovery.signal_fd = signals_open(handled, error);
    if (discovery.signal_fd >= 0)
        discovery.etcd = etcd_open(&settings->etcd, discovery.signal_fd, error);
    if (discovery.etcd != NULL)
        done = run(&discovery, error);
    notify_send("STOPPING=1");
    runner_stop(&discovery.runner);
    registry_watch_close(discovery.watch);
    registry_free(&discovery.chosen);
    etcd_close(discovery.etcd);
    if (discovery.signal_fd >= 0)
        close(discovery.signal_fd);
    notify_close();
    return done ? EXIT_YES : error->code;
}
