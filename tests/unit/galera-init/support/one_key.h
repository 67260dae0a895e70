/*
 * An etcd of one key in place of lib/etcd.o, which counts its leases, and can be down. Only for the one test program
 * that includes it: what it defines would replace the etcd of every other one.
 */
#ifndef TEST_ONE_KEY_H
#define TEST_ONE_KEY_H

#include "../../row.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd.h"

#define KEY "/galera/x/member/n1"

enum { FIRST_LEASE = 100 };

static struct {
    pthread_mutex_t lock;
    bool down;
    enum etcd_failure revoke_failure;
    int64_t last_lease; /* granted */
    int64_t live;       /* the lease of ours that lives; 0: none */
    char value[512];    /* "": no such key */
    int64_t key_lease;
    int64_t ttl_s;
    int writes, grants, renewals;
    int64_t revoked[4];
    size_t revoked_count;
    bool closed;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void wipe(void)
{
    world.live = world.key_lease = 0;
    world.value[0] = '\0';
}

static enum etcd_failure begin_call(struct error *error)
{
    pthread_mutex_lock(&world.lock);
    if (!world.down)
        return ETCD_OK;
    error_set(error, EXIT_UNAVAILABLE, "etcd does not answer");
    return ETCD_UNREACHABLE;
}

static enum etcd_failure end_call(enum etcd_failure failure)
{
    pthread_mutex_unlock(&world.lock);
    return failure;
}

void etcd_close(struct etcd *etcd)
{
    (void)etcd;
    pthread_mutex_lock(&world.lock);
    world.closed = true;
    pthread_mutex_unlock(&world.lock);
}

enum etcd_failure etcd_lease_grant(struct etcd *etcd, int64_t ttl, struct deadline deadline, int64_t *lease,
                                   int64_t *granted, struct error *error)
{
    (void)etcd, (void)deadline;
    enum etcd_failure failure = begin_call(error);
    if (failure == ETCD_OK) {
        world.last_lease = world.last_lease == 0 ? FIRST_LEASE : world.last_lease + 1;
        world.live = *lease = world.last_lease;
        world.ttl_s = *granted = ttl;
        world.grants++;
    }
    return end_call(failure);
}

enum etcd_failure etcd_lease_keep(struct etcd *etcd, int64_t lease, struct deadline deadline, int64_t *ttl,
                                  struct error *error)
{
    (void)etcd, (void)deadline;
    enum etcd_failure failure = begin_call(error);
    if (failure == ETCD_OK) {
        world.renewals++;
        *ttl = world.ttl_s;
        failure = lease == world.live ? ETCD_OK : ETCD_NOT_FOUND;
    }
    return end_call(failure);
}

enum etcd_failure etcd_lease_revoke(struct etcd *etcd, int64_t lease, struct deadline deadline, struct error *error)
{
    (void)etcd, (void)deadline;
    enum etcd_failure failure = begin_call(error);
    if (failure == ETCD_OK && world.revoke_failure != ETCD_OK) {
        error_set(error, EXIT_UNAVAILABLE, "refused");
        failure = world.revoke_failure;
    } else if (failure == ETCD_OK) {
        assert_true(world.revoked_count < 4);
        world.revoked[world.revoked_count++] = lease;
        if (world.key_lease == lease)
            world.value[0] = '\0';
        if (world.live == lease)
            world.live = 0;
    }
    return end_call(failure);
}

enum etcd_failure etcd_get(struct etcd *etcd, const char *key, struct deadline deadline, struct etcd_range *range,
                           struct error *error)
{
    (void)etcd, (void)deadline;
    enum etcd_failure failure = begin_call(error);
    *range = (struct etcd_range){0};
    if (failure == ETCD_OK && world.value[0] != '\0') {
        range->kv = calloc(1, sizeof *range->kv);
        *range->kv = (struct etcd_kv){.key = strdup(key), .value = strdup(world.value), .lease = world.key_lease};
        range->count = 1;
    }
    return end_call(failure);
}

void etcd_range_free(struct etcd_range *range)
{
    for (size_t i = 0; i < range->count; i++) {
        free(range->kv[i].key);
        free(range->kv[i].value);
    }
    free(range->kv);
    *range = (struct etcd_range){0};
}

enum etcd_failure etcd_commit(struct etcd *etcd, const struct etcd_txn *txn, struct deadline deadline,
                              struct etcd_txn_reply *reply, struct error *error)
{
    (void)etcd, (void)deadline;
    assert_string_equal(txn->success[0].key, KEY);
    assert_int_equal(txn->compare_count, 1);
    enum etcd_failure failure = begin_call(error);
    *reply = (struct etcd_txn_reply){0};
    if (failure == ETCD_OK && txn->success[0].lease != world.live)
        failure = ETCD_NOT_FOUND;
    if (failure == ETCD_OK) {
        bool there = world.value[0] != '\0';
        reply->succeeded =
            txn->compare[0].target == ETCD_TARGET_CREATE ? !there : there && world.key_lease == txn->compare[0].number;
        if (reply->succeeded) {
            snprintf(world.value, sizeof world.value, "%s", txn->success[0].value);
            world.key_lease = txn->success[0].lease;
            world.writes++;
        }
    }
    return end_call(failure);
}

void etcd_txn_reply_free(struct etcd_txn_reply *reply)
{
    *reply = (struct etcd_txn_reply){0};
}

#endif
