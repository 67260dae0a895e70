/* What the log says about the nodes and HAProxy: each thing once, when it becomes so. */
#ifndef HAPROXY_TELL_H
#define HAPROXY_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "roster.h"
#include "settings.h"
#include "view.h"

/* What was said last. */
struct told {
    int64_t pid;
    int64_t uptime_s;
    char silent[16]; /* how the reason why HAProxy does not answer begins; "": it does */
    bool sections;   /* the sections that are missing were named */
    size_t kept;
    size_t unplaced;
    size_t refused;
    bool emptied;
    bool confirm;
};

/* Nodes whose way out needs a word: an entry that expired while the check passes. */
void tell_roster(struct told *told, struct roster *roster, const struct settings *settings);

/* HAProxy is there, again or for the first time; it was restarted; it lacks sections or slots. */
void tell_view(struct told *told, const struct view *view, const struct settings *settings);

/* It could not be asked, or be told something: said once, and again when the reason becomes another one. */
void tell_no_view(struct told *told, const struct error *error);

/* What the plan does not do, and why. */
void tell_plan(struct told *told, const struct plan *plan, const struct roster *roster,
               const struct settings *settings);

#endif
