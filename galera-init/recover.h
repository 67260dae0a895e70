/*
 * What `mariadbd --wsrep-recover` wrote: the position that InnoDB holds, and what stood in the way.
 *
 *     2026-07-30 10:00:00 0 [Note] WSREP: Recovered position: c9a0ad1f-...:120
 */
#ifndef GALERA_INIT_RECOVER_H
#define GALERA_INIT_RECOVER_H

#include "position.h"

enum recover_outcome {
    RECOVER_NOT_RUN,
    RECOVER_FAILED,  /* it named no position: its log says why */
    RECOVER_NOTHING, /* InnoDB holds no position: never part of a cluster, or not yet */
    RECOVER_POSITION,
};

struct recovered {
    enum recover_outcome outcome;
    struct position position; /* for RECOVER_POSITION */
    bool prepared;            /* "Found N prepared transactions": the crash came between prepare and commit */
};

/* Of the log; NULL: it was not run. The last position counts: a log may hold those of earlier runs. */
struct recovered recover_parse(const char *log);

/* Whether the server asks for a decision on transactions that are prepared (--tc-heuristic-recover). */
bool recover_wants_decision(const struct recovered *recovered, const char *log);

/*
 * Whether that is what the data say: their position, that they have none, or (for RECOVER_FAILED) that they are
 * damaged. False when something else kept the server from telling (a setting, a right, the disk, the memory, a word
 * that nobody knows): then the copy may be as good as it ever was, and must not be given up.
 */
bool recover_tells(const struct recovered *recovered, const char *log);

/* It may go away by itself, or by the hand of somebody who knows nothing of us: worth another try. */
bool recover_may_heal(const char *log);

#endif
