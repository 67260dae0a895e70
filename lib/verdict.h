/*
 * The verdict: may this node take traffic, and why. Pure: no clock, no files, no server; everything
 * it depends on is in an `observation` and a `policy`, and tests/unit/test_verdict.c has the table of cases.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>

#include "facts.h"
#include "node.h"

enum verdict_state {
    VERDICT_UP,
    VERDICT_DOWN,    /* the server, or an admin's file, says no */
    VERDICT_UNKNOWN, /* the server could not be asked */
};

enum verdict_reason {
    REASON_SYNCED,
    REASON_DONOR,    /* serves a state transfer */
    REASON_DESYNCED, /* wsrep_desync=ON by hand */
    REASON_JOINING,  /* receives a state transfer */
    REASON_JOINED,   /* has its state, catches up */
    REASON_INITIALIZED,
    REASON_NON_PRIMARY,
    REASON_NOT_READY,
    REASON_REJECTING_QUERIES,
    REASON_MAINTENANCE, /* pxc_maint_mode */
    REASON_READ_ONLY,
    REASON_NOT_WRITER, /* usable, but another node is preferred for writing */
    REASON_DISABLED,   /* by file */
    REASON_DRAINING,   /* by file */
    REASON_STANDALONE,
    REASON_CANNOT_CONNECT,
    REASON_ACCESS_DENIED,
    REASON_TOO_MANY_CONNECTIONS,
    REASON_TIMED_OUT,
    REASON_CONFIGURATION_ERROR,
    REASON_BAD_REQUEST,
    REASON_INTERNAL_ERROR,
    REASON_COUNT
};

/* When a donor of a state transfer may take traffic. */
enum donor_policy {
    DONOR_NEVER,
    DONOR_ALWAYS,
    DONOR_NONBLOCKING, /* while the transfer method does not block the donor */
    DONOR_LAST,        /* additionally when no other server of the backend is usable */
};

struct policy {
    enum donor_policy donor;
    bool readonly; /* available when read_only */
    bool desynced; /* available when desynced by hand */
};

/* What the load balancer said of the other servers of its backend (X-Haproxy-Server-State). */
enum siblings { SIBLINGS_NOT_TOLD, SIBLINGS_NONE_USABLE, SIBLINGS_USABLE };

struct observation {
    enum node_failure failure;
    const char *failure_text;  /* NULL when there was no failure */
    const struct facts *facts; /* valid when failure is NODE_ANSWERED */
    bool disabled;             /* the disable file exists */
    bool draining;             /* the drain file exists */
    bool sst_in_progress;      /* the data directory has a running transfer's mark */
    enum siblings siblings;
};

enum { VERDICT_DETAIL_SIZE = 256 };

struct verdict {
    enum verdict_state state;
    enum verdict_reason reason;
    char detail[VERDICT_DETAIL_SIZE]; /* one line in words, what it means; text from the server is not escaped */
};

/* May the node take traffic? */
struct verdict verdict_decide(const struct observation *observation, const struct policy *policy);

/* Is the server alive: does it answer, or does it receive a state transfer (when it cannot)? */
struct verdict verdict_live(const struct observation *observation);

/*
 * Should writes go to this node? A usable node is the writer when its wsrep_local_index is 0, or when the load balancer
 * says that no other server is usable. A node alone cannot know more: whether the node with the index 0 is usable, for
 * example. `usable` is verdict_decide's answer with a policy that refuses read-only nodes.
 */
struct verdict verdict_writer(const struct observation *observation, struct verdict usable);

/* The word for machines, as in X-Galera-Reason: "synced", "non-primary". */
const char *reason_word(enum verdict_reason reason);

/* "up", "down" or "unknown". */
const char *verdict_state_word(enum verdict_state state);

/* True when a donor that uses this wsrep_sst_method goes on serving queries; NULL is false. */
bool sst_method_is_nonblocking(const char *method);

#endif
