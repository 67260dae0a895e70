/*
 * The nodes that are, or have been, in the registry, and how they left it. Pure: registries and the time in.
 *
 * A node is its address: HAProxy knows servers by nothing else, and an id that comes back with another address is
 * another server. A node that is not listed any more has either been removed (its own galera-register did that, or an
 * admin), or its entry has expired. The two are told apart by the lease of the entry: an entry that vanishes before its
 * lease could have run out was removed. So whoever feeds the roster tells it now and then how long each lease has got
 * (roster_note_lease). In doubt an entry counts as expired, which keeps a node whose check passes.
 */
#ifndef HAPROXY_ROSTER_H
#define HAPROXY_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "registry.h"

enum { ROSTER_MOST = 256 };

enum presence {
    PRESENCE_LISTED,  /* in the registry */
    PRESENCE_REMOVED, /* was taken out of it */
    PRESENCE_EXPIRED, /* its entry ended by itself, or is broken, or nobody knows */
};

/* "listed", "removed", "expired" */
const char *presence_word(enum presence presence);

struct member {
    char id[REGISTRY_ID_SIZE]; /* "" when it is only known from HAProxy */
    char ip[REGISTRY_IP_SIZE];
    bool ipv6;
    uint16_t port;
    uint16_t check_port; /* 0: it registers none */
    int64_t created;     /* when it came to the registry, as a revision; INT64_MAX when that is not known */
    enum presence presence;
    enum presence told;     /* what the log has said of it */
    int64_t since_ms;       /* when it left the registry */
    int64_t leaving_ms;     /* since when it is being drained for that; INT64_MIN: it is not */
    int64_t lease;          /* 0: none */
    int64_t lease_until_ms; /* the lease cannot run out before */
    int64_t lease_asked_ms; /* when that was learnt; INT64_MIN: never */
};

struct roster {
    struct member member[ROSTER_MOST]; /* the order of the writers: by `created`, then id, then address */
    size_t count;
    bool known;     /* a registry with entries has been taken */
    bool emptied;   /* the last one had none, or was another store: what is missing next has not left by itself */
    size_t refused; /* entries of the last registry that have the address of an earlier one */
};

/*
 * Takes a registry that was read whole. An empty one changes nothing. `leases`: entries have leases whose time is
 * asked, so that a removal can be told from an expiry.
 */
void roster_take(struct roster *roster, const struct registry *registry, bool leases, int64_t now_ms);

/* The store was wiped or replaced: what vanishes with the next registry was not removed. */
void roster_note_reset(struct roster *roster);

/* The lease of this address has `left_s` whole seconds from now on. */
void roster_note_lease(struct roster *roster, size_t member, int64_t left_s, int64_t now_ms);

/* A server that HAProxy has and nobody listed: as if its entry had just expired. The member's index, or -1: no room. */
long roster_adopt(struct roster *roster, const char *ip, uint16_t port, uint16_t check_port, int64_t now_ms);

/* Forgets a member that is not listed. */
void roster_drop(struct roster *roster, size_t member);

/* The index, or -1. */
long roster_find(const struct roster *roster, const char *ip, uint16_t port);

/* "db1 (10.0.0.1:3306)", "10.0.0.1:3306" without an id, "[::1]:3306". Returns text. */
const char *member_title(const struct member *member, char *text, size_t size);
const char *member_address(const struct member *member, char *text, size_t size);

#endif
