/*
 * What etcd answers, taken apart. Pure: text in, values out; whatever is malformed is refused with a reason, and
 * tests/fuzz throws rubbish at it. Fields that are zero, false or empty are left out by the gateway, so nothing is
 * required that may be zero.
 */
#ifndef ETCD_REPLY_H
#define ETCD_REPLY_H

#include "etcd.h"
#include "json.h"

/* gRPC status codes ("Status codes and their use in gRPC"). */
enum grpc_code {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
};

/* What is to be done about a failure. */
enum etcd_remedy {
    REMEDY_NONE,         /* tell the caller */
    REMEDY_NEXT,         /* ask the next endpoint; this one may have obeyed */
    REMEDY_AUTHENTICATE, /* get a token and ask again; nothing was done */
    REMEDY_PROBE,        /* this server does not know the path: ask for its version again */
};

struct etcd_problem {
    enum etcd_failure failure;
    enum etcd_remedy remedy;
    bool auth_disabled; /* authentication is not enabled */
};

/* The answer is no success: what it says is in the error. */
struct etcd_problem etcd_read_problem(int status, const char *body, size_t length, struct error *error);
struct etcd_problem etcd_v2_read_problem(int status, const char *body, size_t length, struct error *error);

struct etcd_version {
    int major; /* of the cluster, which may be older than the server */
    int minor;
    int server_major;
    int server_minor;
};

bool etcd_read_version(const char *body, size_t length, struct etcd_version *version, struct error *error);

/* "/v3", "/v3beta" or "/v3alpha"; NULL when the server has no v3 gateway. */
const char *etcd_gateway_prefix(const struct etcd_version *version);

bool etcd_read_range(const char *body, size_t length, struct etcd_range *range, struct error *error);
bool etcd_read_txn(const char *body, size_t length, struct etcd_txn_reply *reply, struct error *error);
bool etcd_read_deleted(const char *body, size_t length, int64_t *deleted, struct error *error);

/* A new string, or NULL with the error set. */
char *etcd_read_token(const char *body, size_t length, struct error *error);

/* lease/grant, and lease/timetolive: `ttl` is -1 for a lease that does not exist. */
bool etcd_read_lease(const char *body, size_t length, int64_t *lease, int64_t *ttl, struct error *error);

/* lease/keepalive: `ttl` is 0 for a lease that does not exist. */
bool etcd_read_keepalive(const char *body, size_t length, int64_t *ttl, struct error *error);

/* One line of a watch; ETCD_NEWS_ENDED with the error set. */
enum etcd_news etcd_read_watch(const char *line, size_t length, struct etcd_events *events, struct error *error);

/* A directory, recursively read; `ttl` as in etcd_v2_get. range->revision is not set: it is in a header. */
bool etcd_v2_read_node(const char *body, size_t length, struct etcd_range *range, int64_t *ttl, struct error *error);

#endif
