/* Doing what was decided, in the order of decide.h: the transaction, our own disk, the server. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "gcache.h"
#include "init.h"
#include "log.h"
#include "seed.h"
#include "tally.h"
#include "teststep.h"

enum { LEAVE_PAUSE_MS = 200, LIST_SIZE = 4096 };

/* --- etcd --------------------------------------------------------------------------------------------------------- */

static enum carried commit(struct init *init, const struct keys_change *change, struct deadline deadline,
                           struct error *error)
{
    struct keys_txn *txn = malloc(sizeof *txn);
    struct etcd_txn_reply reply = {0};
    enum carried carried = CARRY_LATER;

    if (txn == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return CARRY_LATER;
    }
    if (keys_compose(txn, init->prefix, &init->situation, &init->keys, change, error)) {
        enum etcd_failure failure = etcd_commit(init->etcd, &txn->txn, deadline, &reply, error);
        if (failure == ETCD_OK)
            carried = reply.succeeded ? CARRIED : CARRY_AGAIN;
        else if (failure == ETCD_UNCERTAIN || failure == ETCD_INTERRUPTED) /* what became of it, the next look shows */
            carried = CARRY_AGAIN;
        etcd_txn_reply_free(&reply);
    }
    keys_txn_free(txn);
    free(txn);
    return carried;
}

static enum carried commit_decision(struct init *init, struct error *error)
{
    const struct decision *decision = &init->decision;
    const struct keys_change change = {
        .compare = decision->compare,
        .write = decision->write,
        .node = init->situation.self,
        .own = &decision->own,
        .card = &init->card,
        .bootstrap = &decision->bootstrap,
        .uuid = &decision->uuid,
    };

    if (decision->write == 0)
        return CARRIED;
    return commit(init, &change, deadline_in_ms(etcd_patience_ms(init->etcd, ETCD_MOST_MS)), error);
}

/* --- before a start ----------------------------------------------------------------------------------------------- */

static bool has_history(const struct holding *holding)
{
    return holding->copy == COPY_TRUSTED || holding->copy == COPY_DOUBTFUL;
}

/* A copy that only InnoDB vouches for is replaced when another one can be had. */
static bool must_blank(const struct init *init)
{
    return init->decision.discard || (init->decision.action == ACTION_JOIN && init->holding.copy == COPY_DOUBTFUL);
}

/* Rule 4: what is on our own disk before the server starts. */
static bool prepare_start(struct init *init, const struct bootstrap *bootstrap, struct error *error)
{
    const char *datadir = init->info.datadir;
    const struct state old = init->state;
    bool given_up = must_blank(init) || !has_history(&init->holding);

    init->disk_known = false; /* whatever becomes of this start: the directory has to be looked at again */
    if (must_blank(init) && !datadir_blank(datadir, error))
        return false;
    if (given_up && (!gcache_drop(&init->info, error) || !datadir_drop_ddl_log(&init->info, error)))
        return false;
    if (bootstrap != NULL) {
        init->state.lineage = bootstrap->lineage;
        init->state.epoch = bootstrap->epoch > init->state.epoch ? bootstrap->epoch : init->state.epoch;
    }
    init->state.pledged = false;
    init->state.served = init->state.served && !given_up;
    if (!remember_now(init, error)) {
        init->state = old; /* on disk is the one or the other; from here on it is the old one that counts */
        return error_context(error, "cannot note what the server is started for");
    }
    test_step("lineage-saved");
    return !init->decision.drop_view || datadir_drop_view(datadir, error);
}

/* Galera insists on safe_to_bootstrap; a directory without history has none, or that of a start that came to nothing.
 */
static bool make_safe(struct init *init, struct error *error)
{
    struct position position = init->holding.position;

    if (!has_history(&init->holding))
        position = position_none();
    else if (init->holding.source == SOURCE_RECOVER)
        position.seqno = SEQNO_UNKNOWN; /* --wsrep-start-position counts only beside that */
    return datadir_write_grastate(init->info.datadir, &position, true, error);
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

/* Whom the server is told to connect to, and whom to ask for a state transfer. */
struct others {
    char members[LIST_SIZE];
    char donors[LIST_SIZE];
};

/* The addresses of a set of nodes, those of nodes whose address nobody knows left out. */
static void list_addresses(const struct init *init, nodes_t who, char *list, size_t size)
{
    struct line line = {.text = list, .size = size};

    list[0] = '\0';
    for (size_t i = 0; i < init->situation.count; i++) {
        const struct state_peer *peer = remembered_peer(&init->state, init->situation.nodes[i].name);
        const char *address = init->keys.card[i].address;
        if ((who & NODE_BIT(i)) == 0)
            continue;
        if (address[0] == '\0')
            address = peer == NULL ? "" : peer->address;
        if (address[0] == '\0')
            continue;
        line_add(&line, list[0] == '\0' ? "" : ",");
        line_add(&line, address);
    }
}

/* The comma at the end lets others serve when none of these can (Galera documentation, wsrep_sst_donor). */
static void list_donors(const struct init *init, char *list, size_t size)
{
    struct line line = {.text = list, .size = size};
    char names[LIST_SIZE];

    list[0] = '\0';
    if (strcmp(init->settings->donor, "auto") != 0)
        line_add(&line, init->settings->donor);
    else
        line_add(&line, nodes_text(&init->situation, init->decision.donors, ",", names, sizeof names));
    if (list[0] != '\0' && list[strlen(list) - 1] != ',')
        line_add(&line, ",");
}

/* False when there would be nobody to connect to: an empty list would make a new cluster. */
static bool name_others(const struct init *init, struct others *others, struct error *error)
{
    const struct decision *decision = &init->decision;

    others->donors[0] = '\0';
    if (init->card.address[0] == '\0')
        return error_set(error, EXIT_CONFIG, "our own address is not known: set address in [init]");
    if (decision->action == ACTION_BOOTSTRAP)
        snprintf(others->members, sizeof others->members, "%s", init->card.address);
    else
        list_addresses(init, decision->who, others->members, sizeof others->members);
    if (decision->action == ACTION_JOIN)
        list_donors(init, others->donors, sizeof others->donors);
    return others->members[0] != '\0' ||
           error_set(error, EXIT_UNAVAILABLE, "the addresses of those to connect to are not known");
}

static enum carried start(struct init *init, const struct others *others, const struct bootstrap *bootstrap,
                          struct error *error)
{
    const struct decision *decision = &init->decision;
    bool blank = must_blank(init);
    struct position from = init->holding.position;
    struct server_start start = {
        .cluster = init->settings->cluster,
        .node = init->settings->name,
        .address = init->card.address,
        .members = others->members,
        .donors = others->donors[0] == '\0' ? NULL : others->donors,
        .new_cluster = decision->action == ACTION_BOOTSTRAP,
    };

    if (!prepare_start(init, bootstrap, error) || (start.new_cluster && !make_safe(init, error)))
        return CARRY_LATER;
    if (!blank && has_history(&init->holding) && init->holding.source == SOURCE_RECOVER)
        start.from = &from;
    init->process.joins = decision->action == ACTION_JOIN;
    return process_start(init, &start, error) ? CARRIED : CARRY_LATER;
}

static enum carried commit_and_start(struct init *init, struct error *error)
{
    struct decision *decision = &init->decision;
    struct others others;

    if (!name_others(init, &others, error)) { /* before anything is changed */
        /* Each has one try at a re-merge (decide.h, rule 6): the others wait until we have had ours. */
        if (decision->action == ACTION_REMERGE)
            commit_decision(init, &(struct error){0});
        return CARRY_LATER;
    }
    enum carried carried = commit_decision(init, error);
    if (carried != CARRIED)
        return carried;
    test_step("start-written");
    /* Without a transaction (rule 9) etcd is out of reach, and the lineage is the one that we have. */
    const struct bootstrap *bootstrap = NULL;
    if (decision->write != 0)
        bootstrap = (decision->write & WRITE_BOOTSTRAP) != 0 ? &decision->bootstrap : &init->situation.bootstrap;
    return start(init, &others, bootstrap, error);
}

static enum carried pc_bootstrap(struct init *init, struct error *error)
{
    enum carried carried = commit_decision(init, error);

    if (carried != CARRIED)
        return carried;
    test_step("start-written");
    init->decision.discard = init->decision.drop_view = false;
    if (!prepare_start(init, &init->decision.bootstrap, error))
        return CARRY_LATER;
    return local_pc_bootstrap(&init->local, error) ? CARRIED : CARRY_LATER;
}

/* --- being Primary ------------------------------------------------------------------------------------------------ */

/*
 * The first server of a new cluster: the accounts that the others will need, before anybody may join. Not recorded yet,
 * it is the first, whatever has become of earlier starts: one that was stopped before its accounts were made has a
 * history, too.
 */
static bool make_accounts(struct init *init, struct error *error)
{
    const struct bootstrap *last = &init->situation.bootstrap;
    bool first = last->phase == BOOTSTRAP_STARTING && last->kind == KIND_NEW && !init->situation.has_uuid &&
                 strcmp(last->node, init->settings->name) == 0;
    const struct seed_job job = {
        .settings = init->settings, .socket = init->info.socket, .boot = init->boot, .epoch = init->state.epoch};

    return !first || accounts_make(&job, error) ||
           error_context(error, "the new cluster is not announced before its accounts are made");
}

static enum carried record(struct init *init, struct error *error)
{
    bool primary = (init->decision.write & WRITE_BOOTSTRAP) != 0;

    if (primary)
        test_step("primary-seen");
    if (primary && !make_accounts(init, error))
        return CARRY_LATER;
    enum carried carried = commit_decision(init, error);
    if (carried == CARRIED && primary)
        test_step("primary-written");
    return carried;
}

static enum carried attest(struct init *init, struct error *error)
{
    /* The others would take us for dead, and pass us over; our keeper is about to write that we are not. */
    if (!node_is_alive(&init->situation.nodes[init->situation.self]))
        return CARRY_AGAIN;
    if (!remember_pledge(init, error))
        return CARRY_LATER;
    test_step("attest-noted");
    enum carried carried = commit_decision(init, error);
    if (carried == CARRIED)
        test_step("attest-written");
    return carried == CARRIED ? CARRY_AGAIN : carried;
}

static enum carried claim(struct init *init, struct error *error)
{
    enum carried carried = commit_decision(init, error);

    if (carried == CARRIED)
        test_step("claim-written");
    return carried == CARRIED ? CARRY_AGAIN : carried;
}

static enum carried stop(struct init *init)
{
    struct error error;

    /* Galera may have found the copy inconsistent. */
    if (init->decision.cause == CAUSE_DISCONNECTED) {
        init->state.served = false;
        if (!remember_now(init, &error))
            log_warning("%s", error.text);
    }
    process_stop(init, init->decision.cause == CAUSE_CLAIM_LOST ? STOP_AT_ONCE : STOP_CLEANLY);
    if (init->process.child.pid != 0) /* not even by SIGKILL: it hangs in the kernel */
        return CARRY_AGAIN;
    init->process.ended = false; /* it was we who ended it */
    init_new_boot(init);
    return CARRY_AGAIN;
}

enum carried carry(struct init *init, struct error *error)
{
    switch (init->decision.action) {
    case ACTION_ATTEST:
        return attest(init, error);
    case ACTION_CLAIM:
        return claim(init, error);
    case ACTION_BOOTSTRAP:
    case ACTION_JOIN:
    case ACTION_REMERGE:
        return commit_and_start(init, error);
    case ACTION_PC_BOOTSTRAP:
        return pc_bootstrap(init, error);
    case ACTION_RECORD:
        return record(init, error);
    case ACTION_STOP:
        return stop(init);
    case ACTION_REFUSE:
        return CARRY_REFUSED;
    case ACTION_RUN:
    case ACTION_WAIT:
        break;
    }
    return CARRIED;
}

/* --- leaving ------------------------------------------------------------------------------------------------------ */

/* One try. A record that stands already is that of a try whose answer has not come; one of somebody else's is left. */
static enum carried leave_record(struct init *init, struct deadline deadline, bool *overruled, struct error *error)
{
    struct record own;
    enum carried carried;

    error->code = EXIT_YES;
    look_begin(&init->situation, init->settings, &init->state);
    look_at_self(init);
    look_at_etcd(init, deadline);
    if (!init->situation.etcd_reachable)
        return CARRY_AGAIN;
    if (!remember(init, error) || !remember_pledge(init, error))
        return CARRY_LATER;
    look_at_self(init);
    own = situation_record(&init->situation, RECORD_ATTESTED);
    if (record_says(&init->situation.nodes[init->situation.self].record, &own))
        return CARRIED;
    if (*overruled) {
        error_set(error, EXIT_TRY_AGAIN, "somebody else has spoken for this node");
        return CARRY_LATER;
    }
    const struct keys_change change = {
        .compare = COMPARE_OWN, .write = WRITE_OWN, .node = init->situation.self, .own = &own, .card = &init->card};
    carried = commit(init, &change, deadline, error);
    *overruled = carried == CARRY_AGAIN && error->code == EXIT_YES; /* it has answered that it holds another record */
    return carried == CARRIED ? CARRIED : CARRY_AGAIN;
}

/* An etcd that is slow for a moment must not cost the record: the others would wait for this node, which knows nothing
 * that they lack. */
void carry_leave(struct init *init, struct deadline deadline)
{
    struct error error = {.code = EXIT_YES};
    enum carried carried = CARRY_LATER;

    if (look_at_disk(init, &error)) {
        bool overruled = false;
        bool told = false;
        while ((carried = leave_record(init, deadline, &overruled, &error)) == CARRY_AGAIN &&
               !deadline_passed(deadline)) {
            if (!told)
                log_info("where the server has stopped is not recorded yet; trying again");
            told = true;
            tell_alive(init);
            poll(NULL, 0, LEAVE_PAUSE_MS);
        }
    }
    if (carried == CARRIED)
        test_step("stop-written");
    else if (carried == CARRY_LATER)
        log_warning("cannot record where the server has stopped: %s; the next start of this node does", error.text);
    else
        log_warning("cannot record where the server has stopped; the next start of this node does");
}
