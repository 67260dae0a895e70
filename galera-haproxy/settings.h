/* Section [haproxy] of the configuration, and where the registry is. */
#ifndef HAPROXY_SETTINGS_H
#define HAPROXY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "etcd.h"
#include "registry.h"

enum { SLOTS_MOST = 64 };

struct settings {
    struct etcd_settings etcd;
    char *prefix;
    int64_t resync_ms;
    int64_t gather_ms;
    char *config;
    char *main_config;
    char *haproxy;
    char *socket;
    char *bind;
    char *writer_bind; /* NULL: no such listener */
    char *reader_bind; /* likewise */
    int64_t slots;
    int64_t check_port; /* of nodes that register none */
    char *check;
    char *balance;
    int64_t agent_port; /* 0: no agent-check */
    char *extra;        /* lines with '|' between them; NULL: none */
    int64_t min_servers;
    int64_t max_removals;
    int64_t grace_ms;
    int64_t expired_grace_ms;
    char *writer_key; /* NULL: derived from the prefix; "off": no agreement */
    int64_t writer_grace_ms;
    int64_t writer_overlap_ms;
    int64_t timeout_ms;
    int64_t validate_timeout_ms;
};

extern const struct config_key settings_keys[];
extern const size_t settings_key_count;

/* What no single key can show. Fails with EXIT_CONFIG. */
bool settings_check(const struct settings *settings, struct error *error);

#endif
