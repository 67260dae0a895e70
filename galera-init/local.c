#include "local.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "num.h"
#include "schema.h"

enum { NO_SUCH_DATABASE = 1049, NO_SUCH_TABLE = 1146, STATEMENT_SIZE = 1024 };

bool local_open(struct local_server *local, const struct settings *settings, const char *socket, struct error *error)
{
    *local = (struct local_server){.timeout_ms = settings->ask_timeout_ms};
    local->check_user = settings->node.user == NULL ? NODE_DEFAULT_USER : settings->node.user;
    if (admin_user(settings, local->user)[0] == '\0')
        return error_set(error, EXIT_CONFIG, "user %d has no name: set admin_user in [init]", (int)geteuid());
    local->settings.user = local->user;
    local->settings.socket = (char *)(uintptr_t)socket;
    return true;
}

void local_close(struct local_server *local)
{
    node_close(local->node);
    local->node = NULL;
    local->noted_view[0] = '\0';
}

static enum node_failure connect_local(struct local_server *local, struct error *error)
{
    if (local->node != NULL)
        return NODE_ANSWERED;
    return node_open(&local->settings, deadline_in_ms(local->timeout_ms), &local->node, error);
}

static void drop(struct local_server *local)
{
    node_close(local->node);
    local->node = NULL;
}

enum node_failure local_ask(struct local_server *local, struct facts *facts, struct error *error)
{
    enum node_failure failure = connect_local(local, error);

    facts_clear(facts);
    if (failure == NODE_ANSWERED)
        failure = node_ask_again(local->node, deadline_in_ms(local->timeout_ms), facts, error);
    if (failure != NODE_ANSWERED)
        drop(local);
    return failure;
}

/* A statement over the kept connection. */
static enum node_failure run(struct local_server *local, const char *statement, struct node_rows *rows,
                             struct error *error)
{
    enum node_failure failure = connect_local(local, error);

    if (failure == NODE_ANSWERED)
        failure = node_query(local->node, statement, rows, error);
    if (failure != NODE_ANSWERED && failure != NODE_REFUSED)
        drop(local);
    return failure;
}

static enum node_failure write_view(struct local_server *local, const char *statement, struct error *error)
{
    enum node_failure failure = run(local, statement, NULL, error);

    if (failure != NODE_REFUSED)
        return failure;
    unsigned number = node_error_number(local->node);
    if (number != NO_SUCH_DATABASE && number != NO_SUCH_TABLE)
        return failure;
    if (!schema_make(local->node, error))
        return NODE_REFUSED;
    return run(local, statement, NULL, error);
}

void local_note_view(struct local_server *local, const char *name, const struct facts *facts,
                     struct generation generation)
{
    const char *gcomm = facts_get(facts, "wsrep_gcomm_uuid");
    const char *conf = facts_get(facts, "wsrep_cluster_conf_id");
    char view[sizeof local->noted_view];
    char statement[STATEMENT_SIZE];
    char quoted[4][256];
    struct error error;

    if (local->node == NULL || gcomm == NULL || conf == NULL || !facts_is(facts, "wsrep_ready", "ON"))
        return;
    snprintf(view, sizeof view, "%s %s %" PRId64 " %" PRIu32, gcomm, conf, generation.number, generation.mark);
    if (strcmp(view, local->noted_view) == 0)
        return;
    if (!node_quote(local->node, name, quoted[0], sizeof quoted[0]) ||
        !node_quote(local->node, gcomm, quoted[1], sizeof quoted[1]) ||
        !node_quote(local->node, conf, quoted[2], sizeof quoted[2]))
        return;
    snprintf(statement, sizeof statement,
             "REPLACE INTO galera_init.view (node,gcomm_uuid,conf_id,generation,mark) VALUES (%s,%s,%s,%" PRId64
             ",%" PRIu32 ")",
             quoted[0], quoted[1], quoted[2], generation.number, generation.mark);
    if (write_view(local, statement, &error) == NODE_ANSWERED) {
        memcpy(local->noted_view, view, sizeof view);
        local->complained = false;
    } else if (!local->complained) {
        log_warning("cannot note the generation of this view: %s; without etcd other nodes will not join this one",
                    error.text);
        local->complained = true;
    }
}

bool local_pc_bootstrap(struct local_server *local, struct error *error)
{
    return run(local, "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'", NULL, error) == NODE_ANSWERED ||
           error_context(error, "pc.bootstrap");
}

int64_t local_sessions(struct local_server *local)
{
    char user[256];
    char question[STATEMENT_SIZE];
    struct node_rows rows = {0};
    struct error error;
    int64_t sessions = -1;

    if (connect_local(local, &error) != NODE_ANSWERED || !node_quote(local->node, local->check_user, user, sizeof user))
        return -1;
    snprintf(question, sizeof question,
             "SET SESSION wsrep_sync_wait=0;SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE "
             "ID<>CONNECTION_ID() AND COMMAND<>'Daemon' AND USER NOT IN ('system user','event_scheduler',"
             "'unauthenticated user',%s)",
             user);
    if (run(local, question, &rows, &error) == NODE_ANSWERED && rows.rows == 1 &&
        !num_parse(rows.cell[0], 0, INT64_MAX, &sessions))
        sessions = -1;
    node_rows_free(&rows);
    return sessions;
}
