/* Keys, revisions, history and transactions of v3. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* --- the store ---------------------------------------------------------------------------------------------------- */

static void kv_free(struct etcd_kv *kv)
{
    free(kv->key);
    free(kv->value);
    *kv = (struct etcd_kv){0};
}

static struct etcd_kv kv_copy(const struct etcd_kv *kv)
{
    struct etcd_kv copy = *kv;

    copy.key = copy_of(kv->key);
    copy.value = copy_of(kv->value == NULL ? "" : kv->value);
    return copy;
}

static void remember(bool deleted, const struct etcd_kv *kv)
{
    world.history = grown(world.history, world.history_count, sizeof *world.history);
    world.history[world.history_count++] = (struct etcd_event){.deleted = deleted, .kv = kv_copy(kv)};
}

void keys_reset(void)
{
    etcd_range_free(&world.keys);
    for (size_t i = 0; i < world.history_count; i++)
        kv_free(&world.history[i].kv);
    free(world.history);
    world.history = NULL;
    world.history_count = 0;
}

bool key_matches(const char *key, const char *wanted, bool prefix)
{
    return prefix ? strncmp(key, wanted, strlen(wanted)) == 0 : strcmp(key, wanted) == 0;
}

/* Where `key` stands or would stand. */
static size_t place_of(const char *key)
{
    size_t i = 0;

    while (i < world.keys.count && strcmp(world.keys.kv[i].key, key) < 0)
        i++;
    return i;
}

const struct etcd_kv *keys_find(const char *key)
{
    size_t i = place_of(key);

    return i < world.keys.count && strcmp(world.keys.kv[i].key, key) == 0 ? &world.keys.kv[i] : NULL;
}

int64_t keys_put(const char *key, const char *value, int64_t lease, int64_t revision)
{
    size_t i = place_of(key);
    struct etcd_kv *kv;

    if (keys_find(key) == NULL) {
        world.keys.kv = grown(world.keys.kv, world.keys.count, sizeof *kv);
        kv = &world.keys.kv[i];
        memmove(kv + 1, kv, (world.keys.count++ - i) * sizeof *kv);
        *kv = (struct etcd_kv){.key = copy_of(key), .create_revision = revision};
    }
    kv = &world.keys.kv[i];
    free(kv->value);
    kv->value = copy_of(value);
    kv->value_length = strlen(value);
    kv->mod_revision = revision;
    kv->version++;
    kv->lease = lease;
    world.keys.revision = revision;
    remember(false, kv);
    return 1;
}

static void erase_at(size_t i, int64_t revision)
{
    struct etcd_kv *kv = &world.keys.kv[i];
    struct etcd_kv gone = {.key = kv->key, .mod_revision = revision};

    remember(true, &gone);
    kv_free(kv);
    memmove(kv, kv + 1, (--world.keys.count - i) * sizeof *kv);
    world.keys.revision = revision;
}

int64_t keys_erase(const char *key, bool prefix, int64_t revision)
{
    int64_t count = 0;

    for (size_t i = world.keys.count; i > 0; i--) {
        if (!key_matches(world.keys.kv[i - 1].key, key, prefix))
            continue;
        erase_at(i - 1, revision);
        count++;
    }
    return count;
}

/* The keys of a lease go in one revision. */
void keys_drop_lease(struct etcd *client, int64_t lease)
{
    int64_t revision = world.keys.revision + 1;

    for (size_t i = world.keys.count; i > 0; i--) {
        const struct etcd_kv *kv = &world.keys.kv[i - 1];
        if (kv->lease != lease)
            continue;
        call_observe(client, kv->key, kv);
        erase_at(i - 1, revision);
    }
}

void fake_put(const char *key, const char *value, int64_t lease)
{
    keys_put(key, value, lease, world.keys.revision + 1);
}

void fake_delete(const char *key, bool prefix)
{
    keys_erase(key, prefix, world.keys.revision + 1);
}

const struct etcd_kv *fake_get(const char *key)
{
    return keys_find(key);
}

const struct etcd_range *fake_keys(void)
{
    return &world.keys;
}

void fake_compact(void)
{
    world.compacted = world.keys.revision;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void copy_range(struct etcd_range *range, const char *key, bool prefix)
{
    *range = (struct etcd_range){.revision = world.keys.revision};
    for (size_t i = 0; i < world.keys.count; i++) {
        if (!key_matches(world.keys.kv[i].key, key, prefix))
            continue;
        range->kv = grown(range->kv, range->count, sizeof *range->kv);
        range->kv[range->count++] = kv_copy(&world.keys.kv[i]);
    }
}

struct get {
    const char *key;
    bool prefix;
    struct etcd_range *range;
};

static enum etcd_failure act_get(struct etcd *client, void *arguments, struct error *error)
{
    const struct get *get = arguments;

    (void)client;
    (void)error;
    etcd_range_free(get->range);
    copy_range(get->range, get->key, get->prefix);
    return ETCD_OK;
}

static void discard_get(void *arguments)
{
    etcd_range_free(((const struct get *)arguments)->range);
}

static enum etcd_failure perform_get(struct etcd *etcd, const char *key, bool prefix, struct deadline deadline,
                                     struct etcd_range *range, struct error *error)
{
    struct get get = {key, prefix, range};
    const struct call call = {FAKE_GET, true, deadline, &get, act_get, discard_get};

    *range = (struct etcd_range){0};
    return call_perform(etcd, &call, error);
}

enum etcd_failure etcd_get_prefix(struct etcd *etcd, const char *prefix, struct deadline deadline,
                                  struct etcd_range *range, struct error *error)
{
    return perform_get(etcd, prefix, true, deadline, range, error);
}

enum etcd_failure etcd_get(struct etcd *etcd, const char *key, struct deadline deadline, struct etcd_range *range,
                           struct error *error)
{
    return perform_get(etcd, key, false, deadline, range, error);
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

static bool relates(int64_t order, enum etcd_relation relation)
{
    switch (relation) {
    case ETCD_EQUAL:
        return order == 0;
    case ETCD_GREATER:
        return order > 0;
    case ETCD_LESS:
        return order < 0;
    case ETCD_NOT_EQUAL:
        return order != 0;
    }
    return false;
}

static int64_t number_of(const struct etcd_kv *kv, enum etcd_target target)
{
    switch (target) {
    case ETCD_TARGET_VERSION:
        return kv->version;
    case ETCD_TARGET_CREATE:
        return kv->create_revision;
    case ETCD_TARGET_MOD:
        return kv->mod_revision;
    case ETCD_TARGET_LEASE:
        return kv->lease;
    case ETCD_TARGET_VALUE:
        break;
    }
    return 0;
}

static bool holds_for(const struct etcd_compare *compare, const struct etcd_kv *kv)
{
    if (compare->target == ETCD_TARGET_VALUE)
        return kv->value != NULL && relates(strcmp(kv->value, compare->value), compare->relation);
    int64_t number = number_of(kv, compare->target);
    return relates((number > compare->number) - (number < compare->number), compare->relation);
}

static bool holds(const struct etcd_compare *compare)
{
    static const struct etcd_kv absent = {.lease = 0};
    const struct etcd_kv *kv = keys_find(compare->key);

    if (!compare->prefix)
        return holds_for(compare, kv == NULL ? &absent : kv);
    for (size_t i = 0; i < world.keys.count; i++) {
        if (key_matches(world.keys.kv[i].key, compare->key, true) && !holds_for(compare, &world.keys.kv[i]))
            return false;
    }
    return true;
}

/* etcd refuses a transaction that writes a key twice, or under a lease that is not there. */
static enum etcd_failure check_ops(const struct etcd_op *op, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (op[i].verb == ETCD_PUT && op[i].lease != 0 && lease_find(op[i].lease) == NULL) {
            error_set(error, EXIT_UNAVAILABLE, "requested lease not found");
            return ETCD_NOT_FOUND;
        }
        for (size_t k = 0; k < count; k++) {
            if (k == i || op[i].verb != ETCD_PUT || op[k].verb == ETCD_GET ||
                !key_matches(op[i].key, op[k].key, op[k].prefix))
                continue;
            error_set(error, EXIT_UNAVAILABLE, "duplicate key given in txn request");
            return ETCD_REFUSED;
        }
    }
    return count > ETCD_OPS_MOST ? ETCD_REFUSED : ETCD_OK;
}

static void observe_op(struct etcd *client, const struct etcd_op *op)
{
    if (op->verb == ETCD_PUT)
        call_observe(client, op->key, keys_find(op->key));
    for (size_t i = 0; op->verb == ETCD_DELETE && i < world.keys.count; i++) {
        if (key_matches(world.keys.kv[i].key, op->key, op->prefix))
            call_observe(client, world.keys.kv[i].key, &world.keys.kv[i]);
    }
}

static struct etcd_op_result do_op(const struct etcd_op *op, int64_t revision)
{
    struct etcd_op_result result = {.verb = op->verb};

    if (op->verb == ETCD_PUT)
        keys_put(op->key, op->value, op->lease, revision);
    else if (op->verb == ETCD_DELETE)
        result.deleted = keys_erase(op->key, op->prefix, revision);
    else
        copy_range(&result.range, op->key, op->prefix);
    return result;
}

struct commit {
    const struct etcd_txn *txn;
    struct etcd_txn_reply *reply;
};

static enum etcd_failure act_commit(struct etcd *client, void *arguments, struct error *error)
{
    const struct commit *commit = arguments;
    const struct etcd_txn *txn = commit->txn;
    struct etcd_txn_reply *reply = commit->reply;
    int64_t revision = world.keys.revision + 1;

    etcd_txn_reply_free(reply);
    reply->succeeded = true;
    for (size_t i = 0; i < txn->compare_count; i++)
        reply->succeeded = reply->succeeded && holds(&txn->compare[i]);
    const struct etcd_op *op = reply->succeeded ? txn->success : txn->failure;
    size_t count = reply->succeeded ? txn->success_count : txn->failure_count;
    enum etcd_failure failure = check_ops(op, count, error);
    if (failure != ETCD_OK)
        return failure;
    for (size_t i = 0; i < count; i++)
        observe_op(client, &op[i]);
    for (; reply->count < count; reply->count++) {
        reply->result = grown(reply->result, reply->count, sizeof *reply->result);
        reply->result[reply->count] = do_op(&op[reply->count], revision);
    }
    reply->revision = world.keys.revision;
    return ETCD_OK;
}

static void discard_commit(void *arguments)
{
    etcd_txn_reply_free(((const struct commit *)arguments)->reply);
}

enum etcd_failure etcd_commit(struct etcd *etcd, const struct etcd_txn *txn, struct deadline deadline,
                              struct etcd_txn_reply *reply, struct error *error)
{
    struct commit commit = {txn, reply};
    const struct call call = {FAKE_COMMIT, txn->repeatable, deadline, &commit, act_commit, discard_commit};

    *reply = (struct etcd_txn_reply){0};
    return call_perform(etcd, &call, error);
}

/* A single write is a transaction of one. */
struct write {
    struct etcd_op op;
    int64_t deleted;
};

static enum etcd_failure act_write(struct etcd *client, void *arguments, struct error *error)
{
    struct write *write = arguments;
    enum etcd_failure failure = check_ops(&write->op, 1, error);

    if (failure != ETCD_OK)
        return failure;
    observe_op(client, &write->op);
    write->deleted = do_op(&write->op, world.keys.revision + 1).deleted;
    return ETCD_OK;
}

enum etcd_failure etcd_put(struct etcd *etcd, const char *key, const char *value, int64_t lease,
                           struct deadline deadline, struct error *error)
{
    struct write write = {.op = {.verb = ETCD_PUT, .key = key, .value = value, .lease = lease}};
    const struct call call = {FAKE_PUT, false, deadline, &write, act_write, NULL};

    return call_perform(etcd, &call, error);
}

enum etcd_failure etcd_delete(struct etcd *etcd, const char *key, bool prefix, struct deadline deadline,
                              int64_t *deleted, struct error *error)
{
    struct write write = {.op = {.verb = ETCD_DELETE, .key = key, .prefix = prefix}};
    const struct call call = {FAKE_DELETE, false, deadline, &write, act_write, NULL};
    enum etcd_failure failure = call_perform(etcd, &call, error);

    *deleted = failure == ETCD_OK ? write.deleted : 0;
    return failure;
}
