/*
 * Galera's cache of write sets, which joiners are served from, and which it reads back at the next start.
 *
 * It does not belong to the copy of the database alone: a joiner that gets a full transfer keeps the cache it has
 * (wsrep_sst_rsync, wsrep_sst_mariabackup), and where an event is in it already, takes that in place of the one it is
 * sent (galera/src/ist.cpp). After two bootstraps the same seqno names different transactions, so the cache of a copy
 * that is given up has to go with it.
 */
#ifndef INIT_GCACHE_H
#define INIT_GCACHE_H

#include <stdbool.h>

#include "error.h"
#include "server.h"

/* Removes it; that there is none is fine. */
bool gcache_drop(const struct server_info *info, struct error *error);

#endif
