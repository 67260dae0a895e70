/*
 * What the data directory holds, and how far it may be trusted: the judgement over grastate.dat, --wsrep-recover and
 * the marks of an interrupted state transfer.
 */
#ifndef GALERA_INIT_HOLDING_H
#define GALERA_INIT_HOLDING_H

#include "grastate.h"
#include "position.h"
#include "recover.h"

/* In the order of what may be done with it. */
enum copy {
    COPY_EMPTY,    /* nothing, or what mariadb-install-db put there for us */
    COPY_PLAIN,    /* a database that was never part of a cluster */
    COPY_BROKEN,   /* interrupted state transfer, inconsistency, no position: never a candidate, joins */
    COPY_DOUBTFUL, /* a position that only InnoDB vouches for: never the first choice */
    COPY_TRUSTED,
};

enum source { SOURCE_NONE, SOURCE_GRASTATE, SOURCE_RECOVER };

/* What is wrong with a copy, for the words that name file and remedy. */
enum flaw {
    FLAW_NONE,
    FLAW_TRANSFER,     /* killed during a state transfer */
    FLAW_INCONSISTENT, /* grastate.dat has a nil UUID */
    FLAW_SCHEMA,       /* the same, of a copy that was sound: a schema change was under way */
    FLAW_GRASTATE_MISSING,
    FLAW_GRASTATE_CORRUPT,
    FLAW_PREPARED,    /* prepared transactions had to be decided heuristically */
    FLAW_DISAGREE,    /* grastate.dat and InnoDB tell different positions */
    FLAW_NO_POSITION, /* --wsrep-recover named none */
    FLAW_NO_LINEAGE,  /* the state directory was lost (situation.h) */
};

struct holding {
    enum copy copy;
    enum source source;
    enum flaw flaw;
    struct position position; /* none for EMPTY, PLAIN and BROKEN */
    bool safe_to_bootstrap;   /* only of a copy that was closed cleanly */
};

struct holding_signs {
    bool has_data;      /* more than mariadb-install-db left for us */
    bool transfer_mark; /* sst_in_progress or the mark that an SST script leaves */
    /*
     * Our server was Primary with this copy, and did not find it inconsistent since. Galera writes a nil UUID also for
     * as long as it applies a schema change (mark_unsafe() in galera/src/replicator_smm.cpp), so after a kill that
     * UUID alone does not say that the copy is spoilt: after a power cut all nodes may have it.
     */
    bool served;
    struct grastate grastate;
    struct recovered recovered; /* need not be run when grastate.dat has a seqno of 0 or more */
};

struct holding holding_judge(const struct holding_signs *signs);

/* Whether a server must be asked with --wsrep-recover before the copy can be judged. */
bool holding_needs_recover(const struct holding_signs *signs);

/* "empty", "plain", "broken", "doubtful", "trusted": the words in etcd and in `galera-init plan`. */
const char *copy_word(enum copy copy);
const char *source_word(enum source source);

/* The file and the remedy, or "". */
const char *flaw_text(enum flaw flaw);

#endif
