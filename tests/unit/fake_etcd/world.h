/* The inside of the fake etcd. For no other file. */
#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H

#include "fake_etcd.h"

struct etcd {
    size_t endpoint;
    const char *local_address;
    bool ignores_wake;
};

struct fake_lease {
    int64_t id;
    int64_t ttl_ms;
    int64_t expires_ms;
};

struct fake_node {
    char *key;
    char *value;        /* NULL: a directory */
    int64_t expires_ms; /* INT64_MAX: never */
    int64_t created;
    int64_t modified;
};

/* What has happened in v2: enough to end a long poll. */
struct fake_v2_event {
    int64_t index;
    char *key;
};

struct world {
    int64_t now_ms;
    uint64_t random;
    enum etcd_api api;
    int64_t answer_ms;
    int64_t failure_ms;
    int64_t timeout_ms;
    int64_t lag_ms;
    bool acknowledges_dead;
    bool down;
    struct fake_hooks hooks;

    struct etcd_range keys;
    int64_t compacted; /* the history before this revision is gone */
    struct etcd_event *history;
    size_t history_count;
    struct fake_lease *lease;
    size_t lease_count;
    int64_t last_lease;

    struct fake_node *node;
    size_t node_count;
    struct etcd_range files; /* of fake_v2_keys */
    int64_t index;
    struct fake_v2_event *v2_history;
    size_t v2_history_count;

    struct etcd_watch *watches; /* those that are open */
    int mute;
    int batch;
    bool wake;
};

extern struct world world;

/* A call in flight. `act` makes its outputs new each time; `discard` (NULL: nothing to free) frees them again. */
struct call {
    enum fake_call kind;
    bool repeatable;
    struct deadline deadline;
    void *arguments;
    enum etcd_failure (*act)(struct etcd *client, void *arguments, struct error *error);
    void (*discard)(void *arguments);
};

enum etcd_failure call_perform(struct etcd *client, const struct call *call, struct error *error);
void call_observe(struct etcd *client, const char *key, const struct etcd_kv *old);

/* Memory that a test never lacks. */
void *grown(void *memory, size_t count, size_t size);
char *copy_of(const char *text);

/* keys.c */
const struct etcd_kv *keys_find(const char *key);
int64_t keys_put(const char *key, const char *value, int64_t lease, int64_t revision);
int64_t keys_erase(const char *key, bool prefix, int64_t revision); /* how many */
void keys_drop_lease(struct etcd *client, int64_t lease);
bool key_matches(const char *key, const char *wanted, bool prefix);
void keys_reset(void);

/* leases.c */
struct fake_lease *lease_find(int64_t id);
int64_t leases_next_end(void);
void leases_expire(void);
void leases_reset(void);

/* v2.c */
int64_t v2_next_end(void);
void v2_expire(void);
void v2_reset(void);

/* watch.c */
void watches_reset(void);

#endif
