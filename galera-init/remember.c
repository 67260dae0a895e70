/* What must not be forgotten: state.json of a running galera-init. */
#include <stdio.h>
#include <string.h>

#include "init.h"

bool remember_now(struct init *init, struct error *error)
{
    init->state_is_saved = statefile_save(&init->file, &init->state, error);
    return init->state_is_saved || error_context(error, "nothing can be started without the state directory");
}

bool remember_pledge(struct init *init, struct error *error)
{
    if (init->state.pledged && init->state_is_saved)
        return true;
    init->state.pledged = true;
    return remember_now(init, error) || error_context(error, "cannot note that our server stays stopped");
}

static bool peer_is(const struct state_peer *peer, const char *name, const struct node_card *card)
{
    return strcmp(peer->name, name) == 0 && (card->address[0] == '\0' || strcmp(peer->address, card->address) == 0) &&
           (card->sql[0] == '\0' || strcmp(peer->sql, card->sql) == 0);
}

const struct state_peer *remembered_peer(const struct state *state, const char *name)
{
    for (size_t i = 0; i < state->peer_count; i++) {
        if (strcmp(state->peer[i].name, name) == 0)
            return &state->peer[i];
    }
    return NULL;
}

/* The names in position/ with the addresses that we know; those that were forgotten stay while etcd may have. */
static void collect_peers(const struct init *init, struct state *next)
{
    const struct situation *situation = &init->situation;
    bool trusts_etcd = situation->bootstrap.phase == BOOTSTRAP_PRIMARY && !situation_etcd_forgot(situation);

    next->peer_count = 0;
    for (size_t i = 0; i < situation->count; i++) {
        const struct node_facts *node = &situation->nodes[i];
        const struct state_peer *old = remembered_peer(&init->state, node->name);
        if (i == situation->self || (node->record.state == RECORD_NONE && (old == NULL || trusts_etcd)))
            continue;
        struct state_peer *peer = &next->peer[next->peer_count++];
        *peer = old == NULL ? (struct state_peer){.address = ""} : *old;
        snprintf(peer->name, sizeof peer->name, "%s", node->name);
        if (!peer_is(peer, node->name, &init->keys.card[i])) {
            const struct node_card *card = &init->keys.card[i];
            if (card->address[0] != '\0')
                memcpy(peer->address, card->address, sizeof peer->address);
            if (card->sql[0] != '\0')
                memcpy(peer->sql, card->sql, sizeof peer->sql);
        }
    }
}

static bool same_peers(const struct state *a, const struct state *b)
{
    if (a->peer_count != b->peer_count)
        return false;
    for (size_t i = 0; i < a->peer_count; i++) {
        if (strcmp(a->peer[i].name, b->peer[i].name) != 0 || strcmp(a->peer[i].address, b->peer[i].address) != 0 ||
            strcmp(a->peer[i].sql, b->peer[i].sql) != 0)
            return false;
    }
    return true;
}

/* In what remember() changes. */
static bool same_memory(const struct state *a, const struct state *b)
{
    return a->lease == b->lease && a->epoch == b->epoch && a->fresh == b->fresh && a->served == b->served &&
           same_peers(a, b);
}

bool remember(struct init *init, struct error *error)
{
    const struct bootstrap *bootstrap = &init->situation.bootstrap;
    struct state next = init->state;
    int64_t lease = keeper_lease(init->keeper);

    if (lease != 0)
        next.lease = lease; /* the lock on the state directory shows our successor that we are dead */
    if (init->situation.etcd_reachable) {
        /* An epoch without a lineage would hide that the state directory was lost. */
        collect_peers(init, &next);
        if ((bootstrap->phase == BOOTSTRAP_STARTING || bootstrap->phase == BOOTSTRAP_PRIMARY) &&
            bootstrap->epoch > next.epoch && !situation_lineage_is_unknown(&init->situation))
            next.epoch = bootstrap->epoch;
    }
    if (init->process.was_primary)
        next.fresh = false;
    if (init->process.answers && facts_are_primary(&init->process.facts))
        next.served = true;
    if (init->state_is_saved && same_memory(&next, &init->state))
        return true;
    struct state old = init->state;
    init->state = next;
    if (remember_now(init, error))
        return true;
    init->state = old;
    return false;
}
