/* Watches of v3, and the long polls of v2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct etcd_watch {
    struct etcd_watch *next;
    enum etcd_api api;
    char *prefix;
    int64_t revision; /* the next one to be told; v2: the index after which a change ends the poll */
    size_t position;  /* of it in the history, or before it */
    bool created;
    bool silent;
    bool progress;
    char *end; /* why it ends; NULL: it does not */
};

static struct etcd_watch *open_watch(struct etcd *etcd, enum etcd_api api, const char *prefix, int64_t revision,
                                     struct deadline deadline, struct error *error);

static enum etcd_failure act_nothing(struct etcd *client, void *arguments, struct error *error)
{
    (void)client;
    (void)arguments;
    (void)error;
    return ETCD_OK;
}

static struct etcd_watch *open_watch(struct etcd *etcd, enum etcd_api api, const char *prefix, int64_t revision,
                                     struct deadline deadline, struct error *error)
{
    const struct call call = {.kind = FAKE_WATCH, .repeatable = true, .deadline = deadline, .act = act_nothing};

    if (call_perform(etcd, &call, error) != ETCD_OK)
        return NULL;
    struct etcd_watch *watch = grown(NULL, 1, sizeof *watch);
    *watch = (struct etcd_watch){.next = world.watches, .api = api, .prefix = copy_of(prefix), .revision = revision};
    watch->silent = world.mute > 0 && world.mute-- > 0;
    world.watches = watch;
    return watch;
}

struct etcd_watch *etcd_watch_open(struct etcd *etcd, const char *prefix, int64_t revision, struct deadline deadline,
                                   struct error *error)
{
    return open_watch(etcd, ETCD_V3, prefix, revision, deadline, error);
}

struct etcd_watch *etcd_v2_watch_open(struct etcd *etcd, const char *directory, int64_t index, struct deadline deadline,
                                      struct error *error)
{
    return open_watch(etcd, ETCD_V2, directory, index, deadline, error);
}

void etcd_watch_close(struct etcd_watch *watch)
{
    if (watch == NULL)
        return;
    for (struct etcd_watch **link = &world.watches; *link != NULL; link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    }
    free(watch->prefix);
    free(watch->end);
    free(watch);
}

/* They belong to those who opened them; the new world does not know them. */
void watches_reset(void)
{
    world.watches = NULL;
}

void fake_end_watches(const char *reason)
{
    for (struct etcd_watch *watch = world.watches; watch != NULL; watch = watch->next) {
        if (watch->end == NULL && !watch->silent)
            watch->end = copy_of(reason);
    }
}

void fake_mute_watches(int count)
{
    world.mute = count;
}

void fake_silence_watches(void)
{
    for (struct etcd_watch *watch = world.watches; watch != NULL; watch = watch->next)
        watch->silent = true;
}

void fake_set_batch(int revisions)
{
    world.batch = revisions;
}

void fake_send_progress(void)
{
    for (struct etcd_watch *watch = world.watches; watch != NULL; watch = watch->next)
        watch->progress = true;
}

size_t fake_open_watches(void)
{
    size_t count = 0;

    for (const struct etcd_watch *watch = world.watches; watch != NULL; watch = watch->next)
        count++;
    return count;
}

void fake_wake(void)
{
    world.wake = true;
}

/* --- news --------------------------------------------------------------------------------------------------------- */

/* Moves on to the first event that is to be told. False: there is none. */
static bool seek(struct etcd_watch *watch)
{
    for (; watch->position < world.history_count; watch->position++) {
        const struct etcd_kv *kv = &world.history[watch->position].kv;
        if (kv->mod_revision >= watch->revision && key_matches(kv->key, watch->prefix, true))
            return true;
    }
    return false;
}

static bool v2_has_news(struct etcd_watch *watch)
{
    size_t length = strlen(watch->prefix);

    for (; watch->position < world.v2_history_count; watch->position++) {
        const struct fake_v2_event *event = &world.v2_history[watch->position];
        if (event->index > watch->revision && strncmp(event->key, watch->prefix, length) == 0 &&
            (event->key[length] == '\0' || event->key[length] == '/'))
            return true;
    }
    return false;
}

static bool has_news(struct etcd_watch *watch)
{
    if (watch == NULL)
        return false;
    if (watch->end != NULL)
        return true;
    if (watch->silent)
        return false;
    if (watch->api == ETCD_V2)
        return v2_has_news(watch);
    return !watch->created || watch->revision < world.compacted || watch->progress || seek(watch);
}

static enum etcd_news ended(struct error *error, const char *why)
{
    error_set(error, EXIT_UNAVAILABLE, "%s", why);
    return ETCD_NEWS_ENDED;
}

static void take_event(struct etcd_events *events, const struct etcd_event *event)
{
    events->event = grown(events->event, events->count, sizeof *events->event);
    struct etcd_event *copy = &events->event[events->count++];
    *copy = *event;
    copy->kv.key = copy_of(event->kv.key);
    copy->kv.value = copy_of(event->kv.value);
}

/* Whole revisions: etcd does not divide one unless it is asked to. */
static void take_events(struct etcd_watch *watch, struct etcd_events *events)
{
    int64_t last = 0;
    int revisions = 0;

    events->event = grown(NULL, 0, sizeof *events->event);
    while (seek(watch)) {
        const struct etcd_event *event = &world.history[watch->position];
        if (event->kv.mod_revision != last && world.batch > 0 && revisions == world.batch)
            break;
        revisions += event->kv.mod_revision != last;
        last = event->kv.mod_revision;
        take_event(events, event);
        watch->revision = last;
        watch->position++;
    }
    if (last != 0)
        watch->revision = last + 1;
}

enum etcd_news etcd_watch_next(struct etcd_watch *watch, struct etcd_events *events, struct error *error)
{
    *events = (struct etcd_events){0};
    if (!has_news(watch))
        return ETCD_NEWS_NONE;
    if (watch->end != NULL)
        return ended(error, watch->end);
    if (watch->api == ETCD_V2)
        return ETCD_NEWS_EVENTS;
    if (watch->revision < world.compacted)
        return ended(error, "the history was compacted away");
    if (!watch->created) {
        watch->created = true;
        return ETCD_NEWS_CREATED;
    }
    watch->progress = false;
    take_events(watch, events);
    events->revision = world.keys.revision;
    return ETCD_NEWS_EVENTS;
}

void etcd_watch_wait(struct etcd_watch *watch, struct pollfd *fds, size_t count, struct deadline deadline)
{
    int64_t until_ms = deadline.at_ns > INT64_MAX - 999999 ? INT64_MAX / 1000000 : (deadline.at_ns + 999999) / 1000000;

    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0;
    while (!world.wake && !has_news(watch) && world.now_ms < until_ms) {
        if (world.hooks.idle != NULL)
            world.hooks.idle(world.hooks.context, until_ms);
        else
            fake_pass(until_ms - world.now_ms);
    }
    if (world.wake && count > 0)
        fds[0].revents = fds[0].events;
    world.wake = false;
}
