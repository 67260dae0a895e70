#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nearest.h"
#include "num.h"

#define ENVIRONMENT_PREFIX "CLUSTERCHECK_"

/* Every section of the suite's file; a program has keys for some of them and skips the others. */
static const char *const sections[] = {"mysql", "clustercheck", "etcd", "register", "discover", "init", "haproxy"};

enum { SECTION_COUNT = sizeof sections / sizeof sections[0] };

void config_init(struct config *config)
{
    *config = (struct config){.count = 0};
}

static void *key_slot(const struct config_table *table, const struct config_key *key)
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
        return error_set(error, EXIT_CONFIG, "%s = %s is not an absolute path", key->name, value);
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
        return error_set(error, EXIT_CONFIG, "%s = %s is not a number from %" PRId64 " to %" PRId64, key->name, value,
                         key->min, key->max);
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
        return error_set(error, EXIT_CONFIG, "%s = %s is not a duration from %s to %s (write 250ms, 10s, 2m)", key->name,
                         value, min, max);
    }
    *slot = ms;
    return true;
}

static bool set_boolean(const struct config_key *key, bool *slot, const char *value, struct error *error)
{
    if (!boolean_parse(value, slot))
        return error_set(error, EXIT_CONFIG, "%s = %s is neither yes nor no", key->name, value);
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
        return error_set(error, EXIT_CONFIG, "%s = %s is not possible%s", key->name, value,
                         nearest_hint(&nearest, hint, sizeof hint));

    error_set(error, EXIT_CONFIG, "%s = %s is not possible; choose one of", key->name, value);
    for (const struct config_choice *choice = key->choices; choice->word != NULL; choice++) {
        size_t length = strlen(error->text);
        snprintf(error->text + length, sizeof error->text - length, " %s", choice->word);
    }
    return false;
}

static bool key_set(const struct config_table *table, const struct config_key *key, const char *value, struct error *error)
{
    void *slot = key_slot(table, key);

    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
    case CONFIG_PATH:
        return set_string(key, slot, value, error);
    case CONFIG_NUMBER:
        return set_number(key, slot, value, error);
    case CONFIG_DURATION:
        return set_duration(key, slot, value, error);
    case CONFIG_BOOLEAN:
        return set_boolean(key, slot, value, error);
    case CONFIG_CHOICE:
        return set_choice(key, slot, value, error);
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
            memcpy(key_slot(table, &keys[i]), &none, sizeof none);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!key_set(table, &keys[i], keys[i].fallback, error))
            return error_context(error, "default in [%s]", keys[i].section);
    }
    return true;
}

void config_free(struct config *config)
{
    for (size_t t = 0; t < config->count; t++) {
        const struct config_table *table = &config->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            if (is_string(&table->keys[i])) {
                char **slot = key_slot(table, &table->keys[i]);
                free(*slot);
                *slot = NULL;
            }
        }
    }
    config->count = 0;
}

static bool unknown_key(const struct config *config, const char *section, const char *name, struct error *error)
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

static bool find_key(struct config *config, const char *section, const char *name, struct config_table **table,
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

bool config_set(struct config *config, const char *section, const char *name, const char *value,
                enum config_strength strength, struct error *error)
{
    struct config_table *table;
    size_t i;

    if (!find_key(config, section, name, &table, &i))
        return unknown_key(config, section, name, error);
    if (strength < table->strength[i])
        return true;
    if (!key_set(table, &table->keys[i], value, error))
        return false;
    table->strength[i] = strength;
    return true;
}

/* What the reader and the handler that inih calls share while a file is read. */
struct file_reading {
    struct config *config;
    FILE *stream;
    int line;
    struct error *error;
    bool failed;
};

static bool file_error(struct file_reading *reading)
{
    reading->failed = true;
    return error_context(reading->error, "%s:%d", reading->config->path, reading->line);
}

/*
 * inih's reader (ini.h, ini_parse_stream): one line a call. inih splits lines that are longer than its buffer without a
 * word; such a line, and one with a NUL byte, is an error here.
 */
static char *read_line(char *text, int size, void *context)
{
    struct file_reading *reading = context;

    if (reading->failed || fgets(text, size, reading->stream) == NULL)
        return NULL;
    reading->line++;
    if (strchr(text, '\n') == NULL && !feof(reading->stream)) {
        error_set(reading->error, EXIT_CONFIG, "line is longer than %d characters or has a NUL byte", size - 2);
        file_error(reading);
        return NULL;
    }
    return text;
}

static bool check_section(const char *section, struct error *error)
{
    struct nearest nearest = NEAREST_TO(section);
    char hint[96];

    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcasecmp(sections[i], section) == 0)
            return true;
        nearest_offer(&nearest, sections[i]);
    }
    if (section[0] == '\0')
        return error_set(error, EXIT_CONFIG, "a key stands before the first [section]");
    return error_set(error, EXIT_CONFIG, "unknown section [%s]%s", section, nearest_hint(&nearest, hint, sizeof hint));
}

static bool is_ours(const struct config *config, const char *section)
{
    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; i < config->tables[t].count; i++) {
            if (strcasecmp(config->tables[t].keys[i].section, section) == 0)
                return true;
        }
    }
    return false;
}

static bool take_from_file(struct file_reading *reading, const char *section, const char *name, const char *value)
{
    struct config *config = reading->config;
    struct config_table *table;
    size_t i;

    if (!check_section(section, reading->error))
        return file_error(reading);
    if (!is_ours(config, section))
        return true;
    if (!find_key(config, section, name, &table, &i)) {
        unknown_key(config, section, name, reading->error);
        return file_error(reading);
    }
    if (table->line[i] != 0) {
        error_set(reading->error, EXIT_CONFIG, "'%s' was already set in line %d", name, table->line[i]);
        return file_error(reading);
    }
    table->line[i] = reading->line;
    if (!config_set(config, section, name, value, CONFIG_FROM_FILE, reading->error))
        return file_error(reading);
    return true;
}

static int handle_pair(void *context, const char *section, const char *name, const char *value)
{
    struct file_reading *reading = context;

    return reading->failed || take_from_file(reading, section, name, value == NULL ? "" : value);
}

bool config_read_file(struct config *config, const char *path, bool required, struct error *error)
{
    FILE *stream = fopen(path, "re");

    if (stream == NULL && errno == ENOENT && !required)
        return true;
    if (stream == NULL)
        return error_set(error, EXIT_CONFIG, "cannot read the configuration %s: %s", path, strerror(errno));

    config->path = path;
    struct file_reading reading = {.config = config, .stream = stream, .error = error};
    int wrong_line = ini_parse_stream(read_line, &reading, handle_pair, &reading);
    if (ferror(stream)) {
        reading.failed = true;
        error_set(error, EXIT_CONFIG, "cannot read the configuration %s: %s", path, strerror(errno));
    }
    fclose(stream);
    if (!reading.failed && wrong_line != 0) {
        reading.failed = true;
        error_set(error, EXIT_CONFIG, "%s:%d: neither a [section], nor key = value, nor a comment", path, wrong_line);
    }
    return !reading.failed;
}

static void environment_name(const struct config_key *key, char *name, size_t size)
{
    snprintf(name, size, ENVIRONMENT_PREFIX "%s_%s", key->section, key->name);
    for (; *name != '\0'; name++)
        *name = (char)toupper((unsigned char)*name);
}

bool config_read_environment(struct config *config, struct error *error)
{
    char name[128];

    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; i < config->tables[t].count; i++) {
            const struct config_key *key = &config->tables[t].keys[i];
            environment_name(key, name, sizeof name);
            const char *value = getenv(name);
            if (value != NULL && !config_set(config, key->section, key->name, value, CONFIG_FROM_ENVIRONMENT, error))
                return error_context(error, "environment variable %s", name);
        }
    }
    return true;
}

static const char *choice_word(const struct config_key *key, int value)
{
    const struct config_choice *choice = key->choices;

    while (choice->word != NULL && choice->value != value)
        choice++;
    return choice->word == NULL ? "?" : choice->word;
}

static void format_value(const struct config_table *table, const struct config_key *key, char *text, size_t size)
{
    const void *slot = key_slot(table, key);
    const char *string;

    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
    case CONFIG_PATH:
        memcpy(&string, slot, sizeof string);
        if (string == NULL)
            string = "";
        else if (key->type == CONFIG_SECRET)
            string = "********";
        snprintf(text, size, "%s", string);
        break;
    case CONFIG_NUMBER:
        snprintf(text, size, "%" PRId64, *(const int64_t *)slot);
        break;
    case CONFIG_DURATION:
        duration_format(*(const int64_t *)slot, text, size);
        break;
    case CONFIG_BOOLEAN:
        snprintf(text, size, "%s", *(const bool *)slot ? "yes" : "no");
        break;
    case CONFIG_CHOICE:
        snprintf(text, size, "%s", choice_word(key, *(const int *)slot));
        break;
    }
}

static void print_origin(const struct config *config, const struct config_table *table, size_t i, FILE *stream)
{
    char name[128];

    switch (table->strength[i]) {
    case CONFIG_FROM_DEFAULT:
        fprintf(stream, "default");
        break;
    case CONFIG_FROM_LEGACY:
        fprintf(stream, "classic settings");
        break;
    case CONFIG_FROM_FILE:
        fprintf(stream, "%s:%d", config->path, table->line[i]);
        break;
    case CONFIG_FROM_ENVIRONMENT:
        environment_name(&table->keys[i], name, sizeof name);
        fprintf(stream, "environment %s", name);
        break;
    case CONFIG_FROM_COMMAND:
        fprintf(stream, "command line");
        break;
    }
}

void config_print(const struct config *config, FILE *stream)
{
    const char *section = "";

    for (size_t t = 0; t < config->count; t++) {
        const struct config_table *table = &config->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            const struct config_key *key = &table->keys[i];
            char value[1024];
            if (strcmp(section, key->section) != 0)
                fprintf(stream, "%s[%s]\n", section[0] == '\0' ? "" : "\n", key->section);
            section = key->section;
            format_value(table, key, value, sizeof value);
            fprintf(stream, "%s = %s  ; ", key->name, value);
            print_origin(config, table, i, stream);
            fprintf(stream, "\n");
        }
    }
}
