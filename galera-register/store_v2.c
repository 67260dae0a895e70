#include <string.h>

#include "store.h"

enum { MS_PER_S = 1000, LOOKS = 3 };

/* The directory without the slash at its end. */
static const char *directory_key(const struct store *store, char key[STORE_KEY_SIZE])
{
    size_t length = strlen(store->directory) - 1;

    memcpy(key, store->directory, length);
    key[length] = '\0';
    return key;
}

/* Reads who holds the entry. Which address is ours, a claim knows only when a member has answered. */
static enum announce_outcome read_holder(struct store *store, bool to_claim, struct deadline deadline, int64_t *left_s,
                                         struct error *error)
{
    char key[STORE_KEY_SIZE];
    struct etcd_range range;
    enum announce_outcome outcome =
        store_outcome(etcd_v2_get(store->etcd, directory_key(store, key), deadline, &range, left_s, error));

    if (outcome == OUTCOME_DONE && to_claim && !store_find_ip(store, error))
        outcome = OUTCOME_IMPOSSIBLE;
    if (outcome == OUTCOME_DONE)
        store->holder = holder_find(&range, store->directory, store->entry, 0);
    etcd_range_free(&range);
    return outcome;
}

static enum announce_outcome taken(const struct store *store, int64_t left_s, struct announce_report *report,
                                   struct error *error)
{
    report->holder = store->holder.mod_revision;
    report->left_ms = left_s <= 0 ? -1 : left_s * MS_PER_S;
    error_set(error, EXIT_NO, "id %s belongs to %s", store->entry->id, store->holder.address);
    return OUTCOME_TAKEN;
}

static enum etcd_failure put_directory(struct store *store, enum etcd_condition condition, struct deadline deadline,
                                       struct error *error)
{
    char key[STORE_KEY_SIZE];
    struct etcd_v2_put put = {.key = directory_key(store, key), .ttl = store->ttl_s, .condition = condition};

    return etcd_v2_put(store->etcd, &put, deadline, error);
}

static enum etcd_failure put_field(struct store *store, enum registry_field field, struct deadline deadline,
                                   struct error *error)
{
    char key[STORE_KEY_SIZE];
    char value[REGISTRY_INSTANCE_SIZE];
    struct etcd_v2_put put = {.key = store_key(store, field, key),
                              .value = registry_field_text(store->entry, field, value, sizeof value)};
    struct etcd_v2_delete deletion = {.key = key};

    if (put.value != NULL)
        return etcd_v2_put(store->etcd, &put, deadline, error);
    enum etcd_failure failure = etcd_v2_delete(store->etcd, &deletion, deadline, error);
    return failure == ETCD_NOT_FOUND ? ETCD_OK : failure;
}

/* Who creates the directory has it; an own leftover is taken over by renewing it. */
static enum announce_outcome claim(struct store *store, struct deadline deadline, struct announce_report *report,
                                   struct error *error)
{
    int64_t left_s = -1;
    enum announce_outcome outcome = read_holder(store, true, deadline, &left_s, error);

    if (outcome != OUTCOME_DONE)
        return outcome;
    if (store->holder.kind == HOLDER_OTHER)
        return taken(store, left_s, report, error);
    enum etcd_failure failure = put_directory(store, left_s < 0 ? ETCD_V2_ABSENT : ETCD_V2_PRESENT, deadline, error);
    for (int field = REGISTRY_FIELD_COUNT - 1; failure == ETCD_OK && field >= 0; field--)
        failure = put_field(store, (enum registry_field)field, deadline, error);
    /* A key written after the directory expired would have made a new one that never does: give it its TTL again. */
    if (failure == ETCD_OK)
        failure = put_directory(store, ETCD_V2_PRESENT, deadline, error);
    report->ttl_ms = store->ttl_s * MS_PER_S;
    return failure == ETCD_NOT_FOUND ? OUTCOME_UNREACHABLE : store_outcome(failure);
}

static enum announce_outcome keep(struct store *store, struct deadline deadline, struct announce_report *report,
                                  struct error *error)
{
    report->ttl_ms = store->ttl_s * MS_PER_S;
    return store_outcome(put_directory(store, ETCD_V2_PRESENT, deadline, error));
}

static enum announce_outcome verify(struct store *store, struct deadline deadline, struct announce_report *report,
                                    struct error *error)
{
    int64_t left_s = -1;
    enum announce_outcome outcome = read_holder(store, false, deadline, &left_s, error);

    if (outcome != OUTCOME_DONE)
        return outcome;
    if (store->holder.kind == HOLDER_OTHER)
        return taken(store, left_s, report, error);
    if (store->holder.kind == HOLDER_US && store->holder.intact && left_s > 0)
        return OUTCOME_DONE;
    error_set(error, EXIT_UNAVAILABLE, "the entry was removed or changed by somebody else");
    return OUTCOME_GONE;
}

/* The state alone, if the entry is still ours; it may have had none before. */
static enum announce_outcome update(struct store *store, struct deadline deadline, struct announce_report *report,
                                    struct error *error)
{
    char key[STORE_KEY_SIZE];
    struct etcd_v2_put put = {
        .key = store_key(store, REGISTRY_STATE, key), .value = store->entry->state, .condition = ETCD_V2_PRESENT};
    enum etcd_failure failure = ETCD_NOT_FOUND;
    int64_t left_s = -1;
    enum announce_outcome outcome = read_holder(store, false, deadline, &left_s, error);

    if (outcome != OUTCOME_DONE)
        return outcome;
    if (store->holder.kind == HOLDER_OTHER)
        return taken(store, left_s, report, error);
    if (store->holder.kind == HOLDER_NONE) {
        error_set(error, EXIT_UNAVAILABLE, "the entry is not there any more");
        return OUTCOME_GONE;
    }
    if (store->entry->state[0] != '\0')
        failure = etcd_v2_put(store->etcd, &put, deadline, error);
    if (failure != ETCD_NOT_FOUND)
        return store_outcome(failure);
    failure = put_field(store, REGISTRY_STATE, deadline, error);
    if (failure == ETCD_OK)
        failure = put_directory(store, ETCD_V2_PRESENT, deadline, error); /* as in claim */
    return store_outcome(failure);
}

/*
 * v2 compares values of keys, not of directories: the address goes only if it is still ours, and the rest only when
 * another look shows nothing that can be of another node. That takes half an entry away as well, of a claim or a
 * withdrawal that failed.
 */
static enum announce_outcome withdraw(struct store *store, struct deadline deadline, struct announce_report *report,
                                      struct error *error)
{
    char ip_key[STORE_KEY_SIZE];
    char key[STORE_KEY_SIZE];
    struct etcd_v2_delete address = {.key = store_key(store, REGISTRY_IP, ip_key), .old_value = store->entry->ip};
    struct etcd_v2_delete directory = {.key = directory_key(store, key), .directory = true};
    enum etcd_failure failure = ETCD_NOT_FOUND;

    (void)report;
    if (store->entry->ip[0] == '\0')
        return OUTCOME_DONE;
    for (int look = 0; look < LOOKS && (failure == ETCD_OK || failure == ETCD_NOT_FOUND); look++) {
        int64_t left_s = -1;
        enum announce_outcome outcome = read_holder(store, false, deadline, &left_s, error);
        if (outcome != OUTCOME_DONE || left_s < 0 || (store->holder.kind != HOLDER_US && !store->holder.remains))
            return outcome;
        const struct etcd_v2_delete *next = store->holder.kind == HOLDER_US ? &address : &directory;
        failure = etcd_v2_delete(store->etcd, next, deadline, error);
    }
    return failure == ETCD_NOT_FOUND || failure == ETCD_CHANGED ? OUTCOME_DONE : store_outcome(failure);
}

store_step *const store_v2_steps[ANNOUNCE_ACTIONS] = {
    [ANNOUNCE_CLAIM] = claim,   [ANNOUNCE_KEEP] = keep,         [ANNOUNCE_VERIFY] = verify,
    [ANNOUNCE_UPDATE] = update, [ANNOUNCE_WITHDRAW] = withdraw,
};
