/* Section [discover] of the configuration. */
#ifndef DISCOVER_SETTINGS_H
#define DISCOVER_SETTINGS_H

#include <stdint.h>

#include "config.h"
#include "etcd.h"

struct settings {
    struct etcd_settings etcd;
    char *prefix;
    int format; /* enum format */
    char *exclude;
    char *states;
    int64_t timeout_ms;
    int64_t resync_ms;
    int64_t gather_ms;
    int64_t exec_timeout_ms;
};

extern const struct config_key settings_keys[];
extern const size_t settings_key_count;

/* Checks what no single key can show. */
bool settings_check(const struct settings *settings, struct error *error);

#endif
