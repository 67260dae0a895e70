/*
 * The key /galera/<cluster>/seed (keys.h): who loads the database, and how that ended.
 *
 * While it says "loading" it is leased by the process that loads, so it vanishes with that process; "done" and "failed"
 * stay. It keeps nodes from loading one after the other what the mark would make them throw away; what is safe, the
 * mark alone decides (seed_mark.h).
 */
#ifndef INIT_SEED_CLAIM_H
#define INIT_SEED_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "etcd.h"
#include "seed.h"
#include "seed_mark.h"
#include "seed_plan.h"

enum { CLAIM_KEY_SIZE = SETTINGS_PREFIX_SIZE + 8 };

struct seed_claim {
    const struct seed_job *job;
    struct etcd_settings settings; /* a copy, with a password of its own */
    struct etcd *etcd;
    char prefix[SETTINGS_PREFIX_SIZE];
    char key[CLAIM_KEY_SIZE];
    char sha256[MARK_SHA256_SIZE];
    char node[MARK_NODE_SIZE];   /* whom the key names */
    bool said_done;              /* the key, when it was read */
    char holder[MARK_NODE_SIZE]; /* of CLAIM_ANOTHER */
    int64_t lease;               /* 0: none */
    int64_t revision;            /* the key's, as it was read or written last; 0: there is none */
    bool held;                   /* as far as we know */
    struct deadline renew_at;
};

/* Nothing is asked yet. A request is given up when `wake_fd` becomes readable. */
bool claim_open(struct seed_claim *claim, const struct seed_job *job, int wake_fd, struct error *error);

/* Lets go of a claim that is still held, and frees. */
void claim_close(struct seed_claim *claim);

/* Fills in `claim` and `members` of the facts. EXIT_TRY_AGAIN. */
bool claim_look(struct seed_claim *claim, struct seed_facts *facts, struct error *error);

/* Claims, provided that nothing has changed since claim_look. EXIT_TRY_AGAIN. */
bool claim_take(struct seed_claim *claim, const char *sha256, struct error *error);

/*
 * Renews the lease when that is due. An etcd that cannot be reached is no reason to stop; false when somebody else
 * has the claim now.
 */
bool claim_keep(struct seed_claim *claim, struct error *error);

/*
 * The claim ends with "done", whoever has it by now, or with "failed" if it is still as we wrote it; EXIT_TRY_AGAIN.
 */
bool claim_record(struct seed_claim *claim, bool done, struct error *error);

/* The mark says done: the key says so too. */
bool claim_record_found(struct seed_claim *claim, const struct seed_mark *mark, struct error *error);

#endif
