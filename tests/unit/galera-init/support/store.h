/* Keys of a cluster as etcd would return them. */
#ifndef STORE_H
#define STORE_H

#include "keys.h"

#define PREFIX "/galera/x/"

/* Values that are complete, and parts of them. */
#define UUID_A "aaaaaaaa-1111-2222-3333-444444444444"
#define PLACE  "{\"generation\":1,\"mark\":7,\"seqno\":90}"
#define RECORD                                                                                                         \
    "{\"state\":\"attested\",\"epoch\":1,\"boot\":\"b1\",\"copy\":\"trusted\",\"source\":\"grastate\",\"position\":"   \
    "\"" UUID_A ":90\",\"place\":" PLACE ",\"held\":" PLACE ",\"safe_to_bootstrap\":false,\"nodes\":3}"
#define MEMBER "{\"phase\":\"waiting\",\"boot\":\"b1\"}"
#define BOOTSTRAP                                                                                                      \
    "{\"phase\":\"claimed\",\"kind\":\"new\",\"node\":\"n1\",\"boot\":\"b1\",\"epoch\":2,\"base\":\"" UUID_A           \
    ":90\",\"lineage\":{\"root\":0,\"generations\":[]}}"

enum { STORE_MOST = 80 };

struct store {
    struct etcd_kv kv[STORE_MOST];
    struct etcd_range range;
};

/* The texts stay the caller's. Every key has a revision of its own, and the lease 77. Ends the test when it is full. */
void store_add(struct store *store, const char *key, const char *value);

/* keys_read, which must succeed. */
void store_read(const struct store *store, struct keys *keys, struct situation *situation);

/* One node, which is `self`. */
struct situation situation_of(const char *self);

#endif
