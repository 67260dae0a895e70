/* A range of etcd becomes a situation. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "keys_internal.h"
#include "notation.h"

struct reading {
    struct keys *keys;
    struct situation situation; /* becomes the caller's when all is understood */
};

/* What follows `start`, or NULL. */
static const char *after(const char *start, const char *text)
{
    size_t length = strlen(start);

    return strncmp(text, start, length) == 0 ? text + length : NULL;
}

/* The node that a key below the prefix speaks of, or NULL. */
static const char *node_of(const char *name)
{
    const char *node = after(KEY_POSITION, name);

    return node != NULL ? node : after(KEY_MEMBER, name);
}

static bool insert_node(struct situation *situation, const char *name, struct error *error)
{
    size_t at = 0;

    if (situation_find(situation, name) < NODES_MOST)
        return true;
    if (situation->count >= NODES_MOST)
        return error_set(error, EXIT_CONFIG, "there are more than %d nodes: galera-init forget removes one",
                         NODES_MOST);
    while (at < situation->count && strcmp(situation->nodes[at].name, name) < 0)
        at++;
    memmove(&situation->nodes[at + 1], &situation->nodes[at], (situation->count - at) * sizeof situation->nodes[0]);
    memset(&situation->nodes[at], 0, sizeof situation->nodes[at]);
    memcpy(situation->nodes[at].name, name, strlen(name));
    situation->count++;
    if (situation->self < NODES_MOST && situation->self >= at)
        situation->self++;
    return true;
}

/* So that afterwards every node has its place, and the index of none changes any more. */
static bool find_node(struct reading *reading, const char *name, struct error *error)
{
    const char *node = node_of(name);

    if (node == NULL)
        return true;
    if (!name_is_valid(node))
        return error_set(error, EXIT_CONFIG, "it ends in no node's name");
    return insert_node(&reading->situation, node, error);
}

/* Forgets what the key said before. */
static bool keep_value(char **slot, const struct etcd_kv *kv, struct error *error)
{
    free(*slot);
    *slot = strdup(kv->value);
    return *slot != NULL || error_set(error, EXIT_INTERNAL, "out of memory");
}

static void add_card(struct node_card *card, const struct node_card *told, bool first_hand)
{
    if (told->address[0] != '\0' && (first_hand || card->address[0] == '\0'))
        memcpy(card->address, told->address, sizeof card->address);
    if (told->sql[0] != '\0' && (first_hand || card->sql[0] == '\0'))
        memcpy(card->sql, told->sql, sizeof card->sql);
}

static bool read_position(struct reading *reading, const struct etcd_kv *kv, const struct json *value, size_t i,
                          struct error *error)
{
    struct record *record = &reading->situation.nodes[i].record;
    struct node_card card = {.seqno = SEQNO_UNKNOWN};

    if (!record_read(value, record, &card, error))
        return false;
    record->revision = kv->mod_revision;
    add_card(&reading->keys->card[i], &card, false);
    return keep_value(&reading->keys->position_value[i], kv, error);
}

static bool read_member(struct reading *reading, const struct etcd_kv *kv, const struct json *value, size_t i,
                        struct error *error)
{
    struct node_card card = {.seqno = SEQNO_UNKNOWN};

    if (!member_read(value, &reading->situation.nodes[i].member, &card, error))
        return false;
    add_card(&reading->keys->card[i], &card, true);
    reading->keys->card[i].seqno = card.seqno;
    reading->keys->card[i].member_lease = kv->lease;
    return true;
}

static bool read_bootstrap(struct reading *reading, const struct etcd_kv *kv, const struct json *value,
                           struct error *error)
{
    reading->situation.bootstrap.revision = kv->mod_revision;
    return bootstrap_read(value, &reading->situation.bootstrap, error) &&
           keep_value(&reading->keys->bootstrap_value, kv, error);
}

static bool read_uuid(struct reading *reading, const struct etcd_kv *kv, const struct json *value, struct error *error)
{
    reading->situation.has_uuid = true;
    reading->situation.uuid_revision = kv->mod_revision;
    return uuid_value_read(value, &reading->situation.uuid, error) && keep_value(&reading->keys->uuid_value, kv, error);
}

static bool is_known(const char *name)
{
    return node_of(name) != NULL || strcmp(name, KEY_BOOTSTRAP) == 0 || strcmp(name, KEY_UUID) == 0 ||
           strcmp(name, KEY_SEED) == 0;
}

static bool read_value(struct reading *reading, const struct etcd_kv *kv, const char *name, const struct json *value,
                       struct error *error)
{
    const char *node = node_of(name);

    if (node != NULL) {
        size_t i = situation_find(&reading->situation, node);
        return after(KEY_POSITION, name) != NULL ? read_position(reading, kv, value, i, error)
                                                 : read_member(reading, kv, value, i, error);
    }
    if (strcmp(name, KEY_BOOTSTRAP) == 0)
        return read_bootstrap(reading, kv, value, error);
    if (strcmp(name, KEY_UUID) == 0)
        return read_uuid(reading, kv, value, error);
    reading->keys->seed.revision = kv->mod_revision;
    return seed_key_read(value, &reading->keys->seed, error);
}

static bool read_pair(struct reading *reading, const struct etcd_kv *kv, const char *name, struct error *error)
{
    if (!is_known(name))
        return true;
    struct json *value = notation_parse(kv->value, kv->value_length, error);
    bool good = value != NULL && read_value(reading, kv, name, value, error);
    json_free(value);
    return good;
}

static void forget(struct reading *reading)
{
    struct situation *situation = &reading->situation;

    situation->has_uuid = false;
    memset(&situation->uuid, 0, sizeof situation->uuid);
    situation->uuid_revision = 0;
    memset(&situation->bootstrap, 0, sizeof situation->bootstrap);
    for (size_t i = 0; i < situation->count; i++) {
        memset(&situation->nodes[i].record, 0, sizeof situation->nodes[i].record);
        memset(&situation->nodes[i].member, 0, sizeof situation->nodes[i].member);
    }
    for (size_t i = 0; i < NODES_MOST; i++)
        reading->keys->card[i].seqno = SEQNO_UNKNOWN;
}

static bool name_key(const char *key, struct error *error)
{
    char shown[2 * KEYS_KEY_SIZE];
    struct line line = LINE_IN(shown);

    line_add_escaped(&line, key);
    return error_context(error, "etcd key %s", shown);
}

bool keys_read(struct keys *keys, const char *prefix, const struct etcd_range *range, struct situation *situation,
               struct error *error)
{
    struct reading reading = {.keys = keys, .situation = *situation};

    memset(keys, 0, sizeof *keys);
    keys->revision = range->revision;
    forget(&reading);
    for (size_t i = 0; i < range->count; i++) {
        const char *name = after(prefix, range->kv[i].key);
        if (name != NULL && !find_node(&reading, name, error))
            return name_key(range->kv[i].key, error);
    }
    for (size_t i = 0; i < range->count; i++) {
        const char *name = after(prefix, range->kv[i].key);
        if (name != NULL && !read_pair(&reading, &range->kv[i], name, error))
            return name_key(range->kv[i].key, error);
    }
    *situation = reading.situation;
    return true;
}

void keys_free(struct keys *keys)
{
    free(keys->bootstrap_value);
    free(keys->uuid_value);
    for (size_t i = 0; i < NODES_MOST; i++)
        free(keys->position_value[i]);
    memset(keys, 0, sizeof *keys);
}
