/*
 * grastate.dat: what Galera noted about the copy when its server last ended (galera/src/saved_state.cpp).
 *
 *     # GALERA saved state
 *     version: 2.1
 *     uuid:    c9a0ad1f-...
 *     seqno:   -1
 *     safe_to_bootstrap: 0
 */
#ifndef GALERA_INIT_GRASTATE_H
#define GALERA_INIT_GRASTATE_H

#include "position.h"

enum grastate_condition {
    GRASTATE_MISSING,
    GRASTATE_CORRUPT, /* empty, cut off, or values that make no sense */
    GRASTATE_GOOD,
};

struct grastate {
    enum grastate_condition condition;
    struct position position; /* a nil UUID: a state transfer was under way, or the node found itself inconsistent */
    bool safe_to_bootstrap;   /* false when the line is missing, as files of old servers are */
};

/*
 * Of the file's contents; NULL: there is no file. The file must name a UUID and a seqno, once each; lines of unknown
 * names are skipped, as Galera does.
 */
struct grastate grastate_parse(const char *text);

#endif
