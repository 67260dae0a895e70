/*
 * What may be in etcd below the prefix of a cluster: "NAME VALUE" on each line. The first two bytes, digits
 * of enum server_state and enum copy, say what our server does and what copy it has.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "keys.h"
#include "notation.h"

#define PREFIX "/galera/x/"

enum { PAIRS_MOST = 64 };

struct store {
    struct etcd_kv kv[PAIRS_MOST];
    struct etcd_range range;
};

static void add_pair(struct store *store, const char *name, size_t name_length, const char *value, size_t length)
{
    struct etcd_kv *kv = &store->kv[store->range.count++];

    kv->key = calloc(1, sizeof PREFIX + name_length);
    kv->value = calloc(1, length + 1);
    MUST(kv->key != NULL && kv->value != NULL);
    memcpy(kv->key, PREFIX, sizeof PREFIX - 1);
    memcpy(kv->key + sizeof PREFIX - 1, name, name_length);
    memcpy(kv->value, value, length);
    kv->value_length = length;
    kv->mod_revision = (int64_t)store->range.count;
    kv->lease = 7;
    store->range.kv = store->kv;
    store->range.revision = PAIRS_MOST;
}

static void take_lines(struct store *store, const char *text, size_t size)
{
    while (size > 0 && store->range.count < PAIRS_MOST) {
        const char *end = memchr(text, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - text);
        const char *blank = memchr(text, ' ', length);
        size_t name = blank == NULL ? length : (size_t)(blank - text);
        size_t skipped = blank == NULL ? length : name + 1;
        add_pair(store, text, name, text + skipped, length - skipped);
        length += end != NULL;
        text += length;
        size -= length;
    }
}

static void free_store(struct store *store)
{
    for (size_t i = 0; i < store->range.count; i++) {
        free(store->kv[i].key);
        free(store->kv[i].value);
    }
}

static struct situation own_situation(uint8_t server, uint8_t copy)
{
    struct situation situation = {.size = 3, .count = 2, .self = 1, .boot = "b1", .etcd_reachable = true};

    snprintf(situation.nodes[0].name, sizeof situation.nodes[0].name, "cached");
    snprintf(situation.nodes[1].name, sizeof situation.nodes[1].name, "n1");
    situation.nodes[0].cached = true;
    situation.local.server = (enum server_state)((uint8_t)(server - '0') % (SERVER_IDLE + 1));
    situation.local.holding =
        (struct holding){.copy = (enum copy)((uint8_t)(copy - '0') % (COPY_TRUSTED + 1)), .position = position_none()};
    if (situation.local.server == SERVER_PRIMARY || situation.local.server == SERVER_IDLE)
        situation.local.holding.copy = COPY_TRUSTED;
    if (situation.local.holding.copy >= COPY_DOUBTFUL)
        situation.local.holding.position = (struct position){.uuid = {{0xAA}}, .seqno = 90};
    return situation;
}

static void check_order(const struct situation *situation)
{
    MUST(situation->count <= NODES_MOST && situation->self < situation->count);
    MUST(strcmp(situation->nodes[situation->self].name, "n1") == 0);
    for (size_t i = 0; i < situation->count; i++) {
        MUST(name_is_valid(situation->nodes[i].name));
        MUST(i == 0 || strcmp(situation->nodes[i - 1].name, situation->nodes[i].name) < 0);
    }
}

/* What was read is written, and that is read and written again: the same text. */
static void check_there_and_back(const struct situation *situation, const struct keys *keys, size_t i)
{
    static const struct uuid some = {{1}};
    struct situation first = *situation;
    struct situation second = *situation;
    struct keys_change change = {.write = WRITE_OWN | WRITE_UUID,
                                 .node = i,
                                 .own = &first.nodes[i].record,
                                 .card = &keys->card[i],
                                 .bootstrap = &first.bootstrap,
                                 .uuid = first.has_uuid ? &first.uuid : &some};
    struct keys_txn written;
    struct keys_txn again;
    struct keys keys_again;
    struct store store = {.range = {.count = 0}};
    struct error error;

    if (first.bootstrap.phase != BOOTSTRAP_NONE)
        change.write |= WRITE_BOOTSTRAP;
    MUST(keys_compose(&written, PREFIX, &first, keys, &change, &error));
    for (size_t k = 0; k < written.txn.success_count; k++) {
        const char *name = written.op[k].key + sizeof PREFIX - 1;
        add_pair(&store, name, strlen(name), written.op[k].value, strlen(written.op[k].value));
    }
    MUST(keys_read(&keys_again, PREFIX, &store.range, &second, &error));
    change.own = &second.nodes[i].record;
    change.card = &keys_again.card[i];
    change.bootstrap = &second.bootstrap;
    change.uuid = &second.uuid;
    MUST(keys_compose(&again, PREFIX, &second, &keys_again, &change, &error));
    MUST(again.txn.success_count == written.txn.success_count);
    for (size_t k = 0; k < again.txn.success_count; k++)
        MUST(strcmp(again.op[k].value, written.op[k].value) == 0);
    keys_txn_free(&written);
    keys_txn_free(&again);
    keys_free(&keys_again);
    free_store(&store);
}

/* Only a number that nobody comes to by counting may stop a decision from being written. */
static bool is_at_the_end(const struct decision *decision)
{
    const struct lineage *lineage = &decision->bootstrap.lineage;

    for (size_t i = 1; i < lineage->count; i++) {
        if (lineage->entry[i].generation.number <= lineage->entry[i - 1].generation.number)
            return true;
    }
    return decision->own.epoch > EPOCH_MOST || decision->bootstrap.epoch > EPOCH_MOST;
}

static void check_decision(const struct situation *situation, const struct keys *keys)
{
    struct decision decision = decide(situation);
    struct keys_change change = {.compare = decision.compare,
                                 .write = decision.write,
                                 .node = situation->self,
                                 .own = &decision.own,
                                 .bootstrap = &decision.bootstrap,
                                 .uuid = &decision.uuid};
    struct keys_txn txn;
    struct error error;

    if (decision.write == 0)
        return;
    bool composed = keys_compose(&txn, PREFIX, situation, keys, &change, &error);
    if (!composed)
        fprintf(stderr, "%s\n", error.text);
    MUST(composed || is_at_the_end(&decision));
    MUST(!composed || txn.txn.success_count > 0);
    MUST(txn.txn.compare_count <= KEYS_COMPARE_MOST);
    keys_txn_free(&txn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store store = {.range = {.count = 0}};
    struct keys keys;
    struct error error = {.text = ""};

    if (size < 2)
        return 0;
    struct situation situation = own_situation(data[0], data[1]);
    struct situation before;
    memcpy(&before, &situation, sizeof before);
    take_lines(&store, (const char *)data + 2, size - 2);
    if (keys_read(&keys, PREFIX, &store.range, &situation, &error)) {
        check_order(&situation);
        for (size_t i = 0; i < situation.count; i++) {
            if (situation.nodes[i].record.state != RECORD_NONE)
                check_there_and_back(&situation, &keys, i);
        }
        check_decision(&situation, &keys);
    } else {
        MUST(error.code != EXIT_YES && error.text[0] != '\0' && strpbrk(error.text, "\r\n") == NULL);
        MUST(memcmp(&before, &situation, sizeof before) == 0);
    }
    keys_free(&keys);
    free_store(&store);
    return 0;
}
