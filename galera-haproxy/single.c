#include "single.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "report.h"
#include "round.h"
#include "signals.h"
#include "words.h"

enum { NS_PER_MS = 1000000, ONCE_LEAST_MS = 20000, ONCE_MORE_MS = 10000, PAUSE_NS = 50000000 };

struct single {
    struct round round;
    struct etcd *etcd;
    int signal_fd;
};

static int64_t now_ms(void)
{
    return monotonic_ns() / NS_PER_MS;
}

static struct single *single_open(struct settings *settings, struct error *error)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, 0};
    struct single *single = calloc(1, sizeof *single);

    if (single == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    single->signal_fd = signals_open(handled, error);
    if (single->signal_fd >= 0)
        single->etcd = etcd_open(&settings->etcd, single->signal_fd, error);
    if (single->etcd == NULL) {
        if (single->signal_fd >= 0)
            close(single->signal_fd);
        free(single);
        return NULL;
    }
    round_open(&single->round, settings, single->etcd);
    return single;
}

static void single_close(struct single *single)
{
    etcd_close(single->etcd);
    close(single->signal_fd);
    free(single);
}

static bool print(const struct text *text, struct error *error)
{
    if (text->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    if (fputs(text_string(text), stdout) < 0 || fflush(stdout) != 0)
        return error_set(error, EXIT_UNAVAILABLE, "cannot write the answer");
    return true;
}

static struct report report_of(const struct single *single, bool registry)
{
    return (struct report){.roster = &single->round.roster,
                           .view = &single->round.view,
                           .plan = &single->round.plan,
                           .registry = registry};
}

/* The registry, then HAProxy. An empty registry is an answer: nothing is to be done. */
static bool look(struct single *single, struct error *error)
{
    size_t entries;

    if (!round_read_registry(&single->round, &entries, error))
        return false;
    if (entries == 0)
        return error_set(error, EXIT_NO, "no usable entry is below %s: nothing is changed",
                         single->round.settings->prefix);
    agreement_refresh(&single->round.agreement, now_ms());
    return round_look(&single->round, now_ms(), error);
}

/* --- once --------------------------------------------------------------------------------------------------------- */

/* A node that leaves is drained: the rest takes `grace` and is for the next run. */
static bool waits_for_sessions_alone(const struct single *single)
{
    const struct plan *plan = &single->round.plan;
    bool leaves = false;

    for (size_t k = 0; k < SLOTS_MOST; k++)
        leaves |= plan->slot[k].wanted == WANT_LEAVE;
    return leaves && plan->count == 0 && !plan->waiting && !plan->confirm;
}

/* Long enough for the first checks of new nodes, however seldom the nodes are checked. */
static int64_t once_ms(const struct settings *settings)
{
    struct check_words check;
    struct error error;
    int64_t ms = 0;

    if (words_parse_check(settings->check, &check, &error))
        ms = words_first_checks_ms(&check) + ONCE_MORE_MS;
    return ms > ONCE_LEAST_MS ? ms : ONCE_LEAST_MS;
}

static bool act_until_settled(struct single *single, struct error *error)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct deadline deadline = deadline_in_ms(once_ms(single->round.settings));

    for (;;) {
        struct report report = report_of(single, true);
        bool done = report_is_settled(&report) || waits_for_sessions_alone(single);
        if (done && !round_write_file(&single->round, now_ms()))
            return error_set(error, EXIT_UNAVAILABLE, "HAProxy has the nodes, its file could not be written");
        if (done)
            return true;
        int number = signals_next(single->signal_fd);
        if (number == SIGTERM || number == SIGINT)
            return error_set(error, EXIT_UNKNOWN, "interrupted before HAProxy had all nodes");
        if (deadline_passed(deadline)) {
            (void)round_write_file(&single->round, now_ms());
            return error_set(error, EXIT_NO, "HAProxy does not have all nodes yet: see galera-haproxy --status");
        }
        (void)round_act(&single->round, now_ms());
        nanosleep(&pause, NULL);
        agreement_refresh(&single->round.agreement, now_ms());
        if (!round_look(&single->round, now_ms(), error))
            return false;
    }
}

bool single_once(struct settings *settings, struct error *error)
{
    struct single *single = single_open(settings, error);
    bool done = false;

    if (single == NULL)
        return false;
    if (look(single, error))
        done = act_until_settled(single, error);
    else if (!single->round.seen)
        (void)round_write_file(&single->round, now_ms()); /* where there is none, HAProxy could not even start */
    single_close(single);
    return done;
}

/* --- looking alone ------------------------------------------------------------------------------------------------ */

bool single_dry_run(struct settings *settings, struct error *error)
{
    struct single *single = single_open(settings, error);
    struct text text = {0};
    bool done = false;

    if (single == NULL)
        return false;
    single->round.looks_only = true;
    if (look(single, error)) {
        tell_plan(&single->round.told, &single->round.plan, &single->round.roster, settings);
        report_steps(&text, &single->round.plan);
        done = print(&text, error);
    }
    text_free(&text);
    single_close(single);
    return done;
}

bool single_status(struct settings *settings, bool json, struct error *error)
{
    struct single *single = single_open(settings, error);
    struct text text = {0};
    struct error unread;
    size_t entries = 0;
    bool done = false;

    if (single == NULL)
        return false;
    single->round.looks_only = true;
    bool registry = round_read_registry(&single->round, &entries, &unread);
    if (registry)
        agreement_refresh(&single->round.agreement, now_ms());
    if (round_look(&single->round, now_ms(), error)) {
        struct report report = report_of(single, registry);
        (json ? report_json : report_table)(&text, &report);
        done = print(&text, error);
        if (done && !registry)
            done = error_set(error, EXIT_UNKNOWN, "%s; so what is wanted is not known", unread.text);
        else if (done && !report_is_settled(&report))
            done = error_set(error, EXIT_NO, "HAProxy does not have all that is wanted (yet)");
    }
    text_free(&text);
    single_close(single);
    return done;
}
