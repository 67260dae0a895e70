/* All states, breadth first; and what a state comes to when nothing goes wrong any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "model.h"
#include "text.h"

struct seen {
    struct state *states;
    struct origin {
        uint32_t parent;
        uint8_t step, node;
        uint16_t depth;
    } * origins;
    size_t count, room;
    uint32_t *slots; /* open addressing; index + 1 */
    size_t slot_count;
};

static void *grown(void *old, size_t bytes)
{
    void *now = realloc(old, bytes);

    if (now == NULL)
        abort();
    return now;
}

static uint64_t hash_of(const struct state *state)
{
    const unsigned char *bytes = (const unsigned char *)state;
    uint64_t hash = 0x9E3779B97F4A7C15u, word;
    size_t i = 0;

    for (; i + sizeof word <= sizeof *state; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    for (; i < sizeof *state; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash ^ hash >> 29;
}

static size_t slot_of(const struct seen *seen, const struct state *state)
{
    size_t slot = hash_of(state) & (seen->slot_count - 1);

    while (seen->slots[slot] != 0 && memcmp(&seen->states[seen->slots[slot] - 1], state, sizeof *state) != 0)
        slot = (slot + 1) & (seen->slot_count - 1);
    return slot;
}

static void rehash(struct seen *seen)
{
    seen->slot_count = seen->slot_count == 0 ? 1 << 16 : seen->slot_count * 2;
    free(seen->slots);
    seen->slots = calloc(seen->slot_count, sizeof *seen->slots);
    if (seen->slots == NULL)
        abort();
    for (size_t i = 0; i < seen->count; i++)
        seen->slots[slot_of(seen, &seen->states[i])] = (uint32_t)(i + 1);
}

static void add(struct seen *seen, const struct state *state, struct origin origin)
{
    if (seen->slot_count < 2 * (seen->count + 1))
        rehash(seen);
    size_t slot = slot_of(seen, state);
    if (seen->slots[slot] != 0)
        return;
    if (seen->count == seen->room) {
        seen->room = seen->room == 0 ? 1 << 12 : seen->room + seen->room / 2;
        seen->states = grown(seen->states, seen->room * sizeof *seen->states);
        seen->origins = grown(seen->origins, seen->room * sizeof *seen->origins);
    }
    seen->states[seen->count] = *state;
    seen->origins[seen->count] = origin;
    seen->slots[slot] = (uint32_t)++seen->count;
}

/* --- traces
 * ------------------------------------------------------------------------------------------------------------ */

static void add_step(struct text *trace, const struct state *before, enum step step, size_t i)
{
    char words[512];

    text_format(trace, "  %s\n", step_text(before, step, i, words, sizeof words));
}

/* How a state came about, from the first on. */
static void trace_state(struct text *trace, const struct seen *seen, size_t index)
{
    uint32_t path[1024] = {0};
    size_t length = 0;

    for (size_t i = index; seen->origins[i].depth > 0 && length < 1024; i = seen->origins[i].parent)
        path[length++] = (uint32_t)i;
    while (length-- > 0) {
        const struct origin *origin = &seen->origins[path[length]];
        add_step(trace, &seen->states[origin->parent], (enum step)origin->step, origin->node);
    }
}

/* --- settling
 * ---------------------------------------------------------------------------------------------------------- */

enum { ROUNDS_MOST = 300 };

static struct text *settling; /* when set, the steps of settle() are told there */

static bool settle_step(struct state *state, enum step step, size_t i, const char **violation)
{
    struct state before = *state;

    if (!step_do(state, step, i, violation)) {
        *state = before;
        return false;
    }
    if (settling != NULL)
        add_step(settling, &before, step, i);
    return memcmp(&before, state, sizeof before) != 0;
}

/* One round of everything that goes on by itself; whether anything did. */
static bool settle_round(struct state *state, bool patience_over, const char **violation)
{
    static const enum step steps[] = {STEP_FORM_VIEW, STEP_TRANSFER, STEP_APPLY, STEP_ACT, STEP_READ};
    bool any = false;

    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        for (size_t i = 0; i < NODES && *violation == NULL; i++)
            any = settle_step(state, steps[k], i, violation) || any;
    }
    for (size_t i = 0; i < NODES && patience_over && !any && *violation == NULL; i++)
        any = settle_step(state, STEP_LOSE_PATIENCE, i, violation);
    return any;
}

/* Whether node i says whom it waits for, and that is somebody who is dead, or who waits himself and says for whom. */
static bool is_explained(const struct state *state, size_t i, nodes_t explained)
{
    struct situation situation;

    glue_situation(state, i, false, &situation);
    struct decision decision = decide(&situation);
    if (decision.action != ACTION_WAIT && decision.action != ACTION_REFUSE)
        return false;
    /* These are for an operator. */
    if (decision.cause == CAUSE_NO_TRUSTED_COPY || decision.cause == CAUSE_HELD_AHEAD ||
        decision.cause == CAUSE_HISTORIES)
        return true;
    if (decision.cause == CAUSE_TOO_FEW || decision.cause == CAUSE_TOO_FEW_LEFT)
        return explained != 0;
    return (decision.who & explained) != 0;
}

/* A node that was attested lost, came back, and refuses to have its data erased: an operator has to say more. */
static bool is_outsider(const struct state *state, size_t i)
{
    return !state->node[i].on && (state->excused_uuids & 1 << state->node[i].uuid >> 1) != 0;
}

static const char *judge_end(const struct state *state)
{
    bool one = true;
    uint8_t alive = 0;

    for (size_t i = 0; i < NODES; i++)
        alive = (uint8_t)(alive | (state->node[i].alive && !is_outsider(state, i)) << i);
    for (size_t i = 0; i < NODES; i++) {
        const struct m_node *node = &state->node[i];
        one = one && ((alive >> i & 1) == 0 || (node->on && node->complete && node->primary && node->group == alive));
    }
    if (one)
        return NULL;
    nodes_t explained = 0;
    for (size_t i = 0; i < NODES; i++)
        explained |= (alive >> i & 1) != 0 ? 0 : NODE_BIT(i);
    for (size_t round = 0; round < NODES; round++) {
        for (size_t i = 0; i < NODES; i++) {
            if ((explained & NODE_BIT(i)) == 0 && is_explained(state, i, explained))
                explained |= NODE_BIT(i);
        }
    }
    return explained == (1 << NODES) - 1 ? NULL : "it comes to a standstill, and nobody says whom it waits for";
}

static const char *settle_at_once(struct state *state, bool restart_dead)
{
    const char *violation = NULL;

    settle_step(state, STEP_NET, NET_WHOLE, &violation);
    for (size_t i = 0; i < NODES; i++) {
        settle_step(state, STEP_HEAL_ETCD, i, &violation);
        if (restart_dead)
            settle_step(state, STEP_RESTART, i, &violation);
    }
    for (int round = 0; violation == NULL; round++) {
        if (round == ROUNDS_MOST)
            return "it never comes to rest";
        if (!settle_round(state, false, &violation) && !settle_round(state, true, &violation))
            return violation == NULL ? judge_end(state) : violation;
    }
    return violation;
}

const char *settle(struct state *state, bool restart_dead)
{
    model.settling = true;
    const char *violation = settle_at_once(state, restart_dead);
    model.settling = false;
    return violation;
}

/* --- exploring
 * --------------------------------------------------------------------------------------------------------- */

static void explore_end(struct exploration *result, struct seen *seen, size_t index)
{
    for (int restart = 0; restart < 2 && result->violation == NULL; restart++) {
        struct state copy = seen->states[index];
        result->violation = settle(&copy, restart == 1);
        result->settled++;
        if (result->violation == NULL)
            continue;
        struct text trace = {.most = 0};
        trace_state(&trace, seen, index);
        text_format(&trace, "  -- from here on nothing goes wrong any more, %s\n",
                    restart == 1 ? "and the dead are restarted" : "and the dead stay dead");
        copy = seen->states[index];
        settling = &trace;
        settle(&copy, restart == 1);
        settling = NULL;
        result->trace = trace.bytes;
    }
}

static void explore_steps(struct exploration *result, struct seen *seen, size_t index)
{
    struct state before = seen->states[index];

    for (enum step step = 0; step < STEP_COUNT && result->violation == NULL; step++) {
        size_t many = step == STEP_NET ? NET_COUNT : NODES;
        for (size_t i = 0; i < many && result->violation == NULL; i++) {
            struct state after = before;
            if (!step_do(&after, step, i, &result->violation))
                continue;
            result->steps++;
            struct origin origin = {(uint32_t)index, (uint8_t)step, (uint8_t)i,
                                    (uint16_t)(seen->origins[index].depth + 1)};
            if (result->violation == NULL) {
                add(seen, &after, origin);
                continue;
            }
            struct text trace = {.most = 0};
            trace_state(&trace, seen, index);
            add_step(&trace, &before, step, i);
            result->trace = trace.bytes;
        }
    }
}

struct exploration explore(const struct state *initial, size_t most, size_t settle_every)
{
    struct exploration result = {.complete = true};
    struct seen seen = {.count = 0};
    struct state first = *initial;
    int64_t began = monotonic_ns();

    state_normalize(&first);
    add(&seen, &first, (struct origin){0});
    for (size_t i = 0; i < seen.count && result.violation == NULL; i++) {
        if (seen.count > most) {
            result.complete = false;
            break;
        }
        if (settle_every != 0 && hash_of(&seen.states[i]) % settle_every == 0)
            explore_end(&result, &seen, i);
        if (result.violation == NULL)
            explore_steps(&result, &seen, i);
        result.deepest = seen.origins[i].depth;
    }
    result.states = seen.count;
    result.seconds = (double)(monotonic_ns() - began) / 1e9;
    free(seen.states);
    free(seen.origins);
    free(seen.slots);
    return result;
}
