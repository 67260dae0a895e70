#include "settings.h"

#include <stddef.h>

#include "formats.h"
#include "registry.h"

static const struct config_choice format_choices[] = {
    {"table", FORMAT_TABLE},
    {"gcomm", FORMAT_GCOMM},
    {"hosts", FORMAT_HOSTS},
    {"haproxy", FORMAT_HAPROXY},
    {"json", FORMAT_JSON},
    {"env", FORMAT_ENV},
    {NULL, 0},
};

const struct config_key settings_keys[] = {
    {"discover", "prefix", CONFIG_STRING, offsetof(struct settings, prefix), REGISTRY_DEFAULT_PREFIX, 0, 0, NULL,
     "where the registry is in etcd"},
    {"discover", "format", CONFIG_CHOICE, offsetof(struct settings, format), "table", 0, 0, format_choices,
     "what to print: table, gcomm, hosts, haproxy, json or env"},
    {"discover", "exclude", CONFIG_STRING, offsetof(struct settings, exclude), "", 0, 0, NULL,
     "ids to leave out, with commas between them"},
    {"discover", "states", CONFIG_STRING, offsetof(struct settings, states), "", 0, 0, NULL,
     "states to list, with commas between them, for example synced,donor; empty: all"},
    {"discover", "timeout", CONFIG_DURATION, offsetof(struct settings, timeout_ms), "10s", 50, 86400000, NULL,
     "how long the answer may take, and how long --wait waits"},
    {"discover", "resync", CONFIG_DURATION, offsetof(struct settings, resync_ms), "10s", 100, 3600000, NULL,
     "while watching: how often the whole registry is read again"},
    {"discover", "gather", CONFIG_DURATION, offsetof(struct settings, gather_ms), "20ms", 0, 60000, NULL,
     "while watching: changes within this time are printed as one"},
    {"discover", "exec_timeout", CONFIG_DURATION, offsetof(struct settings, exec_timeout_ms), "1m", 100, 86400000, NULL,
     "how long the command of --exec may run before it is ended and counts as failed"},
};

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];

bool settings_check(const struct settings *settings, struct error *error)
{
    if (settings->prefix == NULL || !registry_prefix_is_valid(settings->prefix))
        return error_set(error, EXIT_CONFIG, "prefix = '%s' is not a path like " REGISTRY_DEFAULT_PREFIX,
                         settings->prefix == NULL ? "" : settings->prefix);
    return true;
}
