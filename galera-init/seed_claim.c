#include "seed_claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "log.h"
#include "text.h"

static const char no_sha256[] = "0000000000000000000000000000000000000000000000000000000000000000";

enum { MS_PER_S = 1000, REQUEST_MS = 5000, RENEW_MS = 1500 };

bool claim_open(struct seed_claim *claim, const struct seed_job *job, int wake_fd, struct error *error)
{
    *claim = (struct seed_claim){.job = job, .settings = job->settings->etcd};
    snprintf(claim->key, sizeof claim->key, "%sseed", settings_prefix(job->settings, claim->prefix));
    claim->settings.password = NULL;
    if (job->settings->etcd.password != NULL &&
        (claim->settings.password = strdup(job->settings->etcd.password)) == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    claim->etcd = etcd_open(&claim->settings, wake_fd, error);
    return claim->etcd != NULL;
}

static bool failed(enum etcd_failure failure, struct error *error)
{
    if (failure == ETCD_OK)
        return false;
    error->code = EXIT_TRY_AGAIN;
    error_context(error, "etcd");
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool is_usable(const char *phase)
{
    return phase != NULL && (strcmp(phase, member_phase_word(MEMBER_SYNCED)) == 0 ||
                             strcmp(phase, member_phase_word(MEMBER_DONOR)) == 0);
}

static struct json *parse(const struct etcd_kv *kv)
{
    struct error ignored;
    struct json *value = json_parse(kv->value, kv->value_length, &ignored);

    if (value == NULL)
        log_warning("the key %s makes no sense: %s", kv->key, ignored.text);
    return value;
}

/* A claim without a lease is nobody's: its loader would hold one. */
static void look_at_claim(struct seed_claim *claim, const struct etcd_kv *kv, struct seed_facts *facts)
{
    struct json *value = parse(kv);
    const char *state = json_text(json_member(value, "state"));
    const char *node = json_text(json_member(value, "node"));

    claim->revision = kv->mod_revision;
    claim->said_done = state != NULL && strcmp(state, seed_key_state_word(SEED_KEY_DONE)) == 0;
    if (kv->lease != 0 && state != NULL && strcmp(state, seed_key_state_word(SEED_KEY_LOADING)) == 0 && node != NULL) {
        snprintf(claim->holder, sizeof claim->holder, "%s", node);
        facts->claim = strcmp(node, claim->job->settings->name) == 0 ? CLAIM_OURS : CLAIM_ANOTHER;
    }
    json_free(value);
}

static void look_at_member(const struct etcd_kv *kv, struct seed_facts *facts)
{
    struct json *value = parse(kv);

    if (is_usable(json_text(json_member(value, "phase"))))
        facts->members++;
    json_free(value);
}

bool claim_look(struct seed_claim *claim, struct seed_facts *facts, struct error *error)
{
    struct etcd_range range;
    char members[CLAIM_KEY_SIZE];
    enum etcd_failure failure = etcd_get_prefix(claim->etcd, claim->prefix, deadline_in_ms(REQUEST_MS), &range, error);

    facts->claim = CLAIM_NONE;
    facts->members = 0;
    claim->revision = 0;
    claim->holder[0] = '\0';
    claim->said_done = false;
    snprintf(members, sizeof members, "%smember/", claim->prefix);
    for (size_t i = 0; failure == ETCD_OK && i < range.count; i++) {
        if (strcmp(range.kv[i].key, claim->key) == 0)
            look_at_claim(claim, &range.kv[i], facts);
        else if (strncmp(range.kv[i].key, members, strlen(members)) == 0)
            look_at_member(&range.kv[i], facts);
    }
    etcd_range_free(&range);
    return !failed(failure, error);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* False when it could not be read again, or memory runs out. */
static bool format_value(const struct seed_claim *claim, enum seed_key_state state, struct text *value,
                         struct error *error)
{
    struct seed_key seed = {.state = state, .epoch = claim->job->epoch};

    snprintf(seed.sha256, sizeof seed.sha256, "%s", claim->sha256);
    snprintf(seed.node, sizeof seed.node, "%s", claim->node);
    return seed_key_format(value, &seed) || error_set(error, EXIT_INTERNAL, "cannot write the key %s", claim->key);
}

/* Whether the key is under our lease, and its revision. */
static enum etcd_failure read_held(struct seed_claim *claim, struct deadline deadline, struct error *error)
{
    struct etcd_range range;
    enum etcd_failure failure = etcd_get(claim->etcd, claim->key, deadline, &range, error);

    if (failure == ETCD_OK) {
        claim->revision = range.count == 0 ? 0 : range.kv[0].mod_revision;
        claim->held = range.count != 0 && claim->lease != 0 && range.kv[0].lease == claim->lease;
    }
    etcd_range_free(&range);
    return failure;
}

/*
 * Writes the key if it is as it was read. Whether that worked is seen by reading it again: a transaction that was sent
 * twice fails the second time.
 */
static enum etcd_failure put_if_same(struct seed_claim *claim, enum seed_key_state state, int64_t lease,
                                     struct deadline deadline, struct error *error)
{
    struct text value = {0};
    struct etcd_txn_reply reply = {0};
    struct etcd_compare same = {
        .key = claim->key, .target = ETCD_TARGET_MOD, .relation = ETCD_EQUAL, .number = claim->revision};

    if (!format_value(claim, state, &value, error)) {
        text_free(&value);
        return ETCD_REFUSED;
    }
    struct etcd_op put = {.verb = ETCD_PUT, .key = claim->key, .value = text_string(&value), .lease = lease};
    struct etcd_txn txn = {
        .compare = &same, .compare_count = 1, .success = &put, .success_count = 1, .repeatable = true};
    enum etcd_failure failure = etcd_commit(claim->etcd, &txn, deadline, &reply, error);
    etcd_txn_reply_free(&reply);
    text_free(&value);
    return failure;
}

static enum etcd_failure have_lease(struct seed_claim *claim, struct deadline deadline, struct error *error)
{
    int64_t ttl_s = claim->job->settings->ttl_ms / MS_PER_S;
    int64_t granted;

    return etcd_lease_grant(claim->etcd, ttl_s, deadline, &claim->lease, &granted, error);
}

static void renew_later(struct seed_claim *claim)
{
    claim->renew_at = deadline_in_ms(claim->job->settings->ttl_ms / 3);
}

bool claim_take(struct seed_claim *claim, const char *sha256, struct error *error)
{
    struct deadline deadline = deadline_in_ms(REQUEST_MS);

    snprintf(claim->sha256, sizeof claim->sha256, "%s", sha256);
    snprintf(claim->node, sizeof claim->node, "%s", claim->job->settings->name);
    enum etcd_failure failure = have_lease(claim, deadline, error);
    if (failure == ETCD_OK)
        failure = put_if_same(claim, SEED_KEY_LOADING, claim->lease, deadline, error);
    if (failure == ETCD_OK)
        failure = read_held(claim, deadline, error);
    if (failed(failure, error))
        return false;
    renew_later(claim);
    return claim->held || error_set(error, EXIT_TRY_AGAIN, "another node has claimed the loading at the same time");
}

/* The key is gone: our lease has run out, or etcd lost its data. Unless somebody else is quicker, it is ours again. */
static enum etcd_failure claim_again(struct seed_claim *claim, struct deadline deadline, struct error *error)
{
    claim->revision = 0;
    enum etcd_failure failure = put_if_same(claim, SEED_KEY_LOADING, claim->lease, deadline, error);
    return failure == ETCD_OK ? read_held(claim, deadline, error) : failure;
}

bool claim_keep(struct seed_claim *claim, struct error *error)
{
    struct deadline deadline = deadline_in_ms(RENEW_MS);
    struct error problem = {0};
    int64_t left;

    if (!deadline_passed(claim->renew_at))
        return true;
    enum etcd_failure failure = etcd_lease_keep(claim->etcd, claim->lease, deadline, &left, &problem);
    if (failure == ETCD_NOT_FOUND)
        failure = have_lease(claim, deadline, &problem);
    if (failure == ETCD_OK)
        failure = read_held(claim, deadline, &problem);
    if (failure == ETCD_OK && claim->revision == 0)
        failure = claim_again(claim, deadline, &problem);
    renew_later(claim);
    if (failure != ETCD_OK) {
        log_debug("the claim cannot be renewed: %s", problem.text);
        etcd_rotate(claim->etcd);
        return true;
    }
    return claim->held || error_set(error, EXIT_TRY_AGAIN, "another node has claimed the loading");
}

static bool record(struct seed_claim *claim, enum seed_key_state state, struct error *error)
{
    enum etcd_failure failure;

    etcd_ignore_wake(claim->etcd);
    failure = put_if_same(claim, state, 0, deadline_in_ms(REQUEST_MS), error);
    if (failed(failure, error))
        return error_context(error, "cannot record that the loading is %s", seed_key_state_word(state));
    claim->held = false;
    return true;
}

bool claim_record(struct seed_claim *claim, bool done, struct error *error)
{
    struct deadline deadline = deadline_in_ms(REQUEST_MS);

    etcd_ignore_wake(claim->etcd);
    /* Who claimed it in between finds the mark and says the same. */
    if (done && failed(read_held(claim, deadline, error), error))
        return error_context(error, "cannot record that the loading is done");
    return record(claim, done ? SEED_KEY_DONE : SEED_KEY_FAILED, error);
}

bool claim_record_found(struct seed_claim *claim, const struct seed_mark *mark, struct error *error)
{
    if (claim->said_done)
        return true;
    /* A mark that was set by hand need not say by whom, or from what. */
    snprintf(claim->sha256, sizeof claim->sha256, "%s", mark->sha256[0] == '\0' ? no_sha256 : mark->sha256);
    snprintf(claim->node, sizeof claim->node, "%s", mark->node[0] == '\0' ? claim->job->settings->name : mark->node);
    return record(claim, SEED_KEY_DONE, error);
}

void claim_close(struct seed_claim *claim)
{
    struct error ignored;

    if (claim->etcd != NULL && claim->lease != 0) {
        etcd_ignore_wake(claim->etcd);
        etcd_lease_revoke(claim->etcd, claim->lease, deadline_in_ms(RENEW_MS), &ignored); /* else it expires */
    }
    if (claim->etcd != NULL)
        etcd_close(claim->etcd);
    free(claim->settings.password);
    *claim = (struct seed_claim){0};
}
