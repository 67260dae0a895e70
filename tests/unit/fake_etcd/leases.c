/* Leases of v3. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { MS_PER_S = 1000, FIRST_LEASE = 0x1000 };

struct fake_lease *lease_find(int64_t id)
{
    for (size_t i = 0; i < world.lease_count; i++) {
        if (world.lease[i].id == id)
            return &world.lease[i];
    }
    return NULL;
}

static void remove_lease(struct etcd *client, struct fake_lease *lease)
{
    int64_t id = lease->id;

    keys_drop_lease(client, id);
    memmove(lease, lease + 1, (size_t)(&world.lease[--world.lease_count] - lease) * sizeof *lease);
}

int64_t leases_next_end(void)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < world.lease_count; i++) {
        int64_t end_ms = world.lease[i].expires_ms + world.lag_ms;
        if (end_ms < next_ms)
            next_ms = end_ms;
    }
    return next_ms;
}

void leases_expire(void)
{
    for (size_t i = world.lease_count; i > 0; i--) {
        if (world.now_ms >= world.lease[i - 1].expires_ms + world.lag_ms)
            remove_lease(NULL, &world.lease[i - 1]);
    }
}

void leases_reset(void)
{
    free(world.lease);
    world.lease = NULL;
    world.lease_count = 0;
}

void fake_change_leader(void)
{
    for (size_t i = 0; i < world.lease_count; i++)
        world.lease[i].expires_ms = world.now_ms + world.lease[i].ttl_ms;
}

int64_t fake_grant(int64_t ttl_s)
{
    world.lease = grown(world.lease, world.lease_count, sizeof *world.lease);
    struct fake_lease *lease = &world.lease[world.lease_count++];
    *lease = (struct fake_lease){.id = FIRST_LEASE + ++world.last_lease, .ttl_ms = ttl_s * MS_PER_S};
    lease->expires_ms = world.now_ms + lease->ttl_ms;
    return lease->id;
}

bool fake_keep(int64_t lease)
{
    struct fake_lease *kept = lease_find(lease);

    if (kept == NULL || world.now_ms >= kept->expires_ms)
        return false;
    kept->expires_ms = world.now_ms + kept->ttl_ms;
    return true;
}

void fake_revoke(int64_t lease)
{
    if (lease_find(lease) != NULL)
        remove_lease(NULL, lease_find(lease));
}

bool fake_lease_lives(int64_t lease)
{
    return lease_find(lease) != NULL;
}

void fake_acknowledge_dead_leases(void)
{
    world.acknowledges_dead = true;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

struct lease_call {
    int64_t lease;
    int64_t number; /* TTL: asked for, granted, left */
};

static enum etcd_failure not_found(struct error *error)
{
    error_set(error, EXIT_UNAVAILABLE, "the lease has expired or was revoked");
    return ETCD_NOT_FOUND;
}

static enum etcd_failure act_grant(struct etcd *client, void *arguments, struct error *error)
{
    struct lease_call *grant = arguments;

    (void)client;
    (void)error;
    grant->lease = fake_grant(grant->number);
    return ETCD_OK;
}

enum etcd_failure etcd_lease_grant(struct etcd *etcd, int64_t ttl, struct deadline deadline, int64_t *lease,
                                   int64_t *granted, struct error *error)
{
    struct lease_call grant = {.number = ttl};
    const struct call call = {FAKE_GRANT, true, deadline, &grant, act_grant, NULL};
    enum etcd_failure failure = call_perform(etcd, &call, error);

    if (failure == ETCD_OK) {
        *lease = grant.lease;
        *granted = grant.number;
    }
    return failure;
}

static enum etcd_failure act_keep(struct etcd *client, void *arguments, struct error *error)
{
    struct lease_call *keep = arguments;
    const struct fake_lease *lease = lease_find(keep->lease);

    (void)client;
    keep->number = 1;
    if (lease == NULL && world.acknowledges_dead)
        return ETCD_OK;
    if (lease == NULL || !fake_keep(keep->lease))
        return not_found(error);
    keep->number = lease->ttl_ms / MS_PER_S;
    return ETCD_OK;
}

enum etcd_failure etcd_lease_keep(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *ttl,
                                  struct error *error)
{
    struct lease_call keep = {.lease = lease};
    const struct call call = {FAKE_KEEP, true, deadline, &keep, act_keep, NULL};
    enum etcd_failure failure = call_perform(etcd, &call, error);

    *ttl = failure == ETCD_OK ? keep.number : 0;
    return failure;
}

static enum etcd_failure act_revoke(struct etcd *client, void *arguments, struct error *error)
{
    struct fake_lease *lease = lease_find(((struct lease_call *)arguments)->lease);

    if (lease == NULL)
        return not_found(error);
    remove_lease(client, lease);
    return ETCD_OK;
}

enum etcd_failure etcd_lease_revoke(struct etcd *etcd, int64_t lease, struct deadline deadline, struct error *error)
{
    struct lease_call revoke = {.lease = lease};
    const struct call call = {FAKE_REVOKE, true, deadline, &revoke, act_revoke, NULL};

    return call_perform(etcd, &call, error);
}

static enum etcd_failure act_left(struct etcd *client, void *arguments, struct error *error)
{
    struct lease_call *left = arguments;
    const struct fake_lease *lease = lease_find(left->lease);

    (void)client;
    if (lease == NULL)
        return not_found(error);
    left->number = (lease->expires_ms - world.now_ms) / MS_PER_S;
    return ETCD_OK;
}

enum etcd_failure etcd_lease_left(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *left,
                                  struct error *error)
{
    struct lease_call question = {.lease = lease};
    const struct call call = {FAKE_LEFT, true, deadline, &question, act_left, NULL};
    enum etcd_failure failure = call_perform(etcd, &call, error);

    *left = failure == ETCD_OK ? question.number : 0;
    return failure;
}
