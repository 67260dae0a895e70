#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"
#include "nearest.h"
#include "num.h"

void config_init(struct config *config)
{
    *config = (struct config){.count = 0};
}

void *config_slot(const struct config_table *table, const struct config_key *key)
{
    return (char *)table->settings + key->offset;
}

static bool is_string(const struct config_key *key)
{
    return key->type == CONFIG_STRING || key->type == CONFIG_SECRET || key->type == CONFIG_PATH;
}

static bool set_string(const struct config_key *key, char **slot, const char *value, struct error *error)
{
    char *copy = NULL;

    if (key->type == CONFIG_PATH && value[0] != '\0' && value[0] != '/')
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not an absolute path", key->name, value);
    if (value[0] != '\0') {
        copy = strdup(value);
        if (copy == NULL)
            return error_set(error, EXIT_INTERNAL, "out of memory");
    }
    free(*slot);
    *slot = copy;
    return true;
}

static bool set_number(const struct config_key *key, int64_t *slot, const char *value, struct error *error)
{
    if (!num_parse(value, key->min, key->max, slot))
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not a number from %" PRId64 " to %" PRId64, key->name, value,
                         key->min, key->max);
    return true;
}

static bool set_percent(const struct config_key *key, int64_t *slot, const char *value, struct error *error)
{
    char digits[32];

    snprintf(digits, sizeof digits, "%.*s", (int)strcspn(value, "%"), value);
    if ((strchr(value, '%') != NULL && strcmp(strchr(value, '%'), "%") != 0) ||
        !num_parse(digits, key->min, key->max, slot))
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not a percentage from %" PRId64 "%% to %" PRId64 "%%",
                         key->name, value, key->min, key->max);
    return true;
}

static bool set_duration(const struct config_key *key, int64_t *slot, const char *value, struct error *error)
{
    int64_t ms;
    char min[32];
    char max[32];

    if (!duration_parse(value, &ms) || ms < key->min || ms > key->max) {
        duration_format(key->min, min, sizeof min);
        duration_format(key->max, max, sizeof max);
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not a duration from %s to %s (written like 250ms or 10s)",
                         key->name, value, min, max);
    }
    if (key->type == CONFIG_SECONDS && ms % 1000 != 0)
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not possible: it is counted in whole seconds", key->name,
                         value);
    *slot = ms;
    return true;
}

static bool set_boolean(const struct config_key *key, bool *slot, const char *value, struct error *error)
{
    if (!boolean_parse(value, slot))
        return error_set(error, EXIT_CONFIG, "%s = '%s' is neither yes nor no", key->name, value);
    return true;
}

static bool set_choice(const struct config_key *key, int *slot, const char *value, struct error *error)
{
    struct nearest nearest = NEAREST_TO(value);
    char hint[96];

    for (const struct config_choice *choice = key->choices; choice->word != NULL; choice++) {
        if (strcasecmp(choice->word, value) == 0) {
            *slot = choice->value;
            return true;
        }
        nearest_offer(&nearest, choice->word);
    }
    if (nearest.name != NULL)
        return error_set(error, EXIT_CONFIG, "%s = '%s' is not possible%s", key->name, value,
                         nearest_hint(&nearest, hint, sizeof hint));

    error_set(error, EXIT_CONFIG, "%s = '%s' is not possible; choose one of", key->name, value);
    for (const struct config_choice *choice = key->choices; choice->word != NULL; choice++) {
        size_t length = strlen(error->text);
        snprintf(error->text + length, sizeof error->text - length, " %s", choice->word);
    }
    return false;
}

static bool key_set(const struct config_table *table, const struct config_key *key, const char *value,
                    struct error *error)
{
    void *slot = config_slot(table, key);

    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
    case CONFIG_PATH:
        return set_string(key, slot, value, error);
    case CONFIG_NUMBER:
        return set_number(key, slot, value, error);
    case CONFIG_DURATION:
    case CONFIG_SECONDS:
        return set_duration(key, slot, value, error);
    case CONFIG_BOOLEAN:
        return set_boolean(key, slot, value, error);
    case CONFIG_CHOICE:
        return set_choice(key, slot, value, error);
    case CONFIG_PERCENT:
        return set_percent(key, slot, value, error);
    }
    return error_set(error, EXIT_INTERNAL, "%s has no type", key->name);
}

bool config_add(struct config *config, const struct config_key *keys, size_t count, void *settings, struct error *error)
{
    if (config->count == CONFIG_TABLES_MOST || count > CONFIG_KEYS_MOST)
        return error_set(error, EXIT_INTERNAL, "configuration tables are too large");

    struct config_table *table = &config->tables[config->count++];
    *table = (struct config_table){.keys = keys, .count = count, .settings = settings};
    for (size_t i = 0; i < count; i++) {
        if (is_string(&keys[i])) {
            char *none = NULL;
            memcpy(config_slot(table, &keys[i]), &none, sizeof none);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!key_set(table, &keys[i], keys[i].fallback, error))
            return error_context(error, "default in [%s]", keys[i].section);
    }
    return true;
}

bool config_borrow(struct config *config, const struct config_key *keys, size_t count, void *settings,
                   struct error *error)
{
    size_t before = config->count;
    bool added = config_add(config, keys, count, settings, error);

    if (config->count > before)
        config->tables[before].borrowed = true;
    return added;
}

void config_free(struct config *config)
{
    for (size_t t = 0; t < config->count; t++) {
        const struct config_table *table = &config->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            if (is_string(&table->keys[i])) {
                char **slot = config_slot(table, &table->keys[i]);
                free(*slot);
                *slot = NULL;
            }
        }
    }
    config->count = 0;
}

bool config_unknown_key(const struct config *config, const char *section, const char *name, struct error *error)
{
    struct nearest nearest = NEAREST_TO(name);
    char hint[96];

    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; i < config->tables[t].count; i++) {
            if (strcasecmp(config->tables[t].keys[i].section, section) == 0)
                nearest_offer(&nearest, config->tables[t].keys[i].name);
        }
    }
    return error_set(error, EXIT_CONFIG, "unknown key '%s' in [%s]%s", name, section,
                     nearest_hint(&nearest, hint, sizeof hint));
}

bool config_find_key(struct config *config, const char *section, const char *name, struct config_table **table,
                     size_t *index)
{
    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; i < config->tables[t].count; i++) {
            const struct config_key *key = &config->tables[t].keys[i];
            if (strcasecmp(key->section, section) == 0 && strcasecmp(key->name, name) == 0) {
                *table = &config->tables[t];
                *index = i;
                return true;
            }
        }
    }
    return false;
}

bool config_outranks(struct config *config, const char *section, const char *name, const char *other)
{
    struct config_table *table;
    struct config_table *other_table;
    size_t i;
    size_t other_i;

    return config_find_key(config, section, name, &table, &i) &&
           config_find_key(config, section, other, &other_table, &other_i) &&
           table->strength[i] > other_table->strength[other_i];
}

bool config_set(struct config *config, const char *section, const char *name, const char *value,
                enum config_strength strength, struct error *error)
{
    struct config_table *table;
    size_t i;

    if (!config_find_key(config, section, name, &table, &i))
        return config_unknown_key(config, section, name, error);
    if (strength < table->strength[i])
        return true;
    if (!key_set(table, &table->keys[i], value, error))
        return false;
    table->strength[i] = strength;
    return true;
}
