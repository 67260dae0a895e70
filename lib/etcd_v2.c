/* What the suite needs of the old API: directories with a TTL. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "etcd.h"
#include "etcd_client.h"
#include "num.h"

static bool is_unreserved(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte != '\0' && strchr("-._~", byte) != NULL);
}

/* RFC 3986 section 2.1; `kept` is not escaped. */
static void add_escaped(struct text *text, const char *words, char kept)
{
    for (; *words != '\0'; words++) {
        unsigned char byte = (unsigned char)*words;
        if (is_unreserved(byte) || *words == kept)
            text_add_bytes(text, words, 1);
        else
            text_format(text, "%%%02X", byte);
    }
}

static enum etcd_failure send(struct etcd *etcd, enum http_method method, struct text *path, struct text *body,
                              struct deadline deadline, struct http_reply *reply, struct error *error)
{
    struct etcd_call call = {.api = ETCD_V2,
                             .method = method,
                             .path = text_string(path),
                             .body = body == NULL ? NULL : text_string(body),
                             .repeatable = true};
    enum etcd_failure failure = ETCD_REFUSED;

    *reply = (struct http_reply){0};
    if (path->failed || (body != NULL && body->failed))
        error_set(error, EXIT_INTERNAL, "out of memory");
    else
        failure = etcd_call(etcd, &call, deadline, reply, error);
    text_free(path);
    if (body != NULL)
        text_free(body);
    return failure;
}

enum etcd_failure etcd_v2_put(struct etcd *etcd, const struct etcd_v2_put *put, struct deadline deadline,
                              struct error *error)
{
    static const char *const conditions[] = {
        [ETCD_V2_ALWAYS] = "", [ETCD_V2_ABSENT] = "&prevExist=false", [ETCD_V2_PRESENT] = "&prevExist=true"};
    struct text path = {0};
    struct text body = {0};
    struct http_reply reply;

    text_add(&path, "/v2/keys");
    add_escaped(&path, put->key, '/');
    if (put->value == NULL) {
        text_add(&body, "dir=true");
    } else {
        text_add(&body, "value=");
        add_escaped(&body, put->value, '\0');
    }
    if (put->ttl > 0)
        text_format(&body, "&ttl=%" PRId64, put->ttl);
    text_add(&body, conditions[put->condition]);
    enum etcd_failure failure = send(etcd, HTTP_PUT, &path, &body, deadline, &reply, error);
    http_reply_free(&reply);
    return failure;
}

enum etcd_failure etcd_v2_delete(struct etcd *etcd, const struct etcd_v2_delete *deletion, struct deadline deadline,
                                 struct error *error)
{
    struct text path = {0};
    struct http_reply reply;

    text_add(&path, "/v2/keys");
    add_escaped(&path, deletion->key, '/');
    if (deletion->directory) {
        text_add(&path, "?dir=true&recursive=true");
    } else if (deletion->old_value != NULL) {
        text_add(&path, "?prevValue=");
        add_escaped(&path, deletion->old_value, '\0');
    }
    enum etcd_failure failure = send(etcd, HTTP_DELETE, &path, NULL, deadline, &reply, error);
    http_reply_free(&reply);
    return failure;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

enum { V2_DEPTH_MOST = 8, V2_NODES_MOST = 1000000 };

static bool add_node(const struct json *node, struct etcd_range *range, size_t *size, struct error *error)
{
    const char *key = json_text(json_member(node, "key"));
    const char *value = json_text(json_member(node, "value"));

    if (key == NULL || value == NULL)
        return true;
    if (range->count == *size) {
        *size = *size == 0 ? 64 : 2 * *size;
        struct etcd_kv *kv = *size > V2_NODES_MOST ? NULL : realloc(range->kv, *size * sizeof *kv);
        if (kv == NULL)
            return error_set(error, EXIT_INTERNAL, "out of memory for %zu keys", *size);
        range->kv = kv;
    }
    struct etcd_kv kv = {
        .key = strdup(key),
        .value = strdup(value),
        .value_length = strlen(value),
        .create_revision = json_number(json_member(node, "createdIndex"), 0),
        .mod_revision = json_number(json_member(node, "modifiedIndex"), 0),
    };
    if (kv.key == NULL || kv.value == NULL) {
        free(kv.key);
        free(kv.value);
        return error_set(error, EXIT_INTERNAL, "out of memory");
    }
    range->kv[range->count++] = kv;
    return true;
}

static bool add_nodes(const struct json *node, struct etcd_range *range, size_t *size, int depth, struct error *error)
{
    const struct json *nodes = json_member(node, "nodes");

    if (!add_node(node, range, size, error))
        return false;
    for (size_t i = 0; depth < V2_DEPTH_MOST && i < json_count(nodes); i++) {
        if (!add_nodes(json_item(nodes, i), range, size, depth + 1, error))
            return false;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct etcd_kv *)a)->key, ((const struct etcd_kv *)b)->key);
}

bool etcd_v2_read_node(const char *body, size_t length, struct etcd_range *range, int64_t *ttl, struct error *error)
{
    struct json *root = json_parse(body, length, error);
    const struct json *node = json_member(root, "node");
    size_t size = 0;

    *range = (struct etcd_range){0};
    if (ttl != NULL)
        *ttl = json_number(json_member(node, "ttl"), 0);
    bool done = root != NULL && json_is_map(node) && add_nodes(node, range, &size, 0, error);
    if (root != NULL && !json_is_map(node))
        error_set(error, EXIT_UNAVAILABLE, "cannot understand the answer: no node");
    json_free(root);
    if (!done)
        etcd_range_free(range);
    else if (range->count > 1)
        qsort(range->kv, range->count, sizeof range->kv[0], compare_keys);
    return done;
}

enum etcd_failure etcd_v2_get(struct etcd *etcd, const char *directory, struct deadline deadline,
                              struct etcd_range *range, int64_t *ttl, struct error *error)
{
    struct text path = {0};
    struct http_reply reply;
    int64_t index = 0;

    *range = (struct etcd_range){0};
    text_add(&path, "/v2/keys");
    add_escaped(&path, directory, '/');
    /* quorum: read through the leader, as v3 does (v2 API, "Read Linearizability"). */
    text_add(&path, "?recursive=true&quorum=true");
    enum etcd_failure failure = send(etcd, HTTP_GET, &path, NULL, deadline, &reply, error);
    if (failure == ETCD_OK && !etcd_v2_read_node(text_string(&reply.body), reply.body.length, range, ttl, error)) {
        error_context(error, "etcd %s", etcd_endpoint(etcd));
        failure = ETCD_REFUSED;
    } else if (failure == ETCD_NOT_FOUND) {
        failure = ETCD_OK;
        if (ttl != NULL)
            *ttl = -1;
    }
    if (failure == ETCD_OK && num_parse(reply.wanted, 0, INT64_MAX, &index))
        range->revision = index;
    http_reply_free(&reply);
    return failure;
}
