/* What etcd, or something in its place, answers. The first byte chooses the kind of answer. */
#include <stdlib.h>
#include <string.h>

#include "etcd_reply.h"
#include "fuzz.h"
#include "registry.h"

static void try_registry(const struct etcd_range *range)
{
    struct registry registry;
    struct error error;

    MUST(registry_build(&registry, "/components/galera", range->kv, range->count, &error));
    for (size_t i = 0; i < registry.count; i++) {
        const struct registry_entry *entry = &registry.entry[i];
        MUST(registry_id_is_valid(entry->id) && entry->port != 0 && entry->ip[0] != '\0');
        MUST(strpbrk(entry->ip, " \t\r\n;'\"") == NULL);
        MUST(i == 0 || strcmp(registry.entry[i - 1].id, entry->id) <= 0);
    }
    registry_free(&registry);
}

static void try_range(const char *text, size_t size, bool v2)
{
    struct etcd_range range;
    struct error error;
    int64_t ttl;

    if (v2 ? etcd_v2_read_node(text, size, &range, &ttl, &error) : etcd_read_range(text, size, &range, &error))
        try_registry(&range);
    else
        MUST(range.count == 0 && range.kv == NULL);
    etcd_range_free(&range);
}

static void try_watch(const char *text, size_t size)
{
    struct etcd_range range = {.revision = 1};
    struct etcd_events events;
    struct error error = {.text = ""};
    enum etcd_news news = etcd_read_watch(text, size, &events, &error);

    MUST(news == ETCD_NEWS_EVENTS || events.count == 0);
    MUST(news != ETCD_NEWS_ENDED || error.text[0] != '\0');
    for (size_t i = 0; i < events.count; i++)
        MUST(etcd_range_apply(&range, &events.event[i]));
    for (size_t i = 1; i < range.count; i++)
        MUST(strcmp(range.kv[i - 1].key, range.kv[i].key) < 0);
    etcd_events_free(&events);
    etcd_range_free(&range);
}

static void try_small_answers(const char *text, size_t size)
{
    struct etcd_txn_reply reply;
    struct etcd_version version;
    struct error error;
    int64_t lease;
    int64_t number;

    (void)etcd_read_txn(text, size, &reply, &error);
    etcd_txn_reply_free(&reply);
    if (etcd_read_version(text, size, &version, &error))
        (void)etcd_gateway_prefix(&version);
    (void)etcd_read_lease(text, size, &lease, &number, &error);
    (void)etcd_read_keepalive(text, size, &number, &error);
    (void)etcd_read_deleted(text, size, &number, &error);
    char *token = etcd_read_token(text, size, &error);
    MUST(token == NULL || strpbrk(token, "\r\n") == NULL);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error;

    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    size--;
    switch (data[0]) {
    case 'r':
        try_range(text, size, false);
        break;
    case '2':
        try_range(text, size, true);
        break;
    case 'w':
        try_watch(text, size);
        break;
    case 'e':
        MUST(etcd_read_problem(400, text, size, &error).failure != ETCD_OK);
        MUST(etcd_v2_read_problem(400, text, size, &error).failure != ETCD_OK);
        break;
    default:
        try_small_answers(text, size);
        break;
    }
    return 0;
}
