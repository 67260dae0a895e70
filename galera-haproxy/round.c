#include "round.h"

#include <stdio.h>

#include "deadline.h"
#include "log.h"
#include "owned.h"
#include "registry_watch.h"
#include "render.h"
#include "socket.h"

enum { NS_PER_MS = 1000000, CONFIRM_MS = 2000, FILE_RETRY_MS = 5000 };

void round_open(struct round *round, const struct settings *settings, struct etcd *etcd)
{
    round->settings = settings;
    round->etcd = etcd;
    round->file_ms = INT64_MIN;
    round->told.sections = false;
    agreement_open(&round->agreement, settings, etcd);
}

/* Only v3 has leases whose time can be asked. What /version said is kept, so this costs nothing. */
static bool has_leases(struct round *round)
{
    struct error error;
    enum etcd_api api;

    return etcd_find_api(round->etcd, deadline_in_ms(CONFIRM_MS), &api, &error) == ETCD_OK && api == ETCD_V3;
}

static void take(struct round *round, const struct registry *registry, int64_t now_ms)
{
    roster_take(&round->roster, registry, has_leases(round), now_ms);
    if (!round->looks_only)
        tell_roster(&round->told, &round->roster, round->settings);
}

void round_follow(struct round *round, const struct registry *registry, int64_t revision, int64_t now_ms)
{
    if (revision < round->followed) {
        roster_note_reset(&round->roster);
        round->confirmed = 0;
    }
    round->followed = revision;
    if (revision >= round->confirmed)
        take(round, registry, now_ms);
}

bool round_read_registry(struct round *round, size_t *entries, struct error *error)
{
    struct deadline deadline = deadline_in_ms(etcd_patience_ms(round->etcd, INT64_MAX));
    struct etcd_range range;
    struct registry registry = {0};
    enum etcd_failure failure = registry_read(round->etcd, round->settings->prefix, deadline, &range, error);
    bool done = false;

    *entries = 0;
    if (failure != ETCD_OK)
        return error_context(error, "cannot read the registry");
    if (registry_build(&registry, round->settings->prefix, range.kv, range.count, error)) {
        *entries = registry.count;
        round->confirmed = range.revision;
        take(round, &registry, monotonic_ns() / NS_PER_MS);
        done = true;
    }
    registry_free(&registry);
    etcd_range_free(&range);
    return done;
}

static void make_plan(struct round *round, bool confirmed, int64_t now_ms)
{
    struct plan_input input = {
        .settings = round->settings,
        .roster = &round->roster,
        .view = &round->view,
        .writer = round->agreement.memory,
        .confirmed = confirmed,
        .now_ms = now_ms,
    };

    plan_make(&input, &round->plan);
}

/* A HAProxy that was started anew has lost nobody: it knows no writer yet. */
static void note_seat(struct round *round)
{
    struct writer_memory *writer = &round->agreement.memory;

    if (view_is_another(&round->view, round->pid, round->uptime_s))
        writer->seated = false;
    round->pid = round->view.pid;
    round->uptime_s = round->view.uptime_s;
    writer->seated |= plan_is_led_to(&round->view, writer);
}

bool round_look(struct round *round, int64_t now_ms, struct error *error)
{
    round->seen = socket_read_view(round->settings->socket, round->settings->timeout_ms, &round->view, error);
    if (!round->seen)
        return false;
    note_seat(round);
    if (!round->roster.known && !round->looks_only) {
        plan_nothing(&round->plan); /* there is nothing to compare HAProxy with */
        return true;
    }
    plan_tidy(&round->roster, &round->view, now_ms);
    if (!round->looks_only)
        tell_roster(&round->told, &round->roster, round->settings);
    make_plan(round, false, now_ms);
    return true;
}

/* More nodes are to go than may go at once: what etcd says now counts. */
static void confirm(struct round *round, int64_t now_ms)
{
    struct error error;
    size_t entries;

    if (!round_read_registry(round, &entries, &error)) {
        log_debug("%s: nobody is removed", error.text);
        return;
    }
    if (entries > 0)
        make_plan(round, true, now_ms);
}

static bool carry_out(struct round *round)
{
    const struct plan *plan = &round->plan;
    struct error error;
    size_t failed_group = SIZE_MAX;
    bool done = true;

    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->step[i];
        if (step->group == failed_group)
            continue;
        log_debug("%s", step->command);
        enum socket_result result =
            socket_do(round->settings->socket, step->command, deadline_in_ms(round->settings->timeout_ms), &error);
        if (result == SOCKET_DONE) {
            if (step->say[0] != '\0')
                log_notice("%s", step->say);
            continue;
        }
        if (result == SOCKET_NO_ANSWER) {
            tell_no_view(&round->told, &error); /* it hangs or is gone: every other step would wait as long */
            return false;
        }
        failed_group = step->group;
        if (done)
            log_warning("%s; trying again", error.text);
        done = false;
    }
    return done;
}

bool round_act(struct round *round, int64_t now_ms)
{
    tell_plan(&round->told, &round->plan, &round->roster, round->settings);
    if (round->plan.confirm)
        confirm(round, now_ms);
    if (round->plan.propose >= 0) {
        agreement_propose(&round->agreement, &round->roster.member[round->plan.propose], now_ms);
        make_plan(round, false, now_ms);
    }
    return carry_out(round);
}

/*
 * What is to be in the file. For as long as HAProxy or the registry is not known its servers stay, but not what the
 * settings say around them: whoever starts HAProxy now starts it with these settings. False when the file is to be left
 * as it is.
 */
static bool compose(const struct round *round, struct text *text)
{
    bool known = round->seen && round->view.section[SECTION_ANY].present && round->roster.known;
    struct text present = {0};

    if (known || !owned_exists(round->settings)) {
        render_config(text, round->settings, &round->roster, known ? &round->plan : NULL, known ? &round->view : NULL);
        return true;
    }
    bool is_read = owned_read(round->settings, &present);
    if (is_read)
        render_around(text, round->settings, text_string(&present));
    text_free(&present);
    return is_read;
}

bool round_write_file(struct round *round, int64_t now_ms)
{
    struct text text = {0};
    struct error error;

    if (now_ms < round->file_ms || !compose(round, &text))
        return !round->file_failed;
    enum owned_result result = OWNED_FAILED;
    if (text.failed)
        error_set(&error, EXIT_INTERNAL, "out of memory");
    else
        result = owned_update(round->settings, text_string(&text), &error);
    text_free(&text);
    if (result == OWNED_FAILED && !round->file_failed)
        log_err("%s; HAProxy's running servers are kept right all the same, trying again", error.text);
    else if (result != OWNED_FAILED && round->file_failed)
        log_notice("%s is up to date again", round->settings->config);
    if (result == OWNED_REFRAMED)
        log_notice("%s has more than new servers: restart or reload HAProxy to put it in force",
                   round->settings->config);
    else if (result == OWNED_WRITTEN)
        log_info("%s is written", round->settings->config);
    round->file_failed = result == OWNED_FAILED;
    round->file_ms = result == OWNED_FAILED ? now_ms + FILE_RETRY_MS : INT64_MIN;
    return result != OWNED_FAILED;
}
