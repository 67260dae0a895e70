/* The file that HAProxy loads beside the admin's own: what it starts from, alone. Pure. */
#ifndef HAPROXY_RENDER_H
#define HAPROXY_RENDER_H

#include "plan.h"
#include "roster.h"
#include "settings.h"
#include "text.h"
#include "view.h"

/*
 * All sections with all slots. Nodes that HAProxy has admitted are there with their addresses, the writer first and
 * then in the order of their registration; the other slots are in maintenance. `plan` and `view` are NULL when HAProxy
 * has not been seen yet: then there are only free slots.
 */
void render_config(struct text *text, const struct settings *settings, const struct roster *roster,
                   const struct plan *plan, const struct view *view);

/* The same with the nodes that the present file has, for as long as nobody can say which ones there are. */
void render_around(struct text *text, const struct settings *settings, const char *present);

/* The parts of two files that HAProxy cannot take over at run time (all but the servers) are the same. */
bool render_same_frame(const char *left, const char *right);

#endif
