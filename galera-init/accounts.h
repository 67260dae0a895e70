/* Statements of users_sql, run once in the life of a cluster. */
#ifndef INIT_ACCOUNTS_H
#define INIT_ACCOUNTS_H

#include "seed.h"
#include "seed_load.h"

/*
 * Runs the file, and notes its SHA-256 in the mark; nothing when none is configured, or it has been done. `load` says
 * how: job, wake_fd, may_go_on.
 */
bool users_make(struct node *node, const struct load *load, struct error *error);

#endif
