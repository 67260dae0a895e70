/*
 * A model of three nodes, one etcd and Galera, in which every node does what decide() says.
 *
 * The states are small and without padding, so that they can be hashed and compared as bytes. A step is one thing that
 * happens to one node: it reads and decides, its transaction reaches etcd, its server starts, is taken into a view,
 * commits, dies. Between a node's reading and its transaction, and between that and the start of its server, anything
 * else may happen: a process that is paused for an hour is a process whose next step comes late.
 *
 * What is taken to be so, of Galera: model_galera.c. What is not modelled: a galera-init that dies and leaves its
 * server running (its next start finds a stranger and stops it), weights, garbd, doubtful copies (the tables of
 * test_decide.c have them).
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide.h"

enum { NODES = 3, HISTORY_MOST = 5, GENERATIONS_MOST = 6, EPOCHS_MOST = 6, EPOCHS_MOST_SETTLING = 14 };

struct m_lineage {
    uint8_t entry[GENERATIONS_MOST]; /* number and base + 1, four bits each; 0: none */
    uint8_t mark[GENERATIONS_MOST];  /* the node that bootstrapped, one more than its index */
};

/* position/<node>, bootstrap: the fields of the real ones that vary. */
struct m_record {
    uint8_t state, epoch, copy, safe, clean, uuid;
    uint8_t boot;  /* 1: of the node's present boot */
    uint8_t seqno; /* one more than it is, here and below, so that "unknown" is 0 */
    uint8_t generation, mark, held_seqno, held_generation;
    uint8_t view, members;
};

struct m_bootstrap {
    uint8_t phase, kind, epoch, boot;
    uint8_t node; /* one more than its index */
    uint8_t uuid, seqno;
    uint8_t view, members;
    struct m_lineage lineage;
};

/* What a node has decided and not done yet. */
enum pending {
    PENDING_NONE,
    PENDING_WRITE, /* a transaction, and nothing after it */
    PENDING_NEW,   /* a transaction, and then a start; with PENDING_GO: the start */
    PENDING_JOIN,
    PENDING_REMERGE,
    PENDING_PC,
    PENDING_STOP,  /* our own server */
    PENDING_LEAVE, /* the record of a clean stop, and then the end of the process */
    PENDING_COUNT,
    PENDING_GO = 16, /* flag: the transaction is done */
};

/* A history is the ids of its transactions; all that were acknowledged are 1..commits. */
struct m_history {
    uint8_t length;
    uint8_t id[HISTORY_MOST];
};

struct m_node {
    /* on disk */
    uint8_t copy, uuid;
    struct m_history data;
    uint8_t clean, safe;   /* grastate.dat */
    uint8_t view, members; /* gvwstate.dat */
    struct m_lineage lineage;
    uint8_t epoch, pledged;

    /* the process */
    uint8_t alive;
    uint8_t pending, compare, write, discard, drop_view;
    uint8_t stale; /* keys written since it read: a bit for each position, then bootstrap, then uuid */
    struct m_bootstrap claim;
    struct m_record own;

    /* the server */
    uint8_t on;
    uint8_t open;               /* answers SQL: was a synced member of a Primary Component */
    uint8_t primary;            /* believes so */
    uint8_t complete;           /* has the state of its group */
    uint8_t restored;           /* came with its gvwstate.dat and was not Primary yet */
    uint8_t group;              /* the members of its view */
    uint8_t last, last_members; /* its last Primary view */
    struct m_history memory;    /* what it has received; `data` is what it has on disk */
};

enum { STALE_BOOTSTRAP = 1 << NODES, STALE_UUID = 2 << NODES };

enum budget {
    BUDGET_CRASH,
    BUDGET_STOP, /* clean stops */
    BUDGET_COMMIT,
    BUDGET_NET,       /* changes of the network */
    BUDGET_CUT,       /* cuts of a node from etcd */
    BUDGET_WIPE,      /* losses of all of etcd's data */
    BUDGET_LOST,      /* attest-lost, of a node whose process is dead */
    BUDGET_DISK,      /* losses of a node's disks, state directory included */
    BUDGET_PATIENCE,  /* servers that are stopped because no Primary Component came about */
    BUDGET_UNCERTAIN, /* transactions that are done though the node thinks they were not */
    BUDGET_COUNT
};

struct state {
    struct m_node node[NODES];
    struct m_record position[NODES];
    uint8_t order[NODES]; /* of the revisions of position/; kept only while a record says lost */
    struct m_bootstrap bootstrap;
    uint8_t uuid;  /* the key; 0: none */
    uint8_t uuids; /* histories that were begun */
    uint8_t net;   /* enum below */
    uint8_t cut;   /* nodes that etcd cannot be reached from */
    uint8_t commits;
    uint8_t excused;       /* acknowledged transactions (bit id - 1) that an operator gave up */
    uint8_t excused_uuids; /* and whole histories (bit uuid - 1), when nobody had any data but a lost node */
    uint8_t left[BUDGET_COUNT];
};

enum net { NET_WHOLE, NET_1_ALONE, NET_2_ALONE, NET_3_ALONE, NET_ALL_ALONE, NET_COUNT };

/* One rule that the model breaks, to show that it would notice: in the facts that decide() gets, or in carrying out
 * what it says. */
enum weakness {
    WEAK_NONE,
    WEAK_FORGETS_A_NODE,            /* the third node's record is not looked at */
    WEAK_LEASE_ATTESTS,             /* a node without a lease counts as stopped where it was */
    WEAK_CLAIM_COMPARES_LITTLE,     /* the claim compares bootstrap alone */
    WEAK_START_UNANNOUNCED,         /* a join does not replace the record */
    WEAK_SEQNO_ONLY,                /* generations are not looked at */
    WEAK_NOTE_IGNORED,              /* without etcd, a node that has pledged to stay stopped joins all the same */
    WEAK_MEMBER_GENERATION_IGNORED, /* without etcd, any Primary member will do */
    WEAK_LOST_ANY_TIME,             /* an operator's word counts whenever it was given */
    WEAK_CLAIM_NOT_COMPARED,        /* the start of a claim does not compare bootstrap */
    WEAK_VIEW_KEPT,                 /* gvwstate.dat is never removed */
    WEAK_FORK_IGNORED,              /* a copy that was left behind joins from its position */
    WEAK_LOST_BY_HOLDER,            /* a claim that started is given up when its holder's lease is gone */
    WEAK_LINEAGE_BEFORE_BLANK, /* a copy that is left behind gets the lineage first, and is made useless only then */
    WEAK_NUMBER_IS_NAME,       /* two generations of one number are taken to be the same */
    WEAK_COUNT
};

enum leases { LEASES_TRUE, LEASES_ALL_GONE };

struct model {
    enum weakness weakness;
    enum leases leases;
    bool settling; /* nothing is limited any more */
};

extern struct model model;

/* --- model_glue.c: between the real structures and the model's -----------------------------------------------------
 */

/* What node i knows when it reads now. */
void glue_situation(const struct state *state, size_t i, bool patience_over, struct situation *situation);

/* What an operator's command knows. */
void glue_operator(const struct state *state, struct situation *situation);

struct m_record glue_record(const struct situation *situation, const struct record *record);
struct m_bootstrap glue_bootstrap(const struct situation *situation, const struct bootstrap *bootstrap);
bool lineage_fits(const struct lineage *lineage);

/* --- model_galera.c: the servers ------------------------------------------------------------------------------------
 */

bool connected(const struct state *state, size_t i, size_t k);
void server_start(struct state *state, size_t i, enum pending how, const char **violation);
void server_end(struct state *state, size_t i, bool cleanly);
void server_pc_bootstrap(struct state *state, size_t i, const char **violation);

/*
 * May the cluster go on from this copy? What was acknowledged must be in it, unless it is nowhere else; with `excuse`,
 * which is for the moment of the claim, or nowhere but on nodes that an operator gave up, and is forgiven from then on.
 */
const char *judge_base(struct state *state, size_t i, bool excuse);

/* False when there is nothing to do. */
bool server_form_view(struct state *state, size_t i, const char **violation);
bool server_transfer(struct state *state, size_t i, const char **violation);
bool server_commit(struct state *state, size_t i);
bool server_apply(struct state *state, size_t i);

/* Every member of the node's view is there and of the same mind: it can commit. */
bool is_effective(const struct state *state, size_t i);
bool history_has(const struct m_history *history, uint8_t id);
bool history_begins(const struct m_history *history, const struct m_history *with);

/* --- model_steps.c ---------------------------------------------------------------------------------------------------
 */

enum step {
    STEP_READ,
    STEP_LOSE_PATIENCE,
    STEP_ACT,
    STEP_ACT_UNKNOWING, /* the transaction is carried out, and its answer is lost */
    STEP_FORM_VIEW,
    STEP_TRANSFER,
    STEP_COMMIT,
    STEP_APPLY,
    STEP_RESTART,
    STEP_HEAL_ETCD,
    STEP_FAULTS, /* from here on */
    STEP_CRASH = STEP_FAULTS,
    STEP_STOP,
    STEP_NET,
    STEP_CUT_ETCD,
    STEP_WIPE_ETCD,
    STEP_ATTEST_LOST,
    STEP_LOSE_DISK,
    STEP_COUNT
};

/* Does the step in place; false when it is not possible or changes nothing. `violation` is set when it breaks an
 * invariant. */
bool step_do(struct state *state, enum step step, size_t i, const char **violation);
const char *step_text(const struct state *before, enum step step, size_t i, char *text, size_t size);

/* NULL, or the invariant that does not hold in the state. */
const char *state_violation(const struct state *state);

/* Renumbers views and forgets what can make no difference any more, so that like states are the same bytes. */
void state_normalize(struct state *state);

/* --- model_explore.c -------------------------------------------------------------------------------------------------
 */

struct exploration {
    size_t states, steps, settled;
    unsigned deepest;
    bool complete; /* all reachable states were seen */
    double seconds;
    const char *violation;
    char *trace; /* of the violation; the caller frees it */
};

/*
 * All states that can be reached from `initial`, breadth first, up to `most` of them, until an invariant is broken. Of
 * one state in `settle_every` (0: none) it is also seen what it comes to when nothing goes wrong any more.
 */
struct exploration explore(const struct state *initial, size_t most, size_t settle_every);

/* --- model_walk.c ----------------------------------------------------------------------------------------------------
 */

/* `walks` random histories of `length` steps, each of them settled at its end. A trace is shortened as far as it goes.
 */
struct exploration walk_randomly(const struct state *initial, size_t walks, size_t length, uint64_t seed);

/*
 * What a state comes to without further faults, its network healed, with the dead nodes restarted or not. NULL, or what
 * is wrong with the end: neither one Primary Component of all nodes that are alive, nor a reason that names whom
 * everybody waits for.
 */
const char *settle(struct state *state, bool restart_dead);

#endif
