/*
 * Generations: which bootstrap a transaction came after.
 *
 * A bootstrap from a copy that is not the newest (a node was attested lost) makes a second history with the same UUID:
 * both have a transaction 91, and they differ. Galera does not notice; a node that returns with the old 91 would be
 * given 92 and go on, silently different. So every bootstrap begins a generation, and the lineage of a history says
 * after which seqno each began. A copy is a beginning of a history when that history has the same generation at the
 * copy's seqno, and of two copies the one of the later generation is the newer, whatever its seqno: the log matching
 * and election rules of Raft, section 5.3 and 5.4.1 of the paper, with the generation as the term.
 */
#ifndef GALERA_INIT_LINEAGE_H
#define GALERA_INIT_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINEAGE_MOST = 8,
    GENERATION_NONE = 0,       /* older than all bootstraps that the suite made */
    GENERATION_FORGOTTEN = -1, /* the lineage was cut: equal to no generation, not even itself */
};

struct lineage {
    int64_t root; /* of what is before the first entry: GENERATION_NONE or GENERATION_FORGOTTEN */
    size_t count;
    struct generation {
        int64_t number; /* the epoch of its bootstrap; rising */
        int64_t base;   /* the seqno it began after; rising */
    } entry[LINEAGE_MOST];
};

/* The place of a copy: what copies are ordered by. */
struct place {
    int64_t generation;
    int64_t seqno;
};

/* The generation of the transaction `seqno`. */
int64_t lineage_generation(const struct lineage *lineage, int64_t seqno);

/* The generation that transactions get now. */
int64_t lineage_newest(const struct lineage *lineage);

/*
 * Begins the generation `number` after `base`. Entries that begin at or after `base` go: no transaction of theirs is in
 * a copy that stands at `base`. The oldest entry goes when there are too many.
 */
void lineage_append(struct lineage *lineage, int64_t number, int64_t base);

bool lineage_equal(const struct lineage *a, const struct lineage *b);

/* Whether a copy at `place` is a beginning of the history that `lineage` describes and may be completed from it. */
bool lineage_contains(const struct lineage *lineage, struct place place);

/* Negative, 0 or positive: whether `a` is older than, the same as or newer than `b`. */
int place_compare(struct place a, struct place b);

#endif
