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

/* The name of a generation. */
struct generation {
    int64_t number; /* the epoch of its bootstrap */
    uint32_t mark;  /* of who bootstrapped: an etcd that lost its data may give the same number twice */
};

struct lineage {
    int64_t root; /* of what is before the first entry: GENERATION_NONE or GENERATION_FORGOTTEN */
    size_t count;
    struct {
        struct generation generation; /* numbers rise */
        int64_t base;                 /* the seqno it began after; rising */
    } entry[LINEAGE_MOST];
};

/* The place of a copy: what copies are ordered by. */
struct place {
    struct generation generation;
    int64_t seqno;
};

/* The generation that `boot` begins by its claim of `epoch`. */
struct generation generation_of(int64_t epoch, const char *boot);

bool generation_equal(struct generation a, struct generation b);

/* The generation of the transaction `seqno`. */
struct generation lineage_generation(const struct lineage *lineage, int64_t seqno);

/* The generation that transactions get now. */
struct generation lineage_newest(const struct lineage *lineage);

/*
 * Begins a generation after `base`. Entries that begin at or after `base` go: no transaction of theirs is in a copy
 * that stands at `base`. The oldest entry goes when there are too many.
 */
void lineage_append(struct lineage *lineage, struct generation generation, int64_t base);

bool lineage_equal(const struct lineage *a, const struct lineage *b);

/* Whether a copy at `place` is a beginning of the history that `lineage` describes and may be completed from it. */
bool lineage_contains(const struct lineage *lineage, struct place place);

/* Negative, 0 or positive: whether `a` is older than, the same as or newer than `b`; for two that are not forked. */
int place_compare(struct place a, struct place b);

/* Whether two copies cannot be ordered: two bootstraps took the same number, and each has transactions of its own. */
bool place_is_forked(struct place a, struct place b);

#endif
