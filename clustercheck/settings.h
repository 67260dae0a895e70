/* Section [clustercheck] of the configuration. */
#ifndef CLUSTERCHECK_SETTINGS_H
#define CLUSTERCHECK_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "node.h"

/* Whose classic sentences the body uses: scripts compare them. */
enum body_style { BODY_GALERA, BODY_PERCONA };

struct settings {
    struct node_settings node;
    int64_t timeout_ms;
    int64_t request_wait_ms;
    int available_when_donor; /* enum donor_policy */
    bool available_when_readonly;
    bool available_when_desynced;
    char *disable_file;
    char *drain_file;
    char *datadir;
    int body; /* enum body_style */
    char *log;
    char *state_dir;
    int64_t log_repeat_ms;
    int64_t donor_weight; /* percent */
    int64_t weight_queue; /* length of the receive queue that halves the weight */

    /* The resident service. */
    int64_t refresh_ms;
    int64_t max_age_ms;
    int64_t idle_exit_ms; /* 0: never */
    int64_t keep_alive_ms;
    int64_t max_clients;
};

extern const struct config_key settings_keys[];
extern const size_t settings_key_count;

#endif
