#include "registry_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "log.h"

enum { RETRY_FIRST_MS = 100, RETRY_MOST_MS = 5000, NS_PER_MS = 1000000 };

struct registry_watch {
    struct etcd *etcd;
    struct registry_watch_settings settings;
    char directory[REGISTRY_PREFIX_MOST + 2]; /* the prefix and a slash */
    struct etcd_range range;
    int64_t revision; /* of the latest range or event */
    struct registry registry;
    bool known; /* the range has been read once */
    bool dirty; /* the range has changed since `registry` was built */
    bool out;   /* an outage that was reported */
    struct etcd_watch *stream;
    bool created;
    char endpoint[256];         /* that the stream goes to */
    struct deadline range_at;   /* read the range then */
    struct deadline report_at;  /* when dirty */
    struct deadline created_by; /* while the stream is new */
    struct deadline limit;      /* of every request */
    struct backoff backoff;
};

struct registry_watch *registry_watch_open(struct etcd *etcd, const struct registry_watch_settings *settings,
                                           struct error *error)
{
    struct registry_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    watch->etcd = etcd;
    watch->settings = *settings;
    snprintf(watch->directory, sizeof watch->directory, "%s/", settings->prefix);
    watch->range_at = deadline_in_ms(0);
    watch->limit = (struct deadline){INT64_MAX};
    watch->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = RETRY_MOST_MS};
    return watch;
}

static void close_stream(struct registry_watch *watch)
{
    etcd_watch_close(watch->stream);
    watch->stream = NULL;
    watch->created = false;
}

void registry_watch_close(struct registry_watch *watch)
{
    if (watch == NULL)
        return;
    close_stream(watch);
    etcd_range_free(&watch->range);
    registry_free(&watch->registry);
    free(watch);
}

void registry_watch_limit(struct registry_watch *watch, struct deadline limit)
{
    watch->limit = limit;
}

static struct deadline request_deadline(const struct registry_watch *watch)
{
    return deadline_earlier(deadline_in_ms(watch->settings.request_ms), watch->limit);
}

const struct registry *registry_watch_current(const struct registry_watch *watch)
{
    return &watch->registry;
}

int64_t registry_watch_revision(const struct registry_watch *watch)
{
    return watch->revision;
}

void registry_warn(const struct registry *registry, const struct registry *before)
{
    for (size_t i = 0; i < registry->problem_count; i++) {
        const struct registry_problem *problem = &registry->problem[i];
        if (before == NULL || registry_problem_is_new(before, problem))
            log_warning("entry '%s' of the registry is left out: %s", problem->id, problem->reason);
    }
}

enum etcd_failure registry_read(struct etcd *etcd, const char *prefix, struct deadline deadline,
                                struct etcd_range *range, struct error *error)
{
    char directory[REGISTRY_PREFIX_MOST + 2];
    enum etcd_api api;
    enum etcd_failure failure = etcd_find_api(etcd, deadline, &api, error);

    *range = (struct etcd_range){0};
    if (failure != ETCD_OK)
        return failure;
    if (api == ETCD_V2)
        return etcd_v2_get(etcd, prefix, deadline, range, NULL, error);
    snprintf(directory, sizeof directory, "%s/", prefix);
    return etcd_get_prefix(etcd, directory, deadline, range, error);
}

/* --- the steps of a turn ------------------------------------------------------------------------------------------ */

static void note_change(struct registry_watch *watch, int64_t after_ms)
{
    if (!watch->dirty)
        watch->report_at = deadline_in_ms(after_ms);
    watch->dirty = true;
}

/* Something failed: try again later, a little later each time. */
static enum registry_news put_off(struct registry_watch *watch, const struct error *error)
{
    close_stream(watch);
    watch->range_at = deadline_in_ms(backoff_delay_ms(&watch->backoff, random_number()));
    if (watch->out)
        return REGISTRY_SAME;
    watch->out = true;
    if (watch->known)
        log_warning("the registry cannot be read: %s; the last known one (%zu entries) stands until etcd answers",
                    error->text, watch->registry.count);
    else
        log_warning("the registry cannot be read: %s; trying again until etcd answers", error->text);
    return REGISTRY_UNKNOWN;
}

static void open_stream(struct registry_watch *watch)
{
    struct deadline deadline = request_deadline(watch);
    struct error error;
    enum etcd_api api;

    snprintf(watch->endpoint, sizeof watch->endpoint, "%s", etcd_endpoint(watch->etcd));
    watch->created = false;
    watch->created_by = deadline;
    if (etcd_find_api(watch->etcd, deadline, &api, &error) == ETCD_OK)
        watch->stream = api == ETCD_V2
                            ? etcd_v2_watch_open(watch->etcd, watch->settings.prefix, watch->revision, deadline, &error)
                            : etcd_watch_open(watch->etcd, watch->directory, watch->revision + 1, deadline, &error);
    if (watch->stream == NULL) {
        log_debug("cannot watch: %s", error.text);
        watch->range_at = deadline_in_ms(backoff_delay_ms(&watch->backoff, random_number()));
    } else if (api == ETCD_V2) {
        watch->created = true; /* a long poll says nothing until there is news */
        backoff_reset(&watch->backoff);
    }
}

static enum registry_news read_range(struct registry_watch *watch, struct error *error)
{
    struct etcd_range range;
    enum etcd_failure failure =
        registry_read(watch->etcd, watch->settings.prefix, request_deadline(watch), &range, error);

    if (failure == ETCD_INTERRUPTED)
        return REGISTRY_SAME; /* the caller sees the same fd */
    if (failure != ETCD_OK)
        return put_off(watch, error);
    bool moved = strcmp(watch->endpoint, etcd_endpoint(watch->etcd)) != 0;
    if (moved || range.revision < watch->revision) /* another member; a store that was emptied counts from 1 again */
        close_stream(watch);
    etcd_range_free(&watch->range);
    watch->range = range;
    watch->revision = range.revision;
    watch->range_at = deadline_in_ms(jitter_ms(watch->settings.resync_ms, 20, random_number()));
    note_change(watch, 0);
    if (watch->out)
        log_notice("the registry can be read again from %s", etcd_endpoint(watch->etcd));
    watch->out = false;
    if (watch->stream == NULL)
        open_stream(watch);
    return REGISTRY_SAME;
}

static void take_events(struct registry_watch *watch, struct etcd_events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        if (!etcd_range_apply(&watch->range, &events->event[i]))
            watch->range_at = deadline_in_ms(0);
    }
    if (events->revision > watch->revision)
        watch->revision = events->revision;
    if (events->count > 0)
        note_change(watch, watch->settings.gather_ms);
}

static void take_news(struct registry_watch *watch)
{
    struct etcd_events events;
    struct error error;

    while (watch->stream != NULL) {
        enum etcd_news news = etcd_watch_next(watch->stream, &events, &error);
        if (news == ETCD_NEWS_NONE)
            return;
        if (news == ETCD_NEWS_CREATED) {
            watch->created = true;
            backoff_reset(&watch->backoff);
        } else if (news == ETCD_NEWS_EVENTS && events.event == NULL) {
            /* v2: something has changed */
            close_stream(watch);
            watch->range_at = deadline_in_ms(watch->settings.gather_ms);
        } else if (news == ETCD_NEWS_EVENTS) {
            take_events(watch, &events);
        } else {
            log_info("the watch of the registry ended: %s; reading all of it again", error.text);
            close_stream(watch);
            watch->range_at = deadline_in_ms(backoff_delay_ms(&watch->backoff, random_number()));
        }
        etcd_events_free(&events);
    }
}

/* A server that takes the connection and says nothing. */
static void check_created(struct registry_watch *watch)
{
    if (watch->stream == NULL || watch->created || !deadline_passed(watch->created_by))
        return;
    log_info("etcd %s does not answer a watch; trying the next endpoint", watch->endpoint);
    close_stream(watch);
    etcd_rotate(watch->etcd);
    watch->range_at = deadline_in_ms(0);
}

static enum registry_news report(struct registry_watch *watch, struct error *error)
{
    struct registry registry;

    watch->dirty = false;
    if (!registry_build(&registry, watch->settings.prefix, watch->range.kv, watch->range.count, error))
        return put_off(watch, error);
    registry_warn(&registry, &watch->registry);
    bool changed = !watch->known || !registry_equal(&registry, &watch->registry);
    registry_free(&watch->registry);
    watch->registry = registry;
    watch->known = true;
    return changed ? REGISTRY_CHANGED : REGISTRY_SAME;
}

enum registry_news registry_watch_turn(struct registry_watch *watch, struct pollfd *fds, size_t count,
                                       struct deadline deadline, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0;
    if (deadline_passed(watch->range_at)) {
        enum registry_news news = read_range(watch, error);
        if (news != REGISTRY_SAME)
            return news;
    }
    struct deadline until = deadline_earlier(deadline, watch->range_at);
    if (watch->dirty)
        until = deadline_earlier(until, watch->report_at);
    if (watch->stream != NULL && !watch->created)
        until = deadline_earlier(until, watch->created_by);
    etcd_watch_wait(watch->stream, fds, count, until);
    take_news(watch);
    check_created(watch);
    if (watch->dirty && deadline_passed(watch->report_at))
        return report(watch, error);
    return REGISTRY_SAME;
}
