#include "agreement.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "log.h"
#include "notify.h"
#include "num.h"

/* HAProxy is not looked at while etcd is asked, so a slow one is waited for and a dead one not for long. */
enum { NS_PER_MS = 1000000, ASK_MS = 500, RETRY_MS = 2000, REQUEST_MOST_MS = 3000 };

static struct deadline request_deadline(const struct agreement *agreement)
{
    return deadline_in_ms(etcd_patience_ms(agreement->etcd, notify_patience_ms(REQUEST_MOST_MS)));
}

/* After a request that began at `began_ms` and failed: at most half of the time goes into waiting for etcd. */
static int64_t retry_ms(int64_t began_ms)
{
    int64_t ended_ms = monotonic_ns() / NS_PER_MS;
    int64_t took_ms = ended_ms - began_ms;

    return ended_ms + (took_ms > RETRY_MS ? took_ms : RETRY_MS);
}

void agreement_open(struct agreement *agreement, const struct settings *settings, struct etcd *etcd)
{
    bool off =
        settings->writer_bind == NULL || (settings->writer_key != NULL && strcmp(settings->writer_key, "off") == 0);

    agreement->etcd = off ? NULL : etcd;
    agreement->asked = false;
    agreement->out = false;
    agreement->mod_revision = 0;
    agreement->next_ms = INT64_MIN;
    if (settings->writer_key != NULL)
        snprintf(agreement->key, sizeof agreement->key, "%s", settings->writer_key);
    else
        snprintf(agreement->key, sizeof agreement->key, "/galera-haproxy%s/writer", settings->prefix);
}

bool agreement_parse(const char *text, char *ip, size_t size, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    char address[REGISTRY_IP_SIZE + 2];
    int64_t number;
    bool ipv6;

    if (colon == NULL || (size_t)(colon - text) >= sizeof address || !num_parse(colon + 1, 1, 65535, &number))
        return false;
    size_t length = (size_t)(colon - text);
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    snprintf(address, sizeof address, "%.*s", (int)(bracketed ? length - 2 : length), bracketed ? text + 1 : text);
    if (!registry_ip_normalize(address, ip, size, &ipv6) || ipv6 != bracketed)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* It can be asked again, or not any more; each is said once. */
static void note_reachable(struct agreement *agreement, bool reachable, const char *why)
{
    if (reachable && agreement->out)
        log_notice("the writer is agreed on in etcd again (%s)", agreement->key);
    else if (!reachable && !agreement->out)
        log_warning("the writer cannot be agreed on in etcd (%s): %s; this balancer goes on by the order of the "
                    "registrations",
                    agreement->key, why);
    agreement->out = !reachable;
}

static void remember(struct agreement *agreement, const char *ip, uint16_t port, int64_t moved_ms)
{
    struct writer_memory *memory = &agreement->memory;

    if (memory->known && memory->port == port && strcmp(memory->ip, ip) == 0)
        return;
    memory->known = true;
    memory->port = port;
    snprintf(memory->ip, sizeof memory->ip, "%s", ip);
    memory->moved_ms = moved_ms;
    memory->seated = false;
}

/* The key has been changed by somebody since we read it last: what it says counts, not what we thought. */
static void follow(struct agreement *agreement, const struct etcd_range *range, int64_t now_ms)
{
    int64_t mod_revision = range->count == 0 ? 0 : range->kv[0].mod_revision;
    char ip[REGISTRY_IP_SIZE];
    uint16_t port;
    bool first = !agreement->asked;

    if (!first && mod_revision == agreement->mod_revision)
        return;
    agreement->mod_revision = mod_revision;
    if (range->count == 0) {
        agreement->unpublished = agreement->memory.known;
        return;
    }
    agreement->unpublished = false;
    if (agreement_parse(range->kv[0].value, ip, sizeof ip, &port))
        remember(agreement, ip, port, first && !agreement->memory.known ? INT64_MIN : now_ms);
    else
        log_warning("the value of %s in etcd is no address: '%s'; it will be replaced", agreement->key,
                    range->kv[0].value);
}

static bool usable_api(struct agreement *agreement, struct error *error)
{
    enum etcd_api api;

    if (etcd_find_api(agreement->etcd, request_deadline(agreement), &api, error) != ETCD_OK)
        return false;
    return api == ETCD_V3 || error_set(error, EXIT_CONFIG, "that needs etcd's v3 API");
}

/* Writes the memory if the key is still as we know it. False when that is not known, or it was not. */
static bool publish(struct agreement *agreement, int64_t now_ms)
{
    char value[REGISTRY_IP_SIZE + 16];
    struct member writer = {.port = agreement->memory.port, .ipv6 = strchr(agreement->memory.ip, ':') != NULL};
    struct etcd_compare unchanged = {
        .key = agreement->key, .target = ETCD_TARGET_MOD, .relation = ETCD_EQUAL, .number = agreement->mod_revision};
    struct etcd_op put = {.verb = ETCD_PUT, .key = agreement->key, .value = value};
    struct etcd_txn txn = {.compare = &unchanged, .compare_count = 1, .success = &put, .success_count = 1};
    struct etcd_txn_reply reply;
    struct error error;

    memcpy(writer.ip, agreement->memory.ip, sizeof writer.ip);
    member_address(&writer, value, sizeof value);
    enum etcd_failure failure = etcd_commit(agreement->etcd, &txn, request_deadline(agreement), &reply, &error);
    if (failure == ETCD_OK && reply.succeeded) {
        agreement->mod_revision = reply.revision;
        agreement->unpublished = false;
    }
    bool done = failure == ETCD_OK && reply.succeeded;
    etcd_txn_reply_free(&reply);
    note_reachable(agreement, failure == ETCD_OK, error.text);
    agreement->next_ms = failure == ETCD_OK ? now_ms : retry_ms(now_ms);
    return done;
}

void agreement_refresh(struct agreement *agreement, int64_t now_ms)
{
    struct etcd_range range;
    struct error error;

    if (agreement->etcd == NULL || now_ms < agreement->next_ms)
        return;
    if (!usable_api(agreement, &error)) {
        note_reachable(agreement, false, error.text);
        agreement->next_ms = retry_ms(now_ms);
        return;
    }
    enum etcd_failure failure = etcd_get(agreement->etcd, agreement->key, request_deadline(agreement), &range, &error);
    if (failure == ETCD_OK) {
        follow(agreement, &range, now_ms);
        agreement->asked = true;
    }
    etcd_range_free(&range);
    agreement->next_ms = failure == ETCD_OK ? now_ms + ASK_MS : retry_ms(now_ms);
    if (failure == ETCD_INTERRUPTED)
        return;
    note_reachable(agreement, failure == ETCD_OK, error.text);
    if (failure == ETCD_OK && agreement->unpublished)
        (void)publish(agreement, now_ms);
}

void agreement_propose(struct agreement *agreement, const struct member *member, int64_t now_ms)
{
    struct writer_memory before = agreement->memory;

    remember(agreement, member->ip, member->port, before.known ? now_ms : INT64_MIN);
    if (agreement->etcd == NULL)
        return;
    agreement->unpublished = true;
    if (!agreement->asked || agreement->out)
        return;
    if (!publish(agreement, now_ms) && !agreement->out) {
        /* Somebody was faster, or nobody knows: read it before anything else is done. */
        agreement->memory = before;
        agreement->unpublished = false;
        agreement_refresh(agreement, now_ms);
    }
}
