#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "log.h"

enum { RENEWALS = 3, RETRY_MOST_MS = 2000, RETRY_FIRST_MS = 200, CALL_MOST_MS = 4000, REVOKE_PAUSE_MS = 100 };

struct keeper {
    struct etcd *etcd;
    int64_t ttl_ms;
    char key[KEYS_KEY_SIZE];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* CLOCK_MONOTONIC */

    /* Under the lock. */
    struct text wanted; /* empty: nothing to say yet */
    int64_t revision;   /* of `wanted` */
    int64_t lease;
    bool stopping;
    int64_t stop_ms;

    /* The thread's. */
    int64_t old_lease;
    int64_t written; /* revision of what is in etcd */
    bool complained;
    struct backoff backoff;
};

static void complain(struct keeper *keeper, const char *words)
{
    if (!keeper->complained)
        log_warning("cannot tell the other nodes that this one is alive: %s; trying again", words);
    keeper->complained = true;
}

static void set_lease(struct keeper *keeper, int64_t lease)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->lease = lease;
    pthread_mutex_unlock(&keeper->lock);
}

/* However long the lease: a stop waits for a call that is under way. */
static struct deadline call_deadline(const struct keeper *keeper)
{
    int64_t ms = keeper->ttl_ms / RENEWALS;

    return deadline_in_ms(ms < CALL_MOST_MS ? ms : CALL_MOST_MS);
}

/* Writes the key unless somebody else holds it under a lease that is alive. */
static bool write_member(struct keeper *keeper, const char *value, int64_t revision, struct error *error)
{
    struct deadline deadline = call_deadline(keeper);
    struct etcd_txn_reply reply = {0};
    const struct etcd_op put = {.verb = ETCD_PUT, .key = keeper->key, .value = value, .lease = keeper->lease};
    const struct etcd_compare ours = {
        .key = keeper->key, .target = ETCD_TARGET_LEASE, .relation = ETCD_EQUAL, .number = keeper->lease};
    const struct etcd_compare none = {.key = keeper->key, .target = ETCD_TARGET_CREATE, .relation = ETCD_EQUAL};
    const struct etcd_compare *const ways[] = {&ours, &none};

    for (size_t i = 0; i < 2; i++) {
        struct etcd_txn txn = {
            .compare = ways[i], .compare_count = 1, .success = &put, .success_count = 1, .repeatable = true};
        enum etcd_failure failure = etcd_commit(keeper->etcd, &txn, deadline, &reply, error);
        bool succeeded = reply.succeeded;
        etcd_txn_reply_free(&reply);
        if (failure == ETCD_NOT_FOUND) {
            set_lease(keeper, 0);
            return error_set(error, EXIT_TRY_AGAIN, "the lease has expired");
        }
        if (failure != ETCD_OK)
            return false;
        if (succeeded) {
            keeper->written = revision;
            return true;
        }
    }
    return error_set(error, EXIT_TRY_AGAIN, "another galera-init holds %s", keeper->key);
}

/* One round: a lease that lives, and a key that says what is wanted. */
static bool keep(struct keeper *keeper, const char *value, int64_t revision, struct error *error)
{
    struct deadline deadline = call_deadline(keeper);
    int64_t lease = keeper->lease;
    int64_t ttl;

    if (keeper->old_lease != 0) {
        enum etcd_failure failure = etcd_lease_revoke(keeper->etcd, keeper->old_lease, deadline, error);
        if (failure == ETCD_UNREACHABLE || failure == ETCD_UNCERTAIN)
            return false;
        keeper->old_lease = 0; /* gone, or it has to expire */
    }
    if (lease != 0) {
        enum etcd_failure failure = etcd_lease_keep(keeper->etcd, lease, deadline, &ttl, error);
        if (failure == ETCD_NOT_FOUND)
            set_lease(keeper, 0);
        else if (failure != ETCD_OK)
            return false;
    }
    if (keeper->lease == 0) {
        if (etcd_lease_grant(keeper->etcd, keeper->ttl_ms / 1000, deadline, &lease, &ttl, error) != ETCD_OK)
            return false;
        set_lease(keeper, lease);
        keeper->written = 0;
    }
    /* An etcd that lost its data, or a lease that was revoked behind our back, takes the key with it: look. */
    struct etcd_range range = {0};
    if (keeper->written != 0 && etcd_get(keeper->etcd, keeper->key, deadline, &range, error) != ETCD_OK)
        return false;
    if (range.count == 0 || range.kv[0].lease != keeper->lease)
        keeper->written = 0;
    etcd_range_free(&range);
    return keeper->written == revision || write_member(keeper, value, revision, error);
}

static struct timespec wake_at(int64_t ms)
{
    return deadline_timespec(deadline_in_ms(ms));
}

/* An endpoint may be slow once: it is asked again for as long as there is time. */
static void give_back(struct keeper *keeper, int64_t lease, struct deadline deadline)
{
    enum etcd_failure failure;
    struct error error;

    if (lease == 0)
        return;
    while ((failure = etcd_lease_revoke(keeper->etcd, lease, deadline, &error)) == ETCD_UNREACHABLE ||
           failure == ETCD_UNCERTAIN) {
        if (deadline_passed(deadline))
            break;
        poll(NULL, 0, REVOKE_PAUSE_MS);
    }
    if (failure != ETCD_OK && failure != ETCD_NOT_FOUND)
        log_info("the lease is left to expire: %s", error.text);
}

static void *run(void *context)
{
    struct keeper *keeper = context;

    pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping) {
        int64_t revision = keeper->revision;
        char *value = keeper->wanted.length == 0 ? NULL : strdup(text_string(&keeper->wanted));
        pthread_mutex_unlock(&keeper->lock);

        struct error error;
        bool kept = value == NULL || keep(keeper, value, revision, &error);
        if (!kept)
            complain(keeper, error.text);
        else if (keeper->complained && value != NULL) {
            log_notice("the other nodes see this one again");
            keeper->complained = false;
        }
        if (kept)
            backoff_reset(&keeper->backoff);
        free(value);

        int64_t pause = kept ? jitter_ms(keeper->ttl_ms / RENEWALS, 20, random_number())
                             : backoff_delay_ms(&keeper->backoff, random_number());
        struct timespec at = wake_at(pause);
        pthread_mutex_lock(&keeper->lock);
        /* After a failure the pause is kept, whatever is wanted by now. */
        while (!keeper->stopping && (!kept || keeper->revision == revision)) {
            if (pthread_cond_timedwait(&keeper->changed, &keeper->lock, &at) == ETIMEDOUT)
                break;
        }
    }
    int64_t lease = keeper->lease;
    int64_t stop_ms = keeper->stop_ms;
    pthread_mutex_unlock(&keeper->lock);
    give_back(keeper, lease, deadline_in_ms(stop_ms));
    return NULL;
}

struct keeper *keeper_open(struct etcd *etcd, const char *prefix, const char *node, int64_t ttl_ms, int64_t old_lease,
                           struct error *error)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    pthread_condattr_t monotonic;

    if (keeper == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        etcd_close(etcd);
        return NULL;
    }
    keeper->etcd = etcd;
    keeper->ttl_ms = ttl_ms;
    keeper->old_lease = old_lease;
    keeper->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = RETRY_MOST_MS};
    snprintf(keeper->key, sizeof keeper->key, "%smember/%s", prefix, node);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        error_set(error, EXIT_INTERNAL, "cannot start a thread");
        etcd_close(etcd);
        pthread_cond_destroy(&keeper->changed);
        pthread_mutex_destroy(&keeper->lock);
        free(keeper);
        return NULL;
    }
    return keeper;
}

void keeper_tell(struct keeper *keeper, enum member_phase phase, const char *boot, const struct node_card *card)
{
    struct text text = {0};

    if (!member_format(&text, phase, boot, card)) {
        text_free(&text);
        return;
    }
    pthread_mutex_lock(&keeper->lock);
    if (strcmp(text_string(&text), text_string(&keeper->wanted)) != 0) {
        text_free(&keeper->wanted);
        keeper->wanted = text;
        keeper->revision++;
        pthread_cond_signal(&keeper->changed);
    } else {
        text_free(&text);
    }
    pthread_mutex_unlock(&keeper->lock);
}

int64_t keeper_lease(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    int64_t lease = keeper->lease;
    pthread_mutex_unlock(&keeper->lock);
    return lease;
}

void keeper_close(struct keeper *keeper, int64_t timeout_ms)
{
    if (keeper == NULL)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    keeper->stop_ms = timeout_ms;
    pthread_cond_signal(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    etcd_close(keeper->etcd);
    text_free(&keeper->wanted);
    pthread_cond_destroy(&keeper->changed);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
