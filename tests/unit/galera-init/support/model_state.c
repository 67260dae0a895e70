/* States: what must hold in each of them, which of them are the same, and in words. */
#include <stdio.h>
#include <string.h>

#include "model.h"

/* --- invariants
 * ------------------------------------------------------------------------------------------------------- */

static const char *judge_pair(const struct state *state, size_t i, size_t k)
{
    const struct m_node *a = &state->node[i], *b = &state->node[k];

    if (a->last != b->last)
        return "two Primary Components";
    if (a->complete && b->complete && a->uuid != b->uuid)
        return "two histories in one Primary Component";
    if (a->complete && b->complete && (a->memory.length != b->memory.length || !history_begins(&a->memory, &b->memory)))
        return "two synced members of a Primary Component hold different transactions";
    return NULL;
}

/* Everything that was acknowledged, was not given up, and is still on some disk. */
static const char *judge_memory(const struct state *state, size_t i)
{
    for (uint8_t id = 1; id <= state->commits; id++) {
        if ((state->excused >> (id - 1) & 1) != 0 || history_has(&state->node[i].memory, id))
            continue;
        for (size_t k = 0; k < NODES; k++) {
            if (state->node[k].copy == COPY_TRUSTED && history_has(&state->node[k].data, id))
                return "a Primary Component without a transaction that was acknowledged and that a node has";
        }
    }
    return NULL;
}

const char *state_violation(const struct state *state)
{
    const char *violation = NULL;

    for (size_t i = 0; i < NODES && violation == NULL; i++) {
        if (!is_effective(state, i))
            continue;
        if (state->node[i].complete)
            violation = judge_memory(state, i);
        for (size_t k = i + 1; k < NODES && violation == NULL; k++) {
            if (is_effective(state, k))
                violation = judge_pair(state, i, k);
        }
    }
    return violation;
}

/* --- like states
 * ------------------------------------------------------------------------------------------------------ */

enum { VIEWS_MOST = 5 * NODES + 1 };

static size_t views_of(struct state *state, uint8_t *views[VIEWS_MOST])
{
    size_t count = 0;

    views[count++] = &state->bootstrap.view;
    for (size_t i = 0; i < NODES; i++) {
        views[count++] = &state->node[i].view;
        views[count++] = &state->node[i].last;
        views[count++] = &state->node[i].claim.view;
        views[count++] = &state->node[i].own.view;
        views[count++] = &state->position[i].view;
    }
    return count;
}

/* Views matter by their order alone. */
static void renumber_views(struct state *state)
{
    uint8_t *views[VIEWS_MOST];
    size_t count = views_of(state, views);
    uint8_t numbers[256] = {0};
    uint8_t next = 0;

    for (size_t i = 0; i < count; i++)
        numbers[*views[i]] = 1;
    numbers[0] = 0;
    for (size_t number = 1; number < sizeof numbers; number++) {
        if (numbers[number] != 0)
            numbers[number] = ++next;
    }
    for (size_t i = 0; i < count; i++)
        *views[i] = numbers[*views[i]];
}

static bool any_lost(const struct state *state)
{
    for (size_t i = 0; i < NODES; i++) {
        if (state->position[i].state == RECORD_LOST)
            return true;
    }
    return false;
}

void state_normalize(struct state *state)
{
    renumber_views(state);
    for (size_t i = 0; i < NODES; i++) {
        if (!any_lost(state))
            state->order[i] = (uint8_t)i;
        if (state->node[i].pending == PENDING_NONE || (state->node[i].pending & PENDING_GO) != 0)
            state->node[i].stale = 0;
        state->node[i].stale &= (uint8_t)(STALE_BOOTSTRAP | STALE_UUID | ((1 << NODES) - 1));
    }
}

/* --- words
 * ------------------------------------------------------------------------------------------------------------ */

static const char *const networks[NET_COUNT] = {"whole", "n1 alone", "n2 alone", "n3 alone", "all alone"};

static const char *const words[STEP_COUNT] = {
    [STEP_ACT_UNKNOWING] = "its transaction is done, its answer lost",
    [STEP_FORM_VIEW] = "the servers of its side form a view",
    [STEP_TRANSFER] = "state transfer",
    [STEP_COMMIT] = "commits a transaction",
    [STEP_APPLY] = "applies what it received",
    [STEP_RESTART] = "galera-init starts",
    [STEP_HEAL_ETCD] = "reaches etcd again",
    [STEP_CRASH] = "is killed",
    [STEP_STOP] = "is stopped cleanly",
    [STEP_CUT_ETCD] = "is cut off from etcd",
    [STEP_ATTEST_LOST] = "is attested lost",
    [STEP_LOSE_DISK] = "loses its disks",
};

static const char *reading(const struct state *state, size_t i, bool patience_over, char *text, size_t size)
{
    struct situation situation;
    char why[400];

    glue_situation(state, i, patience_over, &situation);
    struct decision decision = decide(&situation);
    snprintf(text, size, "n%zu: decides %s: %s", i + 1, action_word(decision.action),
             decision_text(&situation, &decision, why, sizeof why));
    return text;
}

static const char *acting(const struct state *state, size_t i, char *text, size_t size)
{
    static const char *const starts[PENDING_COUNT] = {
        [PENDING_NEW] = "starts its server as a new cluster",
        [PENDING_JOIN] = "starts its server to join",
        [PENDING_REMERGE] = "starts its server with its old view",
        [PENDING_PC] = "tells its server pc.bootstrap",
        [PENDING_STOP] = "stops its server",
    };
    const struct m_node *node = &state->node[i];
    unsigned how = node->pending & ~(unsigned)PENDING_GO;
    bool writes = (node->pending & PENDING_GO) == 0 && how != PENDING_STOP;

    snprintf(text, size, "n%zu: %s", i + 1, writes ? "its transaction reaches etcd" : starts[how]);
    return text;
}

const char *step_text(const struct state *before, enum step step, size_t i, char *text, size_t size)
{
    switch (step) {
    case STEP_READ:
        return reading(before, i, false, text, size);
    case STEP_LOSE_PATIENCE:
        return reading(before, i, true, text, size);
    case STEP_ACT:
        return acting(before, i, text, size);
    case STEP_NET:
        snprintf(text, size, "network: %s", networks[i]);
        return text;
    case STEP_WIPE_ETCD:
        snprintf(text, size, "etcd loses all its data");
        return text;
    case STEP_ACT_UNKNOWING:
    case STEP_FORM_VIEW:
    case STEP_TRANSFER:
    case STEP_COMMIT:
    case STEP_APPLY:
    case STEP_RESTART:
    case STEP_HEAL_ETCD:
    case STEP_CRASH:
    case STEP_STOP:
    case STEP_CUT_ETCD:
    case STEP_ATTEST_LOST:
    case STEP_LOSE_DISK:
    case STEP_COUNT:
        break;
    }
    snprintf(text, size, "n%zu: %s", i + 1, words[step]);
    return text;
}
