/*
 * The registry: which nodes say that they are there. Pure: keys and values in, checked entries out.
 *
 *     <prefix>/<id>/ip  <prefix>/<id>/port  [host] [service_instance_name] [check_port] [state]
 *
 * What is in etcd was written by others, so every value is checked before anybody may put it on a command line or into
 * a configuration. An entry that lacks ip or port, or has one wrong value, is left out whole and reported with its
 * reason.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "etcd.h"

enum {
    REGISTRY_ID_SIZE = 65,
    REGISTRY_IP_SIZE = 46,
    REGISTRY_HOST_SIZE = 254,
    REGISTRY_INSTANCE_SIZE = 256,
    REGISTRY_STATE_SIZE = 33,
    REGISTRY_REASON_SIZE = 160,
    REGISTRY_PREFIX_MOST = 512,
};

#define REGISTRY_DEFAULT_PREFIX "/components/galera"

/* The keys of a node. */
enum registry_field {
    REGISTRY_IP,
    REGISTRY_PORT,
    REGISTRY_HOST,
    REGISTRY_INSTANCE,
    REGISTRY_CHECK_PORT,
    REGISTRY_STATE,
    REGISTRY_FIELD_COUNT
};

/* "ip", "port", "host", "service_instance_name", "check_port", "state" */
const char *registry_field_name(enum registry_field field);

struct registry_entry {
    char id[REGISTRY_ID_SIZE];
    char ip[REGISTRY_IP_SIZE]; /* a literal in the form of inet_ntop(3) */
    bool ipv6;
    uint16_t port;
    uint16_t check_port;                   /* 0: none */
    char host[REGISTRY_HOST_SIZE];         /* "": none */
    char instance[REGISTRY_INSTANCE_SIZE]; /* "": none */
    char state[REGISTRY_STATE_SIZE];       /* "": none */
    int64_t created;                       /* create_revision of ip: who was here first */
    int64_t lease;                         /* of ip, 0: none */
};

/* An id that is not listed, and why. */
struct registry_problem {
    char id[REGISTRY_ID_SIZE];
    char reason[REGISTRY_REASON_SIZE];
};

struct registry {
    struct registry_entry *entry; /* sorted by id, bytewise */
    size_t count;
    struct registry_problem *problem; /* sorted likewise */
    size_t problem_count;
};

/*
 * Makes a registry of what is below `prefix`. `kv` is ordered by key; keys outside of the prefix, deeper ones and
 * unknown fields are ignored. False when memory runs out. Free with registry_free whatever the result.
 */
bool registry_build(struct registry *registry, const char *prefix, const struct etcd_kv *kv, size_t count,
                    struct error *error);
void registry_free(struct registry *registry);

const struct registry_entry *registry_find(const struct registry *registry, const char *id);

/* Same entries with the same values; revisions, leases and problems do not count. */
bool registry_equal(const struct registry *a, const struct registry *b);

/* True when `problem` is not in `registry`: then it is worth a warning. */
bool registry_problem_is_new(const struct registry *registry, const struct registry_problem *problem);

/* Checks of single values; the texts are untrusted. */
bool registry_id_is_valid(const char *id);
bool registry_host_is_valid(const char *host);         /* RFC 1123 names, and '_' */
bool registry_instance_is_valid(const char *instance); /* the characters of systemd unit names */
bool registry_state_is_valid(const char *state);       /* [a-z-]{1,32} */

/* Absolute, no empty parts, no slash at the end, printable. */
bool registry_prefix_is_valid(const char *prefix);

/* Rewrites an IPv4 or IPv6 literal in its one form (10.0.0.5, 2001:db8::1). False when it is none, or the "any"
 * address. */
bool registry_ip_normalize(const char *text, char *ip, size_t size, bool *ipv6);

/* The value that `field` has in etcd, in `text`; NULL when the entry has none. */
const char *registry_field_text(const struct registry_entry *entry, enum registry_field field, char *text, size_t size);

/* "10.0.0.5:3306", "[2001:db8::1]:3306". Returns text. */
const char *registry_address(const struct registry_entry *entry, char *text, size_t size);

#endif
