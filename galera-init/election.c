#include "election.h"

/* The members of `voters` whose copies are candidates. */
static nodes_t candidates(const struct situation *situation, nodes_t voters)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if ((voters & NODE_BIT(i)) != 0 && situation_is_ours(situation, record->copy, &record->position))
            set |= NODE_BIT(i);
    }
    return set;
}

static nodes_t with_copy(const struct situation *situation, nodes_t nodes, enum copy copy)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if ((nodes & NODE_BIT(i)) != 0 && situation->nodes[i].record.copy == copy)
            set |= NODE_BIT(i);
    }
    return set;
}

static bool of_one_history(const struct situation *situation, nodes_t nodes)
{
    const struct uuid *first = &situation->nodes[nodes_first(nodes)].record.position.uuid;

    for (size_t i = 0; i < situation->count; i++) {
        if ((nodes & NODE_BIT(i)) == 0)
            continue;
        if (!uuid_equal(first, &situation->nodes[i].record.position.uuid))
            return false;
        for (size_t k = 0; k < i; k++) {
            if ((nodes & NODE_BIT(k)) != 0 &&
                place_is_forked(situation->nodes[k].record.place, situation->nodes[i].record.place))
                return false;
        }
    }
    return true;
}

/* Newest copy first; among equals the one that can act now, then safe_to_bootstrap, then the lowest name. */
static bool is_better(const struct node_facts *a, const struct node_facts *b)
{
    int order = place_compare(a->record.place, b->record.place);

    if (order != 0)
        return order > 0;
    if (node_is_alive(a) != node_is_alive(b))
        return node_is_alive(a);
    return a->record.safe_to_bootstrap && !b->record.safe_to_bootstrap;
}

static size_t best_of(const struct situation *situation, nodes_t nodes)
{
    size_t best = nodes_first(nodes);

    for (size_t i = best + 1; i < situation->count; i++) {
        if ((nodes & NODE_BIT(i)) != 0 && is_better(&situation->nodes[i], &situation->nodes[best]))
            best = i;
    }
    return best;
}

/* Those of `nodes` that are, or once were, newer than the copy of `than`. */
static nodes_t ahead(const struct situation *situation, nodes_t nodes, size_t than, bool once)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if ((nodes & NODE_BIT(i)) != 0 &&
            place_compare(once ? record->held : record->place, situation->nodes[than].record.place) > 0)
            set |= NODE_BIT(i);
    }
    return set;
}

/*
 * Nobody has a copy. Only what never was a cluster may begin as an empty one: no history is recorded, and nobody holds
 * the remains of one. The remains of a first boot that died are none.
 */
static struct election elect_empty(const struct situation *situation, nodes_t voters)
{
    nodes_t plain = with_copy(situation, voters, COPY_PLAIN);
    nodes_t empty = with_copy(situation, voters, COPY_EMPTY);
    bool first_boot = situation->bootstrap.phase != BOOTSTRAP_NONE && uuid_is_nil(&situation->bootstrap.base.uuid);
    bool remains = with_copy(situation, voters, COPY_BROKEN) != 0 || situation->bootstrap.phase != BOOTSTRAP_NONE;

    if (situation->has_uuid || empty == 0 || (remains && !first_boot))
        return (struct election){.outcome = plain != 0 ? ELECTION_PLAIN_DATA : ELECTION_NO_COPY, .who = plain};
    if (plain != 0)
        return (struct election){.outcome = ELECTION_PLAIN_DATA, .who = plain};
    return (struct election){.outcome = ELECTION_ALL_EMPTY, .winner = best_of(situation, empty)};
}

struct election election_hold(const struct situation *situation, nodes_t voters)
{
    nodes_t all = candidates(situation, voters);

    if (all == 0 && (with_copy(situation, voters, COPY_TRUSTED) | with_copy(situation, voters, COPY_DOUBTFUL)) != 0)
        return (struct election){.outcome = ELECTION_NO_COPY}; /* all of them are of other clusters */
    if (all == 0)
        return elect_empty(situation, voters);
    if (!of_one_history(situation, all))
        return (struct election){.outcome = ELECTION_HISTORIES, .who = all};

    nodes_t trusted = with_copy(situation, all, COPY_TRUSTED);
    struct election election = {.winner = best_of(situation, trusted != 0 ? trusted : all)};

    if ((election.who = ahead(situation, all & ~trusted, election.winner, false)) != 0)
        election.outcome = ELECTION_DOUBTFUL_AHEAD;
    else if ((election.who = ahead(situation, voters, election.winner, true)) != 0)
        election.outcome = ELECTION_HELD_AHEAD;
    return election;
}

static bool has_view(const struct situation *situation, size_t i, const struct view *view)
{
    const struct record *record = &situation->nodes[i].record;

    return record->copy == COPY_TRUSTED && situation_is_ours(situation, record->copy, &record->position) &&
           view_equal(&record->view, view);
}

/* A gvwstate.dat that was copied from host to host makes two members of one name, and Galera ends one of them. */
static bool is_cloned(const struct situation *situation, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (uuid_same_member(&situation->nodes[k].record.view.self, &situation->nodes[i].record.view.self) &&
            situation->nodes[k].record.state != RECORD_NONE)
            return true;
    }
    return false;
}

bool election_can_remerge(const struct situation *situation, const struct tally *tally)
{
    const struct bootstrap *last = &situation->bootstrap;
    nodes_t back = tally->attested | tally->idle;

    /* It was tried and did not come to a Primary Component. */
    if (last->kind == KIND_REMERGE && last->phase == BOOTSTRAP_STARTING)
        return false;
    if (tally->attested == 0 || back != tally->expected || !tally_is_complete(tally))
        return false;
    /* One alone has nobody to connect to. */
    if (nodes_count(back) < 2)
        return false;

    const struct view *view = &situation->nodes[nodes_first(back)].record.view;
    if (view_is_none(view) || view->members != nodes_count(back) ||
        !of_one_history(situation, back)) /* has_view asks for copies that have one */
        return false;
    for (size_t i = 0; i < situation->count; i++) {
        if ((back & NODE_BIT(i)) != 0 && (!has_view(situation, i, view) || is_cloned(situation, i)))
            return false;
    }
    return true;
}
