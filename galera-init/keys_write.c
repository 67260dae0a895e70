/* A change becomes a transaction. */
#include <stdio.h>
#include <string.h>

#include "keys_internal.h"

struct writing {
    struct keys_txn *out;
    const char *prefix;
    const struct situation *situation;
    const struct keys *keys;
    const struct keys_change *change;
    struct error *error;
};

static bool refuse(const struct writing *writing, const char *words)
{
    return error_set(writing->error, EXIT_INTERNAL, "cannot compose a transaction: %s", words);
}

static bool make_key(const struct writing *writing, char key[KEYS_KEY_SIZE], const char *name, const char *node)
{
    int length = snprintf(key, KEYS_KEY_SIZE, "%s%s%s", writing->prefix, name, node);

    return (length > 0 && length < KEYS_KEY_SIZE) || refuse(writing, "a key is too long");
}

static bool make_keys(const struct writing *writing)
{
    struct keys_txn *out = writing->out;

    for (size_t i = 0; i < writing->situation->count; i++) {
        if (!make_key(writing, out->position_key[i], KEY_POSITION, writing->situation->nodes[i].name))
            return false;
    }
    return make_key(writing, out->bootstrap_key, KEY_BOOTSTRAP, "") && make_key(writing, out->uuid_key, KEY_UUID, "") &&
           make_key(writing, out->positions_key, KEY_POSITION, "");
}

/* --- what must be so ---------------------------------------------------------------------------------------------- */

static void add_compare(struct keys_txn *out, const struct etcd_compare *compare)
{
    out->compare[out->txn.compare_count++] = *compare;
}

/* The key is as it was read. */
static void compare_key(struct keys_txn *out, const char *key, const char *value, int64_t revision)
{
    if (value == NULL) {
        add_compare(out, &(struct etcd_compare){.key = key, .target = ETCD_TARGET_CREATE, .number = 0});
        return;
    }
    add_compare(out, &(struct etcd_compare){.key = key, .target = ETCD_TARGET_MOD, .number = revision});
    add_compare(out, &(struct etcd_compare){.key = key, .target = ETCD_TARGET_VALUE, .value = value});
}

static void compare_position(const struct writing *writing, size_t i)
{
    compare_key(writing->out, writing->out->position_key[i], writing->keys->position_value[i],
                writing->situation->nodes[i].record.revision);
}

/* Those that were read are as they were; those that were not must not be there, also under names nobody knew. */
static void compare_positions(const struct writing *writing)
{
    for (size_t i = 0; i < writing->situation->count; i++)
        compare_position(writing, i);
    add_compare(writing->out, &(struct etcd_compare){.key = writing->out->positions_key,
                                                     .prefix = true,
                                                     .target = ETCD_TARGET_MOD,
                                                     .relation = ETCD_LESS,
                                                     .number = writing->keys->revision + 1});
}

static void compare_all(const struct writing *writing)
{
    const struct situation *situation = writing->situation;
    unsigned compare = writing->change->compare;

    if ((compare & COMPARE_BOOTSTRAP) != 0)
        compare_key(writing->out, writing->out->bootstrap_key, writing->keys->bootstrap_value,
                    situation->bootstrap.revision);
    if ((compare & COMPARE_UUID) != 0)
        compare_key(writing->out, writing->out->uuid_key, writing->keys->uuid_value, situation->uuid_revision);
    if ((compare & COMPARE_POSITIONS) != 0)
        compare_positions(writing);
    else if ((compare & COMPARE_OWN) != 0)
        compare_position(writing, writing->change->node);
}

/* --- what is written ---------------------------------------------------------------------------------------------- */

static void add_put(struct keys_txn *out, const char *key, const struct text *value)
{
    out->op[out->txn.success_count++] = (struct etcd_op){.verb = ETCD_PUT, .key = key, .value = text_string(value)};
}

static bool write_bootstrap(const struct writing *writing)
{
    struct keys_txn *out = writing->out;

    if (writing->change->bootstrap == NULL)
        return refuse(writing, "no bootstrap");
    if (!bootstrap_format(&out->bootstrap, writing->change->bootstrap, writing->error))
        return error_context(writing->error, "%s", out->bootstrap_key);
    add_put(out, out->bootstrap_key, &out->bootstrap);
    return true;
}

static bool write_uuid(const struct writing *writing)
{
    struct keys_txn *out = writing->out;

    if (writing->change->uuid == NULL)
        return refuse(writing, "no UUID");
    if (!uuid_value_format(&out->uuid, writing->change->uuid, writing->error))
        return error_context(writing->error, "%s", out->uuid_key);
    add_put(out, out->uuid_key, &out->uuid);
    return true;
}

static bool write_own(const struct writing *writing)
{
    struct keys_txn *out = writing->out;
    const char *key = out->position_key[writing->change->node];

    if (writing->change->own == NULL) {
        out->op[out->txn.success_count++] = (struct etcd_op){.verb = ETCD_DELETE, .key = key};
        return true;
    }
    if (!record_format(&out->own, writing->change->own, writing->change->card, writing->error))
        return error_context(writing->error, "%s", key);
    add_put(out, key, &out->own);
    return true;
}

bool keys_compose(struct keys_txn *out, const char *prefix, const struct situation *situation, const struct keys *keys,
                  const struct keys_change *change, struct error *error)
{
    struct writing writing = {out, prefix, situation, keys, change, error};

    memset(out, 0, sizeof *out);
    out->txn.compare = out->compare;
    out->txn.success = out->op;
    if (((change->compare & COMPARE_OWN) != 0 || (change->write & WRITE_OWN) != 0) && change->node >= situation->count)
        return refuse(&writing, "no such node");
    if (!make_keys(&writing))
        return false;
    compare_all(&writing);
    return ((change->write & WRITE_BOOTSTRAP) == 0 || write_bootstrap(&writing)) &&
           ((change->write & WRITE_UUID) == 0 || write_uuid(&writing)) &&
           ((change->write & WRITE_OWN) == 0 || write_own(&writing));
}

void keys_txn_free(struct keys_txn *txn)
{
    text_free(&txn->bootstrap);
    text_free(&txn->uuid);
    text_free(&txn->own);
    memset(txn, 0, sizeof *txn);
}
