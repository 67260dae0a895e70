/*
 * Which copy the cluster shall go on from, once everybody is accounted for.
 */
#ifndef GALERA_INIT_ELECTION_H
#define GALERA_INIT_ELECTION_H

#include "situation.h"
#include "tally.h"

enum election_outcome {
    ELECTION_WON,            /* by `winner` */
    ELECTION_ALL_EMPTY,      /* no copy, and there never was a cluster: `winner` makes one */
    ELECTION_NO_COPY,        /* there was a cluster, and no usable copy is left */
    ELECTION_HISTORIES,      /* the copies are of different clusters and none is recorded */
    ELECTION_PLAIN_DATA,     /* `who` have databases that were never part of a cluster: not ours to choose */
    ELECTION_DOUBTFUL_AHEAD, /* `who` have doubtful copies that are newer than the best trusted one */
    ELECTION_HELD_AHEAD,     /* `who` once recorded more than any copy has now */
};

struct election {
    enum election_outcome outcome;
    size_t winner;
    nodes_t who;
};

/* Among the copies of `voters`, by their records. */
struct election election_hold(const struct situation *situation, nodes_t voters);

/*
 * Whether all expected nodes are back, stopped or idle, with the gvwstate.dat of one and the same view that has them
 * all: then Galera can form that view again.
 */
bool election_can_remerge(const struct situation *situation, const struct tally *tally);

#endif
