/*
 * The facts that a decision rests on: the configuration, this node, what etcd says, what asking the members showed.
 *
 * Plain data, gathered by others at one moment; nothing here does I/O or reads a clock. decide.h explains what the keys
 * mean and who writes them when.
 */
#ifndef GALERA_INIT_SITUATION_H
#define GALERA_INIT_SITUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gvwstate.h"
#include "holding.h"
#include "lineage.h"
#include "position.h"

enum { NODES_MOST = 32, NODE_NAME_SIZE = 65, BOOT_ID_SIZE = 40 };

/* A set of nodes: bit i is nodes[i] of the situation. */
typedef uint32_t nodes_t;

#define NODE_BIT(i) ((nodes_t)1 << (i))

/* --- what is in etcd ---------------------------------------------------------------------------------------------- */

/* position/<node>: what the node, or an operator for it, last said of its server. */
enum record_state {
    RECORD_NONE,     /* no such key */
    RECORD_RUNNING,  /* its server runs, or is about to be started */
    RECORD_IDLE,     /* its server runs without a Primary Component, after it had one */
    RECORD_ATTESTED, /* its server is stopped and stays so until this record is replaced */
    RECORD_LOST,     /* an operator: its server is stopped and nobody is to wait for its data */
};

struct record {
    enum record_state state;
    int64_t revision;        /* mod_revision of the key */
    int64_t epoch;           /* the last epoch that the writer knew to have started */
    char boot[BOOT_ID_SIZE]; /* of the writer */
    enum copy copy;
    enum source source;
    struct position position;
    struct place place; /* generation and seqno of `position`: what copies are ordered by */
    struct place held;  /* the newest place in our history that this node ever recorded */
    bool safe_to_bootstrap;
    struct view view;
    int size; /* how many nodes the writer's configuration expects */
};

enum bootstrap_phase {
    BOOTSTRAP_NONE, /* no such key */
    BOOTSTRAP_CLAIMED,
    BOOTSTRAP_STARTING, /* a server may be Primary without anybody knowing */
    BOOTSTRAP_PRIMARY,
};

enum bootstrap_kind {
    KIND_NEW,      /* one server is started with --wsrep-new-cluster */
    KIND_SURVIVOR, /* the one server that still runs is told pc.bootstrap */
    KIND_REMERGE,  /* all members of `view` start with their gvwstate.dat */
};

/* bootstrap: who may make the cluster Primary, or did. */
struct bootstrap {
    enum bootstrap_phase phase;
    int64_t revision;
    enum bootstrap_kind kind;
    char node[NODE_NAME_SIZE];
    char boot[BOOT_ID_SIZE];
    int64_t epoch;
    struct position base;   /* what it starts from; a nil UUID: an empty directory */
    struct lineage lineage; /* of the cluster from then on */
    struct view view;       /* KIND_REMERGE */
};

/* member/<node>, leased: a galera-init of this name is alive. Good for patience and for words, never for safety. */
enum member_phase {
    MEMBER_NONE, /* no such key: dead, or cut off from etcd */
    MEMBER_PROBING,
    MEMBER_ATTESTED,
    MEMBER_WAITING,
    MEMBER_STARTING,
    MEMBER_JOINING,
    MEMBER_DONOR,
    MEMBER_SYNCED,
    MEMBER_NONPRIMARY,
    MEMBER_LEAVING,
};

struct member {
    enum member_phase phase;
    char boot[BOOT_ID_SIZE];
};

/* --- what asking showed ------------------------------------------------------------------------------------------- */

enum sight {
    SIGHT_NONE, /* no answer: stopped, starting, cut off */
    SIGHT_PRIMARY,
    SIGHT_NON_PRIMARY,
};

/* A server's own answer, not older than this decision. */
struct sighting {
    enum sight sight;
    bool synced;
    bool donor;
    struct uuid uuid;
    struct generation generation; /* lineage_newest() of its history; GENERATION_FORGOTTEN when it does not tell */
    int64_t seqno;
};

/* --- all of it ---------------------------------------------------------------------------------------------------- */

struct node_facts {
    char name[NODE_NAME_SIZE];
    bool cached; /* in the list of peers that we keep beside etcd */
    struct record record;
    struct member member;
    struct sighting sighting;
};

enum server_state {
    SERVER_STOPPED,
    SERVER_STRANGER, /* a server that we did not start uses the data directory */
    SERVER_STARTING, /* ours runs and was not Primary yet: joins, bootstraps or waits for its old view */
    SERVER_PRIMARY,
    SERVER_IDLE, /* ours was Primary and is not any more */
};

enum recovery { RECOVERY_AUTO, RECOVERY_MANUAL };
enum foreign_data { FOREIGN_REFUSE, FOREIGN_DISCARD };

/* This node: its data directory, its state directory, its server. */
struct local {
    struct holding holding; /* of a running server: its position is what it has committed */
    struct view view;       /* of gvwstate.dat; none when there is none or it is useless */
    enum server_state server;
    bool disconnected;  /* Galera has given the server up: it is no member again before it is restarted */
    bool patience_over; /* the server has been waiting for a Primary Component for longer than is reasonable */

    /* Kept in the state directory, on disk before anything that rests on them happens. */
    struct lineage lineage; /* of the history that our copy is, or becomes, a part of */
    int64_t epoch;          /* the last epoch that we knew to have started */
    bool pledged;           /* a record of ours that says "attested" may stand in etcd */
};

struct situation {
    int size; /* `nodes` of the configuration */
    enum recovery recovery;
    enum foreign_data foreign_data;

    struct node_facts nodes[NODES_MOST]; /* by name; all that etcd, the cache or the configuration names, us included */
    size_t count;
    size_t self;             /* index of this node; NODES_MOST: an operator's command on some other host */
    char boot[BOOT_ID_SIZE]; /* new with every start of galera-init, and whenever it has stopped its server */
    struct local local;

    bool etcd_reachable; /* everything below was read in one transaction, member/ and position/ included */
    bool has_uuid;
    struct uuid uuid;
    int64_t uuid_revision;
    struct bootstrap bootstrap;
};

/* The last epoch that started, by everything that is known. What was attested before it counts no more. */
int64_t situation_epoch(const struct situation *situation);

/*
 * Whether the state directory was lost: our copy has a history of which the cluster made generations, and we do not
 * know which of them it has.
 */
bool situation_lineage_is_unknown(const struct situation *situation);

/* Where our own copy stands, in our own lineage. */
struct place situation_place(const struct situation *situation);

/*
 * Our copy as others shall see it: with foreign_data=discard, a copy that is not of the recorded cluster is as good as
 * none; without a lineage of its own it is a doubtful one.
 */
struct holding situation_holding(const struct situation *situation);

/* Whether a copy at this position is part of a history, and of no other than the recorded one. */
bool situation_is_ours(const struct situation *situation, enum copy copy, const struct position *position);

/* Whether etcd knows less than we do: it lost its data, or was set back. */
bool situation_etcd_forgot(const struct situation *situation);

/* The record of this node, as it shall be written now. */
struct record situation_record(const struct situation *situation, enum record_state state);

/* This node's claim of the next epoch, to go on from the copy on record, by the galera-init with this boot id. */
struct bootstrap situation_claim(const struct situation *situation, enum bootstrap_kind kind, const struct record *from,
                                 const char *boot);

/* Whether the record in etcd already says all of `wanted`. */
bool record_says(const struct record *record, const struct record *wanted);

bool node_is_alive(const struct node_facts *node);

/* nodes[i] by name, or NODES_MOST. */
size_t situation_find(const struct situation *situation, const char *name);

#endif
