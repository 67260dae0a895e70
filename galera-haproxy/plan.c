#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "plan_internal.h"

enum { CHECK_IN_PROGRESS = 0x01, NAME_SIZE = 8, TITLE_SIZE = 160 };

const char *wanted_word(enum wanted wanted)
{
    static const char *const words[] = {"free", "serve", "leave"};

    return words[wanted];
}

void plan_add(struct plan *plan, size_t group, const char *say, const char *format, ...)
{
    va_list arguments;

    if (plan->count == PLAN_STEPS_MOST)
        return;
    struct step *step = &plan->step[plan->count++];
    *step = (struct step){.group = group};
    va_start(arguments, format);
    vsnprintf(step->command, sizeof step->command, format, arguments);
    va_end(arguments);
    if (say != NULL)
        snprintf(step->say, sizeof step->say, "%s", say);
}

int64_t plan_sessions(const struct view *view, size_t k)
{
    int64_t sessions = 0;

    for (int section = 0; section < SECTION_COUNT; section++)
        sessions += slot_in(view, (enum section)section, k)->sessions;
    return sessions;
}

/* --- the steps of one server: slot k in one section --------------------------------------------------------------- */

struct server {
    const struct plan_input *input;
    struct plan *plan;
    enum section section;
    size_t k;
    size_t group;
    const struct view_slot *slot;
    const struct member *member; /* NULL: free */
    char name[32];               /* "galera-any/s1" */
    char title[TITLE_SIZE];      /* of the member */
};

/* What happens in all sections is told once. */
static bool tells(const struct server *server)
{
    return server->section == SECTION_ANY;
}

static void say(const struct server *server, char *text, size_t size, const char *words)
{
    struct line line = {.text = text, .size = size};

    text[0] = '\0';
    if (!tells(server))
        return;
    line_add(&line, server->title);
    line_add(&line, ": ");
    line_add(&line, words);
}

static void disable_agent(const struct server *server)
{
    if (view_slot_agent_enabled(server->slot))
        plan_add(server->plan, server->group, NULL, "disable agent %s", server->name);
}

static void free_server(const struct server *server, const char *words)
{
    const struct view_slot *slot = server->slot;
    char text[STEP_SAY_SIZE];

    disable_agent(server); /* first: an agent's "ready" would end the maintenance */
    if (!view_slot_in_maint(slot)) {
        say(server, text, sizeof text, words);
        plan_add(server->plan, server->group, text, "set server %s state maint", server->name);
        if (slot->sessions > 0)
            plan_add(server->plan, server->group, NULL, "shutdown sessions server %s", server->name);
    }
    if (strcmp(slot->ip, FREE_ADDRESS) != 0 || slot->port != FREE_PORT)
        plan_add(server->plan, server->group, NULL, "set server %s addr %s port %d", server->name, FREE_ADDRESS,
                 FREE_PORT);
}

static uint16_t check_port_of(const struct server *server)
{
    return server->member->check_port != 0 ? server->member->check_port : (uint16_t)server->input->settings->check_port;
}

/* A check of the former address that is still under way would count for the new one: it has to end first. */
static void join(const struct server *server)
{
    const struct view_slot *slot = server->slot;
    char text[STEP_SAY_SIZE];
    char words[64];

    server->plan->waiting = true;
    disable_agent(server);
    if (!view_slot_in_maint(slot)) {
        plan_add(server->plan, server->group, NULL, "set server %s state maint", server->name);
        return;
    }
    if ((slot->check_state & CHECK_IN_PROGRESS) != 0)
        return;
    if (strcmp(slot->ip, server->member->ip) != 0 || slot->port != server->member->port)
        plan_add(server->plan, server->group, NULL, "set server %s addr %s port %u", server->name, server->member->ip,
                 (unsigned)server->member->port);
    if (slot->check_port != check_port_of(server))
        plan_add(server->plan, server->group, NULL, "set server %s check-port %u", server->name,
                 (unsigned)check_port_of(server));
    plan_add(server->plan, server->group, NULL, "enable health %s", server->name);
    if ((slot->agent_state & CHECK_CONFIGURED) != 0)
        plan_add(server->plan, server->group, NULL, "set server %s weight 100%%", server->name);
    snprintf(words, sizeof words, "joins in slot s%zu; it gets sessions after its first passed check", server->k + 1);
    say(server, text, sizeof text, words);
    plan_add(server->plan, server->group, text, "set server %s state drain", server->name);
}

static void enable_agent(const struct server *server)
{
    if ((server->slot->agent_state & CHECK_CONFIGURED) != 0 && !view_slot_agent_enabled(server->slot))
        plan_add(server->plan, server->group, NULL, "enable agent %s", server->name);
}

static void admit(const struct server *server)
{
    char text[STEP_SAY_SIZE];

    if (!view_slot_passed(server->slot)) {
        /* While its health is above 0 a check is due; a node that fails them may take its time. */
        server->plan->waiting |= server->slot->check_health > 0;
        return;
    }
    say(server, text, sizeof text, "passes its check and takes sessions");
    plan_add(server->plan, server->group, text, "set server %s state ready", server->name);
    enable_agent(server);
}

static void serve(const struct server *server)
{
    const struct view_slot *slot = server->slot;
    bool same = strcmp(slot->ip, server->member->ip) == 0 && slot->port == server->member->port;
    bool held = server->section == SECTION_WRITER && server->plan->slot[server->k].held;

    if (same && view_slot_agent_enabled(slot) && (view_slot_in_maint(slot) || view_slot_in_drain(slot)))
        return; /* the node itself says so, through its agent */
    if (!same || view_slot_in_maint(slot)) {
        join(server);
        return;
    }
    if (slot->check_port != check_port_of(server))
        plan_add(server->plan, server->group, NULL, "set server %s check-port %u", server->name,
                 (unsigned)check_port_of(server));
    if (view_slot_in_drain(slot)) {
        if (!held || !view_slot_passed(slot))
            admit(server);
    } else if (held) {
        plan_add(server->plan, server->group, NULL, "set server %s state drain", server->name);
    } else {
        enable_agent(server);
    }
}

/* All sections have it drained, as far as they have it at all. */
static bool is_drained(const struct view *view, size_t k)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        const struct view_slot *slot = slot_in(view, (enum section)section, k);
        if (slot->present && !view_slot_in_maint(slot) && !view_slot_in_drain(slot))
            return false;
    }
    return true;
}

static void leave(const struct server *server)
{
    const struct view_slot *any = slot_in(server->input->view, SECTION_ANY, server->k);
    int64_t gone_ms = server->input->now_ms - server->member->leaving_ms;
    char text[STEP_SAY_SIZE];
    char words[128];

    if (any->op_state == SERVER_STOPPED || view_slot_in_maint(any)) {
        free_server(server, "has left; its slot is free");
        return;
    }
    if (is_drained(server->input->view, server->k) && plan_sessions(server->input->view, server->k) == 0) {
        free_server(server, "has left with its last session; its slot is free");
        return;
    }
    if (gone_ms > 0 && gone_ms >= server->input->settings->grace_ms) {
        free_server(server, "has left; its grace is over, what sessions it had are closed, and its slot is free");
        return;
    }
    if (view_slot_in_drain(server->slot) || view_slot_in_maint(server->slot))
        return;
    disable_agent(server);
    snprintf(words, sizeof words, "leaves (%s); no new sessions, its own may end within %" PRId64 " s",
             server->member->presence == PRESENCE_REMOVED ? "its entry was removed" : "its entry expired long ago",
             server->input->settings->grace_ms / 1000);
    say(server, text, sizeof text, words);
    plan_add(server->plan, server->group, text, "set server %s state drain", server->name);
}

static void plan_server(const struct plan_input *input, struct plan *plan, enum section section, size_t k)
{
    struct server server = {
        .input = input,
        .plan = plan,
        .section = section,
        .k = k,
        .group = (size_t)section * SLOTS_MOST + k,
        .slot = slot_in(input->view, section, k),
    };
    const struct assignment *assignment = &plan->slot[k];
    char name[NAME_SIZE];

    if (!server.slot->present)
        return;
    snprintf(server.name, sizeof server.name, "%s/%s", section_name(section), view_slot_name(k, name, sizeof name));
    if (assignment->member >= 0) {
        server.member = &input->roster->member[assignment->member];
        member_title(server.member, server.title, sizeof server.title);
    } else {
        snprintf(server.title, sizeof server.title, "slot %s", name);
    }
    switch (assignment->wanted) {
    case WANT_FREE:
        free_server(&server, "nobody is meant to be there; it is free");
        break;
    case WANT_SERVE:
        serve(&server);
        break;
    case WANT_LEAVE:
        leave(&server);
        break;
    }
}

bool plan_slot_is_admitted(const struct plan *plan, const struct view *view, size_t k)
{
    const struct view_slot *slot = slot_in(view, SECTION_ANY, k);

    return plan->slot[k].wanted == WANT_SERVE && slot->present &&
           ((!view_slot_in_maint(slot) && !view_slot_in_drain(slot)) || view_slot_agent_enabled(slot));
}

void plan_nothing(struct plan *plan)
{
    /* The steps are many bytes and not looked at beyond `count`. */
    plan->count = 0;
    plan->waiting = false;
    plan->confirm = false;
    plan->removals = 0;
    plan->kept = 0;
    plan->unplaced = 0;
    plan->first_unplaced = -1;
    plan->writer = -1;
    plan->propose = -1;
    for (size_t k = 0; k < SLOTS_MOST; k++)
        plan->slot[k] = (struct assignment){.member = -1, .wanted = WANT_FREE};
}

void plan_make(const struct plan_input *input, struct plan *plan)
{
    plan_nothing(plan);
    plan_assign(input, plan);
    plan_choose_writer(input, plan);
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        for (int section = 0; section < SECTION_COUNT; section++)
            plan_server(input, plan, (enum section)section, k);
    }
    plan_writer_steps(input, plan);
}
