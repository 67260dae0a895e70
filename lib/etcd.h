/*
 * etcd: ranges, transactions, leases and watches of v3 over its JSON gateway, and what the suite needs of v2.
 *
 * Every call takes a deadline and asks one endpoint after the other within it; an endpoint that answered is kept for
 * the next call. Reads are linearizable: a member that is cut off from the others gives no answer rather than an old
 * one. A token that has expired is renewed on the way.
 *
 * Sources: etcd documentation "gRPC gateway", "API reference" (rpc.proto), "v2 API"; etcd's
 * api/v3rpc/rpctypes/error.go.
 */
#ifndef ETCD_H
#define ETCD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "deadline.h"
#include "error.h"

enum etcd_api { ETCD_AUTO, ETCD_V3, ETCD_V2 };

/* Section [etcd]. Strings may be NULL: not set. */
struct etcd_settings {
    char *endpoints; /* URLs with commas between them */
    int api;         /* enum etcd_api */
    char *user;
    char *password;
    char *password_file;
    char *ca;
    char *cert;
    char *key;
    int64_t timeout_ms; /* for one endpoint to answer one request */
};

extern const struct config_key etcd_keys[];
extern const size_t etcd_key_count;

enum etcd_failure {
    ETCD_OK,
    ETCD_UNREACHABLE, /* no endpoint could do it in time: not there, no leader, no answer */
    ETCD_UNCERTAIN,   /* the same, and a request that must not be repeated may have been carried out */
    ETCD_INTERRUPTED, /* the wake fd became readable; may have been carried out as well */
    ETCD_NOT_FOUND,   /* no such lease, no such key (v2) */
    ETCD_CHANGED,     /* a condition of v2 did not hold */
    ETCD_COMPACTED,   /* the revision is gone */
    ETCD_DENIED,      /* wrong user, password or rights */
    ETCD_NO_SPACE,
    ETCD_REFUSED, /* etcd says that the request is wrong, or its answer makes no sense */
};

/* ETCD_OK, or a word for a log field. */
const char *etcd_failure_word(enum etcd_failure failure);

/* Whether they can be meant: what etcd_open would refuse, but for a password file. Fails with EXIT_CONFIG. */
bool etcd_check(const struct etcd_settings *settings, struct error *error);

struct etcd;

/*
 * `settings` must outlive the client; password_file is read here. Nothing is sent yet. A request is given up when
 * `wake_fd` (a signalfd; -1: none) becomes readable. NULL with the error set (EXIT_CONFIG).
 */
struct etcd *etcd_open(struct etcd_settings *settings, int wake_fd, struct error *error);
void etcd_close(struct etcd *etcd);

/* From here on the wake fd is ignored: for the last requests of a program that stops. */
void etcd_ignore_wake(struct etcd *etcd);

/* Which API the settings and the servers make it: asks /version when that is not known yet. */
enum etcd_failure etcd_find_api(struct etcd *etcd, struct deadline deadline, enum etcd_api *api, struct error *error);

/* The endpoint that answered last. */
const char *etcd_endpoint(const struct etcd *etcd);

/* The next call starts with the next endpoint. */
void etcd_rotate(struct etcd *etcd);

/* How long a request may take when every endpoint gets the timeout of the settings, at most `most_ms`. */
int64_t etcd_patience_ms(const struct etcd *etcd, int64_t most_ms);

/* Our own address on the connection to the endpoint that answered last; "" when nothing did. */
const char *etcd_local_address(const struct etcd *etcd);

/* --- v3: keys ----------------------------------------------------------------------------------------------------- */

struct etcd_kv {
    char *key;   /* without NUL bytes: pairs with one in the key are left out */
    char *value; /* terminated; may have NUL bytes inside */
    size_t value_length;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version;
    int64_t lease; /* 0: none */
};

struct etcd_range {
    struct etcd_kv *kv; /* ordered by key */
    size_t count;
    int64_t revision; /* of the store when it was read: watch from the next one on */
};

/* All keys that begin with `prefix`, or one key. Nothing there is ETCD_OK and a count of 0. Free with etcd_range_free.
 */
enum etcd_failure etcd_get_prefix(struct etcd *etcd, const char *prefix, struct deadline deadline,
                                  struct etcd_range *range, struct error *error);
enum etcd_failure etcd_get(struct etcd *etcd, const char *key, struct deadline deadline, struct etcd_range *range,
                           struct error *error);
void etcd_range_free(struct etcd_range *range);

enum etcd_target { ETCD_TARGET_VERSION, ETCD_TARGET_CREATE, ETCD_TARGET_MOD, ETCD_TARGET_VALUE, ETCD_TARGET_LEASE };
enum etcd_relation { ETCD_EQUAL, ETCD_GREATER, ETCD_LESS, ETCD_NOT_EQUAL };

/* A key that does not exist has the version, revisions and lease 0, and no value that compares. */
struct etcd_compare {
    const char *key;
    bool prefix; /* holds for every key that begins with `key`; true when there is none (etcd 3.3 and later) */
    enum etcd_target target;
    enum etcd_relation relation;
    int64_t number;    /* for all targets but the value */
    const char *value; /* for the value */
};

enum etcd_verb { ETCD_PUT, ETCD_GET, ETCD_DELETE };

struct etcd_op {
    enum etcd_verb verb;
    const char *key;
    bool prefix;       /* ETCD_GET, ETCD_DELETE: every key that begins with `key` */
    const char *value; /* ETCD_PUT */
    int64_t lease;     /* ETCD_PUT; 0: none */
};

enum { ETCD_OPS_MOST = 128 };

/* If all compares hold `success` is done, else `failure`; at most ETCD_OPS_MOST of each. */
struct etcd_txn {
    const struct etcd_compare *compare;
    size_t compare_count;
    const struct etcd_op *success;
    size_t success_count;
    const struct etcd_op *failure;
    size_t failure_count;
    /*
     * Doing it twice does no harm and its answer can still be understood: then it is sent to the next endpoint when one
     * does not answer. Else that is ETCD_UNCERTAIN, and the caller reads what became of it.
     */
    bool repeatable;
};

struct etcd_op_result {
    enum etcd_verb verb;
    struct etcd_range range; /* ETCD_GET */
    int64_t deleted;         /* ETCD_DELETE */
};

struct etcd_txn_reply {
    bool succeeded;
    int64_t revision;
    struct etcd_op_result *result; /* one for each op that was done, in their order */
    size_t count;
};

/* ETCD_NOT_FOUND: a lease in it does not exist; nothing was done. Free with etcd_txn_reply_free whatever the result. */
enum etcd_failure etcd_commit(struct etcd *etcd, const struct etcd_txn *txn, struct deadline deadline,
                              struct etcd_txn_reply *reply, struct error *error);
void etcd_txn_reply_free(struct etcd_txn_reply *reply);

/* One key, unconditionally. */
enum etcd_failure etcd_put(struct etcd *etcd, const char *key, const char *value, int64_t lease,
                           struct deadline deadline, struct error *error);

/* One key, or every key that begins with it. */
enum etcd_failure etcd_delete(struct etcd *etcd, const char *key, bool prefix, struct deadline deadline,
                              int64_t *deleted, struct error *error);

/* --- v3: leases --------------------------------------------------------------------------------------------------- */

/* The server may raise the TTL (seconds). */
enum etcd_failure etcd_lease_grant(struct etcd *etcd, int64_t ttl, struct deadline deadline, int64_t *lease,
                                   int64_t *granted, struct error *error);

/* ETCD_NOT_FOUND: the lease has expired or was revoked. */
enum etcd_failure etcd_lease_keep(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *ttl,
                                  struct error *error);
enum etcd_failure etcd_lease_revoke(struct etcd *etcd, int64_t lease, struct deadline deadline, struct error *error);

/* Seconds that are left; ETCD_NOT_FOUND as above. */
enum etcd_failure etcd_lease_left(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *left,
                                  struct error *error);

/* --- v3: watch ---------------------------------------------------------------------------------------------------- */

struct etcd_watch;

/* Changes of all keys that begin with `prefix` since `revision`, through the endpoint that answered last. */
struct etcd_watch *etcd_watch_open(struct etcd *etcd, const char *prefix, int64_t revision, struct deadline deadline,
                                   struct error *error);
void etcd_watch_close(struct etcd_watch *watch);

/* Waits for news, for one of `fds` (revents is filled in) or for the deadline. `watch` may be NULL. */
void etcd_watch_wait(struct etcd_watch *watch, struct pollfd *fds, size_t count, struct deadline deadline);

struct etcd_event {
    bool deleted;
    struct etcd_kv kv; /* of a deleted key: key and mod_revision */
};

struct etcd_events {
    struct etcd_event *event;
    size_t count;
    int64_t revision; /* of the store when they were sent */
};

/*
 * Brings a range up to date with an event, whose pair is moved into it. Events up to `range->revision` are in it
 * already and change nothing. False when memory runs out: then read the range again.
 */
bool etcd_range_apply(struct etcd_range *range, struct etcd_event *event);

enum etcd_news {
    ETCD_NEWS_NONE,    /* wait again */
    ETCD_NEWS_CREATED, /* the server watches now */
    ETCD_NEWS_EVENTS,  /* maybe none: progress */
    ETCD_NEWS_ENDED,   /* with the error set: read the range again, and open another watch */
};

/* What came since the last call. `events` is freed with etcd_events_free whatever the result. */
enum etcd_news etcd_watch_next(struct etcd_watch *watch, struct etcd_events *events, struct error *error);
void etcd_events_free(struct etcd_events *events);

/* --- v2 ----------------------------------------------------------------------------------------------------------- */

/* What must hold for a write. */
enum etcd_condition { ETCD_V2_ALWAYS, ETCD_V2_ABSENT, ETCD_V2_PRESENT };

struct etcd_v2_put {
    const char *key;   /* "/components/galera/db1" */
    const char *value; /* NULL: a directory */
    int64_t ttl;       /* seconds; 0: none */
    enum etcd_condition condition;
};

/* ETCD_CHANGED: the key is there, or is not, against the condition; ETCD_NOT_FOUND likewise. */
enum etcd_failure etcd_v2_put(struct etcd *etcd, const struct etcd_v2_put *put, struct deadline deadline,
                              struct error *error);

struct etcd_v2_delete {
    const char *key;
    bool directory;        /* with all that is in it */
    const char *old_value; /* only when this is the value; NULL: always */
};

enum etcd_failure etcd_v2_delete(struct etcd *etcd, const struct etcd_v2_delete *deletion, struct deadline deadline,
                                 struct error *error);

/*
 * All keys below a directory, with createdIndex and modifiedIndex as their revisions; a directory that does not exist
 * is empty. `ttl` (may be NULL): what is left of the directory's own, 0 when it has none; -1 when the directory does
 * not exist.
 */
enum etcd_failure etcd_v2_get(struct etcd *etcd, const char *directory, struct deadline deadline,
                              struct etcd_range *range, int64_t *ttl, struct error *error);

/*
 * Opens a watch that ends with the first change below `directory` after `index`: ETCD_NEWS_EVENTS without events says
 * that something has changed, and the range has to be read again.
 */
struct etcd_watch *etcd_v2_watch_open(struct etcd *etcd, const char *directory, int64_t index, struct deadline deadline,
                                      struct error *error);

#endif
