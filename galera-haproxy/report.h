/* What --status and --dry-run print. Pure: text out. */
#ifndef HAPROXY_REPORT_H
#define HAPROXY_REPORT_H

#include <stdbool.h>

#include "plan.h"
#include "roster.h"
#include "text.h"
#include "view.h"

struct report {
    const struct roster *roster;
    const struct view *view;
    const struct plan *plan;
    bool registry; /* it could be read: what is wanted is known */
};

/* One line for each slot that is in use, and what waits. */
void report_table(struct text *text, const struct report *report);

/* One object: haproxy, writer, slots (free ones too), waiting. */
void report_json(struct text *text, const struct report *report);

/* The commands, one a line, with what they are for behind '#'. */
void report_steps(struct text *text, const struct plan *plan);

/* HAProxy has what is wanted: no steps, nobody waits. */
bool report_is_settled(const struct report *report);

#endif
