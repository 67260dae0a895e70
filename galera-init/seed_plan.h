/* Whether the database is to be loaded, now and by us: facts in, answer out. Pure. */
#ifndef INIT_SEED_PLAN_H
#define INIT_SEED_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "situation.h"

enum mark_state { MARK_NONE, MARK_LOADING, MARK_DONE };

enum claim_state {
    CLAIM_NONE,    /* no key, one that tells of an end (done, failed), or one that nobody keeps alive */
    CLAIM_OURS,    /* of this node: whoever made it is gone, since only one at a time can be at it on a server */
    CLAIM_ANOTHER, /* another node is at it, and alive */
};

struct seed_facts {
    enum mark_state mark;
    bool same_database; /* MARK_LOADING: the mark names the database that we are configured with */
    bool tables;        /* there is something in the database */
    bool database;      /* seed_database is set; else the dump says itself where its tables go */
    enum claim_state claim;
    bool by_hand;
    int64_t members; /* nodes that are synced, or donors */
    int64_t nodes;   /* as many have to be */
};

enum seed_plan {
    SEED_PLAN_LOADED,          /* by the mark: tell etcd, and be content */
    SEED_PLAN_NEVER,           /* tables, but no mark: they are not ours */
    SEED_PLAN_OTHER_DATABASE,  /* another database is half loaded */
    SEED_PLAN_WAIT_FOR_LOADER, /* another node is at it */
    SEED_PLAN_WAIT_FOR_NODES,
    SEED_PLAN_LOAD,
    SEED_PLAN_LOAD_AGAIN, /* what a load left that died: drop the database, and begin anew */
    SEED_PLAN_LOAD_OVER,  /* the same without seed_database: nothing is dropped but by the dump */
};

enum seed_plan seed_plan(const struct seed_facts *facts);

/*
 * How long after the cluster has become complete this node tries: the first by name of those that are synced at once,
 * each of the others when those before it have had time to. A node that cannot (no dump there, too few rights) does not
 * keep the rest from it. Negative: not now, the cluster is not complete or this node is not synced.
 */
enum { SEED_TURN_MS = 15000 };
int64_t seed_turn_ms(const struct situation *situation);

#endif
