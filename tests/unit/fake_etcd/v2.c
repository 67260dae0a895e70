/* The keys of v2: files and directories that may have a TTL. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { MS_PER_S = 1000 };

/* --- the store ---------------------------------------------------------------------------------------------------- */

static struct fake_node *find(const char *key)
{
    for (size_t i = 0; i < world.node_count; i++) {
        if (strcmp(world.node[i].key, key) == 0)
            return &world.node[i];
    }
    return NULL;
}

static bool is_below(const char *key, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(key, directory, length) == 0 && key[length] == '/';
}

static void remember(const char *key)
{
    world.v2_history = grown(world.v2_history, world.v2_history_count, sizeof *world.v2_history);
    world.v2_history[world.v2_history_count++] = (struct fake_v2_event){.index = world.index, .key = copy_of(key)};
}

static void free_node(struct fake_node *node)
{
    free(node->key);
    free(node->value);
}

static void remove_node(struct fake_node *node)
{
    char *key = copy_of(node->key);

    for (size_t i = world.node_count; i > 0; i--) {
        if (strcmp(world.node[i - 1].key, key) != 0 && !is_below(world.node[i - 1].key, key))
            continue;
        free_node(&world.node[i - 1]);
        memmove(&world.node[i - 1], &world.node[i], (world.node_count-- - i) * sizeof *world.node);
    }
    world.index++;
    remember(key);
    free(key);
}

static void set_node(const char *key, const char *value, int64_t ttl_s)
{
    struct fake_node *node = find(key);

    world.index++;
    if (node == NULL) {
        world.node = grown(world.node, world.node_count, sizeof *node);
        node = &world.node[world.node_count++];
        *node = (struct fake_node){.key = copy_of(key), .created = world.index};
    }
    free(node->value);
    node->value = value == NULL ? NULL : copy_of(value);
    node->modified = world.index;
    node->expires_ms = ttl_s == 0 ? INT64_MAX : world.now_ms + ttl_s * MS_PER_S;
    remember(key);
}

/* Parents that are missing come into being, and last for ever. */
static void make_parents(const char *key)
{
    char *parent = copy_of(key);

    for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (find(parent) == NULL)
            set_node(parent, NULL, 0);
        *slash = '/';
    }
    free(parent);
}

int64_t v2_next_end(void)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < world.node_count; i++) {
        if (world.node[i].expires_ms < next_ms)
            next_ms = world.node[i].expires_ms;
    }
    return next_ms;
}

void v2_expire(void)
{
    for (size_t i = 0; i < world.node_count; i++) {
        if (world.node[i].expires_ms > world.now_ms)
            continue;
        remove_node(&world.node[i]);
        i = (size_t)-1; /* what is below is gone as well */
    }
}

void v2_reset(void)
{
    for (size_t i = 0; i < world.node_count; i++)
        free_node(&world.node[i]);
    for (size_t i = 0; i < world.v2_history_count; i++)
        free(world.v2_history[i].key);
    free(world.node);
    free(world.v2_history);
    etcd_range_free(&world.files);
    world.node = NULL;
    world.node_count = 0;
    world.v2_history = NULL;
    world.v2_history_count = 0;
}

void fake_v2_put(const char *key, const char *value, int64_t ttl_s)
{
    make_parents(key);
    set_node(key, value, ttl_s);
}

void fake_v2_delete(const char *key)
{
    if (find(key) != NULL)
        remove_node(find(key));
}

bool fake_v2_has_directory(const char *key)
{
    return find(key) != NULL && find(key)->value == NULL;
}

int64_t fake_v2_left_ms(const char *directory)
{
    const struct fake_node *node = find(directory);

    return node == NULL || node->expires_ms == INT64_MAX ? -1 : node->expires_ms - world.now_ms;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct etcd_kv *)a)->key, ((const struct etcd_kv *)b)->key);
}

static void list_files(struct etcd_range *range, const char *directory)
{
    *range = (struct etcd_range){.revision = world.index};
    for (size_t i = 0; i < world.node_count; i++) {
        const struct fake_node *node = &world.node[i];
        if (node->value == NULL || !(is_below(node->key, directory) || strcmp(node->key, directory) == 0))
            continue;
        range->kv = grown(range->kv, range->count, sizeof *range->kv);
        range->kv[range->count++] = (struct etcd_kv){.key = copy_of(node->key),
                                                     .value = copy_of(node->value),
                                                     .value_length = strlen(node->value),
                                                     .create_revision = node->created,
                                                     .mod_revision = node->modified};
    }
    if (range->count > 1)
        qsort(range->kv, range->count, sizeof range->kv[0], by_key);
}

const struct etcd_range *fake_v2_keys(void)
{
    etcd_range_free(&world.files);
    list_files(&world.files, "");
    return &world.files;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static enum etcd_failure refuse(struct error *error, enum etcd_failure failure)
{
    error_set(error, EXIT_UNAVAILABLE, failure == ETCD_NOT_FOUND ? "Key not found" : "Compare failed");
    return failure;
}

static void observe_node(struct etcd *client, const struct fake_node *node)
{
    struct etcd_kv old = {.key = node->key, .value = node->value, .mod_revision = node->modified};

    if (node->value != NULL)
        call_observe(client, node->key, &old);
}

static enum etcd_failure act_put(struct etcd *client, void *arguments, struct error *error)
{
    const struct etcd_v2_put *put = arguments;
    struct fake_node *node = find(put->key);

    if (node == NULL && put->condition == ETCD_V2_PRESENT)
        return refuse(error, ETCD_NOT_FOUND);
    if (node != NULL && put->condition == ETCD_V2_ABSENT)
        return refuse(error, ETCD_CHANGED);
    /* A directory is made new, or updated; it does not take the place of a file, nor a file its. */
    if (node != NULL &&
        ((node->value == NULL) != (put->value == NULL) || (put->value == NULL && put->condition != ETCD_V2_PRESENT)))
        return refuse(error, ETCD_CHANGED);
    if (node != NULL)
        observe_node(client, node);
    else if (put->value != NULL)
        call_observe(client, put->key, NULL);
    fake_v2_put(put->key, put->value, put->ttl);
    return ETCD_OK;
}

enum etcd_failure etcd_v2_put(struct etcd *etcd, const struct etcd_v2_put *put, struct deadline deadline,
                              struct error *error)
{
    struct etcd_v2_put copy = *put;
    const struct call call = {FAKE_PUT, true, deadline, &copy, act_put, NULL};

    return call_perform(etcd, &call, error);
}

static enum etcd_failure act_delete(struct etcd *client, void *arguments, struct error *error)
{
    const struct etcd_v2_delete *deletion = arguments;
    struct fake_node *node = find(deletion->key);

    if (node == NULL)
        return refuse(error, ETCD_NOT_FOUND);
    if (!deletion->directory &&
        (node->value == NULL || (deletion->old_value != NULL && strcmp(node->value, deletion->old_value) != 0)))
        return refuse(error, ETCD_CHANGED);
    for (size_t i = 0; i < world.node_count; i++) {
        if (strcmp(world.node[i].key, deletion->key) == 0 || is_below(world.node[i].key, deletion->key))
            observe_node(client, &world.node[i]);
    }
    remove_node(node);
    return ETCD_OK;
}

enum etcd_failure etcd_v2_delete(struct etcd *etcd, const struct etcd_v2_delete *deletion, struct deadline deadline,
                                 struct error *error)
{
    struct etcd_v2_delete copy = *deletion;
    const struct call call = {FAKE_DELETE, true, deadline, &copy, act_delete, NULL};

    return call_perform(etcd, &call, error);
}

struct v2_get {
    const char *directory;
    struct etcd_range *range;
    int64_t ttl;
};

static enum etcd_failure act_get(struct etcd *client, void *arguments, struct error *error)
{
    struct v2_get *get = arguments;
    const struct fake_node *node = find(get->directory);

    (void)client;
    (void)error;
    etcd_range_free(get->range);
    list_files(get->range, get->directory);
    if (node == NULL)
        get->ttl = -1;
    else
        get->ttl = node->expires_ms == INT64_MAX ? 0 : (node->expires_ms - world.now_ms + MS_PER_S - 1) / MS_PER_S;
    return ETCD_OK;
}

static void discard_get(void *arguments)
{
    etcd_range_free(((const struct v2_get *)arguments)->range);
}

enum etcd_failure etcd_v2_get(struct etcd *etcd, const char *directory, struct deadline deadline,
                              struct etcd_range *range, int64_t *ttl, struct error *error)
{
    struct v2_get get = {.directory = directory, .range = range};
    const struct call call = {FAKE_GET, true, deadline, &get, act_get, discard_get};

    *range = (struct etcd_range){0};
    enum etcd_failure failure = call_perform(etcd, &call, error);
    if (failure == ETCD_OK && ttl != NULL)
        *ttl = get.ttl;
    return failure;
}
