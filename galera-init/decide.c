#include "decide_internal.h"

#include <stdio.h>
#include <string.h>

const char *action_word(enum action action)
{
    static const char *const words[] = {
        [ACTION_ATTEST] = "attest", [ACTION_CLAIM] = "claim",     [ACTION_BOOTSTRAP] = "bootstrap",
        [ACTION_JOIN] = "join",     [ACTION_REMERGE] = "remerge", [ACTION_PC_BOOTSTRAP] = "pc.bootstrap",
        [ACTION_RECORD] = "record", [ACTION_RUN] = "run",         [ACTION_WAIT] = "wait",
        [ACTION_REFUSE] = "refuse", [ACTION_STOP] = "stop",
    };

    return words[action];
}

struct decision decision_of(enum action action, enum cause cause, nodes_t who)
{
    return (struct decision){.action = action, .cause = cause, .who = who};
}

void decision_write_own(struct decision *decision, const struct situation *situation, enum record_state state)
{
    decision->compare |= COMPARE_OWN;
    decision->write |= WRITE_OWN;
    decision->own = situation_record(situation, state);
}

nodes_t primary_members(const struct situation *situation)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if (i != situation->self && situation->nodes[i].sighting.sight == SIGHT_PRIMARY)
            set |= NODE_BIT(i);
    }
    return set;
}

/* --- claims ------------------------------------------------------------------------------------------------------- */

bool claim_is_open(const struct situation *situation)
{
    return situation->bootstrap.phase == BOOTSTRAP_CLAIMED &&
           situation->bootstrap.epoch == situation_epoch(situation) + 1;
}

bool claim_is_ours(const struct situation *situation)
{
    return strcmp(situation->bootstrap.node, situation->nodes[situation->self].name) == 0 &&
           strcmp(situation->bootstrap.boot, situation->boot) == 0;
}

bool cluster_went_on(const struct situation *situation)
{
    const struct bootstrap *bootstrap = &situation->bootstrap;

    if (bootstrap->phase != BOOTSTRAP_STARTING && bootstrap->phase != BOOTSTRAP_PRIMARY)
        return false;
    return !situation_etcd_forgot(situation) && !lineage_equal(&bootstrap->lineage, &situation->local.lineage);
}

nodes_t remerge_called_off(const struct situation *situation)
{
    int64_t epoch = situation_epoch(situation);
    nodes_t who = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if ((record->state == RECORD_ATTESTED || record->state == RECORD_LOST) && record->epoch == epoch)
            who |= NODE_BIT(i);
    }
    return who;
}

struct decision claim_of(const struct situation *situation, enum bootstrap_kind kind, enum cause cause, size_t from)
{
    struct decision decision = decision_of(ACTION_CLAIM, cause, NODE_BIT(situation->self));

    decision.compare = COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_OWN | COMPARE_POSITIONS;
    decision.write = WRITE_BOOTSTRAP;
    decision.bootstrap = situation_claim(situation, kind, &situation->nodes[from].record, situation->boot);
    return decision;
}

/* --- our server runs ---------------------------------------------------------------------------------------------- */

/* Our own words about a Primary Component that etcd does not know. */
static struct bootstrap primary_record(const struct situation *situation)
{
    struct bootstrap record = situation->bootstrap;
    bool known = record.phase == BOOTSTRAP_STARTING || record.phase == BOOTSTRAP_PRIMARY;

    if (!known || situation_etcd_forgot(situation)) {
        record = (struct bootstrap){.kind = KIND_NEW, .base = situation->local.holding.position};
        record.epoch = situation_epoch(situation);
        record.lineage = situation->local.lineage;
        snprintf(record.node, sizeof record.node, "%s", situation->nodes[situation->self].name);
        snprintf(record.boot, sizeof record.boot, "%s", situation->boot);
    }
    record.phase = BOOTSTRAP_PRIMARY;
    return record;
}

static bool own_record_says(const struct situation *situation, enum record_state state)
{
    const struct record *own = &situation->nodes[situation->self].record;

    return own->state == state && own->epoch == situation_epoch(situation) && strcmp(own->boot, situation->boot) == 0;
}

static struct decision decide_primary(const struct situation *situation)
{
    struct decision record = decision_of(ACTION_RECORD, CAUSE_NOT_RECORDED, NODE_BIT(situation->self));
    const struct uuid *uuid = &situation->local.holding.position.uuid;

    if (!situation->etcd_reachable)
        return decision_of(ACTION_RUN, CAUSE_ETCD_UNREACHABLE, 0);
    if ((situation->has_uuid && !uuid_equal(&situation->uuid, uuid)) || cluster_went_on(situation))
        return decision_of(ACTION_STOP, CAUSE_CLAIM_LOST, 0);

    if (situation->bootstrap.phase != BOOTSTRAP_PRIMARY || situation_etcd_forgot(situation)) {
        record.write |= WRITE_BOOTSTRAP;
        record.bootstrap = primary_record(situation);
    }
    if (!situation->has_uuid) {
        record.compare |= COMPARE_UUID;
        record.write |= WRITE_UUID;
        record.uuid = *uuid;
    }
    if (!own_record_says(situation, RECORD_RUNNING))
        decision_write_own(&record, situation, RECORD_RUNNING);
    if (record.write == 0)
        return decision_of(ACTION_RUN, CAUSE_RUNNING, 0);
    record.compare |= COMPARE_BOOTSTRAP;
    return record;
}

static struct decision decide_starting(const struct situation *situation)
{
    const struct bootstrap *bootstrap = &situation->bootstrap;
    nodes_t primary = primary_members(situation);

    if (situation->etcd_reachable && cluster_went_on(situation))
        return decision_of(ACTION_STOP, CAUSE_LEFT_BEHIND, 0);
    if (primary != 0)
        return decision_of(ACTION_RUN, CAUSE_TRANSFER, primary);
    if (situation->etcd_reachable && bootstrap->kind == KIND_REMERGE && bootstrap->phase == BOOTSTRAP_STARTING) {
        nodes_t who = remerge_called_off(situation);
        if (who != 0)
            return decision_of(ACTION_STOP, CAUSE_GIVEN_UP, who);
    }
    if (situation->local.patience_over)
        return decision_of(ACTION_STOP, CAUSE_NO_PRIMARY_CAME, 0);
    if (situation->etcd_reachable && bootstrap->kind == KIND_NEW && bootstrap->phase == BOOTSTRAP_STARTING)
        return decision_of(ACTION_RUN, CAUSE_BECOMING_PRIMARY, 0);
    return decision_of(ACTION_RUN, CAUSE_OLD_VIEW, 0);
}

struct decision decide(const struct situation *situation)
{
    enum server_state server = situation->local.server;

    if (situation->local.disconnected && server != SERVER_STOPPED && server != SERVER_STRANGER)
        return decision_of(ACTION_STOP, CAUSE_DISCONNECTED, 0);
    switch (server) {
    case SERVER_STOPPED:
        return decide_stopped(situation);
    case SERVER_STRANGER:
        return decision_of(ACTION_STOP, CAUSE_STRANGER, 0);
    case SERVER_STARTING:
        return decide_starting(situation);
    case SERVER_PRIMARY:
        return decide_primary(situation);
    case SERVER_IDLE:
        return decide_idle(situation);
    }
    return decision_of(ACTION_WAIT, CAUSE_STRANGER, 0);
}
