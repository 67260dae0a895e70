#include "seed_plan.h"

/* The mark comes first, and tables without one second: whatever etcd says, and whoever asks. */
enum seed_plan seed_plan(const struct seed_facts *facts)
{
    if (facts->mark == MARK_DONE)
        return SEED_PLAN_LOADED;
    if (facts->mark == MARK_NONE && facts->tables)
        return SEED_PLAN_NEVER;
    if (facts->claim == CLAIM_ANOTHER)
        return SEED_PLAN_WAIT_FOR_LOADER;
    if (facts->mark == MARK_LOADING && !facts->same_database)
        return SEED_PLAN_OTHER_DATABASE;
    if (!facts->by_hand && facts->members < facts->nodes)
        return SEED_PLAN_WAIT_FOR_NODES;
    if (facts->mark == MARK_NONE)
        return SEED_PLAN_LOAD;
    return facts->database ? SEED_PLAN_LOAD_AGAIN : SEED_PLAN_LOAD_OVER;
}
