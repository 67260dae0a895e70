/*
 * The lease, and member/<node> under it: a thread that tells the others that we are alive, whatever the rest of the
 * program waits for. Nothing that must be certain rests on it (decide.h).
 */
#ifndef INIT_KEEPER_H
#define INIT_KEEPER_H

#include "etcd.h"
#include "keys.h"

struct keeper;

/*
 * `etcd` is the thread's own from here on; it is closed by keeper_close. `prefix` and `node` must outlive the keeper.
 * `old_lease` is that of a predecessor which is certainly dead, or 0: it is revoked, lest we wait for its end.
 */
struct keeper *keeper_open(struct etcd *etcd, const char *prefix, const char *node, int64_t ttl_ms, int64_t old_lease,
                           struct error *error);

/* What member/<node> shall say from now on; written soon, and not again unless something has changed. */
void keeper_tell(struct keeper *keeper, enum member_phase phase, const char *boot, const struct node_card *card);

/* Our lease; 0 while there is none. */
int64_t keeper_lease(struct keeper *keeper);

/* Ends the thread, revokes the lease if etcd answers in time, and frees everything. */
void keeper_close(struct keeper *keeper, int64_t timeout_ms);

#endif
