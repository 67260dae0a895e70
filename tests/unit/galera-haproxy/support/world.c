#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../row.h"

void world_begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->settings = (struct settings){.slots = 4,
                                        .check_port = 9200,
                                        .min_servers = 1,
                                        .max_removals = 1,
                                        .grace_ms = 30000,
                                        .expired_grace_ms = 600000,
                                        .writer_grace_ms = 3000};
    world->roster.known = true;
    world->writer.moved_ms = INT64_MIN;
}

static void make_ip(char *ip, size_t size, long last)
{
    snprintf(ip, size, "10.0.0.%ld", last);
}

/* Takes the next part up to '/', in place; NULL at the end. */
static char *next_part(char **rest)
{
    return *rest == NULL ? NULL : strsep(rest, "/");
}

static void add_member(struct world *world, char *words)
{
    struct member *member = &world->roster.member[world->roster.count];
    char *id = next_part(&words);
    char *last = next_part(&words);
    char *way = next_part(&words);
    char *seconds = next_part(&words);
    int64_t since_ms = WORLD_NOW_MS - (seconds == NULL ? 0 : strtol(seconds, NULL, 10) * 1000);

    assert_non_null(last);
    *member = (struct member){.port = 3306,
                              .created = (int64_t)world->roster.count + 1,
                              .check_port = 9200,
                              .leaving_ms = INT64_MIN,
                              .since_ms = since_ms,
                              .lease_asked_ms = INT64_MIN};
    if (strcmp(id, "-") == 0)
        member->created = INT64_MAX;
    else
        snprintf(member->id, sizeof member->id, "%s", id);
    make_ip(member->ip, sizeof member->ip, strtol(last, NULL, 10));
    if (way == NULL)
        member->presence = PRESENCE_LISTED;
    else if (strcmp(way, "expired") == 0)
        member->presence = PRESENCE_EXPIRED;
    else
        member->presence = PRESENCE_REMOVED;
    if (way != NULL && strcmp(way, "leaving") == 0)
        member->leaving_ms = since_ms;
    world->roster.count++;
}

void world_members(struct world *world, const char *words)
{
    char copy[1024];
    char *rest = copy;
    char *word;

    snprintf(copy, sizeof copy, "%s", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (word[0] != '\0')
            add_member(world, word);
    }
}

static const struct state {
    const char *name;
    int64_t op_state;
    int64_t admin;
    int64_t health;
    int64_t check_state;
    int64_t agent_state;
    const char *status;
} states[] = {
    {"up", SERVER_RUNNING, 4, 3, 6, 0, "UP"},
    {"fresh", SERVER_RUNNING, 0, 2, 6, 0, "UP"},
    {"down", SERVER_STOPPED, 4, 0, 6, 0, "DOWN"},
    {"nolb", SERVER_STOPPING, 4, 3, 6, 0, "NOLB"},
    {"drain", SERVER_RUNNING, 12, 3, 6, 0, "DRAIN"},
    {"draindown", SERVER_STOPPED, 12, 0, 6, 0, "DOWN"},
    {"pending", SERVER_RUNNING, 12, 2, 6, 0, "DRAIN"},
    {"failing", SERVER_STOPPED, 12, 0, 6, 0, "DOWN"},
    {"maint", SERVER_STOPPED, 5, 0, 14, 0, "MAINT"},
    {"busy", SERVER_STOPPED, 5, 0, 15, 0, "MAINT"},
    {"agent-up", SERVER_RUNNING, 4, 3, 6, 22, "UP"},
    {"agent-drain", SERVER_RUNNING, 12, 3, 6, 22, "DRAIN"},
    {"agent-maint", SERVER_STOPPED, 5, 0, 14, 22, "MAINT"},
    {"quiet-drain", SERVER_RUNNING, 12, 3, 6, 18, "DRAIN"},
    {"quiet-maint", SERVER_STOPPED, 5, 0, 14, 18, "MAINT"},
    {"quiet-up", SERVER_RUNNING, 4, 3, 6, 18, "UP"},
};

static void fill_slot(struct view_slot *slot, char *words)
{
    char *last = next_part(&words);
    char *name = next_part(&words);
    char *sessions = next_part(&words);
    bool known = false;

    assert_non_null(name);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const struct state *state = &states[i];
        if (strcmp(state->name, name) != 0)
            continue;
        known = true;
        slot->op_state = state->op_state;
        slot->admin = state->admin;
        slot->check_health = state->health;
        slot->check_state = state->check_state;
        slot->agent_state = state->agent_state;
        slot->rise = (state->admin & ADMIN_ANY_MAINT) != 0 ? 0 : 2;
        slot->fall = slot->rise;
        snprintf(slot->status, sizeof slot->status, "%s", state->status);
    }
    if (!known)
        fail_msg("no state is called %s", name);
    make_ip(slot->ip, sizeof slot->ip, strtol(last, NULL, 10));
    slot->port = 3306;
    slot->sessions = sessions == NULL ? 0 : strtol(sessions, NULL, 10);
}

void world_slots(struct world *world, enum section section, const char *words)
{
    struct view_section *into = &world->view.section[section];
    char copy[1024];
    char *rest = copy;
    char *word;

    into->present = true;
    snprintf(copy, sizeof copy, "%s", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        struct view_slot *slot = &into->slot[into->slots];
        if (word[0] == '\0')
            continue;
        *slot = (struct view_slot){.present = true,
                                   .position = (int)into->slots,
                                   .server_id = (int64_t)into->slots + 1,
                                   .check_port = 9200,
                                   .admin = 5,
                                   .check_state = 14,
                                   .port = FREE_PORT,
                                   .ip = FREE_ADDRESS,
                                   .status = "MAINT"};
        if (strcmp(word, "-") != 0)
            fill_slot(slot, word);
        into->slots++;
    }
}

void world_plan(struct world *world)
{
    struct plan_input input = {.settings = &world->settings,
                               .roster = &world->roster,
                               .view = &world->view,
                               .writer = world->writer,
                               .confirmed = world->confirmed,
                               .now_ms = WORLD_NOW_MS};

    plan_make(&input, &world->plan);
}

const char *world_steps(const struct world *world, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < world->plan.count; i++) {
        const char *command = world->plan.step[i].command;
        const char *at = strstr(command, "galera-any/");
        int head = at == NULL ? (int)strlen(command) : (int)(at - command);
        length += (size_t)snprintf(text + length, size - length, "%s%.*s%s", i == 0 ? "" : "\n", head, command,
                                   at == NULL ? "" : at + strlen("galera-any/"));
        assert_true(length < size);
    }
    return text;
}
