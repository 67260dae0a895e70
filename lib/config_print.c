#include <inttypes.h>
#include <string.h>

#include "config_internal.h"
#include "num.h"

static const char *choice_word(const struct config_key *key, int value)
{
    const struct config_choice *choice = key->choices;

    while (choice->word != NULL && choice->value != value)
        choice++;
    return choice->word == NULL ? "?" : choice->word;
}

static void print_value(const struct config_table *table, const struct config_key *key, FILE *stream)
{
    const void *slot = config_slot(table, key);
    const char *string;
    char duration[32];

    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
    case CONFIG_PATH:
        memcpy(&string, slot, sizeof string);
        if (string != NULL)
            fputs(key->type == CONFIG_SECRET ? "********" : string, stream);
        break;
    case CONFIG_NUMBER:
        fprintf(stream, "%" PRId64, *(const int64_t *)slot);
        break;
    case CONFIG_DURATION:
    case CONFIG_SECONDS:
        duration_format(*(const int64_t *)slot, duration, sizeof duration);
        fputs(duration, stream);
        break;
    case CONFIG_BOOLEAN:
        fputs(*(const bool *)slot ? "yes" : "no", stream);
        break;
    case CONFIG_CHOICE:
        fputs(choice_word(key, *(const int *)slot), stream);
        break;
    case CONFIG_PERCENT:
        fprintf(stream, "%" PRId64 "%%", *(const int64_t *)slot);
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
        config_environment_name(&table->keys[i], name, sizeof name);
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
            if (strcmp(section, key->section) != 0)
                fprintf(stream, "%s[%s]\n", section[0] == '\0' ? "" : "\n", key->section);
            section = key->section;
            fprintf(stream, "%s = ", key->name);
            print_value(table, key, stream);
            fprintf(stream, "  ; ");
            print_origin(config, table, i, stream);
            fprintf(stream, "\n");
        }
    }
}
