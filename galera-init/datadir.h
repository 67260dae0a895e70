/*
 * The server's data directory: made, read, and changed where the protocol (decide.h, rule 4) asks for it.
 *
 * What is written here belongs to the owner of the directory, is on disk before the function returns, and replaces the
 * old file in one step.
 */
#ifndef INIT_DATADIR_H
#define INIT_DATADIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"
#include "gvwstate.h"
#include "holding.h"
#include "server.h"

/* Not there, or nothing in it but lost+found. False also when it cannot be read: then the error is set. */
bool datadir_is_empty(const char *datadir, struct error *error);

enum datadir_clearing { DATADIR_CLEARED, DATADIR_USED, DATADIR_NOT_CLEARED };

/*
 * Removes what an interrupted installation left behind. DATADIR_USED: there is something that an installation does not
 * make, as after a backup was restored; then nothing is removed. DATADIR_NOT_CLEARED: the error is set.
 */
enum datadir_clearing datadir_clear(const char *datadir, struct error *error);

/*
 * mariadb-install-db, the one beside the server or in PATH: root logs in through the socket as `admin`, there is no
 * test database. False with the error set; EXIT_TRY_AGAIN when `wake_fd` ended it.
 */
bool datadir_install(const struct server_command *command, const char *datadir, const char *admin, int wake_fd,
                     struct error *error);

/*
 * Everything but `recovered`. `fresh`: mariadb-install-db made the directory for us and no server was Primary on it, so
 * that only a history in grastate.dat counts as data.
 */
bool datadir_read(const char *datadir, bool fresh, struct holding_signs *signs, struct gvwstate *view,
                  struct error *error);

/*
 * Asks the server for its position by --wsrep-recover. Transactions that are prepared and stand in the way are rolled
 * back by --tc-heuristic-recover, which is remembered in `recovered`. Nobody may use the directory meanwhile. False
 * with the error set when it could not be run, or could not tell for a reason that is not the data's (recover_tells):
 * EXIT_TRY_AGAIN when that may pass, else EXIT_CONFIG. What it said otherwise is in `recovered`. The log stays in
 * `log_path`.
 */
bool datadir_recover(const struct server_command *command, const char *datadir, const char *log_path, int wake_fd,
                     struct recovered *recovered, struct error *error);

/* A nil UUID and seqno -1: nothing less than a full transfer is possible. */
bool datadir_blank(const char *datadir, struct error *error);

/* safe_to_bootstrap: 1, on which Galera insists; `position` with the seqno as it is to be read by the server. */
bool datadir_write_grastate(const char *datadir, const struct position *position, bool safe, struct error *error);

/*
 * Removes the log by which the server completes or undoes the schema changes that it was killed in. It belongs to the
 * copy that is given up; a full transfer leaves it in place (wsrep_sst_rsync copies over it, wsrep_sst_mariabackup
 * spares *.log), and the server would drop or rename tables of the new copy by it.
 */
bool datadir_drop_ddl_log(const struct server_info *info, struct error *error);

bool datadir_drop_view(const char *datadir, struct error *error);

/*
 * Who holds InnoDB's lock on the data files: a server that runs or starts up. 0: nobody. DATADIR_USER_UNSEEN: somebody
 * whose process id means nothing here (of another PID namespace).
 */
enum { DATADIR_USER_UNSEEN = -1 };
pid_t datadir_user(const char *datadir);

#endif
