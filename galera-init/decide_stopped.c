/* Our server is stopped: who else is there, and may it start? */
#include "decide_internal.h"

#include <string.h>

static bool has_history(enum copy copy)
{
    return copy == COPY_TRUSTED || copy == COPY_DOUBTFUL;
}

/* --- joining ------------------------------------------------------------------------------------------------------ */

/* Our copy is of another cluster, or of none: a join would erase it, and nobody allowed that. */
static bool would_erase(const struct situation *situation, const struct holding *holding, const struct uuid *uuid)
{
    if (holding->copy == COPY_PLAIN)
        return situation->foreign_data == FOREIGN_REFUSE;
    return has_history(holding->copy) && !uuid_equal(&holding->position.uuid, uuid) &&
           situation->foreign_data == FOREIGN_REFUSE;
}

static nodes_t members_of(const struct situation *situation, const struct uuid *uuid)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct sighting *seen = &situation->nodes[i].sighting;
        if (i != situation->self && seen->sight == SIGHT_PRIMARY && uuid_equal(&seen->uuid, uuid))
            set |= NODE_BIT(i);
    }
    return set;
}

static nodes_t free_donors(const struct situation *situation, nodes_t members)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct sighting *seen = &situation->nodes[i].sighting;
        if ((members & NODE_BIT(i)) != 0 && seen->synced && !seen->donor)
            set |= NODE_BIT(i);
    }
    return set;
}

static nodes_t joiners(const struct situation *situation)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        enum member_phase phase = situation->nodes[i].member.phase;
        if (i != situation->self && (phase == MEMBER_STARTING || phase == MEMBER_JOINING) &&
            situation->nodes[i].sighting.sight != SIGHT_PRIMARY)
            set |= NODE_BIT(i);
    }
    return set;
}

static struct decision join(const struct situation *situation, const struct holding *holding, nodes_t members)
{
    struct decision decision = decision_of(ACTION_JOIN, CAUSE_MEMBERS_PRIMARY, members);
    nodes_t donors = free_donors(situation, members);
    nodes_t others = joiners(situation);

    if (donors == 0 || (nodes_count(donors) == 1 && others != 0))
        return decision_of(ACTION_WAIT, CAUSE_DONORS_BUSY, donors == 0 ? members : others);

    decision_write_own(&decision, situation, RECORD_RUNNING);
    decision.compare |= COMPARE_BOOTSTRAP;
    /* One at a time while there is one donor: of two that read the same, one has to read again. */
    if (nodes_count(donors) == 1)
        decision.compare |= COMPARE_POSITIONS;
    decision.donors = donors;
    decision.drop_view = true;
    /* What is no copy of this history: an interrupted transfer, or what foreign_data=discard gave up. */
    decision.discard = !has_history(holding->copy) && situation->local.holding.copy != COPY_EMPTY;
    if (has_history(holding->copy) && (situation_lineage_is_unknown(situation) ||
                                       !lineage_contains(&situation->bootstrap.lineage, situation_place(situation)))) {
        decision.discard = true;
        decision.cause = CAUSE_BEHIND_FORK;
    }
    return decision;
}

/* Somebody is Primary. */
static struct decision decide_with_primary(const struct situation *situation, nodes_t primary)
{
    struct holding holding = situation_holding(situation);
    nodes_t members = situation->has_uuid ? members_of(situation, &situation->uuid) : 0;

    if (!situation->has_uuid || situation->bootstrap.phase != BOOTSTRAP_PRIMARY)
        return decision_of(ACTION_WAIT, CAUSE_PRIMARY_UNRECORDED, primary);
    if (members == 0)
        return decision_of(ACTION_REFUSE, CAUSE_OTHER_CLUSTER, primary);
    if (would_erase(situation, &holding, &situation->uuid))
        return decision_of(ACTION_REFUSE, holding.copy == COPY_PLAIN ? CAUSE_PLAIN_DATA : CAUSE_FOREIGN, members);
    return join(situation, &holding, members);
}

/* Rule 9. */
static struct decision decide_without_etcd(const struct situation *situation)
{
    const struct holding *holding = &situation->local.holding;
    nodes_t primary = primary_members(situation);
    nodes_t equal = 0;
    struct decision decision;

    if (primary == 0)
        return decision_of(ACTION_WAIT, CAUSE_ETCD_UNREACHABLE, 0);
    if (situation->local.pledged)
        return decision_of(ACTION_WAIT, CAUSE_ETCD_PLEDGED, primary);
    if (holding->copy == COPY_PLAIN)
        return decision_of(ACTION_REFUSE, CAUSE_PLAIN_DATA, primary);
    for (size_t i = 0; i < situation->count; i++) {
        const struct sighting *seen = &situation->nodes[i].sighting;
        if ((primary & NODE_BIT(i)) == 0)
            continue;
        /* foreign_data=discard is not obeyed here: without etcd nobody says which of the two clusters is ours. */
        if (has_history(holding->copy) && !uuid_equal(&holding->position.uuid, &seen->uuid))
            return decision_of(ACTION_REFUSE, CAUSE_FOREIGN, NODE_BIT(i));
        if (generation_equal(seen->generation, lineage_newest(&situation->local.lineage)))
            equal |= NODE_BIT(i);
    }
    if (equal == 0)
        return decision_of(ACTION_WAIT, CAUSE_ETCD_GENERATION, primary);
    if (free_donors(situation, equal) == 0)
        return decision_of(ACTION_WAIT, CAUSE_DONORS_BUSY, equal);
    decision = decision_of(ACTION_JOIN, CAUSE_CACHED_PRIMARY, equal);
    decision.donors = free_donors(situation, equal);
    decision.drop_view = true;
    decision.discard = holding->copy == COPY_BROKEN;
    return decision;
}

/* --- starting on our own ------------------------------------------------------------------------------------------ */

/* All that hold a record but us, as addresses to re-form the view with. */
static nodes_t all_others(const struct situation *situation)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if (i != situation->self && situation->nodes[i].record.state != RECORD_NONE)
            set |= NODE_BIT(i);
    }
    return set;
}

/* The claim is ours to carry out, or to go on with after our server ended before it was known to be Primary. */
static bool may_bootstrap(const struct situation *situation)
{
    const struct bootstrap *claim = &situation->bootstrap;
    const struct holding *holding = &situation->local.holding;
    const struct record *own = &situation->nodes[situation->self].record;

    if (claim_is_open(situation))
        return claim->kind == KIND_NEW && claim_is_ours(situation) && own->state == RECORD_ATTESTED &&
               own->epoch == situation_epoch(situation);
    if (claim->phase != BOOTSTRAP_STARTING || claim->kind == KIND_REMERGE ||
        claim->epoch != situation_epoch(situation) || strcmp(claim->node, situation->nodes[situation->self].name) != 0)
        return false;
    if (own->state != RECORD_RUNNING || own->epoch != claim->epoch)
        return false;
    if (uuid_is_nil(&claim->base.uuid))
        return holding->copy == COPY_EMPTY || (has_history(holding->copy) && !situation->has_uuid);
    return has_history(holding->copy) && uuid_equal(&holding->position.uuid, &claim->base.uuid) &&
           holding->position.seqno >= claim->base.seqno;
}

static struct decision bootstrap(const struct situation *situation)
{
    bool again = situation->bootstrap.phase == BOOTSTRAP_STARTING;
    struct decision decision =
        decision_of(ACTION_BOOTSTRAP, again ? CAUSE_OURS_TO_FINISH : CAUSE_CLAIM_IS_OURS, NODE_BIT(situation->self));

    decision.bootstrap = situation->bootstrap;
    decision.bootstrap.phase = BOOTSTRAP_STARTING;
    memcpy(decision.bootstrap.boot, situation->boot, sizeof decision.bootstrap.boot);
    decision_write_own(&decision, situation, RECORD_RUNNING);
    decision.own.epoch = situation->bootstrap.epoch;
    decision.compare |= COMPARE_BOOTSTRAP;
    decision.write |= WRITE_BOOTSTRAP;
    decision.drop_view = true;
    return decision;
}

/*
 * The claim of a re-merge names us, as a member of its view, and nobody has called it off. Each member has one try: a
 * server that has ended since has lost its patience or its life, and attesting that calls it off for all.
 */
static bool may_remerge(const struct situation *situation)
{
    const struct bootstrap *claim = &situation->bootstrap;
    const struct record *own = &situation->nodes[situation->self].record;
    bool tried = own->state == RECORD_RUNNING && own->epoch == claim->epoch;

    return claim->kind == KIND_REMERGE && claim->phase == BOOTSTRAP_STARTING &&
           claim->epoch == situation_epoch(situation) && !tried && remerge_called_off(situation) == 0 &&
           !view_is_none(&claim->view) && view_equal(&claim->view, &situation->local.view);
}

static struct decision remerge(const struct situation *situation)
{
    struct decision decision = decision_of(ACTION_REMERGE, CAUSE_SAME_VIEW, all_others(situation));

    decision_write_own(&decision, situation, RECORD_RUNNING);
    decision.compare |= COMPARE_BOOTSTRAP;
    return decision;
}

/* --- waiting and claiming ----------------------------------------------------------------------------------------- */

static struct decision claim_unless_manual(const struct situation *situation, enum cause cause)
{
    if (situation->recovery == RECOVERY_MANUAL && cause != CAUSE_FIRST_BOOT)
        return decision_of(ACTION_WAIT, CAUSE_MANUAL, NODE_BIT(situation->self));
    return claim_of(situation, KIND_NEW, cause, situation->self);
}

/* Why the winner, who is us, need not wait any longer. */
static enum cause cause_of_winning(const struct situation *situation, const struct election *election)
{
    if (election->outcome == ELECTION_ALL_EMPTY)
        return CAUSE_FIRST_BOOT;
    return situation_holding(situation).safe_to_bootstrap ? CAUSE_LAST_TO_STOP : CAUSE_NEWEST;
}

static struct decision decide_by_election(const struct situation *situation, const struct tally *tally)
{
    struct election election = election_hold(situation, tally->attested);
    nodes_t winner = NODE_BIT(election.winner);

    if (election.outcome != ELECTION_WON && election.outcome != ELECTION_ALL_EMPTY)
        return judge_no_winner(&election);
    if (election.winner == situation->self)
        return claim_unless_manual(situation, cause_of_winning(situation, &election));
    if (node_is_alive(&situation->nodes[election.winner]))
        return decision_of(ACTION_WAIT, CAUSE_OTHER_IS_NEWER, winner);
    return decision_of(ACTION_WAIT, CAUSE_RECORDED_AHEAD, winner);
}

/* Somebody else's claim that is not carried out yet, by a galera-init that is alive. */
static bool other_is_claiming(const struct situation *situation, size_t *holder)
{
    const struct bootstrap *claim = &situation->bootstrap;

    *holder = situation_find(situation, claim->node);
    if (!claim_is_open(situation) || *holder == NODES_MOST || *holder == situation->self)
        return false;
    return node_is_alive(&situation->nodes[*holder]) && strcmp(situation->nodes[*holder].member.boot, claim->boot) == 0;
}

/* Rule 6: the lowest name of those that are stopped and alive claims for all. */
static struct decision decide_remerge(const struct situation *situation, const struct tally *tally)
{
    nodes_t back = tally->attested | tally->idle;
    size_t claimant = situation->self;

    for (size_t i = 0; i < situation->self; i++) {
        if ((tally->attested & NODE_BIT(i)) != 0 && node_is_alive(&situation->nodes[i])) {
            claimant = i;
            break;
        }
    }
    if (claimant != situation->self)
        return decision_of(ACTION_WAIT, CAUSE_OTHER_IS_NEWER, NODE_BIT(claimant));
    if (situation->recovery == RECOVERY_MANUAL)
        return decision_of(ACTION_WAIT, CAUSE_MANUAL, NODE_BIT(claimant));

    size_t newest = nodes_first(back);
    for (size_t i = newest + 1; i < situation->count; i++) {
        if ((back & NODE_BIT(i)) != 0 &&
            place_compare(situation->nodes[i].record.place, situation->nodes[newest].record.place) > 0)
            newest = i;
    }
    return claim_of(situation, KIND_REMERGE, CAUSE_SAME_VIEW, newest);
}

/* Our attestation stands. */
static struct decision decide_attested(const struct situation *situation)
{
    struct tally tally = tally_take(situation);
    struct holding holding = situation_holding(situation);
    size_t holder;

    if (has_history(holding.copy) && !situation_is_ours(situation, holding.copy, &holding.position))
        return decision_of(ACTION_REFUSE, CAUSE_FOREIGN, 0);
    if (other_is_claiming(situation, &holder))
        return decision_of(ACTION_WAIT, CAUSE_CLAIMED, NODE_BIT(holder));
    if (!tally_is_complete(&tally))
        return wait_for_missing(situation, &tally);
    if (election_can_remerge(situation, &tally))
        return decide_remerge(situation, &tally);
    if (tally.idle != 0)
        return decision_of(ACTION_WAIT, CAUSE_SURVIVORS_DECIDE, tally.idle);
    return decide_by_election(situation, &tally);
}

struct decision decide_stopped(const struct situation *situation)
{
    const struct node_facts *own = &situation->nodes[situation->self];
    nodes_t primary = primary_members(situation);
    struct record wanted;
    struct decision attest;

    if (!situation->etcd_reachable)
        return decide_without_etcd(situation);
    if (node_is_alive(own) && strcmp(own->member.boot, situation->boot) != 0)
        return decision_of(ACTION_WAIT, CAUSE_NAME_TAKEN, NODE_BIT(situation->self));
    if (primary != 0)
        return decide_with_primary(situation, primary);
    if (may_bootstrap(situation))
        return bootstrap(situation);
    if (may_remerge(situation))
        return remerge(situation);

    wanted = situation_record(situation, RECORD_ATTESTED);
    if (record_says(&own->record, &wanted))
        return decide_attested(situation);
    attest = decision_of(ACTION_ATTEST, CAUSE_NOT_ATTESTED, NODE_BIT(situation->self));
    decision_write_own(&attest, situation, RECORD_ATTESTED);
    return attest;
}
