/* What can happen: to a node, to its server, to etcd, to the network. */
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "verbs.h"

/* --- etcd
 * ------------------------------------------------------------------------------------------------------------- */

/* A key was written: whoever read it before does not know. */
static void touch(struct state *state, uint8_t keys)
{
    for (size_t i = 0; i < NODES; i++)
        state->node[i].stale |= keys;
    for (size_t i = 0; i < NODES; i++) {
        if ((keys >> i & 1) == 0)
            continue;
        for (size_t k = 0; k < NODES; k++)
            state->order[k] = (uint8_t)(state->order[k] - (state->order[k] > state->order[i]));
        state->order[i] = NODES - 1;
    }
}

static uint8_t compared_keys(size_t i, unsigned compare)
{
    uint8_t keys = 0;

    if ((compare & COMPARE_BOOTSTRAP) != 0)
        keys |= STALE_BOOTSTRAP;
    if ((compare & COMPARE_UUID) != 0)
        keys |= STALE_UUID;
    if ((compare & COMPARE_OWN) != 0)
        keys |= (uint8_t)(1 << i);
    if ((compare & COMPARE_POSITIONS) != 0)
        keys |= (1 << NODES) - 1;
    return keys;
}

/* The pending transaction of node i; false when it cannot be carried out. */
static bool transact(struct state *state, size_t i, const char **violation)
{
    struct m_node *node = &state->node[i];
    uint8_t written = 0;

    if ((state->cut >> i & 1) != 0 || (node->stale & compared_keys(i, node->compare)) != 0)
        return false;
    if ((node->write & WRITE_BOOTSTRAP) != 0) {
        if (node->claim.phase == BOOTSTRAP_CLAIMED)
            *violation = judge_base(state, i, true);
        state->bootstrap = node->claim;
        written |= STALE_BOOTSTRAP;
    }
    if ((node->write & WRITE_UUID) != 0) {
        state->uuid = node->uuid;
        written |= STALE_UUID;
    }
    if ((node->write & WRITE_OWN) != 0) {
        state->position[i] = node->own;
        written |= (uint8_t)(1 << i);
    }
    touch(state, written);
    return true;
}

/* --- nodes
 * ------------------------------------------------------------------------------------------------------------ */

static void forget_pending(struct m_node *node)
{
    node->pending = PENDING_NONE;
    node->compare = node->write = node->stale = node->drop_view = 0;
    memset(&node->claim, 0, sizeof node->claim);
    memset(&node->own, 0, sizeof node->own);
}

/* Everything that was written under the boot before is of an earlier one now. */
static void new_boot(struct state *state, size_t i)
{
    state->position[i].boot = 0;
    for (size_t k = 0; k < NODES; k++) {
        if (state->node[k].claim.node == i + 1)
            state->node[k].claim.boot = 0;
    }
    if (state->bootstrap.node == i + 1)
        state->bootstrap.boot = 0;
}

static enum pending pending_of(enum action action)
{
    switch (action) {
    case ACTION_ATTEST:
    case ACTION_CLAIM:
    case ACTION_RECORD:
        return PENDING_WRITE;
    case ACTION_BOOTSTRAP:
        return PENDING_NEW;
    case ACTION_JOIN:
        return PENDING_JOIN;
    case ACTION_REMERGE:
        return PENDING_REMERGE;
    case ACTION_PC_BOOTSTRAP:
        return PENDING_PC;
    case ACTION_STOP:
        return PENDING_STOP;
    case ACTION_RUN:
    case ACTION_WAIT:
    case ACTION_REFUSE:
        break;
    }
    return PENDING_NONE;
}

/* What must hold of a decision whatever the facts. */
static const char *judge_decision(const struct state *state, size_t i, const struct decision *decision)
{
    bool joins = decision->action == ACTION_JOIN || decision->action == ACTION_REMERGE;

    if (joins && (decision->who & ~NODE_BIT(i)) == 0)
        return "a server would start with an empty list of addresses, which makes a new cluster";
    if (decision->action == ACTION_STOP && decision->cause == CAUSE_CLAIM_LOST && is_effective(state, i))
        return "a Primary member is ended because its claim is lost";
    if ((decision->write & WRITE_BOOTSTRAP) != 0 && !lineage_fits(&decision->bootstrap.lineage))
        return "the model is too small for this lineage";
    return NULL;
}

/* A run of steps has to be told from a standstill, so that what a decision leaves as it was is no step. */
static bool node_read(struct state *state, size_t i, bool patience_over, const char **violation)
{
    struct m_node *node = &state->node[i];
    struct situation situation;

    if (!node->alive || node->pending != PENDING_NONE)
        return false;
    glue_situation(state, i, patience_over, &situation);
    struct decision decision = decide(&situation);
    *violation = judge_decision(state, i, &decision);

    bool known = state->bootstrap.phase == BOOTSTRAP_STARTING || state->bootstrap.phase == BOOTSTRAP_PRIMARY;
    uint8_t before = node->epoch;
    if (situation.etcd_reachable && known && state->bootstrap.epoch > node->epoch)
        node->epoch = state->bootstrap.epoch;
    if (decision.action == ACTION_ATTEST)
        node->pledged = 1;

    enum pending pending = pending_of(decision.action);
    if (pending == PENDING_NONE)
        return node->epoch != before;
    if ((decision.write & WRITE_BOOTSTRAP) != 0 &&
        decision.bootstrap.epoch > (model.settling ? EPOCHS_MOST_SETTLING : EPOCHS_MOST))
        return node->epoch != before; /* out of the model's bounds */
    node->pending = (uint8_t)pending;
    node->compare = (uint8_t)decision.compare;
    node->write = (uint8_t)decision.write;
    node->drop_view = decision.drop_view && model.weakness != WEAK_VIEW_KEPT;
    node->discard = decision.discard && model.weakness != WEAK_FORK_IGNORED;
    node->stale = 0;
    if ((decision.write & WRITE_OWN) != 0)
        node->own = glue_record(&situation, &decision.own);
    if ((decision.write & WRITE_BOOTSTRAP) != 0)
        node->claim = glue_bootstrap(&situation, &decision.bootstrap);
    if (decision.action == ACTION_CLAIM && model.weakness == WEAK_CLAIM_COMPARES_LITTLE)
        node->compare = COMPARE_BOOTSTRAP;
    if (decision.action == ACTION_BOOTSTRAP && model.weakness == WEAK_CLAIM_NOT_COMPARED)
        node->compare &= (uint8_t)~COMPARE_BOOTSTRAP;
    if (decision.action == ACTION_JOIN && model.weakness == WEAK_START_UNANNOUNCED)
        node->compare = node->write = 0;
    if (decision.action == ACTION_JOIN && decision.write == 0)
        node->pending |= PENDING_GO;
    return true;
}

static void blank(struct m_node *node)
{
    if (!node->discard)
        return;
    node->copy = COPY_BROKEN;
    node->uuid = 0;
    memset(&node->data, 0, sizeof node->data);
}

/* The transaction is done: what the node keeps on its own disk before the server starts. */
static void prepare_start(struct state *state, size_t i)
{
    struct m_node *node = &state->node[i];

    if (model.weakness != WEAK_LINEAGE_BEFORE_BLANK)
        blank(node);
    node->lineage = state->bootstrap.lineage;
    node->epoch = state->bootstrap.epoch;
    node->pledged = 0;
    node->pending |= PENDING_GO;
}

static void go(struct state *state, size_t i, const char **violation)
{
    struct m_node *node = &state->node[i];
    enum pending how = (enum pending)(node->pending & ~PENDING_GO);

    if (how == PENDING_PC) {
        if (node->on && !node->primary)
            server_pc_bootstrap(state, i, violation);
    } else {
        blank(node);
        server_start(state, i, how, violation);
        node->discard = 0;
    }
    forget_pending(node);
}

static bool node_act(struct state *state, size_t i, bool unknowing, const char **violation)
{
    struct m_node *node = &state->node[i];
    enum pending pending = (enum pending)node->pending;

    if (!node->alive || pending == PENDING_NONE || (unknowing && node->write == 0))
        return false;
    if ((pending & PENDING_GO) != 0) {
        go(state, i, violation);
        return !unknowing;
    }
    if (pending == PENDING_STOP) {
        server_end(state, i, true);
        new_boot(state, i);
        forget_pending(node);
        return !unknowing;
    }
    bool done = transact(state, i, violation);
    if (unknowing && !done)
        return false;
    bool starts = done && !unknowing && pending != PENDING_WRITE && pending != PENDING_LEAVE;
    if (starts) {
        prepare_start(state, i);
        return true;
    }
    forget_pending(node);
    node->discard = 0;
    if (pending == PENDING_LEAVE)
        node->alive = 0;
    return true;
}

/* --- faults
 * ----------------------------------------------------------------------------------------------------------- */

static bool spend(struct state *state, enum budget budget)
{
    if (state->left[budget] == 0)
        return false;
    state->left[budget]--;
    return true;
}

static bool crash(struct state *state, size_t i)
{
    struct m_node *node = &state->node[i];

    if (!node->alive || !spend(state, BUDGET_CRASH))
        return false;
    server_end(state, i, false);
    forget_pending(node);
    node->discard = 0;
    node->alive = 0;
    return true;
}

static bool restart(struct state *state, size_t i)
{
    if (state->node[i].alive)
        return false;
    state->node[i].alive = 1;
    new_boot(state, i);
    return true;
}

/* An admin stops a node that serves. */
static bool stop(struct state *state, size_t i)
{
    struct m_node *node = &state->node[i];
    struct situation situation;

    if (!node->alive || !node->open || node->pending != PENDING_NONE || !spend(state, BUDGET_STOP))
        return false;
    server_end(state, i, true);
    if ((state->cut >> i & 1) != 0) { /* it does not even try */
        node->alive = 0;
        return true;
    }
    node->pledged = 1;
    glue_situation(state, i, false, &situation);
    struct record record = situation_record(&situation, RECORD_ATTESTED);
    node->pending = PENDING_LEAVE;
    node->compare = COMPARE_OWN;
    node->write = WRITE_OWN;
    node->stale = 0;
    node->own = glue_record(&situation, &record);
    return true;
}

/* Honest: its process is dead. It may come back with all its data at any time. */
static bool attest_lost(struct state *state, size_t i)
{
    struct situation situation;
    char name[] = {'n', (char)('1' + i), '\0'};

    if (state->node[i].alive || state->left[BUDGET_LOST] == 0)
        return false;
    glue_operator(state, &situation);
    struct verb verb = verb_attest_lost(&situation, name);
    if (verb.refusal != VERB_ALLOWED)
        return false;
    spend(state, BUDGET_LOST);
    situation.boot[0] = '\0';
    state->position[i] = glue_record(&situation, &verb.record);
    touch(state, (uint8_t)(1 << i));
    return true;
}

static bool wipe_etcd(struct state *state)
{
    if (!spend(state, BUDGET_WIPE))
        return false;
    memset(state->position, 0, sizeof state->position);
    memset(&state->bootstrap, 0, sizeof state->bootstrap);
    state->uuid = 0;
    touch(state, ((1 << NODES) - 1) | STALE_BOOTSTRAP | STALE_UUID);
    return true;
}

static bool lose_disk(struct state *state, size_t i)
{
    if (state->node[i].alive || state->node[i].copy == COPY_EMPTY || !spend(state, BUDGET_DISK))
        return false;
    memset(&state->node[i], 0, sizeof state->node[i]);
    return true;
}

/* --- all of it
 * -------------------------------------------------------------------------------------------------------- */

static bool step_raw(struct state *state, enum step step, size_t i, const char **violation)
{
    switch (step) {
    case STEP_READ:
        return node_read(state, i, false, violation);
    case STEP_LOSE_PATIENCE:
        return state->node[i].on && !(state->node[i].open && state->node[i].primary) &&
               (model.settling || spend(state, BUDGET_PATIENCE)) && node_read(state, i, true, violation);
    case STEP_ACT:
        return node_act(state, i, false, violation);
    case STEP_ACT_UNKNOWING:
        return spend(state, BUDGET_UNCERTAIN) && node_act(state, i, true, violation);
    case STEP_FORM_VIEW:
        return server_form_view(state, i, violation);
    case STEP_TRANSFER:
        return server_transfer(state, i, violation);
    case STEP_COMMIT:
        return spend(state, BUDGET_COMMIT) && server_commit(state, i);
    case STEP_APPLY:
        return server_apply(state, i);
    case STEP_RESTART:
        return restart(state, i);
    case STEP_HEAL_ETCD:
        return (state->cut >> i & 1) != 0 && (state->cut = (uint8_t)(state->cut & ~(1 << i)), true);
    case STEP_CRASH:
        return crash(state, i);
    case STEP_STOP:
        return stop(state, i);
    case STEP_NET: /* `i` names the network that it becomes */
        return state->net != i && (i == NET_WHOLE || spend(state, BUDGET_NET)) && (state->net = (uint8_t)i, true);
    case STEP_CUT_ETCD:
        return (state->cut >> i & 1) == 0 && spend(state, BUDGET_CUT) &&
               (state->cut = (uint8_t)(state->cut | 1 << i), true);
    case STEP_WIPE_ETCD:
        return i == 0 && wipe_etcd(state);
    case STEP_ATTEST_LOST:
        return attest_lost(state, i);
    case STEP_LOSE_DISK:
        return lose_disk(state, i);
    case STEP_COUNT:
        break;
    }
    return false;
}

bool step_do(struct state *state, enum step step, size_t i, const char **violation)
{
    *violation = NULL;
    if (!step_raw(state, step, i, violation))
        return false;
    if (*violation == NULL)
        *violation = state_violation(state);
    state_normalize(state);
    return true;
}
