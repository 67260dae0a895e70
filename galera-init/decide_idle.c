/* Our server lost its Primary Component and runs on; and the words for everybody who has to wait. */
#include "decide_internal.h"

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static nodes_t recorded_ahead(const struct situation *situation, nodes_t missing)
{
    struct place place = situation_place(situation);
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if ((missing & NODE_BIT(i)) != 0 && record->state != RECORD_NONE && place_compare(record->held, place) > 0)
            set |= NODE_BIT(i);
    }
    return set;
}

static nodes_t alive_of(const struct situation *situation, nodes_t nodes)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if ((nodes & NODE_BIT(i)) != 0 && node_is_alive(&situation->nodes[i]))
            set |= NODE_BIT(i);
    }
    return set;
}

static nodes_t with_data(const struct situation *situation)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if (i != situation->self && record->state != RECORD_NONE &&
            (record->copy == COPY_TRUSTED || record->copy == COPY_DOUBTFUL))
            set |= NODE_BIT(i);
    }
    return set;
}

struct decision wait_for_missing(const struct situation *situation, const struct tally *tally)
{
    const struct bootstrap *last = &situation->bootstrap;
    bool is_idle = situation->local.server == SERVER_IDLE;
    size_t holder = last->phase == BOOTSTRAP_STARTING && last->kind != KIND_REMERGE
                        ? situation_find(situation, last->node)
                        : NODES_MOST;
    nodes_t missing = tally->missing & ~NODE_BIT(situation->self);
    nodes_t ahead = recorded_ahead(situation, missing);
    nodes_t alive = alive_of(situation, missing);

    if (holder != NODES_MOST && holder != situation->self && (missing & NODE_BIT(holder)) != 0)
        return decision_of(ACTION_WAIT, CAUSE_MAY_BE_BOOTSTRAPPING, NODE_BIT(holder));
    if (situation->local.holding.copy == COPY_EMPTY && !situation->has_uuid && with_data(situation) != 0)
        return decision_of(ACTION_WAIT, CAUSE_NO_CLUSTER_BUT_DATA, with_data(situation));
    if (missing == 0 && tally->late != 0)
        return decision_of(ACTION_WAIT, CAUSE_LOST_TOO_EARLY, tally->late);
    if (missing == 0)
        return decision_of(ACTION_WAIT, situation->has_uuid ? CAUSE_TOO_FEW_LEFT : CAUSE_TOO_FEW, 0);
    if (alive != 0 && is_idle)
        return decision_of(ACTION_WAIT, CAUSE_PARTITIONED, alive);
    if (is_idle)
        return decision_of(ACTION_WAIT, CAUSE_UNACCOUNTED, missing);
    if (ahead != 0)
        return decision_of(ACTION_WAIT, CAUSE_RECORDED_AHEAD, ahead);
    return decision_of(ACTION_WAIT, CAUSE_NOT_REPORTED, missing);
}

struct decision judge_no_winner(const struct election *election)
{
    switch (election->outcome) {
    case ELECTION_HISTORIES:
        return decision_of(ACTION_REFUSE, CAUSE_HISTORIES, election->who);
    case ELECTION_PLAIN_DATA:
        return decision_of(ACTION_WAIT, CAUSE_PLAIN_DATA, election->who);
    case ELECTION_DOUBTFUL_AHEAD:
        return decision_of(ACTION_WAIT, CAUSE_DOUBTFUL_AHEAD, election->who);
    case ELECTION_HELD_AHEAD:
        return decision_of(ACTION_WAIT, CAUSE_HELD_AHEAD, election->who);
    case ELECTION_NO_COPY:
    case ELECTION_WON:
    case ELECTION_ALL_EMPTY:
        break;
    }
    return decision_of(ACTION_WAIT, CAUSE_NO_TRUSTED_COPY, 0);
}

/* --- deciding ----------------------------------------------------------------------------------------------------- */

/* The claim of a survivor names us and is not known to be carried out. */
static bool may_pc_bootstrap(const struct situation *situation)
{
    const struct bootstrap *claim = &situation->bootstrap;

    if (claim->kind != KIND_SURVIVOR || !claim_is_ours(situation))
        return false;
    return claim_is_open(situation) ||
           (claim->phase == BOOTSTRAP_STARTING && claim->epoch == situation_epoch(situation));
}

static struct decision pc_bootstrap(const struct situation *situation)
{
    struct decision decision = decision_of(ACTION_PC_BOOTSTRAP, CAUSE_CLAIM_IS_OURS, NODE_BIT(situation->self));

    decision.bootstrap = situation->bootstrap;
    decision.bootstrap.phase = BOOTSTRAP_STARTING;
    decision_write_own(&decision, situation, RECORD_RUNNING);
    decision.own.epoch = situation->bootstrap.epoch;
    decision.compare |= COMPARE_BOOTSTRAP;
    decision.write |= WRITE_BOOTSTRAP;
    return decision;
}

/* Of several idle servers the newest goes on; among equals the lowest name. */
static size_t keeper(const struct situation *situation, nodes_t idle)
{
    size_t best = nodes_first(idle);

    for (size_t i = best + 1; i < situation->count; i++) {
        if ((idle & NODE_BIT(i)) != 0 &&
            place_compare(situation->nodes[i].record.place, situation->nodes[best].record.place) > 0)
            best = i;
    }
    return best;
}

/* Everybody is accounted for, and the old view cannot come back. */
static struct decision decide_among_survivors(const struct situation *situation, const struct tally *tally)
{
    size_t keeps = keeper(situation, tally->idle);
    nodes_t others = tally->idle & ~NODE_BIT(situation->self);
    struct election election = election_hold(situation, tally->attested | tally->idle);

    if (election.outcome != ELECTION_WON)
        return judge_no_winner(&election);
    if (place_compare(situation->nodes[election.winner].record.place, situation->nodes[keeps].record.place) > 0)
        return decision_of(ACTION_STOP, CAUSE_OTHER_IS_AHEAD, NODE_BIT(election.winner));
    if (keeps != situation->self)
        return decision_of(ACTION_STOP, CAUSE_OTHER_SURVIVES, NODE_BIT(keeps));
    if (others != 0)
        return decision_of(ACTION_WAIT, CAUSE_OTHERS_STOP, others);
    if (situation->recovery == RECOVERY_MANUAL)
        return decision_of(ACTION_WAIT, CAUSE_MANUAL, NODE_BIT(keeps));
    return claim_of(situation, KIND_SURVIVOR, CAUSE_SURVIVED, keeps);
}

struct decision decide_idle(const struct situation *situation)
{
    const struct node_facts *own = &situation->nodes[situation->self];
    const struct bootstrap *claim = &situation->bootstrap;
    nodes_t primary = primary_members(situation);
    struct record wanted;
    struct tally tally;

    if (!situation->etcd_reachable)
        return decision_of(ACTION_WAIT, CAUSE_ETCD_UNREACHABLE, 0);
    if (may_pc_bootstrap(situation))
        return pc_bootstrap(situation);
    if (cluster_went_on(situation))
        return decision_of(ACTION_STOP, CAUSE_LEFT_BEHIND, primary);
    if (primary != 0)
        return decision_of(ACTION_WAIT, CAUSE_MERGING, primary);

    wanted = situation_record(situation, RECORD_IDLE);
    if (!record_says(&own->record, &wanted)) {
        struct decision record = decision_of(ACTION_RECORD, CAUSE_NOT_RECORDED, NODE_BIT(situation->self));
        decision_write_own(&record, situation, RECORD_IDLE);
        return record;
    }
    if (claim->kind == KIND_REMERGE && claim->phase == BOOTSTRAP_STARTING && remerge_called_off(situation) == 0)
        return decision_of(ACTION_WAIT, CAUSE_OLD_VIEW, tally_take(situation).missing);

    tally = tally_take(situation);
    if (!tally_is_complete(&tally))
        return wait_for_missing(situation, &tally);
    if (election_can_remerge(situation, &tally))
        return decision_of(ACTION_WAIT, CAUSE_OLD_VIEW, tally.attested);
    /* All of us run and see each other: Galera makes us Primary by itself, if it can at all. */
    if (tally.idle == tally.expected && !situation->local.patience_over)
        return decision_of(ACTION_WAIT, CAUSE_MERGING, tally.idle & ~NODE_BIT(situation->self));
    return decide_among_survivors(situation, &tally);
}
