/*
 * gvwstate.dat: the last Primary view that this node was a member of (gcomm/view.cpp, ViewState).
 *
 *     my_uuid: d3124bc8-...
 *     #vwbeg
 *     view_id: 3 0dae1307-... 12
 *     bootstrap: 0
 *     member: 0dae1307-... 0
 *     member: d3124bc8-... 0
 *     #vwend
 *
 * Galera writes it in every Primary view and removes it on a clean stop. A server that finds one (pc.recovery, on by
 * default) waits until all members of that view are there, for ever, and then they are Primary again.
 */
#ifndef GALERA_INIT_GVWSTATE_H
#define GALERA_INIT_GVWSTATE_H

#include "position.h"

enum gvwstate_condition {
    GVWSTATE_MISSING,
    GVWSTATE_USELESS, /* empty, cut off, or a view that we are no member of: it must be removed before the server starts
                       */
    GVWSTATE_GOOD,
};

enum { VIEW_ID_SIZE = 64 };

/* A view as nodes tell each other about it. */
struct view {
    char id[VIEW_ID_SIZE]; /* "UUID:SEQ"; "" when there is none */
    int members;
    struct uuid self; /* who of the members we are */
};

struct gvwstate {
    enum gvwstate_condition condition;
    struct view view; /* an empty one unless the condition is GVWSTATE_GOOD */
};

/* Of the file's contents; NULL: there is no file. */
struct gvwstate gvwstate_parse(const char *text);

bool view_is_none(const struct view *view);

/* The same view of the group, seen by whichever member. */
bool view_equal(const struct view *a, const struct view *b);

#endif
