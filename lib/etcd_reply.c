#include "etcd_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "num.h"

static const char revision_name[] = "revision";

/* An answer that must be an object; NULL with the error set. */
static struct json *parse_object(const char *body, size_t length, struct error *error)
{
    struct json *root = json_parse(body, length, error);

    if (root != NULL && !json_is_map(root)) {
        json_free(root);
        root = NULL;
        error_set(error, EXIT_UNAVAILABLE, "not a JSON object");
    }
    if (root == NULL)
        error_context(error, "cannot understand the answer");
    return root;
}

static bool nonsense(struct error *error, const char *what)
{
    return error_set(error, EXIT_UNAVAILABLE, "cannot understand the answer: %s", what);
}

static int64_t header_revision(const struct json *message)
{
    return json_number(json_member(json_member(message, "header"), revision_name), 0);
}

/* --- keys and values ---------------------------------------------------------------------------------------------- */

static void kv_free(struct etcd_kv *kv)
{
    free(kv->key);
    free(kv->value);
    *kv = (struct etcd_kv){0};
}

static bool read_kv(const struct json *from, struct etcd_kv *kv, struct error *error)
{
    const char *key = json_text(json_member(from, "key"));
    const char *value = json_text(json_member(from, "value"));
    size_t key_length = 0;

    *kv = (struct etcd_kv){
        .create_revision = json_number(json_member(from, "create_revision"), 0),
        .mod_revision = json_number(json_member(from, "mod_revision"), 0),
        .version = json_number(json_member(from, "version"), 0),
        .lease = json_number(json_member(from, "lease"), 0),
    };
    kv->key = base64_decode(key == NULL ? "" : key, &key_length);
    kv->value = base64_decode(value == NULL ? "" : value, &kv->value_length);
    if (kv->key != NULL && kv->value != NULL && strlen(kv->key) == key_length)
        return true;
    bool binary = kv->key != NULL && kv->value != NULL;
    kv_free(kv);
    /* A key that we cannot have written is none of ours, and no reason to see nothing at all. */
    return binary || nonsense(error, "a key or value is not base64");
}

void etcd_range_free(struct etcd_range *range)
{
    for (size_t i = 0; i < range->count; i++)
        kv_free(&range->kv[i]);
    free(range->kv);
    *range = (struct etcd_range){0};
}

static bool read_kvs(const struct json *list, struct etcd_range *range, struct error *error)
{
    size_t count = json_count(list);

    *range = (struct etcd_range){.kv = calloc(count + 1, sizeof *range->kv)};
    if (range->kv == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct etcd_kv *kv = &range->kv[range->count];
        if (!read_kv(json_item(list, i), kv, error)) {
            etcd_range_free(range);
            return false;
        }
        if (kv->key != NULL)
            range->count++;
    }
    return true;
}

bool etcd_read_range(const char *body, size_t length, struct etcd_range *range, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    *range = (struct etcd_range){0};
    if (root == NULL)
        return false;
    bool done = read_kvs(json_member(root, "kvs"), range, error);
    if (done)
        range->revision = header_revision(root);
    json_free(root);
    return done;
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

void etcd_txn_reply_free(struct etcd_txn_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        etcd_range_free(&reply->result[i].range);
    free(reply->result);
    *reply = (struct etcd_txn_reply){0};
}

static bool read_result(const struct json *from, struct etcd_op_result *result, struct error *error)
{
    const struct json *range = json_member(from, "response_range");
    const struct json *deletion = json_member(from, "response_delete_range");

    *result = (struct etcd_op_result){.verb = ETCD_PUT};
    if (range != NULL) {
        result->verb = ETCD_GET;
        if (!read_kvs(json_member(range, "kvs"), &result->range, error))
            return false;
        result->range.revision = header_revision(range);
    } else if (deletion != NULL) {
        result->verb = ETCD_DELETE;
        result->deleted = json_number(json_member(deletion, "deleted"), 0);
    }
    return true;
}

static bool read_results(const struct json *list, struct etcd_txn_reply *reply, struct error *error)
{
    size_t count = json_count(list);

    reply->result = calloc(count + 1, sizeof *reply->result);
    if (reply->result == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    for (; reply->count < count; reply->count++) {
        if (!read_result(json_item(list, reply->count), &reply->result[reply->count], error))
            return false;
    }
    return true;
}

bool etcd_read_txn(const char *body, size_t length, struct etcd_txn_reply *reply, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    *reply = (struct etcd_txn_reply){0};
    if (root == NULL)
        return false;
    reply->succeeded = json_truth(json_member(root, "succeeded"));
    reply->revision = header_revision(root);
    bool done = read_results(json_member(root, "responses"), reply, error);
    if (!done)
        etcd_txn_reply_free(reply);
    json_free(root);
    return done;
}

bool etcd_read_deleted(const char *body, size_t length, int64_t *deleted, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    if (root == NULL)
        return false;
    *deleted = json_number(json_member(root, "deleted"), 0);
    json_free(root);
    return true;
}

/* --- leases and tokens -------------------------------------------------------------------------------------------- */

bool etcd_read_lease(const char *body, size_t length, int64_t *lease, int64_t *ttl, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    if (root == NULL)
        return false;
    *lease = json_number(json_member(root, "ID"), 0);
    *ttl = json_number(json_member(root, "TTL"), 0);
    json_free(root);
    return *lease != 0 || nonsense(error, "no lease ID");
}

bool etcd_read_keepalive(const char *body, size_t length, int64_t *ttl, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    if (root == NULL)
        return false;
    const struct json *result = json_member(root, "result");
    const char *message = json_text(json_member(json_member(root, "error"), "message"));
    bool understood = json_is_map(result);
    if (understood)
        *ttl = json_number(json_member(result, "TTL"), 0);
    else if (message != NULL)
        error_set(error, EXIT_UNAVAILABLE, "%s", message);
    else
        nonsense(error, "no result");
    json_free(root);
    return understood;
}

char *etcd_read_token(const char *body, size_t length, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    if (root == NULL)
        return NULL;
    const char *token = json_text(json_member(root, "token"));
    /* It becomes a header line. */
    bool usable = token != NULL && token[0] != '\0' && strpbrk(token, "\r\n") == NULL;
    char *copy = usable ? strdup(token) : NULL;
    if (copy == NULL)
        nonsense(error, "no token");
    json_free(root);
    return copy;
}

/* --- version ------------------------------------------------------------------------------------------------------ */

static bool read_two_numbers(const char *text, int *major, int *minor)
{
    char part[8];
    int64_t number[2];

    for (size_t i = 0; i < 2; i++) {
        size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
        if (digits == 0 || digits >= sizeof part || (i == 0 && text[digits] != '.'))
            return false;
        memcpy(part, text, digits);
        part[digits] = '\0';
        if (!num_parse(part, 0, 999, &number[i]))
            return false;
        text += digits + 1;
    }
    *major = (int)number[0];
    *minor = (int)number[1];
    return true;
}

bool etcd_read_version(const char *body, size_t length, struct etcd_version *version, struct error *error)
{
    struct json *root = parse_object(body, length, error);

    if (root == NULL)
        return false;
    const char *server = json_text(json_member(root, "etcdserver"));
    const char *cluster = json_text(json_member(root, "etcdcluster"));
    bool done = read_two_numbers(server, &version->server_major, &version->server_minor);
    /* A cluster that has not agreed yet says "not_decided". */
    if (done && !read_two_numbers(cluster, &version->major, &version->minor)) {
        version->major = version->server_major;
        version->minor = version->server_minor;
    }
    json_free(root);
    return done || nonsense(error, "no version of etcd");
}

const char *etcd_gateway_prefix(const struct etcd_version *version)
{
    if (version->major < 3 || version->server_major < 3)
        return NULL;
    if (version->server_major > 3 || version->server_minor >= 4)
        return "/v3";
    return version->server_minor == 3 ? "/v3beta" : "/v3alpha";
}

/* --- watch -------------------------------------------------------------------------------------------------------- */

void etcd_events_free(struct etcd_events *events)
{
    for (size_t i = 0; i < events->count; i++)
        kv_free(&events->event[i].kv);
    free(events->event);
    *events = (struct etcd_events){0};
}

static bool read_events(const struct json *list, struct etcd_events *events, struct error *error)
{
    size_t count = json_count(list);

    events->event = calloc(count + 1, sizeof *events->event);
    if (events->event == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct json *from = json_item(list, i);
        struct etcd_event *event = &events->event[events->count];
        const char *type = json_text(json_member(from, "type")); /* PUT is the zero value and left out */
        event->deleted = type != NULL && strcmp(type, "DELETE") == 0;
        if (!read_kv(json_member(from, "kv"), &event->kv, error))
            return false;
        if (event->kv.key != NULL)
            events->count++;
    }
    return true;
}

static enum etcd_news watch_error(const struct json *problem, struct error *error)
{
    const char *message = json_text(json_member(problem, "message"));

    error_set(error, EXIT_UNAVAILABLE, "etcd ended the watch: %s", message == NULL ? "no reason given" : message);
    return ETCD_NEWS_ENDED;
}

static enum etcd_news watch_result(const struct json *result, struct etcd_events *events, struct error *error)
{
    int64_t compacted = json_number(json_member(result, "compact_revision"), 0);
    const char *reason = json_text(json_member(result, "cancel_reason"));

    if (compacted != 0) {
        error_set(error, EXIT_UNAVAILABLE, "the history up to revision %lld was compacted away", (long long)compacted);
        return ETCD_NEWS_ENDED;
    }
    if (json_truth(json_member(result, "canceled"))) {
        error_set(error, EXIT_UNAVAILABLE, "etcd canceled the watch: %s", reason == NULL ? "no reason given" : reason);
        return ETCD_NEWS_ENDED;
    }
    if (json_truth(json_member(result, "created")))
        return ETCD_NEWS_CREATED;
    events->revision = header_revision(result);
    return read_events(json_member(result, "events"), events, error) ? ETCD_NEWS_EVENTS : ETCD_NEWS_ENDED;
}

enum etcd_news etcd_read_watch(const char *line, size_t length, struct etcd_events *events, struct error *error)
{
    enum etcd_news news = ETCD_NEWS_ENDED;
    struct json *root = parse_object(line, length, error);

    *events = (struct etcd_events){0};
    if (root == NULL)
        return ETCD_NEWS_ENDED;
    const struct json *result = json_member(root, "result");
    const struct json *problem = json_member(root, "error");
    if (json_is_map(result))
        news = watch_result(result, events, error);
    else if (json_is_map(problem))
        news = watch_error(problem, error);
    else
        news = watch_error(root, error);
    if (news == ETCD_NEWS_ENDED)
        etcd_events_free(events);
    json_free(root);
    return news;
}
