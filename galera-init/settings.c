#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"
#include "registry.h"

static const struct config_choice recovery_choices[] = {
    {"auto", RECOVERY_AUTO}, {"manual", RECOVERY_MANUAL}, {NULL, 0}};
static const struct config_choice foreign_choices[] = {
    {"refuse", FOREIGN_REFUSE}, {"discard", FOREIGN_DISCARD}, {NULL, 0}};

const struct config_key settings_keys[] = {
    {"init", "cluster", CONFIG_STRING, offsetof(struct settings, cluster), "galera", 0, 0, NULL,
     "name of the cluster: wsrep_cluster_name, and where its keys are in etcd (/galera/<cluster>/)"},
    {"init", "node", CONFIG_STRING, offsetof(struct settings, node_key), "", 0, 0, NULL,
     "name of this node, the same after every restart and on no other host; empty: the host name"},
    {"init", "address", CONFIG_STRING, offsetof(struct settings, address), "", 0, 0, NULL,
     "address that other nodes reach this one at, perhaps with the port of group communication (10.0.0.5:4567); empty: "
     "the one that the connection to etcd comes from"},
    {"init", "nodes", CONFIG_NUMBER, offsetof(struct settings, nodes), "3", 1, NODES_MOST, NULL,
     "size at which the first bootstrap and the loading of the database happen; with fewer no later one happens "
     "either"},
    {"init", "datadir", CONFIG_PATH, offsetof(struct settings, datadir), "", 0, 0, NULL,
     "the server's data directory; empty: the server is asked for it"},
    {"init", "state_dir", CONFIG_PATH, offsetof(struct settings, state_dir), "/var/lib/galera-init", 0, 0, NULL,
     "where galera-init keeps what it must not forget; outside of the data directory, one for each node"},
    {"init", "recovery", CONFIG_CHOICE, offsetof(struct settings, recovery), "auto", 0, 0, recovery_choices,
     "auto, or manual: a cluster that was Primary once is made Primary again by an operator only"},
    {"init", "foreign_data", CONFIG_CHOICE, offsetof(struct settings, foreign_data), "refuse", 0, 0, foreign_choices,
     "refuse, or discard: data of another cluster, or of none, are erased by joining"},
    {"init", "seed", CONFIG_PATH, offsetof(struct settings, seed), "", 0, 0, NULL,
     "dump to load once when the cluster has reached its size: .sql, .sql.gz or .sql.zst"},
    {"init", "seed_database", CONFIG_STRING, offsetof(struct settings, seed_database), "", 0, 0, NULL,
     "database to load it into, made if need be; empty: the dump says USE itself"},
    {"init", "users_sql", CONFIG_PATH, offsetof(struct settings, users_sql), "", 0, 0, NULL,
     "statements that make accounts, run once, by the first node of a new cluster; must be repeatable"},
    {"init", "donor", CONFIG_STRING, offsetof(struct settings, donor), "auto", 0, 0, NULL,
     "donors to prefer, names with commas between them; auto: a synced node that is not a donor already"},
    {"init", "admin_user", CONFIG_STRING, offsetof(struct settings, admin_user), "", 0, 0, NULL,
     "account with all rights on the local server, through its Unix socket; empty: the name of the user that we run "
     "as"},
    {"init", "create_account", CONFIG_BOOLEAN, offsetof(struct settings, create_account), "yes", 0, 0, NULL,
     "make the account of [mysql] on the first node of a new cluster"},
    {"init", "ttl", CONFIG_SECONDS, offsetof(struct settings, ttl_ms), "10s", 2000, 3600000, NULL,
     "how long the others take this node to be alive after they last heard of it; whole seconds"},
    {"init", "poll", CONFIG_DURATION, offsetof(struct settings, poll_ms), "500ms", 50, 60000, NULL,
     "how often etcd, the members and the server are looked at while there is something to wait for"},
    {"init", "patience", CONFIG_DURATION, offsetof(struct settings, patience_ms), "20s", 1000, 3600000, NULL,
     "how long a server may wait for its last view to form again before another way is taken"},
    {"init", "ask_timeout", CONFIG_DURATION, offsetof(struct settings, ask_timeout_ms), "1s", 100, 60000, NULL,
     "how long a server may take to answer"},
    {"init", "stop_timeout", CONFIG_DURATION, offsetof(struct settings, stop_timeout_ms), "5m", 1000, 86400000, NULL,
     "how long the server may take to stop before it is killed"},
    {"init", "drain", CONFIG_DURATION, offsetof(struct settings, drain_ms), "5s", 0, 3600000, NULL,
     "how long a node that stops lets its clients' sessions end; the check answers draining meanwhile; 0s: not at all"},
};

const size_t settings_key_count = sizeof settings_keys / sizeof settings_keys[0];

const struct config_key settings_borrowed_keys[] = {
    {"clustercheck", "drain_file", CONFIG_PATH, offsetof(struct settings, drain_file), "/run/clustercheck/drain", 0, 0,
     NULL, "made while the node drains"},
};

const size_t settings_borrowed_key_count = sizeof settings_borrowed_keys / sizeof settings_borrowed_keys[0];

static bool complete_name(struct settings *settings, struct error *error)
{
    settings->name = settings->node_key;
    if (settings->name == NULL) {
        settings->host[sizeof settings->host - 1] = '\0';
        if (gethostname(settings->host, sizeof settings->host - 1) != 0)
            return error_set(error, EXIT_CONFIG, "this host has no usable name: set node in [init] or --node");
        settings->name = settings->host;
    }
    if (!registry_id_is_valid(settings->name))
        return error_set(error, EXIT_CONFIG, "node = '%s' cannot be a node's name (up to 64 of A-Z a-z 0-9 _ . -)",
                         settings->name);
    return true;
}

/* Galera would look for a donor by the name as it stands, blanks and all, and take any other when there is none. */
static bool check_donors(const char *donors, struct error *error)
{
    const char *name = donors;
    char text[2 * REGISTRY_ID_SIZE];

    do {
        size_t length = strcspn(name, ",");
        snprintf(text, sizeof text, "%.*s", (int)length, name);
        if (length >= REGISTRY_ID_SIZE || !registry_id_is_valid(text))
            return error_set(error, EXIT_CONFIG, "donor = '%s': '%s' cannot be a node's name", donors, text);
        name += length;
        name += *name == ',';
    } while (*name != '\0');
    return true;
}

bool settings_complete(struct settings *settings, struct error *error)
{
    if (settings->cluster == NULL || !registry_id_is_valid(settings->cluster))
        return error_set(error, EXIT_CONFIG,
                         "cluster = '%s' cannot be a cluster's name (up to 64 of A-Z a-z 0-9 _ . -)",
                         settings->cluster == NULL ? "" : settings->cluster);
    if (settings->address != NULL && !keys_address_is_valid(settings->address, false))
        return error_set(error, EXIT_CONFIG, "address = '%s' is not an address, or an address:port", settings->address);
    if (settings->donor == NULL)
        return error_set(error, EXIT_CONFIG, "donor is empty: write auto, or names with commas between them");
    if (!check_donors(settings->donor, error))
        return false;
    if (settings->state_dir == NULL)
        return error_set(error, EXIT_CONFIG, "state_dir is empty: name a directory outside of the data directory");
    return complete_name(settings, error);
}

const char *settings_prefix(const struct settings *settings, char text[SETTINGS_PREFIX_SIZE])
{
    snprintf(text, SETTINGS_PREFIX_SIZE, "/galera/%s/", settings->cluster);
    return text;
}
