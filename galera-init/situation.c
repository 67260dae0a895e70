#include "situation.h"

#include <stdio.h>
#include <string.h>

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t situation_epoch(const struct situation *situation)
{
    const struct bootstrap *bootstrap = &situation->bootstrap;
    int64_t epoch = situation->self < NODES_MOST ? situation->local.epoch : 0;

    if (situation->self < NODES_MOST)
        epoch = later(epoch, situation_place(situation).generation.number);
    if (bootstrap->phase == BOOTSTRAP_STARTING || bootstrap->phase == BOOTSTRAP_PRIMARY)
        epoch = later(epoch, bootstrap->epoch);
    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if (record->state != RECORD_NONE)
            epoch = later(epoch, later(record->epoch, record->place.generation.number));
    }
    return epoch;
}

bool situation_lineage_is_unknown(const struct situation *situation)
{
    const struct local *local = &situation->local;
    bool has_history = local->holding.copy == COPY_TRUSTED || local->holding.copy == COPY_DOUBTFUL;

    return has_history && local->epoch == 0 && local->lineage.count == 0 &&
           (situation->bootstrap.phase == BOOTSTRAP_STARTING || situation->bootstrap.phase == BOOTSTRAP_PRIMARY);
}

/* Of our copy; while that is unknown, the one that etcd has. */
static const struct lineage *lineage_of(const struct situation *situation)
{
    return situation_lineage_is_unknown(situation) ? &situation->bootstrap.lineage : &situation->local.lineage;
}

struct place situation_place(const struct situation *situation)
{
    int64_t seqno = situation_holding(situation).position.seqno;

    return (struct place){.generation = lineage_generation(lineage_of(situation), seqno), .seqno = seqno};
}

bool situation_is_ours(const struct situation *situation, enum copy copy, const struct position *position)
{
    if (copy != COPY_TRUSTED && copy != COPY_DOUBTFUL)
        return false;
    return !situation->has_uuid || uuid_equal(&situation->uuid, &position->uuid);
}

struct holding situation_holding(const struct situation *situation)
{
    const struct holding *holding = &situation->local.holding;

    if (situation->foreign_data == FOREIGN_DISCARD && situation->has_uuid && holding->copy != COPY_EMPTY &&
        holding->copy != COPY_BROKEN && !situation_is_ours(situation, holding->copy, &holding->position))
        return (struct holding){.copy = COPY_EMPTY, .position = position_none()};
    if (holding->copy == COPY_TRUSTED && situation_lineage_is_unknown(situation)) {
        struct holding doubtful = *holding;
        doubtful.copy = COPY_DOUBTFUL;
        doubtful.flaw = FLAW_NO_LINEAGE;
        doubtful.safe_to_bootstrap = false;
        return doubtful;
    }
    return *holding;
}

bool situation_etcd_forgot(const struct situation *situation)
{
    const struct bootstrap *bootstrap = &situation->bootstrap;
    int64_t known = bootstrap->phase == BOOTSTRAP_NONE      ? 0
                    : bootstrap->phase == BOOTSTRAP_CLAIMED ? bootstrap->epoch - 1
                                                            : bootstrap->epoch;

    return known < situation->local.epoch;
}

struct record situation_record(const struct situation *situation, enum record_state state)
{
    const struct record *old = &situation->nodes[situation->self].record;
    struct holding holding = situation_holding(situation);
    struct place place = situation_place(situation);
    struct record record = {
        .state = state,
        .epoch = situation_epoch(situation),
        .copy = holding.copy,
        .source = holding.source,
        .position = holding.position,
        .place = place,
        .held = {.generation = {.number = GENERATION_NONE}, .seqno = SEQNO_UNKNOWN},
        .safe_to_bootstrap = holding.safe_to_bootstrap,
        .view = situation->local.view,
        .size = situation->size,
    };

    if (situation_is_ours(situation, holding.copy, &holding.position))
        record.held = place;
    if (old->state != RECORD_NONE && place_compare(old->held, record.held) > 0)
        record.held = old->held;
    snprintf(record.boot, sizeof record.boot, "%s", situation->boot);
    return record;
}

/*
 * The seqno after which a bootstrap from this copy begins its generation. A copy that is not trusted may hold more than
 * its position says, half of a schema change: then all of it is of the new generation, and no other copy is a beginning
 * of it, so that those who join take a full transfer.
 */
static int64_t generation_base(const struct record *from)
{
    return from->copy == COPY_TRUSTED ? from->position.seqno : SEQNO_UNKNOWN;
}

struct bootstrap situation_claim(const struct situation *situation, enum bootstrap_kind kind, const struct record *from,
                                 const char *boot)
{
    struct bootstrap claim = {
        .phase = kind == KIND_REMERGE ? BOOTSTRAP_STARTING : BOOTSTRAP_CLAIMED,
        .kind = kind,
        .epoch = situation_epoch(situation) + 1,
        .base = from->position,
        .lineage = *lineage_of(situation),
    };

    if (kind == KIND_REMERGE)
        claim.view = situation->local.view;
    else
        lineage_append(&claim.lineage, generation_of(claim.epoch, boot), generation_base(from));
    snprintf(claim.node, sizeof claim.node, "%s", situation->nodes[situation->self].name);
    snprintf(claim.boot, sizeof claim.boot, "%s", boot);
    return claim;
}

bool record_says(const struct record *record, const struct record *wanted)
{
    return record->state == wanted->state && record->epoch == wanted->epoch && record->copy == wanted->copy &&
           strcmp(record->boot, wanted->boot) == 0 && position_equal(&record->position, &wanted->position) &&
           place_compare(record->place, wanted->place) == 0 && !place_is_forked(record->place, wanted->place) &&
           record->size == wanted->size && record->safe_to_bootstrap == wanted->safe_to_bootstrap &&
           view_equal(&record->view, &wanted->view);
}

bool node_is_alive(const struct node_facts *node)
{
    return node->member.phase != MEMBER_NONE && node->member.phase != MEMBER_LEAVING;
}

size_t situation_find(const struct situation *situation, const char *name)
{
    for (size_t i = 0; i < situation->count; i++) {
        if (strcmp(situation->nodes[i].name, name) == 0)
            return i;
    }
    return NODES_MOST;
}
