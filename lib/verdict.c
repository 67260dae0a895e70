#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* wsrep_local_state ("Galera Status Variables", wsrep_local_state). */
enum { STATE_INITIALIZED = 0, STATE_JOINING = 1, STATE_DONOR = 2, STATE_JOINED = 3, STATE_SYNCED = 4 };

const char *reason_word(enum verdict_reason reason)
{
    static const char *const words[REASON_COUNT] = {
        [REASON_SYNCED] = "synced",
        [REASON_DONOR] = "donor",
        [REASON_DESYNCED] = "desynced",
        [REASON_JOINING] = "joining",
        [REASON_JOINED] = "joined",
        [REASON_INITIALIZED] = "initialized",
        [REASON_NON_PRIMARY] = "non-primary",
        [REASON_NOT_READY] = "not-ready",
        [REASON_REJECTING_QUERIES] = "rejecting-queries",
        [REASON_MAINTENANCE] = "maintenance",
        [REASON_READ_ONLY] = "read-only",
        [REASON_NOT_WRITER] = "not-writer",
        [REASON_DISABLED] = "disabled",
        [REASON_DRAINING] = "draining",
        [REASON_STANDALONE] = "standalone",
        [REASON_CANNOT_CONNECT] = "cannot-connect",
        [REASON_ACCESS_DENIED] = "access-denied",
        [REASON_TOO_MANY_CONNECTIONS] = "too-many-connections",
        [REASON_TIMED_OUT] = "timed-out",
        [REASON_CONFIGURATION_ERROR] = "configuration-error",
        [REASON_BAD_REQUEST] = "bad-request",
        [REASON_INTERNAL_ERROR] = "internal-error",
    };
    return words[reason];
}

const char *verdict_state_word(enum verdict_state state)
{
    static const char *const words[] = {[VERDICT_UP] = "up", [VERDICT_DOWN] = "down", [VERDICT_UNKNOWN] = "unknown"};

    return words[state];
}

static struct verdict verdict_of(enum verdict_state state, enum verdict_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct verdict verdict_of(enum verdict_state state, enum verdict_reason reason, const char *format, ...)
{
    struct verdict verdict = {.state = state, .reason = reason};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict.detail, sizeof verdict.detail, format, arguments);
    va_end(arguments);
    return verdict;
}

static const char *or_unset(const char *value)
{
    return value == NULL ? "(unset)" : value;
}

static struct verdict judge_failure(const struct observation *seen)
{
    static const struct {
        enum verdict_reason reason;
        const char *meaning;
    } failures[] = {
        [NODE_ANSWERED] = {REASON_INTERNAL_ERROR, "no failure"},
        [NODE_CANNOT_CONNECT] = {REASON_CANNOT_CONNECT, "the server cannot be reached"},
        [NODE_ACCESS_DENIED] = {REASON_ACCESS_DENIED, "the server runs but refuses the check's account"},
        [NODE_TOO_MANY_CONNECTIONS] = {REASON_TOO_MANY_CONNECTIONS, "the server has no connection left for the check"},
        [NODE_TIMED_OUT] = {REASON_TIMED_OUT, "the server did not answer in time"},
        [NODE_REFUSED] = {REASON_INTERNAL_ERROR, "the server refuses a statement"},
    };

    if (seen->failure == NODE_CANNOT_CONNECT && seen->sst_in_progress)
        return verdict_of(VERDICT_DOWN, REASON_JOINING,
                          "receives a state transfer and takes no connections until it is done");
    return verdict_of(VERDICT_UNKNOWN, failures[seen->failure].reason, "%s: %s", failures[seen->failure].meaning,
                      seen->failure_text == NULL ? "no details" : seen->failure_text);
}

bool sst_method_is_nonblocking(const char *method)
{
    static const char *const nonblocking[] = {"mariabackup", "xtrabackup-v2", "clone"};

    for (size_t i = 0; method != NULL && i < sizeof nonblocking / sizeof nonblocking[0]; i++) {
        if (strcasecmp(method, nonblocking[i]) == 0)
            return true;
    }
    return false;
}

static bool donor_is_available(const struct observation *seen, enum donor_policy policy)
{
    bool nonblocking = sst_method_is_nonblocking(facts_get(seen->facts, "wsrep_sst_method"));

    switch (policy) {
    case DONOR_NEVER:
        return false;
    case DONOR_ALWAYS:
        return true;
    case DONOR_NONBLOCKING:
        return nonblocking;
    case DONOR_LAST:
        return nonblocking || seen->siblings == SIBLINGS_NONE_USABLE;
    }
    return false;
}

/*
 * State 2 has three causes. wsrep_desync is ON only when an admin desynced the node; SHOW cannot tell whether a
 * desynced node also serves a transfer. Nothing tells a transfer from a global lock (FLUSH TABLES WITH READ LOCK,
 * BACKUP STAGE BLOCK_DDL), which desyncs a node of MariaDB too.
 */
static struct verdict judge_donor_or_desynced(const struct observation *seen, const struct policy *policy)
{
    const char *method = or_unset(facts_get(seen->facts, "wsrep_sst_method"));

    if (facts_is(seen->facts, "wsrep_desync", "ON")) {
        if (!policy->desynced)
            return verdict_of(VERDICT_DOWN, REASON_DESYNCED,
                              "desynced by hand; SET GLOBAL wsrep_desync=OFF brings it back");
        return verdict_of(VERDICT_UP, REASON_DESYNCED, "desynced by hand, which the policy allows");
    }
    if (facts_is(seen->facts, "wsrep_sst_donor_rejects_queries", "ON"))
        return verdict_of(VERDICT_DOWN, REASON_REJECTING_QUERIES,
                          "donor of a state transfer, and wsrep_sst_donor_rejects_queries=ON makes it refuse queries");
    if (!donor_is_available(seen, policy->donor))
        return verdict_of(VERDICT_DOWN, REASON_DONOR,
                          "donor of a state transfer, or locked by a backup (wsrep_sst_method=%s)", method);
    return verdict_of(VERDICT_UP, REASON_DONOR,
                      "donor of a state transfer, or locked by a backup (wsrep_sst_method=%s), which the policy allows",
                      method);
}

static bool is_absent_or(const struct facts *facts, const char *name, const char *word)
{
    return facts_get(facts, name) == NULL || facts_is(facts, name, word);
}

/* A joiner says non-Primary until its transfer is done; "cut off" would be the wrong alarm. */
static bool is_cut_off(const struct facts *facts)
{
    return !is_absent_or(facts, "wsrep_cluster_status", "Primary") && !facts_is(facts, "wsrep_local_state", "1");
}

static struct verdict judge_state(const struct observation *seen, const struct policy *policy)
{
    const char *state = facts_get(seen->facts, "wsrep_local_state");

    if (strlen(state) != 1 || state[0] < '0' || state[0] > '9')
        return verdict_of(VERDICT_UNKNOWN, REASON_NOT_READY, "the server reports a wsrep_local_state of '%s'", state);
    switch (state[0] - '0') {
    case STATE_INITIALIZED:
        return verdict_of(VERDICT_DOWN, REASON_INITIALIZED, "started but not part of the cluster yet");
    case STATE_JOINING:
        return verdict_of(VERDICT_DOWN, REASON_JOINING, "receives a state transfer");
    case STATE_DONOR:
        return judge_donor_or_desynced(seen, policy);
    case STATE_JOINED:
        return verdict_of(VERDICT_DOWN, REASON_JOINED, "has its state transfer and catches up with the cluster");
    case STATE_SYNCED:
        return verdict_of(VERDICT_UP, REASON_SYNCED, "synced");
    default:
        return verdict_of(VERDICT_UNKNOWN, REASON_NOT_READY, "the server reports a wsrep_local_state of '%s'", state);
    }
}

/* MariaDB 11.8 has values beside ON and OFF ("NO_LOCK"); every one but OFF refuses writes. */
static bool is_read_only(const struct facts *facts)
{
    return !is_absent_or(facts, "read_only", "OFF") && !facts_is(facts, "read_only", "0");
}

/* A node that is synced, or a donor that may serve, can still refuse queries. */
static struct verdict judge_service(const struct observation *seen, const struct policy *policy, struct verdict fit)
{
    const struct facts *facts = seen->facts;

    if (!is_absent_or(facts, "wsrep_ready", "ON"))
        return verdict_of(VERDICT_DOWN, REASON_NOT_READY, "wsrep_ready is %s: the node refuses queries",
                          facts_get(facts, "wsrep_ready"));
    if (!is_absent_or(facts, "wsrep_reject_queries", "NONE"))
        return verdict_of(VERDICT_DOWN, REASON_REJECTING_QUERIES, "wsrep_reject_queries is %s",
                          facts_get(facts, "wsrep_reject_queries"));
    if (is_read_only(facts) && !policy->readonly)
        return verdict_of(VERDICT_DOWN, REASON_READ_ONLY, "read_only is %s", facts_get(facts, "read_only"));
    return fit;
}

static struct verdict judge_facts(const struct observation *seen, const struct policy *policy)
{
    const struct facts *facts = seen->facts;

    bool no_provider = facts_is(facts, "wsrep_provider", "none");
    /* MariaDB hides the wsrep status variables while wsrep_on is OFF. */
    if (!no_provider && !is_absent_or(facts, "wsrep_on", "ON"))
        return verdict_of(VERDICT_DOWN, REASON_STANDALONE, "wsrep_on is %s: what is written here is not replicated",
                          facts_get(facts, "wsrep_on"));
    if (no_provider || facts_get(facts, "wsrep_local_state") == NULL)
        return verdict_of(VERDICT_DOWN, REASON_STANDALONE,
                          "a server without a Galera provider, not part of a cluster (wsrep_provider=%s)",
                          or_unset(facts_get(facts, "wsrep_provider")));
    if (!is_absent_or(facts, "pxc_maint_mode", "DISABLED"))
        return verdict_of(VERDICT_DOWN, REASON_MAINTENANCE, "pxc_maint_mode is %s", facts_get(facts, "pxc_maint_mode"));
    if (is_cut_off(facts))
        return verdict_of(VERDICT_DOWN, REASON_NON_PRIMARY,
                          "wsrep_cluster_status is %s: cut off from the Primary Component",
                          facts_get(facts, "wsrep_cluster_status"));

    struct verdict verdict = judge_state(seen, policy);
    return verdict.state == VERDICT_UP ? judge_service(seen, policy, verdict) : verdict;
}

struct verdict verdict_decide(const struct observation *observation, const struct policy *policy)
{
    if (observation->disabled)
        return verdict_of(VERDICT_DOWN, REASON_DISABLED, "taken out of service by an admin's file");
    if (observation->draining)
        return verdict_of(VERDICT_DOWN, REASON_DRAINING,
                          "drained by an admin's file: no new sessions, old ones may end");
    if (observation->failure != NODE_ANSWERED)
        return judge_failure(observation);
    return judge_facts(observation, policy);
}

struct verdict verdict_writer(const struct observation *observation, struct verdict usable)
{
    if (usable.state != VERDICT_UP || observation->siblings == SIBLINGS_NONE_USABLE ||
        facts_is(observation->facts, "wsrep_local_index", "0"))
        return usable;
    return verdict_of(VERDICT_DOWN, REASON_NOT_WRITER,
                      "usable, but a node with a lower wsrep_local_index than %s is preferred for writing",
                      or_unset(facts_get(observation->facts, "wsrep_local_index")));
}

struct verdict verdict_live(const struct observation *observation)
{
    switch (observation->failure) {
    case NODE_ANSWERED:
        return verdict_of(VERDICT_UP, REASON_SYNCED, "the server answers");
    case NODE_ACCESS_DENIED:
        return verdict_of(VERDICT_UP, REASON_ACCESS_DENIED,
                          "the server answers, though it refuses the check's account");
    case NODE_TOO_MANY_CONNECTIONS:
        return verdict_of(VERDICT_UP, REASON_TOO_MANY_CONNECTIONS, "the server answers that it has no connection left");
    case NODE_CANNOT_CONNECT:
    case NODE_TIMED_OUT:
    case NODE_REFUSED:
        break;
    }
    if (observation->failure == NODE_CANNOT_CONNECT && observation->sst_in_progress)
        return verdict_of(VERDICT_UP, REASON_JOINING, "receives a state transfer");
    return judge_failure(observation);
}
