/*
 * The keys of a cluster in etcd: what is read becomes a situation, a decision becomes a transaction. Pure.
 *
 * Below the prefix, "/galera/<cluster>/", each key holds one JSON object; decide.h says who writes which of them when.
 * Members that are not listed are ignored, and so are other keys. [..] may be missing.
 *
 *     uuid              {"uuid": "c9a0ad1f-.."}
 *
 *     bootstrap         "phase": "claimed", "starting" or "primary"
 *                       "kind": "new", "survivor" or "remerge"
 *                       "node", "boot": who claims, and the boot id of that galera-init
 *                       "epoch": number of this bootstrap
 *                       "base": "UUID:SEQNO" that it starts from; a nil UUID: an empty directory
 *                       "lineage": of the history from then on, as below
 *                       ["view"]: of kind remerge, as below
 *
 *     position/<node>   "state": "running", "idle", "attested" or "lost"
 *                       "epoch": the last one that the writer knew to have started
 *                       "boot": boot id of the writer; "" when an operator speaks for a node that never did
 *                       "copy": "empty", "plain", "broken", "doubtful" or "trusted"
 *                       "source": of the position: "none", "grastate" or "recover"
 *                       "position": "UUID:SEQNO"
 *                       "place": {"generation", "mark", "seqno"}: what copies are ordered by
 *                       ["held"]: the same, of the newest that the node ever recorded
 *                       ["safe_to_bootstrap"]: true or false
 *                       "nodes": how many nodes the writer's configuration expects
 *                       ["view"]: of gvwstate.dat
 *                       ["address", "sql"]: as in member
 *
 *     member/<node>     "phase": "probing", "attested", "waiting", "starting", "joining", "donor", "synced",
 *                       "nonprimary" or "leaving"
 *                       "boot": boot id
 *                       ["address"]: of group communication, "10.0.0.1" or "10.0.0.1:4567"
 *                       ["sql"]: "10.0.0.1:3306"
 *                       ["seqno"]: what the server has committed
 *
 *     seed              "state": "loading", "done" or "failed"
 *                       "sha256": of the dump
 *                       "node": which loads it or did
 *                       "epoch"
 *
 * A lineage is {"root": 0 or -1, "generations": [{"generation", "mark", "base"}, ..]}, a view {"id": "UUID:SEQ",
 * "members": how many, "self": "UUID"}.
 */
#ifndef GALERA_INIT_KEYS_H
#define GALERA_INIT_KEYS_H

#include "decide.h"
#include "error.h"
#include "etcd.h"
#include "text.h"

enum { KEYS_ADDRESS_SIZE = 128, KEYS_KEY_SIZE = 192, SHA256_TEXT_SIZE = 65 };

/* What a node says of itself beside struct record and struct member: in member/, else in position/. "": not told. */
struct node_card {
    char address[KEYS_ADDRESS_SIZE]; /* of group communication, perhaps with a port */
    char sql[KEYS_ADDRESS_SIZE];     /* host:port */
    int64_t seqno;                   /* of member/; SEQNO_UNKNOWN: not told */
    int64_t member_lease;            /* 0: no member/ */
};

enum seed_key_state { SEED_KEY_NONE, SEED_KEY_LOADING, SEED_KEY_DONE, SEED_KEY_FAILED };

struct seed_key {
    enum seed_key_state state; /* SEED_KEY_NONE: no such key */
    char sha256[SHA256_TEXT_SIZE];
    char node[NODE_NAME_SIZE];
    int64_t epoch;
    int64_t revision;
};

/* What was read, as it was read; index i belongs to nodes[i] of the situation. */
struct keys {
    int64_t revision; /* of the store */
    struct node_card card[NODES_MOST];
    struct seed_key seed;
    /* The texts, which the compares of a transaction name. NULL: no such key. Owned. */
    char *bootstrap_value;
    char *uuid_value;
    char *position_value[NODES_MOST];
};

/*
 * Puts all of `range` (everything below `prefix`, read at once) into the situation: has_uuid, uuid, uuid_revision,
 * bootstrap, and record and member of nodes[]; etcd_reachable is the caller's. What `range` does not have is none
 * afterwards. nodes[] is sorted by name, bytewise, and stays so: new nodes are inserted, `self` follows.
 *
 * A value that cannot be understood, a name that cannot be one and too many nodes are an error that names the key
 * (EXIT_CONFIG); then the situation is as it was, and nobody may decide on it. Free with keys_free whatever the result.
 */
bool keys_read(struct keys *keys, const char *prefix, const struct etcd_range *range, struct situation *situation,
               struct error *error);
void keys_free(struct keys *keys);

/* A change to the keys. */
struct keys_change {
    unsigned compare;             /* COMPARE_* of decide.h */
    unsigned write;               /* WRITE_* of decide.h */
    size_t node;                  /* whose position/ COMPARE_OWN and WRITE_OWN mean */
    const struct record *own;     /* WRITE_OWN; NULL: the key is deleted */
    const struct node_card *card; /* WRITE_OWN: its addresses go along; may be NULL */
    const struct bootstrap *bootstrap;
    const struct uuid *uuid;
};

enum { KEYS_COMPARE_MOST = 2 * NODES_MOST + 8, KEYS_OPS_MOST = 3 };

/* A change as one transaction, and its texts. It points into itself and must stay where it is. */
struct keys_txn {
    struct etcd_txn txn;
    struct etcd_compare compare[KEYS_COMPARE_MOST];
    struct etcd_op op[KEYS_OPS_MOST];
    char bootstrap_key[KEYS_KEY_SIZE];
    char uuid_key[KEYS_KEY_SIZE];
    char positions_key[KEYS_KEY_SIZE];
    char position_key[NODES_MOST][KEYS_KEY_SIZE];
    struct text bootstrap;
    struct text uuid;
    struct text own;
};

/*
 * `situation` and `keys` are of the same keys_read; `keys` must outlive `out`. A key is compared by its mod_revision
 * and by its value, since an etcd that lost its data counts revisions from 1 again; one that was not there must still
 * not be. Of position/ no key may have come either: none that is newer than the reading. False: EXIT_INTERNAL, and
 * nothing may be sent. Free with keys_txn_free whatever the result.
 */
bool keys_compose(struct keys_txn *out, const char *prefix, const struct situation *situation, const struct keys *keys,
                  const struct keys_change *change, struct error *error);
void keys_txn_free(struct keys_txn *txn);

/*
 * The value of member/<node>, of seed. False when memory runs out, and when it could not be read: nothing may be
 * written then, since it would keep all nodes from deciding.
 */
bool member_format(struct text *text, enum member_phase phase, const char *boot, const struct node_card *card);
bool seed_key_format(struct text *text, const struct seed_key *seed);

/* The words in the values; "none" where there is no such key. */
const char *member_phase_word(enum member_phase phase);
const char *record_state_word(enum record_state state);
const char *bootstrap_phase_word(enum bootstrap_phase phase);
const char *bootstrap_kind_word(enum bootstrap_kind kind);
const char *seed_key_state_word(enum seed_key_state state);

/*
 * A host name or an address, perhaps with a port, an IPv6 address in brackets when a port follows: nothing that could
 * mean more in a list of addresses.
 */
bool keys_address_is_valid(const char *address, bool wants_port);

#endif
