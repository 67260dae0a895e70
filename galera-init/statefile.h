/*
 * What this node must not forget: state.json in the state directory.
 *
 * It holds what decide.h wants to be on disk before anything rests on it, and whom to ask when etcd is out of reach.
 * One galera-init at a time has the directory: it holds a lock on the file `lock` in it.
 */
#ifndef GALERA_INIT_STATEFILE_H
#define GALERA_INIT_STATEFILE_H

#include "keys.h"

enum { STATE_PATH_SIZE = 4096 };

struct state_peer {
    char name[NODE_NAME_SIZE];
    char address[KEYS_ADDRESS_SIZE]; /* "" when it is not known */
    char sql[KEYS_ADDRESS_SIZE];
};

struct state {
    char cluster[NODE_NAME_SIZE];
    char node[NODE_NAME_SIZE];
    char datadir[STATE_PATH_SIZE];
    struct lineage lineage;
    int64_t epoch;
    bool pledged;
    bool installing; /* mariadb-install-db is making the data directory, which was empty before */
    bool fresh;      /* it made it for us, and its server was never Primary */
    bool served;     /* our server was Primary with the copy that is in the data directory (holding.h) */
    size_t peer_count;
    struct state_peer peer[NODES_MOST]; /* every node that was ever seen in position/ */
    int64_t server_pid;                 /* 0: none */
    int64_t server_start;               /* field 22 of /proc/PID/stat */
    int64_t lease;                      /* of member/<node>; 0: none */
};

struct statefile {
    char directory[STATE_PATH_SIZE];
    int directory_fd;
    int lock_fd;
};

/*
 * Opens the state directory, which is made (mode 0700) when only it is missing, locks it and reads the state; without a
 * state.json it is all zero. `cluster` and `node` are what the state must be of; "": not checked.
 *
 * EXIT_TRY_AGAIN: another galera-init has it. EXIT_CONFIG: a state.json that cannot be understood, which is never taken
 * for none, or that is of another cluster or node. EXIT_PERMISSION, EXIT_CONFIG: the directory cannot be used. Close
 * with statefile_close whatever the result.
 */
bool statefile_open(struct statefile *file, const char *directory, const char *cluster, const char *node,
                    struct state *state, struct error *error);

/* The same without a lock, and nothing is changed. No directory and no file: all zero. */
bool statefile_read(const char *directory, struct state *state, struct error *error);

/*
 * When it returns true the state is on disk to stay. When it returns false (EXIT_TRY_AGAIN: no space; EXIT_INTERNAL)
 * the old one stands, but for an error at the very last step, of which it cannot be known: then it is either.
 */
bool statefile_save(struct statefile *file, const struct state *state, struct error *error);

void statefile_close(struct statefile *file);

#endif
