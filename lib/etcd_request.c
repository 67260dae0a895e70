#include "etcd_request.h"

#include <string.h>

#include "base64.h"
#include "json_write.h"

void etcd_add_range_end(struct text *text, const char *key, const char *prefix)
{
    size_t length = strlen(prefix);

    /* 0xFF cannot be made one higher: the byte before it is. Nothing left: "\0" means all keys from `key` on. */
    while (length > 0 && (unsigned char)prefix[length - 1] == 0xFF)
        length--;
    text_add(text, ",\"");
    text_add(text, key);
    text_add(text, "\":\"");
    if (length == 0) {
        base64_encode(text, "", 1);
    } else {
        struct text end = {0};
        text_add_bytes(&end, prefix, length);
        if (!end.failed)
            end.bytes[length - 1]++;
        base64_encode(text, text_string(&end), end.length);
        text->failed |= end.failed;
        text_free(&end);
    }
    text_add(text, "\"");
}

/* Members that several messages have; the object is open. */
static void add_key(struct text *text, const char *key, bool prefix)
{
    json_add_bytes(text, "key", key);
    if (prefix)
        etcd_add_range_end(text, "range_end", key);
}

static void add_pair(struct text *text, const char *key, const char *value, int64_t lease)
{
    json_add_bytes(text, "key", key);
    json_add_bytes(text, "value", value);
    if (lease != 0)
        json_add_int64(text, "lease", lease);
}

void etcd_write_range(struct text *text, const char *key, bool prefix)
{
    json_open_object(text, NULL);
    add_key(text, key, prefix);
    if (prefix)
        json_add_string(text, "sort_target", "KEY");
    json_close_object(text);
}

void etcd_write_put(struct text *text, const char *key, const char *value, int64_t lease)
{
    json_open_object(text, NULL);
    add_pair(text, key, value, lease);
    json_close_object(text);
}

void etcd_write_delete(struct text *text, const char *key, bool prefix)
{
    json_open_object(text, NULL);
    add_key(text, key, prefix);
    json_close_object(text);
}

static void add_compare(struct text *text, const struct etcd_compare *compare)
{
    static const struct {
        const char *name;
        const char *member;
    } targets[] = {
        [ETCD_TARGET_VERSION] = {"VERSION", "version"}, [ETCD_TARGET_CREATE] = {"CREATE", "create_revision"},
        [ETCD_TARGET_MOD] = {"MOD", "mod_revision"},    [ETCD_TARGET_VALUE] = {"VALUE", "value"},
        [ETCD_TARGET_LEASE] = {"LEASE", "lease"},
    };
    static const char *const relations[] = {
        [ETCD_EQUAL] = "EQUAL", [ETCD_GREATER] = "GREATER", [ETCD_LESS] = "LESS", [ETCD_NOT_EQUAL] = "NOT_EQUAL"};

    json_open_object(text, NULL);
    add_key(text, compare->key, compare->prefix);
    json_add_string(text, "target", targets[compare->target].name);
    json_add_string(text, "result", relations[compare->relation]);
    if (compare->target == ETCD_TARGET_VALUE)
        json_add_bytes(text, targets[compare->target].member, compare->value);
    else
        json_add_int64(text, targets[compare->target].member, compare->number);
    json_close_object(text);
}

static void add_op(struct text *text, const struct etcd_op *op)
{
    static const char *const names[] = {
        [ETCD_PUT] = "request_put", [ETCD_GET] = "request_range", [ETCD_DELETE] = "request_delete_range"};

    json_open_object(text, NULL);
    json_open_object(text, names[op->verb]);
    if (op->verb == ETCD_PUT)
        add_pair(text, op->key, op->value, op->lease);
    else
        add_key(text, op->key, op->prefix);
    json_close_object(text);
    json_close_object(text);
}

static void add_ops(struct text *text, const char *name, const struct etcd_op *op, size_t count)
{
    json_open_array(text, name);
    for (size_t i = 0; i < count; i++)
        add_op(text, &op[i]);
    json_close_array(text);
}

void etcd_write_txn(struct text *text, const struct etcd_txn *txn)
{
    json_open_object(text, NULL);
    json_open_array(text, "compare");
    for (size_t i = 0; i < txn->compare_count; i++)
        add_compare(text, &txn->compare[i]);
    json_close_array(text);
    add_ops(text, "success", txn->success, txn->success_count);
    add_ops(text, "failure", txn->failure, txn->failure_count);
    json_close_object(text);
}

void etcd_write_watch(struct text *text, const char *prefix, int64_t revision)
{
    json_open_object(text, NULL);
    json_open_object(text, "create_request");
    add_key(text, prefix, true);
    json_add_int64(text, "start_revision", revision);
    json_add_true(text, "progress_notify");
    json_close_object(text);
    json_close_object(text);
}

void etcd_write_login(struct text *text, const char *user, const char *password)
{
    json_open_object(text, NULL);
    json_add_string(text, "name", user);
    json_add_string(text, "password", password);
    json_close_object(text);
}

void etcd_write_lease(struct text *text, int64_t lease)
{
    json_open_object(text, NULL);
    json_add_int64(text, "ID", lease);
    json_close_object(text);
}

void etcd_write_grant(struct text *text, int64_t ttl)
{
    json_open_object(text, NULL);
    json_add_int64(text, "TTL", ttl);
    json_close_object(text);
}
