/* The operations of v3: a body, a call, a reply taken apart. */
#include "etcd.h"
#include "etcd_client.h"
#include "etcd_request.h"

/* Sends `body`, which is freed, to `path`. */
static enum etcd_failure post(struct etcd *etcd, const char *path, struct text *body, bool repeatable,
                              struct deadline deadline, struct http_reply *reply, struct error *error)
{
    struct etcd_call call = {.api = ETCD_V3, .path = path, .body = text_string(body), .repeatable = repeatable};
    enum etcd_failure failure = ETCD_REFUSED;

    *reply = (struct http_reply){0};
    if (body->failed)
        error_set(error, EXIT_INTERNAL, "out of memory");
    else
        failure = etcd_call(etcd, &call, deadline, reply, error);
    text_free(body);
    return failure;
}

/* Ends a call whose reply was read, or not, by one of lib/etcd_reply.c. */
static enum etcd_failure finish(struct etcd *etcd, struct http_reply *reply, enum etcd_failure failure, bool understood,
                                struct error *error)
{
    http_reply_free(reply);
    if (failure != ETCD_OK || understood)
        return failure;
    error_context(error, "etcd %s", etcd_endpoint(etcd));
    return ETCD_REFUSED;
}

static enum etcd_failure get(struct etcd *etcd, const char *key, bool prefix, struct deadline deadline,
                             struct etcd_range *range, struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    *range = (struct etcd_range){0};
    etcd_write_range(&body, key, prefix);
    enum etcd_failure failure = post(etcd, "/kv/range", &body, true, deadline, &reply, error);
    bool understood = failure == ETCD_OK && etcd_read_range(text_string(&reply.body), reply.body.length, range, error);
    return finish(etcd, &reply, failure, understood, error);
}

enum etcd_failure etcd_get_prefix(struct etcd *etcd, const char *prefix, struct deadline deadline,
                                  struct etcd_range *range, struct error *error)
{
    return get(etcd, prefix, true, deadline, range, error);
}

enum etcd_failure etcd_get(struct etcd *etcd, const char *key, struct deadline deadline, struct etcd_range *range,
                           struct error *error)
{
    return get(etcd, key, false, deadline, range, error);
}

enum etcd_failure etcd_commit(struct etcd *etcd, const struct etcd_txn *txn, struct deadline deadline,
                              struct etcd_txn_reply *reply, struct error *error)
{
    struct text body = {0};
    struct http_reply answer;

    *reply = (struct etcd_txn_reply){0};
    etcd_write_txn(&body, txn);
    enum etcd_failure failure = post(etcd, "/kv/txn", &body, txn->repeatable, deadline, &answer, error);
    bool understood = failure == ETCD_OK && etcd_read_txn(text_string(&answer.body), answer.body.length, reply, error);
    return finish(etcd, &answer, failure, understood, error);
}

enum etcd_failure etcd_put(struct etcd *etcd, const char *key, const char *value, int64_t lease,
                           struct deadline deadline, struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    etcd_write_put(&body, key, value, lease);
    enum etcd_failure failure = post(etcd, "/kv/put", &body, false, deadline, &reply, error);
    return finish(etcd, &reply, failure, true, error);
}

enum etcd_failure etcd_delete(struct etcd *etcd, const char *key, bool prefix, struct deadline deadline,
                              int64_t *deleted, struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    *deleted = 0;
    etcd_write_delete(&body, key, prefix);
    enum etcd_failure failure = post(etcd, "/kv/deleterange", &body, false, deadline, &reply, error);
    bool understood =
        failure == ETCD_OK && etcd_read_deleted(text_string(&reply.body), reply.body.length, deleted, error);
    return finish(etcd, &reply, failure, understood, error);
}

/* --- leases ------------------------------------------------------------------------------------------------------- */

enum etcd_failure etcd_lease_grant(struct etcd *etcd, int64_t ttl, struct deadline deadline, int64_t *lease,
                                   int64_t *granted, struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    etcd_write_grant(&body, ttl);
    /* A second lease that nobody knows of expires by itself. */
    enum etcd_failure failure = post(etcd, "/lease/grant", &body, true, deadline, &reply, error);
    bool understood =
        failure == ETCD_OK && etcd_read_lease(text_string(&reply.body), reply.body.length, lease, granted, error);
    return finish(etcd, &reply, failure, understood, error);
}

/* A lease that is gone is no failure on the wire. */
static enum etcd_failure lease_gone(struct error *error)
{
    error_set(error, EXIT_UNAVAILABLE, "the lease has expired or was revoked");
    return ETCD_NOT_FOUND;
}

enum etcd_failure etcd_lease_keep(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *ttl,
                                  struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    *ttl = 0;
    etcd_write_lease(&body, lease);
    enum etcd_failure failure = post(etcd, "/lease/keepalive", &body, true, deadline, &reply, error);
    bool understood =
        failure == ETCD_OK && etcd_read_keepalive(text_string(&reply.body), reply.body.length, ttl, error);
    failure = finish(etcd, &reply, failure, understood, error);
    return failure == ETCD_OK && *ttl <= 0 ? lease_gone(error) : failure;
}

enum etcd_failure etcd_lease_revoke(struct etcd *etcd, int64_t lease, struct deadline deadline, struct error *error)
{
    struct text body = {0};
    struct http_reply reply;

    etcd_write_lease(&body, lease);
    enum etcd_failure failure = post(etcd, "/lease/revoke", &body, true, deadline, &reply, error);
    return finish(etcd, &reply, failure, true, error);
}

enum etcd_failure etcd_lease_left(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *left,
                                  struct error *error)
{
    struct text body = {0};
    struct http_reply reply;
    int64_t same;

    *left = 0;
    etcd_write_lease(&body, lease);
    enum etcd_failure failure = post(etcd, "/lease/timetolive", &body, true, deadline, &reply, error);
    bool understood =
        failure == ETCD_OK && etcd_read_lease(text_string(&reply.body), reply.body.length, &same, left, error);
    failure = finish(etcd, &reply, failure, understood, error);
    return failure == ETCD_OK && *left < 0 ? lease_gone(error) : failure;
}
