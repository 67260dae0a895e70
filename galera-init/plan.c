#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "json_write.h"
#include "verbs.h"

enum { CELL_SIZE = 80, REASON_SIZE = 1024, COLUMNS = 6 };

struct row {
    char cell[COLUMNS][CELL_SIZE];
};

static const char *const headings[COLUMNS] = {"NODE", "GALERA-INIT", "RECORD", "COPY", "POSITION", "SERVER"};

static const char *server_word(enum server_state server)
{
    static const char *const words[] = {[SERVER_STOPPED] = "stopped",
                                        [SERVER_STRANGER] = "running, not started by galera-init",
                                        [SERVER_STARTING] = "starting",
                                        [SERVER_PRIMARY] = "Primary",
                                        [SERVER_IDLE] = "non-Primary"};

    return words[server];
}

static const char *sight_word(const struct scene *scene, size_t i)
{
    const struct sighting *seen = &scene->situation.nodes[i].sighting;

    if (i == scene->situation.self)
        return server_word(scene->situation.local.server);
    switch (seen->sight) {
    case SIGHT_PRIMARY:
        return seen->donor ? "Primary, donor" : seen->synced ? "Primary, synced" : "Primary";
    case SIGHT_NON_PRIMARY:
        return "non-Primary";
    case SIGHT_NONE:
        break;
    }
    if (scene->question[i].address == NULL)
        return "address unknown";
    return scene->question[i].failure == NODE_ACCESS_DENIED ? "refuses our account" : "no answer";
}

/*
 * A node that runs has what its server has committed; its record tells what it began with. False: no more is known than
 * the record.
 */
static bool server_position(const struct scene *scene, size_t i, struct position *position)
{
    const struct node_facts *node = &scene->situation.nodes[i];

    if (node->record.state != RECORD_RUNNING || node->member.phase == MEMBER_NONE || !scene->situation.has_uuid ||
        scene->keys.card[i].seqno < 0)
        return false;
    *position = (struct position){.uuid = scene->situation.uuid, .seqno = scene->keys.card[i].seqno};
    return true;
}

static void fill_row(const struct scene *scene, size_t i, struct row *row)
{
    const struct node_facts *node = &scene->situation.nodes[i];
    const struct record *record = &node->record;
    char position[POSITION_TEXT_SIZE] = "-";
    bool told = record->state != RECORD_NONE;

    struct position committed;
    bool runs = server_position(scene, i, &committed);

    if (runs)
        position_format(&committed, position);
    else if (told && !uuid_is_nil(&record->position.uuid))
        position_format(&record->position, position);
    snprintf(row->cell[0], CELL_SIZE, "%s%s", node->name, i == scene->situation.self ? " *" : "");
    snprintf(row->cell[1], CELL_SIZE, "%s",
             node->member.phase == MEMBER_NONE ? "-" : member_phase_word(node->member.phase));
    if (told)
        snprintf(row->cell[2], CELL_SIZE, "%s, epoch %" PRId64, record_state_word(record->state), record->epoch);
    else
        snprintf(row->cell[2], CELL_SIZE, "-");
    snprintf(row->cell[3], CELL_SIZE, "%s", runs ? "in use" : told ? copy_word(record->copy) : "-");
    snprintf(row->cell[4], CELL_SIZE, "%s", position);
    snprintf(row->cell[5], CELL_SIZE, "%s", sight_word(scene, i));
}

static void print_table(const struct scene *scene)
{
    static struct row rows[NODES_MOST + 1];
    size_t count = scene->situation.count;
    size_t width[COLUMNS] = {0};

    for (size_t column = 0; column < COLUMNS; column++)
        snprintf(rows[0].cell[column], CELL_SIZE, "%s", headings[column]);
    for (size_t i = 0; i < count; i++)
        fill_row(scene, i, &rows[i + 1]);
    for (size_t i = 0; i <= count; i++) {
        for (size_t column = 0; column < COLUMNS; column++) {
            size_t length = strlen(rows[i].cell[column]);
            width[column] = length > width[column] ? length : width[column];
        }
    }
    for (size_t i = 0; i <= count; i++) {
        for (size_t column = 0; column + 1 < COLUMNS; column++)
            printf("%-*s  ", (int)width[column], rows[i].cell[column]);
        printf("%s\n", rows[i].cell[COLUMNS - 1]);
    }
}

static void print_text(const struct scene *scene, const struct decision *decision, const char *reason)
{
    const struct situation *situation = &scene->situation;
    const struct local *local = &situation->local;
    const struct bootstrap *last = &situation->bootstrap;
    char text[POSITION_TEXT_SIZE];

    printf("cluster    %s, %d nodes, uuid %s\n", scene->settings->cluster, situation->size,
           situation->has_uuid ? uuid_format(&situation->uuid, text)
                               : "not recorded: there was no Primary Component yet");
    if (!situation->etcd_reachable)
        printf("etcd       unreachable: %s\n", scene->etcd_problem);
    else if (last->phase == BOOTSTRAP_NONE)
        printf("bootstrap  none\n");
    else
        printf("bootstrap  %s by %s (%s), epoch %" PRId64 ", from %s\n", bootstrap_phase_word(last->phase), last->node,
               bootstrap_kind_word(last->kind), last->epoch, position_format(&last->base, text));
    printf("this node  %s, data in %s: %s", scene->settings->name, scene->info.datadir, copy_word(local->holding.copy));
    if (!uuid_is_nil(&local->holding.position.uuid))
        printf(" at %s", position_format(&local->holding.position, text));
    printf("; server %s\n", server_word(local->server));
    if (local->holding.flaw != FLAW_NONE)
        printf("           %s\n", flaw_text(local->holding.flaw));
    if (scene->position_unknown)
        printf("           its exact position is found (--wsrep-recover) when galera-init starts\n");
    printf("           epoch %" PRId64 "%s\n\n", local->epoch,
           local->pledged ? "; pledged to stay stopped until its record in etcd is replaced" : "");
    print_table(scene);
    printf("\n%s (%s): %s\n", action_word(decision->action), cause_word(decision->cause), reason);
}

static void add_position(struct text *text, const char *key, const struct position *position)
{
    char words[POSITION_TEXT_SIZE];

    if (!uuid_is_nil(&position->uuid))
        json_add_string(text, key, position_format(position, words));
}

static void print_json(const struct scene *scene, const struct decision *decision, const char *reason)
{
    const struct situation *situation = &scene->situation;
    const struct local *local = &situation->local;
    struct text text = {0};
    char uuid[UUID_TEXT_SIZE];

    json_open_object(&text, NULL);
    json_add_string(&text, "cluster", scene->settings->cluster);
    json_add_string(&text, "node", scene->settings->name);
    json_add_string(&text, "datadir", scene->info.datadir);
    json_add_string(&text, "copy", copy_word(local->holding.copy));
    json_add_string(&text, "flaw", flaw_text(local->holding.flaw));
    add_position(&text, "position", &local->holding.position);
    json_add_string(&text, "server", server_word(local->server));
    json_add_number(&text, "epoch", local->epoch);
    json_add_string(&text, "etcd", situation->etcd_reachable ? "reachable" : scene->etcd_problem);
    if (situation->has_uuid)
        json_add_string(&text, "uuid", uuid_format(&situation->uuid, uuid));
    json_add_string(&text, "bootstrap", bootstrap_phase_word(situation->bootstrap.phase));
    json_open_array(&text, "nodes");
    for (size_t i = 0; i < situation->count; i++) {
        const struct node_facts *node = &situation->nodes[i];
        json_open_object(&text, NULL);
        json_add_string(&text, "name", node->name);
        json_add_string(&text, "member", member_phase_word(node->member.phase));
        json_add_string(&text, "record", record_state_word(node->record.state));
        json_add_number(&text, "epoch", node->record.epoch);
        if (node->record.state != RECORD_NONE) {
            json_add_string(&text, "copy", copy_word(node->record.copy));
            add_position(&text, "position", &node->record.position);
        }
        json_add_string(&text, "server", sight_word(scene, i));
        json_close_object(&text);
    }
    json_close_array(&text);
    json_add_string(&text, "action", action_word(decision->action));
    json_add_string(&text, "cause", cause_word(decision->cause));
    json_add_string(&text, "reason", reason);
    json_close_object(&text);
    printf("%s\n", text_string(&text));
    text_free(&text);
}

int plan_print(const struct scene *scene, bool as_json, struct error *error)
{
    struct decision decision = decide(&scene->situation);
    char reason[2 * REASON_SIZE];
    char later[REASON_SIZE];

    decision_text(&scene->situation, &decision, reason, REASON_SIZE);
    verb_text_later(&scene->situation, &decision, scene->settings->ttl_ms, later, sizeof later);
    if (later[0] != '\0')
        snprintf(reason + strlen(reason), sizeof reason - strlen(reason), " (%s)", later);
    if (as_json)
        print_json(scene, &decision, reason);
    else
        print_text(scene, &decision, reason);
    if (fflush(stdout) == 0)
        return EXIT_YES;
    error_set(error, EXIT_UNAVAILABLE, "cannot write the plan to standard output");
    return EXIT_UNAVAILABLE;
}
