/* Section [register] of the configuration, and the few keys of [clustercheck] that say what this host's check looks at.
 */
#ifndef REGISTER_SETTINGS_H
#define REGISTER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "etcd.h"
#include "node.h"
#include "registry.h"

enum when { WHEN_ALWAYS, WHEN_SYNCED };

struct settings {
    struct node_settings node;
    struct etcd_settings etcd;
    char *id;
    char *ip;
    int64_t port;
    char *host;
    char *instance;
    int64_t check_port;
    char *prefix;
    int64_t ttl_ms;
    int when; /* enum when */
    int64_t up_after_ms;
    int64_t down_after_ms;
    int64_t check_interval_ms; /* 0: the server is not asked */
    int64_t check_timeout_ms;
    int64_t stop_timeout_ms;
    /* [clustercheck] */
    char *disable_file;
    char *drain_file;
    char *datadir;
};

extern const struct config_key settings_keys[];
extern const size_t settings_key_count;
extern const struct config_key settings_borrowed_keys[];
extern const size_t settings_borrowed_key_count;

/*
 * Checks what no single key can show, and makes our own entry: id, host, ports, and the address where one is
 * configured. A missing id is the host name and the port.
 */
bool settings_make_entry(const struct settings *settings, struct registry_entry *entry, struct error *error);

#endif
