#include "store.h"

#include "../../row.h"

void store_add(struct store *store, const char *key, const char *value)
{
    size_t at = store->range.count;

    assert_true(store->range.count < STORE_MOST);
    while (at > 0 && strcmp(store->kv[at - 1].key, key) > 0) {
        store->kv[at] = store->kv[at - 1];
        at--;
    }
    store->range.kv = store->kv;
    store->range.count++;
    store->range.revision += 10;
    store->kv[at] = (struct etcd_kv){.key = (char *)(uintptr_t)key,
                                     .value = (char *)(uintptr_t)value,
                                     .value_length = strlen(value),
                                     .mod_revision = store->range.revision,
                                     .lease = 77};
}

void store_read(const struct store *store, struct keys *keys, struct situation *situation)
{
    struct error error = {.text = ""};

    if (!keys_read(keys, PREFIX, &store->range, situation, &error))
        fail_msg("%s", error.text);
}

struct situation situation_of(const char *self)
{
    struct situation situation = {.count = 1, .self = 0};

    snprintf(situation.nodes[0].name, sizeof situation.nodes[0].name, "%s", self);
    return situation;
}
