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

static bool has_state(const struct node_facts *node)
{
    return node->member.phase == MEMBER_SYNCED || node->member.phase == MEMBER_DONOR;
}

int64_t seed_turn_ms(const struct situation *situation)
{
    int64_t synced = 0;
    int64_t before_us = 0;

    for (size_t i = 0; i < situation->count; i++) {
        synced += has_state(&situation->nodes[i]) ? 1 : 0;
        before_us += i < situation->self && has_state(&situation->nodes[i]) ? 1 : 0;
    }
    if (synced < situation->size || !has_state(&situation->nodes[situation->self]))
        return -1;
    return before_us * SEED_TURN_MS;
}
