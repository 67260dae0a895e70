#include "registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "num.h"

static const char *const field_names[REGISTRY_FIELD_COUNT] = {
    [REGISTRY_IP] = "ip",
    [REGISTRY_PORT] = "port",
    [REGISTRY_HOST] = "host",
    [REGISTRY_INSTANCE] = "service_instance_name",
    [REGISTRY_CHECK_PORT] = "check_port",
    [REGISTRY_STATE] = "state",
};

const char *registry_field_name(enum registry_field field)
{
    return field_names[field];
}

/* What is being read: one id's entry at a time, kept or refused when the next id begins. */
struct building {
    struct registry *registry;
    struct registry_entry entry;
    bool started;
    char id[REGISTRY_ID_SIZE]; /* as far as it can be printed */
    char wrong[REGISTRY_REASON_SIZE];
};

static void blame(struct building *building, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Only the first thing that is wrong is kept. */
static void blame(struct building *building, const char *format, ...)
{
    va_list arguments;

    if (building->wrong[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(building->wrong, sizeof building->wrong, format, arguments);
    va_end(arguments);
}

static bool take_text(char *target, size_t size, const char *value, bool (*is_valid)(const char *))
{
    size_t length = strlen(value);

    if (length >= size || !is_valid(value))
        return false;
    memcpy(target, value, length + 1);
    return true;
}

static bool take_port(uint16_t *target, const char *value)
{
    int64_t number;

    if (!num_parse(value, 1, UINT16_MAX, &number))
        return false;
    *target = (uint16_t)number;
    return true;
}

static bool take_field(struct registry_entry *entry, enum registry_field field, const char *value)
{
    switch (field) {
    case REGISTRY_IP:
        return registry_ip_normalize(value, entry->ip, sizeof entry->ip, &entry->ipv6);
    case REGISTRY_PORT:
        return take_port(&entry->port, value);
    case REGISTRY_HOST:
        return take_text(entry->host, sizeof entry->host, value, registry_host_is_valid);
    case REGISTRY_INSTANCE:
        return take_text(entry->instance, sizeof entry->instance, value, registry_instance_is_valid);
    case REGISTRY_CHECK_PORT:
        return take_port(&entry->check_port, value);
    case REGISTRY_STATE:
        return take_text(entry->state, sizeof entry->state, value, registry_state_is_valid);
    case REGISTRY_FIELD_COUNT:
        break;
    }
    return false;
}

static void take_pair(struct building *building, const char *name, const struct etcd_kv *kv)
{
    char shown[64];
    struct line line = LINE_IN(shown);

    for (int field = 0; field < REGISTRY_FIELD_COUNT; field++) {
        if (strcmp(field_names[field], name) != 0)
            continue;
        if (field == REGISTRY_IP) {
            building->entry.created = kv->create_revision;
            building->entry.lease = kv->lease;
        }
        line_add_escaped(&line, kv->value);
        if (strlen(kv->value) != kv->value_length ||
            !take_field(&building->entry, (enum registry_field)field, kv->value))
            blame(building, "%s '%s' is not valid", name, shown);
    }
}

static void finish_entry(struct building *building)
{
    struct registry *registry = building->registry;

    if (!building->started)
        return;
    if (building->wrong[0] == '\0' && building->entry.ip[0] == '\0')
        blame(building, "incomplete: no ip");
    if (building->wrong[0] == '\0' && building->entry.port == 0)
        blame(building, "incomplete: no port");
    if (building->wrong[0] == '\0') {
        memcpy(building->entry.id, building->id, sizeof building->id);
        registry->entry[registry->count++] = building->entry;
    } else {
        struct registry_problem *problem = &registry->problem[registry->problem_count++];
        memcpy(problem->id, building->id, sizeof problem->id);
        memcpy(problem->reason, building->wrong, sizeof problem->reason);
    }
    building->started = false;
}

static void start_entry(struct building *building, const char *id, size_t length)
{
    char whole[REGISTRY_ID_SIZE + 1];

    snprintf(whole, sizeof whole, "%.*s", (int)(length < REGISTRY_ID_SIZE ? length : REGISTRY_ID_SIZE), id);
    building->started = true;
    building->entry = (struct registry_entry){.created = 0};
    building->wrong[0] = '\0';
    struct line line = LINE_IN(building->id);
    building->id[0] = '\0';
    line_add_escaped(&line, whole);
    if (length >= REGISTRY_ID_SIZE || !registry_id_is_valid(whole))
        blame(building, "not a valid id: up to 64 of A-Z a-z 0-9 _ . -");
}

/* Every id has a key, so there are never more of them than keys; memory that is not used is never touched. */
static bool make_room(struct registry *registry, size_t keys, struct error *error)
{
    registry->entry = calloc(keys + 1, sizeof *registry->entry);
    registry->problem = calloc(keys + 1, sizeof *registry->problem);
    if (registry->entry != NULL && registry->problem != NULL)
        return true;
    registry_free(registry);
    return error_set(error, EXIT_INTERNAL, "out of memory for %zu keys", keys);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct registry_entry *)a)->id, ((const struct registry_entry *)b)->id);
}

static int compare_problems(const void *a, const void *b)
{
    return strcmp(((const struct registry_problem *)a)->id, ((const struct registry_problem *)b)->id);
}

bool registry_build(struct registry *registry, const char *prefix, const struct etcd_kv *kv, size_t count,
                    struct error *error)
{
    struct building building = {.registry = registry};
    size_t prefix_length = strlen(prefix);
    const char *last = NULL;
    size_t last_length = 0;

    *registry = (struct registry){0};
    if (!make_room(registry, count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *key = kv[i].key;
        if (strncmp(key, prefix, prefix_length) != 0 || key[prefix_length] != '/')
            continue;
        const char *id = key + prefix_length + 1;
        size_t length = strcspn(id, "/");
        if (id[length] != '/')
            continue;
        if (last == NULL || length != last_length || strncmp(id, last, length) != 0) {
            finish_entry(&building);
            start_entry(&building, id, length);
            last = id;
            last_length = length;
        }
        take_pair(&building, id + length + 1, &kv[i]);
    }
    finish_entry(&building);
    /* '-' and '.' sort before the '/' that ends an id in a key, so the order of the keys is not that of the ids. */
    qsort(registry->entry, registry->count, sizeof registry->entry[0], compare_entries);
    qsort(registry->problem, registry->problem_count, sizeof registry->problem[0], compare_problems);
    return true;
}

void registry_free(struct registry *registry)
{
    free(registry->entry);
    free(registry->problem);
    *registry = (struct registry){0};
}

const struct registry_entry *registry_find(const struct registry *registry, const char *id)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->entry[i].id, id) == 0)
            return &registry->entry[i];
    }
    return NULL;
}

static bool entry_equal(const struct registry_entry *a, const struct registry_entry *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->ip, b->ip) == 0 && a->port == b->port &&
           a->check_port == b->check_port && strcmp(a->host, b->host) == 0 && strcmp(a->instance, b->instance) == 0 &&
           strcmp(a->state, b->state) == 0;
}

bool registry_equal(const struct registry *a, const struct registry *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!entry_equal(&a->entry[i], &b->entry[i]))
            return false;
    }
    return true;
}

bool registry_problem_is_new(const struct registry *registry, const struct registry_problem *problem)
{
    for (size_t i = 0; i < registry->problem_count; i++) {
        if (strcmp(registry->problem[i].id, problem->id) == 0 &&
            strcmp(registry->problem[i].reason, problem->reason) == 0)
            return false;
    }
    return true;
}
