/*
 * A running galera-init: what it has open, what it knows, what it is at. One turn of its loop (supervise.c) looks
 * (look.c), decides (decide.h), says so (tell.c) and does it (carry.c, process.c).
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "backoff.h"
#include "child.h"
#include "datadir.h"
#include "keeper.h"
#include "keys.h"
#include "local.h"
#include "members.h"
#include "server.h"
#include "settings.h"
#include "statefile.h"

/* Our server's process, and what it has been through. Times are those of monotonic_ns(). */
struct process {
    struct child child; /* pid 0: stopped */
    pid_t stranger;     /* a server that we did not start uses the data directory; 0: none */
    bool was_primary;   /* since it was started */
    bool joins;         /* it was started to join, and not to bootstrap or to re-merge */
    int64_t started_ns;
    int64_t idle_ns;         /* when it lost its Primary Component; 0: it has one, or never had */
    int64_t disconnected_ns; /* since when it answers that it is no member of anything; 0: it does not */
    bool ended;              /* by itself; `status` says how */
    int status;
    struct facts facts; /* its last answer */
    bool answers;       /* the last question was answered */
};

/* What was last said about waiting, so that it is repeated at growing intervals and not at every look. */
struct telling {
    char text[1024];
    enum action action;
    enum cause cause;
    bool began;
    int64_t next_ns;
    int64_t interval_ms;
    char status[256]; /* systemd's */
    bool ready;
    int64_t extended_ns;
    int64_t watchdog_ns;
    bool etcd_failed;
    char refused[NODES_MOST]; /* members whose servers refuse our account were named */
    char transfer[256];
    int64_t log_offset; /* of the server's error log when it was started */
};

/* What one turn of the loop leaves to the next. */
struct turning {
    int again;                        /* so often at once */
    char complained[ERROR_TEXT_SIZE]; /* the trouble that was said last */
    struct backoff blind;             /* while the facts cannot be gathered */
    int64_t seqno_told_ns;
};

struct init {
    const struct settings *settings;
    struct server_command command;
    struct server_info info;
    char prefix[SETTINGS_PREFIX_SIZE];
    struct node_card card; /* of this node */
    int signal_fd;
    int stop_fd; /* readable when we are to stop; never read, so that it ends every wait for a child */

    struct etcd *etcd;
    struct keeper *keeper;
    struct statefile file;
    struct state state;
    bool state_is_saved; /* it is on disk as it is here, but for what may be lost */
    struct local_server local;

    char boot[BOOT_ID_SIZE];
    struct process process;
    bool disk_known; /* `holding` and `view` are of the stopped server's data directory as it is */
    struct holding holding;
    struct gvwstate view;

    struct situation situation;
    struct keys keys;
    struct decision decision;
    struct telling telling;
    struct turning turning;

    char *const *self; /* our own command line up to the operands, for the process that loads the database */
    int self_count;
    pid_t loader; /* 0: none runs */
    bool load_over;
    int64_t load_after_ns;
    int64_t load_complete_ns; /* since when the cluster has had its size; 0: it has not */
    struct backoff load_backoff;

    bool stopping; /* a signal has come */
    bool leaving;  /* member/ says so */
};

/* --- look.c ------------------------------------------------------------------------------------------------------- */

/* A boot id that no other galera-init has; it changes whenever our server was stopped. */
void init_new_boot(struct init *init);

/*
 * Gathers the facts: the server, the data directory when it is stopped, etcd, the members where their answers matter.
 * False with the error set when they are not good enough to decide upon: the data directory cannot be read, a key in
 * etcd makes no sense, the state directory is full.
 */
bool look(struct init *init, struct error *error);

/* Our own server alone, if it runs. */
void look_at_server(struct init *init);

/* However many endpoints hang: signals and the server wait for a turn that asks etcd. */
enum { ETCD_MOST_MS = 10000 };

/* etcd alone, by this deadline. */
void look_at_etcd(struct init *init, struct deadline deadline);

/* The data directory of a server that is stopped: made if need be, read, judged. */
bool look_at_disk(struct init *init, struct error *error);

/* What is known of this node without etcd goes into the situation. */
void look_at_self(struct init *init);

/* Nodes that only the state directory knows, and this one. */
void look_begin(struct situation *situation, const struct settings *settings, const struct state *state);

/* Asks the servers of all nodes in the situation but `self` whose address is known. */
void look_at_members(const struct settings *settings, struct situation *situation, const struct keys *keys,
                     const struct state *state, struct member_question question[NODES_MOST]);

/* Fills in where the server is asked: the host of the address, and its port for clients. */
void card_complete(struct node_card *card, int64_t port);

/* What others shall see of us in member/. */
enum member_phase init_phase(const struct init *init);

/* --- remember.c --------------------------------------------------------------------------------------------------- */

/* On disk before anything rests on it: the epoch, whom we have seen, that our server has been Primary. */
bool remember(struct init *init, struct error *error);

/* Saves the state as it is. What could not be saved goes with the next attempt. */
bool remember_now(struct init *init, struct error *error);

/* Notes on disk that our server stays stopped (decide.h, rule 2); nothing may be attested unless it returns true. */
bool remember_pledge(struct init *init, struct error *error);

/* What is remembered of a node; NULL: nothing. */
const struct state_peer *remembered_peer(const struct state *state, const char *name);

/* --- carry.c ------------------------------------------------------------------------------------------------------ */

enum carried {
    CARRIED,       /* done, or nothing was to be done */
    CARRY_AGAIN,   /* look and decide again at once: something has changed */
    CARRY_LATER,   /* it failed: the error says why; look and decide again after a while */
    CARRY_REFUSED, /* ends the program */
};

/* Does what was decided. */
enum carried carry(struct init *init, struct error *error);

/* After our server has stopped cleanly: records that, if etcd can be reached by the deadline. */
void carry_leave(struct init *init, struct deadline deadline);

/* --- process.c ---------------------------------------------------------------------------------------------------- */

bool process_start(struct init *init, const struct server_start *start, struct error *error);

enum urgency { STOP_CLEANLY, STOP_AT_ONCE };

/*
 * Stops our server, or the stranger. A donor or a joiner may end its transfer first, and clients their sessions; all
 * within stop_timeout, then it is killed, which is said. Returns its status as of waitpid(2).
 */
int process_stop(struct init *init, enum urgency urgency);

/* Removes the drain file that a galera-init which was killed has left behind: this node would get no traffic. */
void process_undrain(const struct init *init);

/* Collects children that have ended. */
void process_reap(struct init *init);

/* --- load.c ------------------------------------------------------------------------------------------------------- */

/* Starts the loading of the database in a process of its own, when it is due and this node is the one to try. */
void load_when_due(struct init *init);

/* That process has ended. */
void load_ended(struct init *init, int status);

/* Ends it, if it runs. */
void load_stop(struct init *init);

/* --- tell.c ------------------------------------------------------------------------------------------------------- */

/* The decision, when it is another one, and again from time to time while it is to wait. */
void tell_decision(struct init *init);

/* systemd: ready, status, more time. */
void tell_systemd(struct init *init);

/* Why the server has ended, from its error log. */
void tell_end(struct init *init);

/* How far a state transfer has come. */
void tell_transfer(struct init *init);

/* A sign of life for systemd, and more time while we start or stop; `context` is the struct init. */
void tell_alive(void *context);

/* --- supervise.c -------------------------------------------------------------------------------------------------- */

/* The whole life of a node. Returns the exit code; the error is set when it is galera-init's own. */
int supervise(const struct settings *settings, const struct server_command *command, char **self_arguments,
              int self_count, struct error *error);

#endif
