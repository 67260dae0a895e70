/*
 * The server's program: what its options come to, the command lines that it is run with.
 */
#ifndef INIT_SERVER_H
#define INIT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "position.h"

enum { SERVER_ARGUMENTS_MOST = 256, SERVER_PATH_SIZE = 4096, SERVER_LIST_SIZE = 8192 };

/* The operands of galera-init: the program and the admin's arguments, NULL at the end; belongs to the caller. */
struct server_command {
    const char *const *argv;
    size_t count;
    const char *datadir; /* of [init]: the server is told to use it; NULL: its own */
};

/* What `mariadbd --verbose --help` says, with the admin's arguments and option files. */
struct server_info {
    char datadir[SERVER_PATH_SIZE];
    char socket[SERVER_PATH_SIZE];
    char log_error[SERVER_PATH_SIZE]; /* "": standard error */
    char provider[SERVER_PATH_SIZE];
    char bind_address[256];
    char sst_method[64];
    char gcache_dir[SERVER_PATH_SIZE]; /* gcache.dir and gcache.name of wsrep_provider_options */
    char gcache_name[256];
    char ddl_log[SERVER_PATH_SIZE]; /* "": the server has none */
    bool wsrep_on;
    int64_t port;
};

/*
 * Asks the program. Relative paths are made absolute as the server does. Fails when it cannot be run, when its option
 * files are wrong (with its own words), or when it is set up without Galera. `wake_fd` ends it.
 */
bool server_ask(const struct server_command *command, int wake_fd, struct server_info *info, struct error *error);

/* Pure: of the text that it printed. Unknown lines are skipped. */
void server_parse_help(const char *text, struct server_info *info);

/* What a start adds to the admin's arguments. Strings must outlive the arguments made of them. */
struct server_start {
    const char *cluster;
    const char *node;
    const char *address;         /* wsrep_node_address */
    const char *members;         /* "10.0.0.1,10.0.0.2": never empty */
    const char *donors;          /* "n2,n3,", or NULL */
    bool new_cluster;            /* --wsrep-new-cluster */
    const struct position *from; /* --wsrep-start-position, or NULL */
};

/* A command line in memory of its own. */
struct server_arguments {
    const char *argv[SERVER_ARGUMENTS_MOST];
    size_t count;
    char text[SERVER_LIST_SIZE * 2];
    size_t used;
    bool failed; /* too long */
};

/*
 * The admin's command line and ours behind it, so that ours are the ones that count. False with the error set when it
 * would be too long, or when the list of members is empty: an empty gcomm:// makes a new cluster.
 */
bool server_start_arguments(const struct server_command *command, const struct server_start *start,
                            struct server_arguments *arguments, struct error *error);

/* For a run with these options added and nothing else. */
bool server_run_arguments(const struct server_command *command, const char *const *options,
                          struct server_arguments *arguments, struct error *error);

#endif
