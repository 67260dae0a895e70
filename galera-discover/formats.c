#include "formats.h"

#include <stdio.h>
#include <string.h>

#include "json_write.h"

enum { ADDRESS_SIZE = REGISTRY_IP_SIZE + 16, COLUMNS = 6 };

static void add_gcomm(struct text *text, const struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entry[i];
        text_add(text, i == 0 ? "gcomm://" : ",");
        text_format(text, entry->ipv6 ? "[%s]" : "%s", entry->ip);
    }
}

static void format_gcomm(struct text *text, const struct registry *registry)
{
    add_gcomm(text, registry);
    if (registry->count > 0)
        text_add(text, "\n");
}

static void format_hosts(struct text *text, const struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entry[i];
        text_format(text, "%s\t%s", entry->ip, entry->host[0] == '\0' ? entry->id : entry->host);
        if (entry->host[0] != '\0' && strcmp(entry->host, entry->id) != 0)
            text_format(text, " %s", entry->id);
        text_add(text, "\n");
    }
}

static void format_haproxy(struct text *text, const struct registry *registry)
{
    char address[ADDRESS_SIZE];

    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entry[i];
        text_format(text, "server %s %s check", entry->id, registry_address(entry, address, sizeof address));
        if (entry->check_port != 0)
            text_format(text, " port %u", (unsigned)entry->check_port);
        text_add(text, "\n");
    }
}

static void add_optional(struct text *text, const char *key, const char *value)
{
    if (value[0] != '\0')
        json_add_string(text, key, value);
}

static void format_json(struct text *text, const struct registry *registry, int64_t revision)
{
    json_open_object(text, NULL);
    json_add_number(text, "revision", revision);
    json_add_number(text, "count", (int64_t)registry->count);
    json_open_array(text, "nodes");
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entry[i];
        json_open_object(text, NULL);
        json_add_string(text, "id", entry->id);
        json_add_string(text, "ip", entry->ip);
        json_add_number(text, "port", entry->port);
        add_optional(text, "host", entry->host);
        add_optional(text, "service_instance_name", entry->instance);
        if (entry->check_port != 0)
            json_add_number(text, "check_port", entry->check_port);
        add_optional(text, "state", entry->state);
        json_add_number(text, "created", entry->created);
        json_close_object(text);
    }
    json_close_array(text);
    json_close_object(text);
    text_add(text, "\n");
}

const char *variable_name(enum variable variable)
{
    static const char *const names[] = {
        [VARIABLE_COUNT] = "GALERA_COUNT",         [VARIABLE_IDS] = "GALERA_IDS",     [VARIABLE_IPS] = "GALERA_IPS",
        [VARIABLE_ADDRESSES] = "GALERA_ADDRESSES", [VARIABLE_GCOMM] = "GALERA_GCOMM", [VARIABLES] = "",
    };
    return names[variable];
}

void variable_value(struct text *text, enum variable variable, const struct registry *registry)
{
    char address[ADDRESS_SIZE];

    if (variable == VARIABLE_COUNT)
        text_format(text, "%zu", registry->count);
    if (variable == VARIABLE_GCOMM)
        add_gcomm(text, registry);
    if (variable != VARIABLE_IDS && variable != VARIABLE_IPS && variable != VARIABLE_ADDRESSES)
        return;
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entry[i];
        text_format(text, "%s%s", i == 0 ? "" : " ",
                    variable == VARIABLE_IDS   ? entry->id
                    : variable == VARIABLE_IPS ? entry->ip
                                               : registry_address(entry, address, sizeof address));
    }
}

static void format_env(struct text *text, const struct registry *registry)
{
    for (int variable = 0; variable < VARIABLES; variable++) {
        /* No value has a quote in it. */
        text_format(text, "%s='", variable_name((enum variable)variable));
        variable_value(text, (enum variable)variable, registry);
        text_add(text, "'\n");
    }
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static const char *const titles[COLUMNS] = {"ID", "ADDRESS", "STATE", "HOST", "CHECK", "INSTANCE"};

static const char *cell(const struct registry_entry *entry, size_t column, char *text, size_t size)
{
    const enum registry_field fields[COLUMNS] = {
        [2] = REGISTRY_STATE, [3] = REGISTRY_HOST, [4] = REGISTRY_CHECK_PORT, [5] = REGISTRY_INSTANCE};

    if (entry == NULL)
        return titles[column];
    if (column == 0)
        return entry->id;
    if (column == 1)
        return registry_address(entry, text, size);
    const char *value = registry_field_text(entry, fields[column], text, size);
    return value == NULL ? "-" : value;
}

static void add_row(struct text *text, const struct registry_entry *entry, const size_t width[COLUMNS])
{
    char value[REGISTRY_INSTANCE_SIZE];

    for (size_t column = 0; column + 1 < COLUMNS; column++)
        text_format(text, "%-*s  ", (int)width[column], cell(entry, column, value, sizeof value));
    text_format(text, "%s\n", cell(entry, COLUMNS - 1, value, sizeof value));
}

static void format_table(struct text *text, const struct registry *registry)
{
    size_t width[COLUMNS] = {0};
    char value[REGISTRY_INSTANCE_SIZE];

    for (size_t column = 0; column < COLUMNS; column++) {
        width[column] = strlen(titles[column]);
        for (size_t i = 0; i < registry->count; i++) {
            size_t length = strlen(cell(&registry->entry[i], column, value, sizeof value));
            if (length > width[column])
                width[column] = length;
        }
    }
    if (registry->count > 0)
        add_row(text, NULL, width);
    for (size_t i = 0; i < registry->count; i++)
        add_row(text, &registry->entry[i], width);
}

void format_registry(struct text *text, enum format format, const struct registry *registry, int64_t revision)
{
    switch (format) {
    case FORMAT_TABLE:
        format_table(text, registry);
        break;
    case FORMAT_GCOMM:
        format_gcomm(text, registry);
        break;
    case FORMAT_HOSTS:
        format_hosts(text, registry);
        break;
    case FORMAT_HAPROXY:
        format_haproxy(text, registry);
        break;
    case FORMAT_JSON:
        format_json(text, registry, revision);
        break;
    case FORMAT_ENV:
        format_env(text, registry);
        break;
    }
}
