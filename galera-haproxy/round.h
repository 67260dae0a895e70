/*
 * One round: look at HAProxy, plan, carry it out, and bring the file up to date. The loop and --once share it;
 * --dry-run and --status stop before anything is changed.
 */
#ifndef HAPROXY_ROUND_H
#define HAPROXY_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "agreement.h"
#include "etcd.h"
#include "leases.h"
#include "plan.h"
#include "roster.h"
#include "settings.h"
#include "tell.h"
#include "view.h"

struct round {
    const struct settings *settings;
    struct etcd *etcd;
    struct roster roster;
    struct view view;
    struct plan plan;
    struct agreement agreement;
    struct leases leases;
    struct told told;
    int64_t followed;  /* revision of the watch's registry that came last */
    int64_t confirmed; /* revision of the registry that was read for a confirmation; older ones count no more */
    bool looks_only;   /* set by the caller: nothing will be done, so nothing is logged, and a plan is always made */
    int64_t pid;       /* of HAProxy at the last look, */
    int64_t uptime_s;  /* and for how long it had run */
    bool seen;         /* `view` and `plan` are of a HAProxy that answered */
    bool file_failed;  /* the file could not be written, and that was said */
    int64_t file_ms;   /* when to try again */
};

/* The settings or the etcd client are others now; what is known of the nodes stays. */
void round_open(struct round *round, const struct settings *settings, struct etcd *etcd);

/* Takes the registry of a watch, which is at this revision. */
void round_follow(struct round *round, const struct registry *registry, int64_t revision, int64_t now_ms);

/* Reads the registry itself, and takes it. `*entries`: how many it has. */
bool round_read_registry(struct round *round, size_t *entries, struct error *error);

/* Looks at HAProxy and plans. False with the error set when HAProxy cannot be asked. */
bool round_look(struct round *round, int64_t now_ms, struct error *error);

/* Carries the plan out. False when a step failed: it has been said, and the next look will show what is left. */
bool round_act(struct round *round, int64_t now_ms);

/* Writes the file if it is to change, or if there is none. False when that failed: it has been said. */
bool round_write_file(struct round *round, int64_t now_ms);

#endif
