/*
 * The application's database is loaded exactly once.
 *
 * Who may load, and whether it is done, is decided by a mark in the database itself (seed_mark.h): it is replicated
 * like the data, so it is there exactly when the data are. etcd says who is at it and tells the others when it is done;
 * it is never believed against the mark.
 */
#ifndef INIT_SEED_H
#define INIT_SEED_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "exitcode.h"
#include "settings.h"

struct seed_job {
    const struct settings *settings;
    const char *socket; /* of the local server */
    const char *boot;   /* boot id of the galera-init that asks; NULL: none */
    int64_t epoch;
    bool by_hand; /* `galera-init seed`: the cluster need not have reached its size */
};

/*
 * Loads the database unless that has been done. Meant for a process of its own: it blocks SIGTERM and SIGINT in the
 * calling thread, reads them from a signalfd, and starts children that die with the thread. No thread of the process
 * may wait for any child.
 *
 *   EXIT_YES        the database is loaded: by us now, or by anybody before
 *   EXIT_NO         it must never be loaded: there are tables, but no mark of ours
 *   EXIT_TRY_AGAIN  somebody else is at it, the cluster is not complete, or something failed that may heal
 *   EXIT_CONFIG     the dump is missing, unreadable, in no known format, or has a statement that the server refuses
 *
 * `error` says what and why, unless it is EXIT_YES.
 */
enum exit_code seed_run(const struct seed_job *job, struct error *error);

/*
 * For the first server of a new cluster, before it is recorded as primary: the suite's schema, the account of [mysql],
 * users_sql. May be repeated. Only `settings` and `socket` are looked at. False with EXIT_TRY_AGAIN or EXIT_CONFIG.
 */
bool accounts_make(const struct seed_job *job, struct error *error);

#endif
