#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An operator waits, and nothing else does. */
enum { COMMAND_MOST_MS = 60000 };

struct deadline scene_etcd_deadline(const struct scene *scene)
{
    return deadline_in_ms(etcd_patience_ms(scene->etcd, COMMAND_MOST_MS));
}

static void read_etcd(struct scene *scene)
{
    struct etcd_range range = {0};
    struct error error = {.code = EXIT_YES};
    bool read = etcd_get_prefix(scene->etcd, scene->prefix, scene_etcd_deadline(scene), &range, &error) == ETCD_OK;

    scene->situation.etcd_reachable = read && keys_read(&scene->keys, scene->prefix, &range, &scene->situation, &error);
    etcd_range_free(&range);
    if (!scene->situation.etcd_reachable)
        snprintf(scene->etcd_problem, sizeof scene->etcd_problem, "%s", error.text);
}

/* Whether somebody speaks for this host's node: as that one we decide. */
static void take_boot(struct scene *scene)
{
    struct situation *situation = &scene->situation;
    const struct node_facts *own = &situation->nodes[situation->self];

    snprintf(situation->boot, sizeof situation->boot, "%s", node_is_alive(own) ? own->member.boot : "plan");
}

static void take_own_record(struct scene *scene)
{
    const struct record *own = &scene->situation.nodes[scene->situation.self].record;
    struct holding *holding = &scene->situation.local.holding;

    if (own->state == RECORD_NONE)
        return;
    *holding = (struct holding){.copy = own->copy,
                                .source = own->source,
                                .position = own->position,
                                .safe_to_bootstrap = own->safe_to_bootstrap};
    scene->situation.local.view = own->view;
}

static bool read_disk(struct scene *scene, struct error *error)
{
    struct local *local = &scene->situation.local;
    struct holding_signs signs;
    struct gvwstate view;

    scene->server_pid = datadir_user(scene->info.datadir);
    if (!datadir_read(scene->info.datadir, scene->state.fresh, &signs, &view, error))
        return false;
    signs.served = scene->state.served;
    if (scene->server_pid == 0 && holding_needs_recover(&signs)) {
        const struct record *own = &scene->situation.nodes[scene->situation.self].record;
        scene->position_unknown = own->state != RECORD_ATTESTED;
        take_own_record(scene);
        return true;
    }
    local->holding = holding_judge(&signs);
    local->view = view.view;
    return true;
}

static void ask_server(struct scene *scene, struct error *error)
{
    struct local *local = &scene->situation.local;
    const struct node_facts *own = &scene->situation.nodes[scene->situation.self];
    struct local_server server;
    struct facts *facts = malloc(sizeof *facts);
    struct error silent;

    local->server = node_is_alive(own) ? SERVER_STARTING : SERVER_STRANGER;
    take_own_record(scene);
    if (facts != NULL && node_is_alive(own) && local_open(&server, scene->settings, scene->info.socket, error)) {
        if (local_ask(&server, facts, &silent) == NODE_ANSWERED) {
            struct position position = facts_position(facts);
            if (facts_are_primary(facts))
                local->server = SERVER_PRIMARY;
            else if (own->record.state == RECORD_IDLE || own->record.state == RECORD_RUNNING)
                local->server = own->member.phase == MEMBER_NONPRIMARY ? SERVER_IDLE : SERVER_STARTING;
            if (!uuid_is_nil(&position.uuid))
                local->holding = (struct holding){.copy = COPY_TRUSTED, .source = SOURCE_RECOVER, .position = position};
        }
        local_close(&server);
    }
    free(facts);
}

bool scene_read(struct scene *scene, const struct settings *settings, const struct server_command *command,
                struct error *error)
{
    struct local *local = &scene->situation.local;

    memset(scene, 0, sizeof *scene);
    scene->settings = settings;
    settings_prefix(settings, scene->prefix);
    if (!statefile_read(settings->state_dir, &scene->state, error))
        return false;
    if (command != NULL) {
        struct server_command with = *command;
        with.datadir = settings->datadir;
        if (!server_ask(&with, -1, &scene->info, error))
            return false;
    }
    scene->etcd = etcd_open((struct etcd_settings *)(uintptr_t)&settings->etcd, -1, error);
    if (scene->etcd == NULL)
        return false;
    look_begin(&scene->situation, settings, &scene->state);
    read_etcd(scene);
    take_boot(scene);
    local->lineage = scene->state.lineage;
    local->epoch = scene->state.epoch;
    local->pledged = scene->state.pledged;
    if (command == NULL)
        take_own_record(scene);
    else if (!read_disk(scene, error))
        return false;
    if (scene->server_pid != 0)
        ask_server(scene, error);
    look_at_members(settings, &scene->situation, &scene->keys, &scene->state, scene->question);
    return true;
}

void scene_free(struct scene *scene)
{
    keys_free(&scene->keys);
    etcd_close(scene->etcd);
    scene->etcd = NULL;
}
