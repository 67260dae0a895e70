#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct config_choice when_choices[] = {{"always", WHEN_ALWAYS}, {"synced", WHEN_SYNCED}, {NULL, 0}};

const struct config_key settings_keys[] = {
    {"register", "id", CONFIG_STRING, offsetof(struct settings, id), "", 0, 0, NULL,
     "name of this node in the registry, up to 64 of A-Z a-z 0-9 _ . -; empty: the host name and the port"},
    {"register", "ip", CONFIG_STRING, offsetof(struct settings, ip), "", 0, 0, NULL,
     "address to register; empty: the one that the connection to etcd comes from"},
    {"register", "port", CONFIG_NUMBER, offsetof(struct settings, port), "3306", 1, 65535, NULL, "port to register"},
    {"register", "host", CONFIG_STRING, offsetof(struct settings, host), "", 0, 0, NULL,
     "host name to register; empty: that of this host"},
    {"register", "instance", CONFIG_STRING, offsetof(struct settings, instance), "", 0, 0, NULL,
     "unit to register as service_instance_name, for example galera@1.service; empty: none"},
    {"register", "check_port", CONFIG_NUMBER, offsetof(struct settings, check_port), "9200", 0, 65535, NULL,
     "port of clustercheck on this host; 0: do not register one"},
    {"register", "prefix", CONFIG_STRING, offsetof(struct settings, prefix), REGISTRY_DEFAULT_PREFIX, 0, 0, NULL,
     "where the registry is in etcd"},
    {"register", "ttl", CONFIG_SECONDS, offsetof(struct settings, ttl_ms), "10s", 2000, 3600000, NULL,
     "how long the entry outlives a node that died; whole seconds"},
    {"register", "when", CONFIG_CHOICE, offsetof(struct settings, when), "always", 0, 0, when_choices,
     "always, or synced: only while the server is synced or serves a state transfer"},
    {"register", "up_after", CONFIG_DURATION, offsetof(struct settings, up_after_ms), "1s", 0, 600000, NULL,
     "with when = synced: how long the server must be fit before it is registered"},
    {"register", "down_after", CONFIG_DURATION, offsetof(struct settings, down_after_ms), "5s", 0, 600000, NULL,
     "with when = synced: how long the server may be unfit before it is removed"},
    {"register", "check_interval", CONFIG_DURATION, offsetof(struct settings, check_interval_ms), "1s", 0, 600000, NULL,
     "how often the server is asked for its state; 0s: never, and no state is registered"},
    {"register", "check_timeout", CONFIG_DURATION, offsetof(struct settings, check_timeout_ms), "1s", 10, 60000, NULL,
     "how long the server may take to answer"},
    {"register", "stop_timeout", CONFIG_DURATION, offsetof(struct settings, stop_timeout_ms), "1s", 50, 60000, NULL,
     "how long a stop may take to remove the entry; after that it expires by itself"},
};

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];

const struct config_key settings_borrowed_keys[] = {
    {"clustercheck", "disable_file", CONFIG_PATH, offsetof(struct settings, disable_file), "/run/clustercheck/disabled",
     0, 0, NULL, "while this file exists the state is disabled"},
    {"clustercheck", "drain_file", CONFIG_PATH, offsetof(struct settings, drain_file), "/run/clustercheck/drain", 0, 0,
     NULL, "while this file exists the state is draining"},
    {"clustercheck", "datadir", CONFIG_PATH, offsetof(struct settings, datadir), "/var/lib/mysql", 0, 0, NULL,
     "the server's data directory, where sst_in_progress marks a state transfer"},
};

const size_t settings_borrowed_key_count = sizeof settings_borrowed_keys / sizeof settings_borrowed_keys[0];

static bool make_host(const struct settings *settings, struct registry_entry *entry, struct error *error)
{
    if (settings->host != NULL) {
        if (!registry_host_is_valid(settings->host))
            return error_set(error, EXIT_CONFIG, "host = '%s' is not a host name", settings->host);
        snprintf(entry->host, sizeof entry->host, "%s", settings->host);
        return true;
    }
    if (gethostname(entry->host, sizeof entry->host - 1) != 0 || !registry_host_is_valid(entry->host))
        return error_set(error, EXIT_CONFIG, "this host has no usable name: set host in [register] or --host");
    return true;
}

static bool make_id(const struct settings *settings, struct registry_entry *entry, struct error *error)
{
    char id[REGISTRY_HOST_SIZE + 8];

    if (settings->id != NULL)
        snprintf(id, sizeof id, "%.*s", REGISTRY_ID_SIZE, settings->id);
    else
        snprintf(id, sizeof id, "%s-%u", entry->host, (unsigned)entry->port);
    if (!registry_id_is_valid(id))
        return error_set(error, EXIT_CONFIG, "'%s' cannot be an id (up to 64 of A-Z a-z 0-9 _ . -): set id or --id",
                         settings->id != NULL ? settings->id : id);
    memcpy(entry->id, id, strlen(id) + 1);
    return true;
}

bool settings_make_entry(const struct settings *settings, struct registry_entry *entry, struct error *error)
{
    *entry = (struct registry_entry){.port = (uint16_t)settings->port, .check_port = (uint16_t)settings->check_port};
    if (settings->prefix == NULL || !registry_prefix_is_valid(settings->prefix))
        return error_set(error, EXIT_CONFIG, "prefix = '%s' is not a path like " REGISTRY_DEFAULT_PREFIX,
                         settings->prefix == NULL ? "" : settings->prefix);
    if (settings->ip != NULL && !registry_ip_normalize(settings->ip, entry->ip, sizeof entry->ip, &entry->ipv6))
        return error_set(error, EXIT_CONFIG, "ip = '%s' is not an address that others could reach", settings->ip);
    if (settings->instance != NULL) {
        if (!registry_instance_is_valid(settings->instance))
            return error_set(error, EXIT_CONFIG, "instance = '%s' is not the name of a unit", settings->instance);
        snprintf(entry->instance, sizeof entry->instance, "%s", settings->instance);
    }
    if (settings->when == WHEN_SYNCED && settings->check_interval_ms == 0)
        return error_set(error, EXIT_CONFIG, "when = synced needs a check_interval above 0s");
    return make_host(settings, entry, error) && make_id(settings, entry, error);
}
