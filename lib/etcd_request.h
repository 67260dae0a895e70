/* Bodies of requests to etcd's JSON gateway. Pure: values in, text out. */
#ifndef ETCD_REQUEST_H
#define ETCD_REQUEST_H

#include "etcd.h"
#include "text.h"

/* The end of the range of all keys that begin with `prefix`: the prefix with its last byte one higher ("API
 * reference"). */
void etcd_add_range_end(struct text *text, const char *key, const char *prefix);

void etcd_write_range(struct text *text, const char *key, bool prefix);
void etcd_write_put(struct text *text, const char *key, const char *value, int64_t lease);
void etcd_write_delete(struct text *text, const char *key, bool prefix);
void etcd_write_txn(struct text *text, const struct etcd_txn *txn);
void etcd_write_watch(struct text *text, const char *prefix, int64_t revision);
void etcd_write_login(struct text *text, const char *user, const char *password);

/* {"ID": "..."}, as lease/keepalive, lease/revoke and lease/timetolive take it. */
void etcd_write_lease(struct text *text, int64_t lease);
void etcd_write_grant(struct text *text, int64_t ttl);

#endif
