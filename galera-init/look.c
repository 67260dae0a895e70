/* Gathering the facts of a decision. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "backoff.h"
#include "init.h"
#include "log.h"
#include "num.h"

enum {
    NS_PER_MS = 1000000,
    /* A server that is shut down by SQL says so as well, for a moment. */
    DISCONNECTED_MS = 5000
};

void init_new_boot(struct init *init)
{
    unsigned char bytes[12];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)random_number();
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(init->boot + 2 * i, 3, "%02x", bytes[i]);
}

/* --- the server --------------------------------------------------------------------------------------------------- */

static bool look_for_stranger(struct init *init, struct error *error)
{
    pid_t left_over = (pid_t)init->state.server_pid;
    pid_t user = 0;

    init->process.stranger = 0;
    if (init->process.child.pid != 0)
        return true;
    user = datadir_user(init->info.datadir);
    if (user == DATADIR_USER_UNSEEN)
        return error_set(error, EXIT_TRY_AGAIN,
                         "a server that cannot be seen from here, perhaps in another container, uses the data "
                         "directory %s: stop it, each node needs a directory of its own",
                         init->info.datadir);
    if (user > 0)
        init->process.stranger = user;
    else if (left_over != 0 && process_start_time(left_over) == init->state.server_start &&
             init->state.server_start != 0)
        init->process.stranger = left_over;
    return true;
}

void look_at_server(struct init *init)
{
    struct process *process = &init->process;
    struct error error;

    process->answers = false;
    if (process->child.pid == 0)
        return;
    process->answers = local_ask(&init->local, &process->facts, &error) == NODE_ANSWERED;
    if (!process->answers) {
        log_debug("our server does not answer: %s", error.text);
        return;
    }
    if (facts_are_primary(&process->facts))
        process->was_primary = true;
    if (facts_is(&process->facts, "wsrep_cluster_status", "Primary"))
        process->idle_ns = 0;
    else if (process->was_primary && process->idle_ns == 0)
        process->idle_ns = monotonic_ns();
    /* After a failed transfer, or as the one that the others found inconsistent, it answers and never comes back. */
    if (!facts_is(&process->facts, "wsrep_cluster_status", "Disconnected"))
        process->disconnected_ns = 0;
    else if (process->disconnected_ns == 0)
        process->disconnected_ns = monotonic_ns();
    struct position position = facts_position(&process->facts);
    if (process->was_primary && !uuid_is_nil(&position.uuid))
        init->holding = (struct holding){.copy = COPY_TRUSTED, .source = SOURCE_RECOVER, .position = position};
}

static enum server_state server_state(const struct init *init)
{
    const struct process *process = &init->process;

    if (process->child.pid == 0)
        return process->stranger != 0 ? SERVER_STRANGER : SERVER_STOPPED;
    if (!process->was_primary)
        return SERVER_STARTING;
    return process->idle_ns == 0 ? SERVER_PRIMARY : SERVER_IDLE;
}

static bool patience_is_over(const struct init *init)
{
    int64_t since = init->process.was_primary ? init->process.idle_ns : init->process.started_ns;

    return init->process.child.pid != 0 && since != 0 &&
           monotonic_ns() - since > init->settings->patience_ms * NS_PER_MS;
}

/* --- the data directory ------------------------------------------------------------------------------------------- */

static bool install(struct init *init, struct error *error)
{
    bool empty = datadir_is_empty(init->info.datadir, error);

    if (error->code != EXIT_YES)
        return false;
    if (!empty && !init->state.installing)
        return true;
    if (!empty && datadir_clear(init->info.datadir, error) != DATADIR_CLEARED) {
        if (error->code != EXIT_YES)
            return false;
        log_notice("mariadb-install-db was interrupted, but by now there is more in %s than it makes: taking that for "
                   "data",
                   init->info.datadir);
        init->state.installing = false;
        return remember_now(init, error);
    }
    init->state.installing = true;
    init->state.fresh = false;
    if (!remember_now(init, error))
        return false;
    log_notice("the data directory %s is empty: mariadb-install-db makes the system tables", init->info.datadir);
    if (!datadir_install(&init->command, init->info.datadir, init->local.settings.user, init->stop_fd, error))
        return false;
    init->state.installing = false;
    init->state.fresh = true;
    return remember_now(init, error);
}

static bool recover(struct init *init, struct holding_signs *signs, struct error *error)
{
    char log_path[STATE_PATH_SIZE + 32];
    char position[POSITION_TEXT_SIZE];

    if (init->stopping) /* it may take long, and the next start does it as well */
        return error_set(error, EXIT_TRY_AGAIN, "only --wsrep-recover would tell");
    snprintf(log_path, sizeof log_path, "%s/recover.log", init->settings->state_dir);
    log_notice("the server did not stop cleanly, or grastate.dat is no help: asking it for its position "
               "(--wsrep-recover)");
    if (!datadir_recover(&init->command, init->info.datadir, log_path, init->stop_fd, &signs->recovered, error))
        return false;
    if (signs->recovered.outcome == RECOVER_POSITION)
        log_notice("recovered position %s%s", position_format(&signs->recovered.position, position),
                   signs->recovered.prepared ? ", after prepared transactions were rolled back" : "");
    else
        log_warning("--wsrep-recover found no position; its log is %s", log_path);
    return true;
}

bool look_at_disk(struct init *init, struct error *error)
{
    struct holding_signs signs;

    error->code = EXIT_YES;
    if (!install(init, error) || !datadir_read(init->info.datadir, init->state.fresh, &signs, &init->view, error))
        return false;
    signs.served = init->state.served;
    if (holding_needs_recover(&signs) && !recover(init, &signs, error))
        return false;
    init->holding = holding_judge(&signs);
    if (init->holding.flaw != FLAW_NONE)
        log_warning("%s", flaw_text(init->holding.flaw));
    init->disk_known = true;
    return true;
}

/* --- etcd --------------------------------------------------------------------------------------------------------- */

static void add_node(struct situation *situation, const char *name)
{
    size_t at = 0;

    if (situation_find(situation, name) != NODES_MOST || situation->count == NODES_MOST)
        return;
    while (at < situation->count && strcmp(situation->nodes[at].name, name) < 0)
        at++;
    memmove(&situation->nodes[at + 1], &situation->nodes[at], (situation->count - at) * sizeof situation->nodes[0]);
    situation->nodes[at] = (struct node_facts){.cached = false};
    snprintf(situation->nodes[at].name, sizeof situation->nodes[at].name, "%s", name);
    situation->count++;
}

void look_begin(struct situation *situation, const struct settings *settings, const struct state *state)
{
    memset(situation, 0, sizeof *situation);
    situation->size = (int)settings->nodes;
    situation->recovery = (enum recovery)settings->recovery;
    situation->foreign_data = (enum foreign_data)settings->foreign_data;
    add_node(situation, settings->name);
    for (size_t i = 0; i < state->peer_count; i++) {
        add_node(situation, state->peer[i].name);
        size_t at = situation_find(situation, state->peer[i].name);
        if (at != NODES_MOST)
            situation->nodes[at].cached = true;
    }
    situation->self = situation_find(situation, settings->name);
}

void card_complete(struct node_card *card, int64_t port)
{
    const char *colon = strrchr(card->address, ':');
    bool has_port = colon != NULL && strchr(card->address, ':') == colon;

    if (card->address[0] == '[')
        has_port = colon != NULL && colon > strchr(card->address, ']');
    if (card->address[0] != '\0')
        snprintf(card->sql, sizeof card->sql, "%.*s:%" PRId64,
                 has_port ? (int)(colon - card->address) : (int)strlen(card->address), card->address, port);
}

static void tell_etcd(struct init *init, const char *problem)
{
    if (problem != NULL && !init->telling.etcd_failed)
        log_warning("cannot read %s in etcd: %s; without etcd nothing is bootstrapped", init->prefix, problem);
    else if (problem == NULL && init->telling.etcd_failed)
        log_notice("etcd answers again");
    init->telling.etcd_failed = problem != NULL;
}

void look_at_etcd(struct init *init, struct deadline deadline)
{
    struct etcd_range range = {0};
    struct situation *situation = &init->situation;
    struct error error = {.code = EXIT_YES};

    keys_free(&init->keys);
    bool read = etcd_get_prefix(init->etcd, init->prefix, deadline, &range, &error) == ETCD_OK;
    situation->etcd_reachable =
        keys_read(&init->keys, init->prefix, read ? &range : &(struct etcd_range){0}, situation, &error) && read;
    etcd_range_free(&range);
    tell_etcd(init, situation->etcd_reachable ? NULL : error.text);
    if (!situation->etcd_reachable)
        return;

    /* Our own member key lags behind our boot id: it is ours as long as it is under our lease. */
    struct node_facts *own = &situation->nodes[situation->self];
    int64_t lease = keeper_lease(init->keeper);
    if (lease != 0 && init->keys.card[situation->self].member_lease == lease)
        memcpy(own->member.boot, init->boot, sizeof own->member.boot);
    if (init->card.address[0] == '\0') {
        const char *address = etcd_local_address(init->etcd);
        bool ipv6 = strchr(address, ':') != NULL;
        snprintf(init->card.address, sizeof init->card.address, ipv6 ? "[%s]" : "%s", address);
        card_complete(&init->card, init->info.port);
    }
}

/* --- the members -------------------------------------------------------------------------------------------------- */

void look_at_members(const struct settings *settings, struct situation *situation, const struct keys *keys,
                     const struct state *state, struct member_question question[NODES_MOST])
{
    size_t of[NODES_MOST];
    size_t count = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct state_peer *peer = remembered_peer(state, situation->nodes[i].name);
        const char *address = keys->card[i].sql[0] != '\0' ? keys->card[i].sql : peer == NULL ? "" : peer->sql;
        if (i == situation->self || address[0] == '\0')
            continue;
        of[count] = i;
        question[count++] = (struct member_question){.address = address};
    }
    members_ask(&settings->node, settings->ask_timeout_ms, question, count);
    for (size_t k = 0; k < count; k++)
        situation->nodes[of[k]].sighting = question[k].sighting;
    for (size_t k = count; k > 0; k--) { /* for the caller: question[i] is of nodes[i] */
        struct member_question asked = question[k - 1];
        question[k - 1] = (struct member_question){.address = NULL};
        question[of[k - 1]] = asked;
    }
}

/* A server that is there and does not let us in looks like one that is not: that has to be said. */
static void tell_refusals(struct init *init, const struct member_question question[NODES_MOST])
{
    for (size_t i = 0; i < init->situation.count; i++) {
        /* Before that the account may not be made yet. */
        bool refused = init->situation.bootstrap.phase == BOOTSTRAP_PRIMARY && question[i].address != NULL &&
                       question[i].failure == NODE_ACCESS_DENIED;
        if (refused && !init->telling.refused[i])
            log_warning("the server of %s does not let us ask it: %s; check user and password in [mysql]",
                        init->situation.nodes[i].name, question[i].error.text);
        init->telling.refused[i] = refused;
    }
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

void look_at_self(struct init *init)
{
    struct local *local = &init->situation.local;

    memcpy(init->situation.boot, init->boot, sizeof init->situation.boot);
    local->holding = init->holding;
    local->view = init->view.view;
    local->server = server_state(init);
    local->patience_over = patience_is_over(init);
    local->disconnected = init->process.disconnected_ns != 0 &&
                          monotonic_ns() - init->process.disconnected_ns > DISCONNECTED_MS * (int64_t)NS_PER_MS;
    local->lineage = init->state.lineage;
    local->epoch = init->state.epoch;
    local->pledged = init->state.pledged;
}

static bool read_view(struct init *init, struct error *error)
{
    struct holding_signs signs;

    return datadir_read(init->info.datadir, init->state.fresh, &signs, &init->view, error);
}

bool look(struct init *init, struct error *error)
{
    struct member_question question[NODES_MOST] = {{.address = NULL}};

    if (!look_for_stranger(init, error))
        return false;
    look_at_server(init);
    if (init->process.child.pid == 0 && init->process.stranger == 0 && !init->disk_known && !look_at_disk(init, error))
        return false;
    if (init->process.idle_ns != 0 && !read_view(init, error))
        return false;
    look_begin(&init->situation, init->settings, &init->state);
    look_at_self(init);
    tell_alive(init); /* each of these may take seconds */
    look_at_etcd(init, deadline_in_ms(etcd_patience_ms(init->etcd, ETCD_MOST_MS)));
    tell_alive(init);
    if (!remember(init, error))
        return false;
    look_at_self(init);
    if (server_state(init) != SERVER_PRIMARY) {
        look_at_members(init->settings, &init->situation, &init->keys, &init->state, question);
        tell_refusals(init, question);
    }
    return true;
}

enum member_phase init_phase(const struct init *init)
{
    const struct process *process = &init->process;
    const char *state = process->answers ? facts_get(&process->facts, "wsrep_local_state") : NULL;
    int64_t number = 0;

    if (init->leaving)
        return MEMBER_LEAVING;
    switch (server_state(init)) {
    case SERVER_STOPPED:
        if (!init->disk_known)
            return MEMBER_PROBING;
        return init->state.pledged ? MEMBER_ATTESTED : MEMBER_WAITING;
    case SERVER_STRANGER:
        return MEMBER_PROBING;
    case SERVER_STARTING:
        return process->joins ? MEMBER_JOINING : MEMBER_STARTING;
    case SERVER_IDLE:
        return MEMBER_NONPRIMARY;
    case SERVER_PRIMARY:
        break;
    }
    if (state == NULL || !num_parse(state, 0, 9, &number))
        return MEMBER_SYNCED; /* it hangs, or is too busy to answer: the lease is not the place to judge that */
    return number == 4 ? MEMBER_SYNCED : number == 2 ? MEMBER_DONOR : MEMBER_JOINING;
}
