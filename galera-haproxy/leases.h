/*
 * How long the leases of the entries have got, asked so often that an entry which vanishes earlier than its lease could
 * have run out is known to have been removed.
 */
#ifndef HAPROXY_LEASES_H
#define HAPROXY_LEASES_H

#include <stdint.h>

#include "etcd.h"
#include "roster.h"

struct leases {
    int64_t retry_ms; /* nothing is asked before */
};

/* Asks for the lease that is most due, if one is. At most one short request. */
void leases_refresh(struct leases *leases, struct etcd *etcd, struct roster *roster, int64_t now_ms);

/* When the next one is due; INT64_MAX: none. */
int64_t leases_due_ms(const struct leases *leases, const struct roster *roster);

#endif
