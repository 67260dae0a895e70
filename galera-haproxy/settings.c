#include "settings.h"

#include <stddef.h>
#include <string.h>

#include "words.h"

const struct config_key settings_keys[] = {
    {"haproxy", "prefix", CONFIG_STRING, offsetof(struct settings, prefix), REGISTRY_DEFAULT_PREFIX, 0, 0, NULL,
     "where the registry is in etcd"},
    {"haproxy", "resync", CONFIG_DURATION, offsetof(struct settings, resync_ms), "10s", 100, 3600000, NULL,
     "how often the whole registry is read again"},
    {"haproxy", "gather", CONFIG_DURATION, offsetof(struct settings, gather_ms), "20ms", 0, 60000, NULL,
     "changes of the registry within this time are carried out as one"},
    {"haproxy", "config", CONFIG_PATH, offsetof(struct settings, config), "/etc/haproxy/galera.cfg", 0, 0, NULL,
     "the file that galera-haproxy owns: the sections for the nodes"},
    {"haproxy", "main_config", CONFIG_PATH, offsetof(struct settings, main_config), "/etc/haproxy/haproxy.cfg", 0, 0,
     NULL, "the admin's file (or directory), which HAProxy loads before it"},
    {"haproxy", "haproxy", CONFIG_PATH, offsetof(struct settings, haproxy), "/usr/sbin/haproxy", 0, 0, NULL,
     "the program that validates the file before it is put in place"},
    {"haproxy", "socket", CONFIG_PATH, offsetof(struct settings, socket), "/run/haproxy/admin.sock", 0, 0, NULL,
     "HAProxy's runtime socket, level admin"},
    {"haproxy", "bind", CONFIG_STRING, offsetof(struct settings, bind), ":33306", 0, 0, NULL,
     "where clients reach any usable node"},
    {"haproxy", "writer_bind", CONFIG_STRING, offsetof(struct settings, writer_bind), ":33307", 0, 0, NULL,
     "where clients reach the one writer; empty: nowhere"},
    {"haproxy", "reader_bind", CONFIG_STRING, offsetof(struct settings, reader_bind), "", 0, 0, NULL,
     "where clients reach any node that can be read, read-only ones too; empty: nowhere"},
    {"haproxy", "slots", CONFIG_NUMBER, offsetof(struct settings, slots), "16", 1, SLOTS_MOST, NULL,
     "how many nodes there is room for; another number needs a restart of HAProxy"},
    {"haproxy", "check_port", CONFIG_NUMBER, offsetof(struct settings, check_port), "9200", 1, 65535, NULL,
     "port of clustercheck on nodes that do not register one"},
    {"haproxy", "check", CONFIG_STRING, offsetof(struct settings, check),
     "inter 1s fastinter 300ms downinter 1s rise 2 fall 2", 0, 0, NULL,
     "how often HAProxy checks, and how many checks make a node UP or DOWN; fall is 2 or more"},
    {"haproxy", "balance", CONFIG_STRING, offsetof(struct settings, balance), "leastconn", 0, 0, NULL,
     "how sessions are spread over the nodes"},
    {"haproxy", "agent_port", CONFIG_NUMBER, offsetof(struct settings, agent_port), "0", 0, 65535, NULL,
     "port of `clustercheck --agent` on the nodes; 0: no agent-check"},
    {"haproxy", "extra", CONFIG_STRING, offsetof(struct settings, extra), "", 0, 0, NULL,
     "further lines for every section, with | between them"},
    {"haproxy", "min_servers", CONFIG_NUMBER, offsetof(struct settings, min_servers), "1", 1, SLOTS_MOST, NULL,
     "a node is not removed when fewer than this would be left"},
    {"haproxy", "max_removals", CONFIG_NUMBER, offsetof(struct settings, max_removals), "1", 1, SLOTS_MOST, NULL,
     "more removals than this at once only after the registry was read again"},
    {"haproxy", "grace", CONFIG_DURATION, offsetof(struct settings, grace_ms), "30s", 0, 86400000, NULL,
     "how long the sessions on a node that leaves may go on"},
    {"haproxy", "expired_grace", CONFIG_DURATION, offsetof(struct settings, expired_grace_ms), "10m", 0, 604800000,
     NULL, "how long a node whose entry expired is kept while its check passes"},
    {"haproxy", "writer_key", CONFIG_STRING, offsetof(struct settings, writer_key), "", 0, 0, NULL,
     "key in etcd with the writer that all balancers agree on; empty: /galera-haproxy<prefix>/writer; off: none"},
    {"haproxy", "writer_grace", CONFIG_DURATION, offsetof(struct settings, writer_grace_ms), "3s", 0, 3600000, NULL,
     "after the writer has changed, it does not change again for all balancers within this time"},
    {"haproxy", "writer_overlap", CONFIG_DURATION, offsetof(struct settings, writer_overlap_ms), "0s", 0, 3600000, NULL,
     "how long sessions on a former writer may go on beside the new one; 0s: they are cut"},
    {"haproxy", "timeout", CONFIG_DURATION, offsetof(struct settings, timeout_ms), "2s", 50, 60000, NULL,
     "how long HAProxy may take to answer one command"},
    {"haproxy", "validate_timeout", CONFIG_DURATION, offsetof(struct settings, validate_timeout_ms), "10s", 100, 60000,
     NULL, "how long the program that validates the file may take; below half of the unit's WatchdogSec (30s)"},
};

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];

static bool needs(const char *value, const char *name, struct error *error)
{
    return value != NULL || error_set(error, EXIT_CONFIG, "%s in [haproxy] must not be empty", name);
}

bool settings_check(const struct settings *settings, struct error *error)
{
    struct check_words check;

    if (!needs(settings->prefix, "prefix", error) || !needs(settings->config, "config", error) ||
        !needs(settings->main_config, "main_config", error) || !needs(settings->haproxy, "haproxy", error) ||
        !needs(settings->socket, "socket", error) || !needs(settings->bind, "bind", error) ||
        !needs(settings->check, "check", error) || !needs(settings->balance, "balance", error))
        return false;
    if (!registry_prefix_is_valid(settings->prefix))
        return error_set(error, EXIT_CONFIG, "prefix = '%s' is not a path like " REGISTRY_DEFAULT_PREFIX,
                         settings->prefix);
    if (settings->writer_key != NULL && strcmp(settings->writer_key, "off") != 0 &&
        !registry_prefix_is_valid(settings->writer_key))
        return error_set(error, EXIT_CONFIG, "writer_key = '%s' is neither a path like /galera-haproxy/writer nor off",
                         settings->writer_key);
    if (strcmp(settings->config, settings->main_config) == 0)
        return error_set(error, EXIT_CONFIG, "config and main_config are the same file; config would be overwritten");
    if (settings->min_servers > settings->slots)
        return error_set(error, EXIT_CONFIG, "min_servers is more than there are slots");
    return words_check_bind("bind", settings->bind, error) &&
           words_check_bind("writer_bind", settings->writer_bind, error) &&
           words_check_bind("reader_bind", settings->reader_bind, error) &&
           words_check_balance(settings->balance, error) && words_check_extra(settings->extra, error) &&
           words_parse_check(settings->check, &check, error);
}
