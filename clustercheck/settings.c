#include "settings.h"

#include <stddef.h>

#include "verdict.h"

static const struct config_choice donor_choices[] = {
    {"never", DONOR_NEVER},
    {"always", DONOR_ALWAYS},
    {"nonblocking", DONOR_NONBLOCKING},
    {"last", DONOR_LAST},
    {"0", DONOR_NEVER},
    {"1", DONOR_ALWAYS},
    {NULL, 0},
};

static const struct config_choice body_choices[] = {{"galera", BODY_GALERA}, {"percona", BODY_PERCONA}, {NULL, 0}};

const struct config_key settings_keys[] = {
    {"clustercheck", "timeout", CONFIG_DURATION, offsetof(struct settings, timeout_ms), "1s", 10, 60000, NULL,
     "the whole answer is given within this time, whatever hangs"},
    {"clustercheck", "request_wait", CONFIG_DURATION, offsetof(struct settings, request_wait_ms), "200ms", 0, 10000,
     NULL, "how long to wait for the first byte of a request before answering without one"},
    {"clustercheck", "available_when_donor", CONFIG_CHOICE, offsetof(struct settings, available_when_donor), "never", 0,
     0, donor_choices,
     "donor takes traffic: never, always, nonblocking (by transfer method), last (also as last server)"},
    {"clustercheck", "available_when_readonly", CONFIG_BOOLEAN, offsetof(struct settings, available_when_readonly),
     "yes", 0, 0, NULL, "whether a node with read_only set takes traffic"},
    {"clustercheck", "available_when_desynced", CONFIG_BOOLEAN, offsetof(struct settings, available_when_desynced),
     "no", 0, 0, NULL, "whether a node that was desynced by hand (wsrep_desync=ON) takes traffic"},
    {"clustercheck", "disable_file", CONFIG_PATH, offsetof(struct settings, disable_file), "/run/clustercheck/disabled",
     0, 0, NULL, "while this file exists the answer is 503; /var/tmp/clustercheck.disabled always counts too"},
    {"clustercheck", "drain_file", CONFIG_PATH, offsetof(struct settings, drain_file), "/run/clustercheck/drain", 0, 0,
     NULL, "while this file exists the answer is 404, which http-check disable-on-404 takes as drain"},
    {"clustercheck", "datadir", CONFIG_PATH, offsetof(struct settings, datadir), "/var/lib/mysql", 0, 0, NULL,
     "the server's data directory, where sst_in_progress marks a state transfer"},
    {"clustercheck", "body", CONFIG_CHOICE, offsetof(struct settings, body), "galera", 0, 0, body_choices,
     "whose classic sentences to answer with: galera or percona"},
    {"clustercheck", "log", CONFIG_STRING, offsetof(struct settings, log), "syslog", 0, 0, NULL,
     "where a check over the network logs changes and failures: syslog, none or a file"},
    {"clustercheck", "state_dir", CONFIG_PATH, offsetof(struct settings, state_dir), "/run/clustercheck", 0, 0, NULL,
     "directory for the last verdict, so that only changes are logged"},
    {"clustercheck", "log_repeat", CONFIG_DURATION, offsetof(struct settings, log_repeat_ms), "1m", 0, 86400000, NULL,
     "a failure that lasts is logged again after this time; 0s: never again"},
    {"clustercheck", "donor_weight", CONFIG_PERCENT, offsetof(struct settings, donor_weight), "25%", 1, 100, NULL,
     "--agent: the most weight that a donor gets while the policy lets it take traffic"},
    {"clustercheck", "weight_queue", CONFIG_NUMBER, offsetof(struct settings, weight_queue), "100", 1, 1000000, NULL,
     "--agent: length of the receive queue that halves the weight"},
    {"clustercheck", "refresh", CONFIG_DURATION, offsetof(struct settings, refresh_ms), "250ms", 10, 60000, NULL,
     "resident: how often the server is asked while there are clients"},
    {"clustercheck", "max_age", CONFIG_DURATION, offsetof(struct settings, max_age_ms), "500ms", 10, 60000, NULL,
     "resident: a client waits for a new answer of the server when the last one is older"},
    {"clustercheck", "idle_exit", CONFIG_DURATION, offsetof(struct settings, idle_exit_ms), "10m", 0, 86400000, NULL,
     "resident: exit after this time without clients, and be started again by the next; 0s: never"},
    {"clustercheck", "keep_alive", CONFIG_DURATION, offsetof(struct settings, keep_alive_ms), "15s", 0, 3600000, NULL,
     "resident: how long a connection that the client keeps may be silent; 0s: none is kept"},
    {"clustercheck", "max_clients", CONFIG_NUMBER, offsetof(struct settings, max_clients), "4096", 16, 65536, NULL,
     "resident: connections at a time; when more come, the one that is silent for longest is given up"},
};

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];
