/* Section [init] of the configuration, and the few keys of other sections that galera-init looks at. */
#ifndef INIT_SETTINGS_H
#define INIT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "etcd.h"
#include "node.h"
#include "registry.h"
#include "situation.h"

struct settings {
    struct node_settings node; /* the account that other nodes' servers are asked with; made on the first bootstrap */
    struct etcd_settings etcd;
    char *cluster;    /* wsrep_cluster_name, and where the keys are: /galera/<cluster>/ */
    char *node_key;   /* `node` as configured; NULL: the host name */
    const char *name; /* wsrep_node_name: node_key or `host` */
    char host[REGISTRY_HOST_SIZE];
    char *address; /* wsrep_node_address, perhaps with a port; NULL: that of the route to etcd */
    int64_t nodes;
    char *datadir; /* NULL: what the server says */
    char *state_dir;
    int recovery;     /* enum recovery */
    int foreign_data; /* enum foreign_data */
    char *seed;       /* file of the dump; NULL: none */
    char *seed_database;
    char *users_sql;  /* file; NULL: none */
    char *donor;      /* "auto", or names with commas between them */
    char *admin_user; /* for the local server, through its Unix socket; NULL: the user that we run as */
    bool create_account;
    int64_t ttl_ms;
    int64_t poll_ms;
    int64_t patience_ms;
    int64_t ask_timeout_ms;
    int64_t stop_timeout_ms;
    int64_t drain_ms;
    /* [clustercheck] */
    char *drain_file;
};

extern const struct config_key settings_keys[];
extern const size_t settings_key_count;
extern const struct config_key settings_borrowed_keys[];
extern const size_t settings_borrowed_key_count;

/*
 * Checks what no single key can show, and fills in what follows from the host: name, cluster. EXIT_CONFIG. Names are
 * registry ids: up to 64 of A-Z a-z 0-9 _ . -
 */
bool settings_complete(struct settings *settings, struct error *error);

/* "/galera/<cluster>/"; returns text. */
enum { SETTINGS_PREFIX_SIZE = 80 };
const char *settings_prefix(const struct settings *settings, char text[SETTINGS_PREFIX_SIZE]);

#endif
