/*
 * The actions of announce.h carried out in etcd.
 *
 * v3: all keys of the entry in one transaction under one lease, so that they come and go together. v2, which has
 * neither: a directory with a TTL. Only keys below <prefix>/<id>/ are ever written or removed.
 */
#ifndef REGISTER_STORE_H
#define REGISTER_STORE_H

#include "announce.h"
#include "deadline.h"
#include "etcd.h"
#include "holder.h"
#include "registry.h"

struct store {
    struct etcd *etcd;
    enum etcd_api api;            /* ETCD_AUTO until it is known */
    struct registry_entry *entry; /* ours; its state may change between calls, its address is set by a claim */
    bool own_ip;                  /* the address is configured */
    int64_t ttl_s;
    int64_t lease;                                               /* 0: none (v2: never one); it may have ended */
    char directory[REGISTRY_PREFIX_MOST + REGISTRY_ID_SIZE + 2]; /* "<prefix>/<id>/" */
    struct holder holder;                                        /* as it was read last */
};

void store_init(struct store *store, struct etcd *etcd, struct registry_entry *entry, const char *prefix,
                int64_t ttl_ms);

/*
 * Does one action (not WAIT or END) by `deadline`. Every outcome but OUTCOME_DONE comes with the error set. Fills in
 * the report but for its times.
 */
void store_do(struct store *store, enum announce_action action, struct deadline deadline,
              struct announce_report *report, struct error *error);

/* The parts, for store.c alone: how one API does each action; NULL: nothing is to be done. */
typedef enum announce_outcome store_step(struct store *store, struct deadline deadline, struct announce_report *report,
                                         struct error *error);
extern store_step *const store_v3_steps[ANNOUNCE_ACTIONS];
extern store_step *const store_v2_steps[ANNOUNCE_ACTIONS];

/* What a failure of etcd means for the announcement. */
enum announce_outcome store_outcome(enum etcd_failure failure);

/* The address of our end of the connection to etcd, where none is configured. */
bool store_find_ip(struct store *store, struct error *error);

/* "<directory><field>", in `key`; returns key. */
enum { STORE_KEY_SIZE = REGISTRY_PREFIX_MOST + REGISTRY_ID_SIZE + 32 };
const char *store_key(const struct store *store, enum registry_field field, char key[STORE_KEY_SIZE]);

#endif
