/*
 * The decision: what to tell HAProxy so that it has the nodes of the registry. Pure: the roster, HAProxy's view, the
 * writer and the time in; what every slot is for, and a list of commands, out. Asked again after the commands, it goes
 * on from what HAProxy says then; nothing is remembered but what the roster holds, so a restart of either side, a
 * command that failed or a hand that meddled need no case of their own.
 *
 * How a node comes in: its slot is in maintenance; address, check port and health checks are set; then `drain`, in
 * which HAProxy checks it but sends nobody. Leaving maintenance makes a server UP at once, with its health at `rise`; a
 * passed check lifts it above that (view_slot_passed). Only then `ready`.
 *
 * How one leaves: `drain`, the sessions may end within `grace`, then maintenance, which cuts the rest, and the slot's
 * address becomes one that leads nowhere. Servers are never added or deleted: HAProxy 2.6's `del server` may crash it.
 */
#ifndef HAPROXY_PLAN_H
#define HAPROXY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roster.h"
#include "settings.h"
#include "view.h"

/* Of slots that are free: no host has it, so connecting fails at once and nothing is sent. */
#define FREE_ADDRESS "255.255.255.255"
enum { FREE_PORT = 1 };

enum { PLAN_STEPS_MOST = 512, STEP_COMMAND_SIZE = 192, STEP_SAY_SIZE = 256 };

enum wanted {
    WANT_FREE,
    WANT_SERVE, /* with the node of the slot, as soon as it has passed a check */
    WANT_LEAVE, /* no new sessions; free when those that are there have ended, or after `grace` */
};

/* "free", "serve", "leave" */
const char *wanted_word(enum wanted wanted);

struct assignment {
    long member; /* in the roster; -1: none */
    enum wanted wanted;
    bool held; /* behind the writer it would be out of order: it waits in drain there */
};

struct step {
    char command[STEP_COMMAND_SIZE];
    char say[STEP_SAY_SIZE]; /* for the log once it is done; "" when there is nothing to say */
    size_t group;            /* when a step fails, those after it with the same group are not done */
};

/* Who the writer is, as far as is known. */
struct writer_memory {
    bool known;
    char ip[REGISTRY_IP_SIZE];
    uint16_t port;
    int64_t moved_ms; /* when the role came to it; INT64_MIN: long ago */
    bool seated;      /* this HAProxy has led to it since then: if it leads elsewhere now, it has lost it */
};

struct plan_input {
    const struct settings *settings;
    struct roster *roster; /* leaving_ms of its members is kept up to date */
    const struct view *view;
    struct writer_memory writer;
    bool confirmed; /* the registry has just been read again for the sake of the removals */
    int64_t now_ms;
};

struct plan {
    struct assignment slot[SLOTS_MOST];
    struct step step[PLAN_STEPS_MOST];
    size_t count;
    bool waiting;    /* for a check: look again soon */
    bool confirm;    /* more removals than max_removals: none is done before the registry was read again */
    size_t removals; /* that were asked for anew */
    size_t kept;     /* nodes that stay because fewer than min_servers would be left */
    size_t unplaced; /* listed nodes for which there is no slot */
    long first_unplaced;
    long writer;  /* slot of the writer; -1: none, or HAProxy has moved on by itself and that stands */
    long propose; /* member that should be the writer from now on; -1: nobody new */
};

/*
 * Brings the roster in line with HAProxy before a plan: servers that nobody listed are adopted, members that are
 * neither listed nor in a slot are dropped. Those that were removed are remembered as such, without a slot: a HAProxy
 * that starts from an older file brings them back, and then they leave again.
 */
void plan_tidy(struct roster *roster, const struct view *view, int64_t now_ms);

/* The plan of somebody who knows nothing: no slot is for anybody, and nothing is to be done. */
void plan_nothing(struct plan *plan);

void plan_make(const struct plan_input *input, struct plan *plan);

/* HAProxy leads to this writer. */
bool plan_is_led_to(const struct view *view, const struct writer_memory *writer);

/* The slot's server in this section takes part, or has done so: it goes into the file that HAProxy starts from. */
bool plan_slot_is_admitted(const struct plan *plan, const struct view *view, size_t k);

#endif
