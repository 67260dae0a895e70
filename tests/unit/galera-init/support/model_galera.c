/*
 * The servers: what of Galera matters here.
 *
 * Views. Servers that run and can reach each other form a view. It is Primary when it continues a Primary view with
 * more than half of that view's members (those that left cleanly not counted) and one of them has the state; or when it
 * holds every member of the last Primary view that any of them knows (gcomm/pc_proto.cpp, is_prim). A member is known
 * by its name in that view, which a server has from before or from gvwstate.dat. A side that lost the others goes on
 * believing that it is Primary until it forms a new view; it cannot commit.
 *
 * Transactions. One reaches all synced members of the view and is acknowledged when it is on the disk of the server
 * that took it; the others have it on disk later, or never, when they are killed.
 *
 * State transfers look at UUID and seqno alone: with the same UUID and a seqno that is not ahead, what is missing is
 * sent (IST), whatever the copy holds; else the copy is replaced, and broken until that is done (SST).
 */
#include <string.h>

#include "model.h"
#include "tally.h"

static const uint8_t sides[NET_COUNT][NODES] = {
    [NET_WHOLE] = {0, 0, 0},   [NET_1_ALONE] = {1, 0, 0},   [NET_2_ALONE] = {0, 1, 0},
    [NET_3_ALONE] = {0, 0, 1}, [NET_ALL_ALONE] = {0, 1, 2},
};

bool connected(const struct state *state, size_t i, size_t k)
{
    return sides[state->net][i] == sides[state->net][k];
}

bool history_has(const struct m_history *history, uint8_t id)
{
    return memchr(history->id, id, history->length) != NULL;
}

bool history_begins(const struct m_history *history, const struct m_history *with)
{
    return with->length <= history->length && memcmp(history->id, with->id, with->length) == 0;
}

bool is_effective(const struct state *state, size_t i)
{
    const struct m_node *node = &state->node[i];

    if (!node->on || !node->primary)
        return false;
    for (size_t k = 0; k < NODES; k++) {
        const struct m_node *other = &state->node[k];
        if ((node->group >> k & 1) != 0 && (!other->on || !other->primary || other->group != node->group ||
                                            other->last != node->last || !connected(state, i, k)))
            return false;
    }
    return true;
}

static uint8_t next_view(const struct state *state)
{
    uint8_t most = state->bootstrap.view;

    for (size_t i = 0; i < NODES; i++) {
        const uint8_t known[] = {state->node[i].view, state->node[i].last, state->position[i].view,
                                 state->node[i].claim.view, state->node[i].own.view};
        for (size_t k = 0; k < sizeof known; k++)
            most = known[k] > most ? known[k] : most;
    }
    return (uint8_t)(most + 1);
}

/* --- starting and ending -------------------------------------------------------------------------------------------
 */

static void install(struct m_node *node, uint8_t view, uint8_t members)
{
    node->primary = 1;
    node->restored = 0;
    node->group = node->last_members = node->members = members;
    node->last = node->view = view;
}

static void become_alone(struct state *state, size_t i)
{
    install(&state->node[i], next_view(state), (uint8_t)(1 << i));
    state->node[i].complete = state->node[i].open = 1;
}

const char *judge_base(struct state *state, size_t i, bool excuse)
{
    const struct m_node *node = &state->node[i];
    const struct m_history *history = node->on ? &node->memory : &node->data;

    for (uint8_t id = 1; id <= state->commits; id++) {
        bool lost = false;
        if (history_has(history, id) || (state->excused >> (id - 1) & 1) != 0)
            continue;
        for (size_t k = 0; k < NODES; k++) {
            if (k == i || state->node[k].copy != COPY_TRUSTED || !history_has(&state->node[k].data, id))
                continue;
            if (!excuse || state->position[k].state != RECORD_LOST)
                return "a bootstrap without a transaction that was acknowledged and that another node has";
            lost = true;
        }
        if (lost)
            state->excused |= (uint8_t)(1 << (id - 1));
    }
    for (size_t k = 0; k < NODES; k++) {
        uint8_t of = (uint8_t)(1 << state->node[k].uuid >> 1);
        if (k == i || node->copy != COPY_EMPTY || state->node[k].copy != COPY_TRUSTED ||
            (state->excused_uuids & of) != 0)
            continue;
        if (!excuse || state->position[k].state != RECORD_LOST)
            return "a new, empty cluster beside a node that has data";
        state->excused_uuids |= of;
    }
    return NULL;
}

static const char *judge_start(struct state *state, size_t i)
{
    for (size_t k = 0; k < NODES; k++) {
        if (k != i && is_effective(state, k))
            return "a bootstrap beside a Primary Component";
    }
    return judge_base(state, i, false);
}

void server_start(struct state *state, size_t i, enum pending how, const char **violation)
{
    struct m_node *node = &state->node[i];

    node->on = 1;
    node->clean = node->safe = 0;
    node->memory = node->data;
    node->group = (uint8_t)(1 << i);
    if (node->drop_view)
        node->view = node->members = 0;
    node->last = node->view;
    node->last_members = node->members;
    node->restored = node->view != 0;
    if (how != PENDING_NEW)
        return;
    *violation = judge_start(state, i);
    if (node->copy == COPY_EMPTY) {
        node->copy = COPY_TRUSTED;
        node->uuid = ++state->uuids;
    }
    become_alone(state, i);
}

void server_pc_bootstrap(struct state *state, size_t i, const char **violation)
{
    *violation = judge_start(state, i);
    become_alone(state, i);
}

/* The others of its view are told of a clean end, where the network lets them. */
static void leave(struct state *state, size_t i)
{
    const struct m_node *node = &state->node[i];
    uint8_t view = next_view(state);
    bool without = true; /* nobody who stays has the state: Galera finds no Primary Component then */

    for (size_t k = 0; k < NODES; k++) {
        struct m_node *other = &state->node[k];
        if (k == i || !other->on || other->group != node->group || other->last != node->last ||
            other->primary != node->primary || !connected(state, i, k))
            continue;
        uint8_t rest = (uint8_t)(other->group & ~(1 << i));
        if (other->primary)
            install(other, view, rest);
        else
            other->group = rest;
        without = without && !other->complete;
    }
    for (size_t k = 0; k < NODES; k++) {
        if (without && state->node[k].last == view)
            state->node[k].primary = 0;
    }
}

void server_end(struct state *state, size_t i, bool cleanly)
{
    struct m_node *node = &state->node[i];

    if (cleanly && node->open) {
        leave(state, i);
        node->data = node->memory;
        node->clean = 1;
        node->safe = node->primary && node->complete && node->group == 1 << i;
        node->view = node->members = 0;
    }
    node->on = node->open = node->primary = node->complete = node->restored = node->group = node->last =
        node->last_members = 0;
    memset(&node->memory, 0, sizeof node->memory);
}

/* --- views
 * ------------------------------------------------------------------------------------------------------------ */

/* Those of the side that continue a Primary view; at most one view can be continued. */
static uint8_t continuing(const struct state *state, uint8_t side, const char **violation)
{
    uint8_t found = 0;

    for (size_t i = 0; i < NODES; i++) {
        const struct m_node *node = &state->node[i];
        uint8_t with = 0;
        if ((side >> i & 1) == 0 || !node->primary)
            continue;
        for (size_t k = 0; k < NODES; k++) {
            if ((side >> k & 1) != 0 && state->node[k].primary && state->node[k].last == node->last)
                with |= (uint8_t)(1 << k);
        }
        if (2 * __builtin_popcount(with) <= __builtin_popcount(node->group))
            continue;
        if (found != 0 && found != with)
            *violation = "two Primary Components met";
        found = with;
    }
    return found;
}

/* The members of the last Primary view that anybody in the side knows, when all of them are there. */
static uint8_t reunited(const struct state *state, uint8_t side)
{
    uint8_t last = 0, members = 0;

    for (size_t i = 0; i < NODES; i++) {
        if ((side >> i & 1) != 0 && state->node[i].last > last) {
            last = state->node[i].last;
            members = state->node[i].last_members;
        }
    }
    for (size_t i = 0; i < NODES; i++) {
        if ((members >> i & 1) != 0 && ((side >> i & 1) == 0 || state->node[i].last != last))
            return 0;
    }
    return members;
}

static bool has_state(const struct m_node *node, bool reunion)
{
    return node->complete || (reunion && node->restored && node->copy == COPY_TRUSTED);
}

/* Who of the side has what the group has: by seqno, as Galera sees it. */
static void compare_states(struct state *state, uint8_t side, uint8_t from, bool reunion, const char **violation)
{
    const struct m_node *best = NULL;

    for (size_t i = 0; i < NODES; i++) {
        const struct m_node *node = &state->node[i];
        if ((from >> i & 1) != 0 && has_state(node, reunion) &&
            (best == NULL || node->memory.length > best->memory.length))
            best = node;
    }
    struct m_node newest = *best;
    for (size_t i = 0; i < NODES; i++) {
        struct m_node *node = &state->node[i];
        if ((side >> i & 1) == 0)
            continue;
        bool equal = node->copy == COPY_TRUSTED && node->uuid == newest.uuid &&
                     node->memory.length == newest.memory.length && !node->discard;
        if (equal && !history_begins(&newest.memory, &node->memory))
            *violation = "two members of a Primary Component hold different transactions at the same seqno";
        node->complete = equal || ((from >> i & 1) != 0 && !reunion && node->complete);
        if (node->complete)
            node->open = 1;
    }
}

bool server_form_view(struct state *state, size_t i, const char **violation)
{
    uint8_t side = 0, from;
    bool settled = true, reunion = false, has_one = false;

    for (size_t k = 0; k < NODES; k++) {
        if (state->node[k].on && connected(state, i, k))
            side |= (uint8_t)(1 << k);
    }
    if (!state->node[i].on || nodes_first(side) != i) /* one name for one step */
        return false;
    for (size_t k = 0; k < NODES; k++) {
        if ((side >> k & 1) != 0)
            settled = settled && state->node[k].group == side && state->node[k].last == state->node[i].last &&
                      state->node[k].primary == state->node[i].primary;
    }
    from = continuing(state, side, violation);
    if (settled && (from == side || (!state->node[i].primary && reunited(state, side) == 0)))
        return false;
    if (from == 0) {
        from = reunited(state, side);
        reunion = true;
    }
    for (size_t k = 0; k < NODES; k++)
        has_one = has_one || ((from >> k & 1) != 0 && has_state(&state->node[k], reunion));

    uint8_t view = next_view(state);
    if (has_one)
        compare_states(state, side, from, reunion, violation);
    for (size_t k = 0; k < NODES; k++) {
        struct m_node *node = &state->node[k];
        if ((side >> k & 1) == 0)
            continue;
        if (has_one || (!reunion && from != 0))
            install(node, view, side);
        node->group = side;
        node->primary = has_one;
    }
    return true;
}

/* --- data ----------------------------------------------------------------------------------------------------------
 */

static const struct m_node *donor_of(const struct state *state, size_t i)
{
    const struct m_node *node = &state->node[i];

    for (size_t k = 0; k < NODES; k++) {
        const struct m_node *other = &state->node[k];
        if (k != i && other->on && other->primary && other->complete && other->last == node->last &&
            (node->group >> k & 1) != 0 && connected(state, i, k))
            return other;
    }
    return NULL;
}

bool server_transfer(struct state *state, size_t i, const char **violation)
{
    struct m_node *node = &state->node[i];
    const struct m_node *donor = node->on && node->primary && !node->complete ? donor_of(state, i) : NULL;

    if (donor == NULL)
        return false;
    bool incremental = node->copy == COPY_TRUSTED && node->uuid == donor->uuid &&
                       node->memory.length <= donor->memory.length && !node->discard;
    if (incremental && !history_begins(&donor->memory, &node->memory))
        *violation = "an incremental transfer onto a copy that has other transactions";
    if (!incremental && node->copy != COPY_BROKEN) {
        node->copy = COPY_BROKEN;
        node->uuid = 0;
        memset(&node->data, 0, sizeof node->data);
        memset(&node->memory, 0, sizeof node->memory);
        return true;
    }
    node->copy = COPY_TRUSTED;
    node->uuid = donor->uuid;
    node->memory = node->data = donor->memory;
    node->discard = 0;
    node->complete = node->open = 1;
    return true;
}

bool server_commit(struct state *state, size_t i)
{
    struct m_node *node = &state->node[i];

    if (!node->complete || !is_effective(state, i) || node->memory.length == HISTORY_MOST || state->commits == 8)
        return false;
    uint8_t id = ++state->commits;
    for (size_t k = 0; k < NODES; k++) {
        struct m_node *other = &state->node[k];
        if ((node->group >> k & 1) != 0 && other->complete)
            other->memory.id[other->memory.length++] = id;
    }
    node->data = node->memory;
    return true;
}

bool server_apply(struct state *state, size_t i)
{
    struct m_node *node = &state->node[i];

    if (!node->on || !node->complete || node->data.length == node->memory.length)
        return false;
    node->data = node->memory;
    return true;
}
