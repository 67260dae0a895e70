#include "members.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

#define ROW_COLUMNS 4

static const char view_question[] =
    "SET SESSION wsrep_sync_wait=0;"
    "SELECT gcomm_uuid,conf_id,generation,mark FROM galera_init.view WHERE node=@@GLOBAL.wsrep_node_name";

enum { STATE_DONOR = 2, STATE_JOINED = 3, STATE_SYNCED = 4 };

static int64_t number_of(const char *text, int64_t fallback)
{
    int64_t number;

    return text != NULL && num_parse(text, INT64_MIN, INT64_MAX, &number) ? number : fallback;
}

static bool is_primary_member(const struct facts *facts)
{
    return facts_is(facts, "wsrep_cluster_status", "Primary");
}

bool facts_are_primary(const struct facts *facts)
{
    return is_primary_member(facts) && number_of(facts_get(facts, "wsrep_local_state"), 0) >= STATE_DONOR;
}

struct position facts_position(const struct facts *facts)
{
    struct position position = position_none();
    const char *uuid = facts_get(facts, "wsrep_cluster_state_uuid");

    if (uuid == NULL || strlen(uuid) != UUID_TEXT_SIZE - 1 || !uuid_parse(uuid, &position.uuid))
        return position_none();
    position.seqno = number_of(facts_get(facts, "wsrep_last_committed"), SEQNO_UNKNOWN);
    return uuid_is_nil(&position.uuid) || position.seqno < 0 ? position_none() : position;
}

static struct generation generation_read(const struct facts *facts, char *const *row)
{
    struct generation forgotten = {.number = GENERATION_FORGOTTEN};
    const char *gcomm = facts_get(facts, "wsrep_gcomm_uuid");
    const char *conf = facts_get(facts, "wsrep_cluster_conf_id");
    int64_t number, mark;

    for (size_t i = 0; i < ROW_COLUMNS; i++) {
        if (row == NULL || row[i] == NULL)
            return forgotten;
    }
    if (gcomm == NULL || conf == NULL || strcmp(gcomm, row[0]) != 0 || strcmp(conf, row[1]) != 0 ||
        !num_parse(row[2], GENERATION_NONE, INT64_MAX, &number) || !num_parse(row[3], 0, UINT32_MAX, &mark))
        return forgotten;
    return (struct generation){.number = number, .mark = (uint32_t)mark};
}

struct sighting sighting_read(const struct facts *facts, char *const *view_row)
{
    int64_t state = number_of(facts_get(facts, "wsrep_local_state"), 0);
    struct sighting sighting = {.sight = SIGHT_NONE, .generation = {.number = GENERATION_FORGOTTEN}};
    struct position position = facts_position(facts);

    if (facts_get(facts, "wsrep_cluster_status") == NULL)
        return sighting;
    if (!is_primary_member(facts)) {
        sighting.sight = SIGHT_NON_PRIMARY;
        sighting.uuid = position.uuid;
        sighting.seqno = position.seqno;
        return sighting;
    }
    if (!facts_are_primary(facts)) /* it joins: no member that others could lean on */
        return sighting;
    sighting.sight = SIGHT_PRIMARY;
    sighting.synced = state == STATE_SYNCED;
    sighting.donor = state == STATE_DONOR;
    sighting.uuid = position.uuid;
    sighting.seqno = position.seqno;
    sighting.generation = generation_read(facts, view_row);
    return sighting;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

struct asking {
    const struct node_settings *settings;
    int64_t timeout_ms;
    struct member_question *question;
};

/* "host:port", "[v6]:port" */
static bool split_address(const char *address, char *host, size_t size, int64_t *port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - address);
    bool bracketed = length > 2 && address[0] == '[' && address[length - 1] == ']';

    if (length == 0 || length >= size || !num_parse(colon + 1, 1, UINT16_MAX, port))
        return false;
    snprintf(host, size, "%.*s", (int)(bracketed ? length - 2 : length), bracketed ? address + 1 : address);
    return true;
}

static enum node_failure ask_node(struct node *node, struct deadline deadline, struct sighting *sighting,
                                  struct error *error)
{
    struct facts *facts = malloc(sizeof *facts);
    struct node_rows rows = {0};
    struct error no_row;

    if (facts == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NODE_CANNOT_CONNECT;
    }
    /* The row first: a view that comes in between makes it one of an older view. */
    enum node_failure failure = node_query(node, view_question, &rows, &no_row);
    if (failure == NODE_ANSWERED || failure == NODE_REFUSED)
        failure = node_ask_again(node, deadline, facts, error);
    else
        *error = no_row;
    if (failure == NODE_ANSWERED)
        *sighting = sighting_read(facts, rows.rows == 1 && rows.columns == ROW_COLUMNS ? rows.cell : NULL);
    node_rows_free(&rows);
    free(facts);
    return failure;
}

static void *ask(void *context)
{
    const struct asking *asking = context;
    struct member_question *question = asking->question;
    struct node_settings settings = *asking->settings;
    struct deadline deadline = deadline_in_ms(asking->timeout_ms);
    char host[KEYS_ADDRESS_SIZE];
    struct node *node = NULL;

    question->failure = NODE_CANNOT_CONNECT;
    if (!split_address(question->address, host, sizeof host, &settings.port)) {
        error_set(&question->error, EXIT_UNAVAILABLE, "%s is no address of a server", question->address);
        return NULL;
    }
    settings.host = host;
    settings.socket = NULL;
    settings.extra_port = 0;
    question->failure = node_open(&settings, deadline, &node, &question->error);
    if (question->failure == NODE_ANSWERED)
        question->failure = ask_node(node, deadline, &question->sighting, &question->error);
    node_close(node);
    return NULL;
}

void members_ask(const struct node_settings *settings, int64_t timeout_ms, struct member_question *question,
                 size_t count)
{
    pthread_t thread[NODES_MOST];
    bool running[NODES_MOST] = {false};
    struct asking asking[NODES_MOST];

    for (size_t i = 0; i < count && i < NODES_MOST; i++) {
        question[i].sighting = (struct sighting){.sight = SIGHT_NONE};
        question[i].error = (struct error){.code = EXIT_YES};
        asking[i] = (struct asking){settings, timeout_ms, &question[i]};
        running[i] = pthread_create(&thread[i], NULL, ask, &asking[i]) == 0;
        if (!running[i]) /* one after the other is slower, not wrong */
            ask(&asking[i]);
    }
    for (size_t i = 0; i < count && i < NODES_MOST; i++) {
        if (running[i])
            pthread_join(thread[i], NULL);
    }
}
