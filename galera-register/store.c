#include "store.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { MS_PER_S = 1000 };

void store_init(struct store *store, struct etcd *etcd, struct registry_entry *entry, const char *prefix,
                int64_t ttl_ms)
{
    *store = (struct store){.etcd = etcd,
                            .api = ETCD_AUTO,
                            .entry = entry,
                            .own_ip = entry->ip[0] != '\0',
                            .ttl_s = (ttl_ms + MS_PER_S - 1) / MS_PER_S};
    snprintf(store->directory, sizeof store->directory, "%s/%s/", prefix, entry->id);
}

const char *store_key(const struct store *store, enum registry_field field, char key[STORE_KEY_SIZE])
{
    snprintf(key, STORE_KEY_SIZE, "%s%s", store->directory, registry_field_name(field));
    return key;
}

enum announce_outcome store_outcome(enum etcd_failure failure)
{
    switch (failure) {
    case ETCD_OK:
        return OUTCOME_DONE;
    case ETCD_NOT_FOUND:
        return OUTCOME_GONE;
    case ETCD_DENIED:
    case ETCD_REFUSED:
        return OUTCOME_REFUSED;
    case ETCD_INTERRUPTED:
        return OUTCOME_INTERRUPTED;
    case ETCD_UNREACHABLE:
    case ETCD_UNCERTAIN:
    case ETCD_CHANGED:
    case ETCD_COMPACTED:
    case ETCD_NO_SPACE:
        break;
    }
    return OUTCOME_UNREACHABLE;
}

static bool is_loopback(const char *ip)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, ip, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, ip, &v6) == 1 && (IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6));
}

bool store_find_ip(struct store *store, struct error *error)
{
    struct registry_entry *entry = store->entry;
    const char *local = etcd_local_address(store->etcd);

    if (store->own_ip)
        return true;
    if (!registry_ip_normalize(local, entry->ip, sizeof entry->ip, &entry->ipv6) || is_loopback(local))
        return error_set(
            error, EXIT_CONFIG,
            "the connection to etcd %s comes from %s, which other hosts cannot reach: set ip in [register] or --ip",
            etcd_endpoint(store->etcd), local[0] == '\0' ? "nowhere" : local);
    return true;
}

void store_do(struct store *store, enum announce_action action, struct deadline deadline,
              struct announce_report *report, struct error *error)
{
    enum etcd_failure failure = ETCD_OK;

    *report = (struct announce_report){.action = action};
    /* Nothing can be there when no server has ever told us its version. */
    if (action == ANNOUNCE_WITHDRAW && store->api == ETCD_AUTO)
        return;
    if (store->api == ETCD_AUTO)
        failure = etcd_find_api(store->etcd, deadline, &store->api, error);
    if (failure != ETCD_OK) {
        store->api = ETCD_AUTO;
        report->outcome = store_outcome(failure);
        return;
    }
    store_step *step = (store->api == ETCD_V2 ? store_v2_steps : store_v3_steps)[action];
    report->outcome = step == NULL ? OUTCOME_DONE : step(store, deadline, report, error);
}
