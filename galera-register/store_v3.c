#include "store.h"

enum { CLAIM_ATTEMPTS = 3, MS_PER_S = 1000 };

/* Reads who holds the entry. Which address is ours, a claim knows only when a member has answered. */
static enum announce_outcome read_holder(struct store *store, bool to_claim, struct deadline deadline,
                                         struct error *error)
{
    struct etcd_range range;
    enum announce_outcome outcome =
        store_outcome(etcd_get_prefix(store->etcd, store->directory, deadline, &range, error));

    if (outcome == OUTCOME_DONE && to_claim && !store_find_ip(store, error))
        outcome = OUTCOME_IMPOSSIBLE;
    if (outcome == OUTCOME_DONE)
        store->holder = holder_find(&range, store->directory, store->entry, store->lease);
    etcd_range_free(&range);
    return outcome;
}

static enum announce_outcome taken(struct store *store, struct deadline deadline, struct announce_report *report,
                                   struct error *error)
{
    int64_t left_s = -1;
    enum etcd_failure failure = ETCD_OK;

    if (store->holder.lease != 0)
        failure = etcd_lease_left(store->etcd, store->holder.lease, deadline, &left_s, error);
    if (failure == ETCD_NOT_FOUND)
        left_s = 0; /* the lease has just ended, its keys are about to */
    else if (failure != ETCD_OK)
        return store_outcome(failure);
    report->holder = store->holder.lease;
    report->left_ms = left_s < 0 ? -1 : left_s * MS_PER_S;
    error_set(error, EXIT_NO, "id %s belongs to %s", store->entry->id, store->holder.address);
    return OUTCOME_TAKEN;
}

/* The lease of an attempt that failed is used again, with its whole TTL before it; one that has ended is replaced. */
static enum etcd_failure have_lease(struct store *store, struct deadline deadline, int64_t *ttl_s, struct error *error)
{
    enum etcd_failure failure = ETCD_NOT_FOUND;

    if (store->lease != 0)
        failure = etcd_lease_keep(store->etcd, store->lease, deadline, ttl_s, error);
    if (failure == ETCD_NOT_FOUND)
        failure = etcd_lease_grant(store->etcd, store->ttl_s, deadline, &store->lease, ttl_s, error);
    return failure;
}

/* Writes all keys, if the address is still as it was read. ETCD_CHANGED when it is not. */
static enum etcd_failure write_entry(struct store *store, struct deadline deadline, struct error *error)
{
    char key[REGISTRY_FIELD_COUNT][STORE_KEY_SIZE];
    char value[REGISTRY_FIELD_COUNT][REGISTRY_INSTANCE_SIZE];
    struct etcd_op op[REGISTRY_FIELD_COUNT];
    struct etcd_compare unchanged = {.target = ETCD_TARGET_CREATE, .relation = ETCD_EQUAL, .number = 0};
    struct etcd_txn_reply reply;

    for (int field = 0; field < REGISTRY_FIELD_COUNT; field++) {
        const char *text =
            registry_field_text(store->entry, (enum registry_field)field, value[field], sizeof value[field]);
        op[field] = (struct etcd_op){
            .verb = text == NULL ? ETCD_DELETE : ETCD_PUT,
            .key = store_key(store, (enum registry_field)field, key[field]),
            .value = text,
            .lease = store->lease,
        };
    }
    unchanged.key = key[REGISTRY_IP];
    if (store->holder.kind != HOLDER_NONE) {
        unchanged.target = ETCD_TARGET_MOD;
        unchanged.number = store->holder.mod_revision;
    }
    /* Sent twice, the second fails on the first one's revision, and what is read then is ours. */
    struct etcd_txn txn = {.compare = &unchanged,
                           .compare_count = 1,
                           .success = op,
                           .success_count = REGISTRY_FIELD_COUNT,
                           .repeatable = true};
    enum etcd_failure failure = etcd_commit(store->etcd, &txn, deadline, &reply, error);
    if (failure == ETCD_OK && !reply.succeeded) {
        error_set(error, EXIT_TRY_AGAIN, "the entry of %s was changed by somebody else at the same time",
                  store->entry->id);
        failure = ETCD_CHANGED;
    }
    etcd_txn_reply_free(&reply);
    return failure;
}

static enum announce_outcome claim(struct store *store, struct deadline deadline, struct announce_report *report,
                                   struct error *error)
{
    enum etcd_failure failure = ETCD_CHANGED;
    int64_t ttl_s = store->ttl_s;

    for (int attempt = 0; attempt < CLAIM_ATTEMPTS && (failure == ETCD_CHANGED || failure == ETCD_NOT_FOUND);
         attempt++) {
        enum announce_outcome outcome = read_holder(store, true, deadline, error);
        if (outcome != OUTCOME_DONE)
            return outcome;
        if (store->holder.kind == HOLDER_OTHER)
            return taken(store, deadline, report, error);
        failure = have_lease(store, deadline, &ttl_s, error);
        if (failure != ETCD_OK)
            break;
        failure = write_entry(store, deadline, error);
        if (failure == ETCD_NOT_FOUND)
            store->lease = 0; /* it has ended, whatever was said before: etcd 3.4.23 renews what was revoked */
    }
    report->ttl_ms = ttl_s * MS_PER_S;
    return failure == ETCD_NOT_FOUND ? OUTCOME_UNREACHABLE : store_outcome(failure);
}

static enum announce_outcome keep(struct store *store, struct deadline deadline, struct announce_report *report,
                                  struct error *error)
{
    int64_t ttl_s;
    enum etcd_failure failure = etcd_lease_keep(store->etcd, store->lease, deadline, &ttl_s, error);

    report->ttl_ms = ttl_s * MS_PER_S;
    return store_outcome(failure);
}

static enum announce_outcome verify(struct store *store, struct deadline deadline, struct announce_report *report,
                                    struct error *error)
{
    enum announce_outcome outcome = read_holder(store, false, deadline, error);

    if (outcome != OUTCOME_DONE)
        return outcome;
    switch (store->holder.kind) {
    case HOLDER_NONE:
        error_set(error, EXIT_UNAVAILABLE, "the entry was removed by somebody else, or its lease was revoked");
        return OUTCOME_GONE;
    case HOLDER_US:
        if (store->holder.intact)
            return OUTCOME_DONE;
        error_set(error, EXIT_UNAVAILABLE, "the entry was changed by somebody else");
        return OUTCOME_GONE;
    case HOLDER_LEFTOVER:
        error_set(error, EXIT_NO, "another process has registered %s as %s", store->holder.address, store->entry->id);
        return OUTCOME_DISPLACED;
    case HOLDER_OTHER:
        break;
    }
    return taken(store, deadline, report, error);
}

/* The state alone, if the entry is still ours. */
static enum announce_outcome update(struct store *store, struct deadline deadline, struct announce_report *report,
                                    struct error *error)
{
    char ip_key[STORE_KEY_SIZE];
    char state_key[STORE_KEY_SIZE];
    struct etcd_txn_reply reply;
    struct etcd_compare ours = {.key = store_key(store, REGISTRY_IP, ip_key),
                                .target = ETCD_TARGET_LEASE,
                                .relation = ETCD_EQUAL,
                                .number = store->lease};
    struct etcd_op op = {.verb = store->entry->state[0] == '\0' ? ETCD_DELETE : ETCD_PUT,
                         .key = store_key(store, REGISTRY_STATE, state_key),
                         .value = store->entry->state,
                         .lease = store->lease};
    struct etcd_txn txn = {
        .compare = &ours, .compare_count = 1, .success = &op, .success_count = 1, .repeatable = true};
    enum etcd_failure failure = etcd_commit(store->etcd, &txn, deadline, &reply, error);

    (void)report;
    if (failure == ETCD_OK && !reply.succeeded) {
        error_set(error, EXIT_UNAVAILABLE, "the entry is not there any more");
        failure = ETCD_NOT_FOUND;
    }
    etcd_txn_reply_free(&reply);
    return store_outcome(failure);
}

static enum announce_outcome withdraw(struct store *store, struct deadline deadline, struct announce_report *report,
                                      struct error *error)
{
    enum etcd_failure failure = ETCD_NOT_FOUND;

    (void)report;
    if (store->lease != 0)
        failure = etcd_lease_revoke(store->etcd, store->lease, deadline, error);
    return failure == ETCD_NOT_FOUND ? OUTCOME_DONE : store_outcome(failure);
}

store_step *const store_v3_steps[ANNOUNCE_ACTIONS] = {
    [ANNOUNCE_CLAIM] = claim,   [ANNOUNCE_KEEP] = keep,         [ANNOUNCE_VERIFY] = verify,
    [ANNOUNCE_UPDATE] = update, [ANNOUNCE_WITHDRAW] = withdraw,
};
