/*
 * Who the writer is, for all balancers alike: one key in etcd, changed by compare-and-swap alone.
 *
 * Balancers see different things for moments, and one that was away knows nothing of what the others did. So the
 * balancer whose HAProxy has lost the writer proposes the next one, etcd decides which proposal was first, and all
 * follow. The key has no lease: that it outlives everybody is what keeps the role from going back. While etcd cannot be
 * asked, or without v3, each balancer takes what it would have proposed; the rule for that is the same everywhere.
 */
#ifndef HAPROXY_AGREEMENT_H
#define HAPROXY_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "etcd.h"
#include "plan.h"
#include "roster.h"
#include "settings.h"

struct agreement {
    struct etcd *etcd; /* NULL: no agreement, only the memory */
    char key[REGISTRY_PREFIX_MOST + 64];
    struct writer_memory memory;
    bool asked;           /* etcd has answered once */
    bool out;             /* it does not at present, and that was said */
    bool unpublished;     /* the memory is our own choice and not in etcd yet */
    int64_t mod_revision; /* of the key when it was read; 0: it did not exist */
    int64_t next_ms;      /* when to ask again */
};

/* `etcd` NULL: no agreement. What is remembered of the writer stays. */
void agreement_open(struct agreement *agreement, const struct settings *settings, struct etcd *etcd);

/* Reads the key when that is due, and follows it. */
void agreement_refresh(struct agreement *agreement, int64_t now_ms);

/* Makes this member the writer: for all if etcd agrees, for this balancer alone if it cannot be asked. */
void agreement_propose(struct agreement *agreement, const struct member *member, int64_t now_ms);

/* "10.0.0.1:3306", "[::1]:3306" from outside. False when it is none. */
bool agreement_parse(const char *text, char *ip, size_t size, uint16_t *port);

#endif
