/* Between the real structures and the model's: the facts of a node are built from a state, and what it writes goes
 * back. */
#include <stdio.h>
#include <string.h>

#include "model.h"

struct model model;

static struct uuid uuid_of(uint8_t number)
{
    struct uuid uuid = {{0}};

    uuid.bytes[15] = number;
    return uuid;
}

static void boot_of(char boot[BOOT_ID_SIZE], size_t i, bool present)
{
    memcpy(boot, present ? "present-0" : "earlier-0", sizeof "present-0");
    boot[8] = (char)('1' + i);
}

static struct view view_of(uint8_t number, uint8_t members, size_t i)
{
    struct view view = {.members = __builtin_popcount(members)};

    if (number != 0) {
        view.id[0] = (char)('A' + number);
        view.id[1] = (char)('0' + members);
    }
    view.self.bytes[0] = (unsigned char)(i + 1);
    return view;
}

static void number_of_view(const struct view *view, uint8_t *number, uint8_t *members)
{
    *number = *members = 0;
    if (!view_is_none(view)) {
        *number = (uint8_t)(view->id[0] - 'A');
        *members = (uint8_t)(view->id[1] - '0');
    }
}

/* --- lineages ------------------------------------------------------------------------------------------------------
 */

/* The model's boot ids have one mark a node. */
static struct generation generation_named(int64_t number, uint8_t mark)
{
    char boot[BOOT_ID_SIZE];

    if (mark == 0 || model.weakness == WEAK_NUMBER_IS_NAME)
        return (struct generation){.number = number};
    boot_of(boot, (size_t)mark - 1, true);
    return generation_of(number, boot);
}

static uint8_t mark_of(struct generation generation)
{
    for (uint8_t mark = 1; mark <= NODES; mark++) {
        if (generation_equal(generation, generation_named(generation.number, mark)))
            return mark;
    }
    return 0;
}

static struct lineage lineage_of(const struct m_lineage *packed)
{
    struct lineage lineage = {.root = GENERATION_NONE};

    if (model.weakness == WEAK_SEQNO_ONLY)
        return lineage;
    for (size_t i = 0; i < GENERATIONS_MOST && packed->entry[i] != 0; i++) {
        lineage.entry[i].generation = generation_named(packed->entry[i] >> 4, packed->mark[i]);
        lineage.entry[i].base = (int64_t)(packed->entry[i] & 0x0F) - 1;
        lineage.count++;
    }
    return lineage;
}

bool lineage_fits(const struct lineage *lineage)
{
    return lineage->count <= GENERATIONS_MOST;
}

static struct m_lineage pack_lineage(const struct lineage *lineage)
{
    struct m_lineage packed = {{0}, {0}};

    for (size_t i = 0; i < lineage->count && i < GENERATIONS_MOST; i++) {
        packed.entry[i] = (uint8_t)(lineage->entry[i].generation.number << 4 | (lineage->entry[i].base + 1));
        packed.mark[i] = mark_of(lineage->entry[i].generation);
    }
    return packed;
}

/* --- records -------------------------------------------------------------------------------------------------------
 */

static struct record record_of(const struct m_record *packed, size_t i)
{
    struct record record = {.state = (enum record_state)packed->state, .size = NODES};

    if (record.state == RECORD_NONE)
        return (struct record){.state = RECORD_NONE};
    record.epoch = packed->epoch;
    record.copy = (enum copy)packed->copy;
    record.source = packed->clean ? SOURCE_GRASTATE : SOURCE_RECOVER;
    record.position = (struct position){uuid_of(packed->uuid), (int64_t)packed->seqno - 1};
    record.place = (struct place){generation_named(packed->generation, packed->mark), (int64_t)packed->seqno - 1};
    record.held = (struct place){{.number = packed->held_generation}, (int64_t)packed->held_seqno - 1};
    record.safe_to_bootstrap = packed->safe;
    record.view = view_of(packed->view, packed->members, i);
    boot_of(record.boot, i, packed->boot);
    return record;
}

struct m_record glue_record(const struct situation *situation, const struct record *record)
{
    struct m_record packed = {.state = (uint8_t)record->state, .epoch = (uint8_t)record->epoch};

    packed.copy = (uint8_t)record->copy;
    packed.clean = record->source == SOURCE_GRASTATE;
    packed.safe = record->safe_to_bootstrap;
    packed.uuid = record->position.uuid.bytes[15];
    packed.seqno = (uint8_t)(record->position.seqno + 1);
    packed.generation = (uint8_t)record->place.generation.number;
    packed.mark = mark_of(record->place.generation);
    packed.held_generation = (uint8_t)record->held.generation.number;
    packed.held_seqno = (uint8_t)(record->held.seqno + 1);
    packed.boot = strcmp(record->boot, situation->boot) == 0;
    number_of_view(&record->view, &packed.view, &packed.members);
    return packed;
}

static struct bootstrap bootstrap_of(const struct m_bootstrap *packed)
{
    struct bootstrap bootstrap = {.phase = (enum bootstrap_phase)packed->phase};

    if (bootstrap.phase == BOOTSTRAP_NONE)
        return bootstrap;
    bootstrap.kind = (enum bootstrap_kind)packed->kind;
    bootstrap.epoch = packed->epoch;
    bootstrap.node[0] = 'n';
    bootstrap.node[1] = (char)('0' + packed->node);
    boot_of(bootstrap.boot, (size_t)packed->node - 1, packed->boot);
    bootstrap.base = (struct position){uuid_of(packed->uuid), (int64_t)packed->seqno - 1};
    bootstrap.lineage = lineage_of(&packed->lineage);
    bootstrap.view = view_of(packed->view, packed->members, (size_t)packed->node - 1);
    return bootstrap;
}

struct m_bootstrap glue_bootstrap(const struct situation *situation, const struct bootstrap *bootstrap)
{
    struct m_bootstrap packed = {.phase = (uint8_t)bootstrap->phase, .kind = (uint8_t)bootstrap->kind};

    packed.epoch = (uint8_t)bootstrap->epoch;
    packed.node = (uint8_t)(bootstrap->node[1] - '0');
    packed.boot = strncmp(bootstrap->boot, "present", 7) == 0;
    packed.uuid = bootstrap->base.uuid.bytes[15];
    packed.seqno = (uint8_t)(bootstrap->base.seqno + 1);
    number_of_view(&bootstrap->view, &packed.view, &packed.members);
    packed.lineage = pack_lineage(&bootstrap->lineage);
    (void)situation;
    return packed;
}

/* --- situations ----------------------------------------------------------------------------------------------------
 */

static struct holding holding_of(const struct m_node *node)
{
    const struct m_history *history = node->on ? &node->memory : &node->data;
    struct holding holding = {.copy = (enum copy)node->copy, .position = position_none()};

    if (holding.copy != COPY_TRUSTED)
        return holding;
    holding.source = node->clean ? SOURCE_GRASTATE : SOURCE_RECOVER;
    holding.safe_to_bootstrap = node->safe;
    /* What a running server can promise is what is on disk. */
    holding.position = (struct position){uuid_of(node->uuid), node->on ? node->data.length : history->length};
    return holding;
}

static enum server_state server_of(const struct m_node *node)
{
    if (!node->on)
        return SERVER_STOPPED;
    if (!node->open)
        return SERVER_STARTING;
    return node->primary ? SERVER_PRIMARY : SERVER_IDLE;
}

static enum member_phase phase_of(const struct state *state, size_t i)
{
    const struct m_node *node = &state->node[i];

    if (!node->alive || (state->cut >> i & 1) != 0 || model.leases == LEASES_ALL_GONE)
        return MEMBER_NONE;
    switch (server_of(node)) {
    case SERVER_STARTING:
        return MEMBER_JOINING;
    case SERVER_PRIMARY:
        return MEMBER_SYNCED;
    case SERVER_IDLE:
        return MEMBER_NONPRIMARY;
    case SERVER_STOPPED:
    case SERVER_STRANGER:
        break;
    }
    return MEMBER_WAITING;
}

static struct sighting sighting_of(const struct m_node *node)
{
    struct lineage lineage = lineage_of(&node->lineage);

    if (!node->on || !node->open)
        return (struct sighting){.sight = SIGHT_NONE};
    return (struct sighting){.sight = node->primary ? SIGHT_PRIMARY : SIGHT_NON_PRIMARY,
                             .synced = node->complete,
                             .uuid = uuid_of(node->uuid),
                             .generation = lineage_newest(&lineage),
                             .seqno = node->data.length};
}

static void fill_etcd(const struct state *state, struct situation *situation)
{
    situation->etcd_reachable = true;
    situation->has_uuid = state->uuid != 0;
    situation->uuid = uuid_of(state->uuid);
    situation->bootstrap = bootstrap_of(&state->bootstrap);
    for (size_t i = 0; i < NODES; i++) {
        situation->nodes[i].record = record_of(&state->position[i], i);
        situation->nodes[i].record.revision = 10 + state->order[i];
        situation->nodes[i].member.phase = phase_of(state, i);
        boot_of(situation->nodes[i].member.boot, i, true);
    }
}

/* Rules that are broken on purpose, in the facts. */
static void weaken(struct situation *situation)
{
    int64_t epoch = situation_epoch(situation);

    for (size_t i = 0; i < NODES; i++) {
        struct node_facts *node = &situation->nodes[i];
        bool gone = i != situation->self && node->member.phase == MEMBER_NONE && node->record.state != RECORD_NONE;
        if (model.weakness == WEAK_LEASE_ATTESTS && gone) {
            node->record.state = RECORD_ATTESTED;
            node->record.epoch = epoch;
        }
        if (model.weakness == WEAK_LOST_ANY_TIME && node->record.state == RECORD_LOST)
            node->record.revision = 1000;
        if (model.weakness == WEAK_LOST_BY_HOLDER && gone && situation->bootstrap.phase == BOOTSTRAP_STARTING &&
            situation->bootstrap.node[1] == node->name[1]) {
            node->record.state = RECORD_LOST;
            node->record.epoch = epoch;
            node->record.revision = 1000;
        }
    }
    if (model.weakness == WEAK_FORGETS_A_NODE && situation->self != NODES - 1) {
        situation->count = NODES - 1;
        situation->size = NODES - 1;
        for (size_t i = 0; i < situation->count; i++)
            situation->nodes[i].record.size = NODES - 1;
    }
    if (model.weakness == WEAK_NOTE_IGNORED)
        situation->local.pledged = false;
    if (model.weakness == WEAK_MEMBER_GENERATION_IGNORED) {
        for (size_t i = 0; i < NODES; i++)
            situation->nodes[i].sighting.generation = lineage_newest(&situation->local.lineage);
    }
}

static void fill_nodes(struct situation *situation)
{
    situation->size = NODES;
    situation->count = NODES;
    for (size_t i = 0; i < NODES; i++) {
        memset(&situation->nodes[i], 0, sizeof situation->nodes[i]);
        situation->nodes[i].name[0] = 'n';
        situation->nodes[i].name[1] = (char)('1' + i);
        situation->nodes[i].cached = true;
    }
}

static void fill_local(const struct m_node *node, size_t i, struct local *local)
{
    *local = (struct local){.holding = holding_of(node), .server = server_of(node)};
    local->view = view_of(node->view, node->members, i);
    local->lineage = lineage_of(&node->lineage);
    local->epoch = node->epoch;
    local->pledged = node->pledged;
}

void glue_situation(const struct state *state, size_t i, bool patience_over, struct situation *situation)
{
    memset(situation, 0, offsetof(struct situation, nodes));
    memset(&situation->count, 0, sizeof *situation - offsetof(struct situation, count));
    fill_nodes(situation);
    situation->self = i;
    boot_of(situation->boot, i, true);
    fill_local(&state->node[i], i, &situation->local);
    situation->local.patience_over = patience_over;
    for (size_t k = 0; k < NODES; k++) {
        if (k != i && connected(state, i, k))
            situation->nodes[k].sighting = sighting_of(&state->node[k]);
    }
    if ((state->cut >> i & 1) == 0)
        fill_etcd(state, situation);
    /* We are alive, whatever our lease says. */
    situation->nodes[i].member.phase = MEMBER_WAITING;
    memcpy(situation->nodes[i].member.boot, situation->boot, sizeof situation->boot);
    if (model.weakness != WEAK_NONE)
        weaken(situation);
}

void glue_operator(const struct state *state, struct situation *situation)
{
    memset(situation, 0, sizeof *situation);
    fill_nodes(situation);
    situation->self = NODES_MOST;
    fill_etcd(state, situation);
    for (size_t i = 0; i < NODES; i++)
        situation->nodes[i].sighting = sighting_of(&state->node[i]);
}
