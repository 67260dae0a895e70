/*
 * The registry as it is, and as it becomes: read once, then followed.
 *
 * A range, then a watch from the next revision on. Whatever ends the watch (a compaction, a lost leader, a member that
 * goes away) leads to a new range, so nothing that happened in between is missed; a range is also read from time to
 * time, and moves the watch away from a member that has fallen silent. Changes that come close together are reported as
 * one. While etcd cannot be read, the last registry stands. Says once in the log that etcd cannot be read and once that
 * it can again, and warns of every entry that is not usable.
 */
#ifndef REGISTRY_WATCH_H
#define REGISTRY_WATCH_H

#include "deadline.h"
#include "etcd.h"
#include "registry.h"

struct registry_watch_settings {
    const char *prefix;
    int64_t resync_ms;  /* read the range again this often */
    int64_t gather_ms;  /* after a change wait this long for more of them */
    int64_t request_ms; /* for all endpoints together to answer one request */
};

struct registry_watch;

/* `etcd` and the settings' prefix must outlive the watch. Nothing is sent yet. NULL with the error set. */
struct registry_watch *registry_watch_open(struct etcd *etcd, const struct registry_watch_settings *settings,
                                           struct error *error);
void registry_watch_close(struct registry_watch *watch);

enum registry_news {
    REGISTRY_SAME,    /* nothing new: the deadline passed, or one of the fds is ready */
    REGISTRY_CHANGED, /* the first registry, or another one than before */
    REGISTRY_UNKNOWN, /* etcd cannot be read at present, the error says why; once for each outage */
};

/* Waits for a change, for one of `fds` (at most 8; revents is filled in), or for the deadline. */
enum registry_news registry_watch_turn(struct registry_watch *watch, struct pollfd *fds, size_t count,
                                       struct deadline deadline, struct error *error);

/* No request goes on beyond `limit`: for a caller who has to end by then. */
void registry_watch_limit(struct registry_watch *watch, struct deadline limit);

/* Valid until the next turn. Empty until the first REGISTRY_CHANGED. */
const struct registry *registry_watch_current(const struct registry_watch *watch);
int64_t registry_watch_revision(const struct registry_watch *watch);

/* All keys below `prefix`, through v3 or v2, whichever it is. Free with etcd_range_free. */
enum etcd_failure registry_read(struct etcd *etcd, const char *prefix, struct deadline deadline,
                                struct etcd_range *range, struct error *error);

/* A warning for every entry in `registry` that is not usable and was not named in `before` (NULL: none was). */
void registry_warn(const struct registry *registry, const struct registry *before);

#endif
