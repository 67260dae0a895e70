/*
 * Why a decision is what it is: one word for machines, one sentence for people that says what is, what that means and
 * what to do.
 */
#ifndef GALERA_INIT_CAUSE_H
#define GALERA_INIT_CAUSE_H

#include <stddef.h>

enum cause {
    /* going on */
    CAUSE_NOT_ATTESTED, /* our record does not say yet what is so */
    CAUSE_FIRST_BOOT,
    CAUSE_NEWEST,
    CAUSE_LAST_TO_STOP,
    CAUSE_SURVIVED,
    CAUSE_SAME_VIEW,
    CAUSE_CLAIM_IS_OURS,
    CAUSE_OURS_TO_FINISH,
    CAUSE_MEMBERS_PRIMARY,
    CAUSE_CACHED_PRIMARY,
    CAUSE_BEHIND_FORK, /* the members went on without what we have */
    CAUSE_RUNNING,
    CAUSE_NOT_RECORDED,
    CAUSE_TRANSFER,
    CAUSE_BECOMING_PRIMARY,
    CAUSE_OLD_VIEW,

    /* waiting for others */
    CAUSE_TOO_FEW,
    CAUSE_TOO_FEW_LEFT,
    CAUSE_NOT_REPORTED,
    CAUSE_RECORDED_AHEAD,
    CAUSE_UNACCOUNTED,
    CAUSE_PARTITIONED,
    CAUSE_LOST_TOO_EARLY,
    CAUSE_NO_CLUSTER_BUT_DATA,
    CAUSE_CLAIMED,
    CAUSE_MAY_BE_BOOTSTRAPPING,
    CAUSE_OTHER_IS_NEWER,
    CAUSE_SURVIVORS_DECIDE,
    CAUSE_OTHERS_STOP,
    CAUSE_PRIMARY_UNRECORDED,
    CAUSE_DONORS_BUSY,
    CAUSE_MERGING,
    CAUSE_NAME_TAKEN,

    /* waiting for an operator, or for etcd */
    CAUSE_ETCD_UNREACHABLE,
    CAUSE_ETCD_PLEDGED,
    CAUSE_ETCD_GENERATION,
    CAUSE_MANUAL,
    CAUSE_DOUBTFUL_AHEAD,
    CAUSE_HELD_AHEAD,

    /* refusing */
    CAUSE_FOREIGN,
    CAUSE_OTHER_CLUSTER,
    CAUSE_PLAIN_DATA,
    CAUSE_HISTORIES,
    CAUSE_NO_TRUSTED_COPY,

    /* stopping our server */
    CAUSE_STRANGER,
    CAUSE_CLAIM_LOST,
    CAUSE_LEFT_BEHIND,
    CAUSE_NO_PRIMARY_CAME,
    CAUSE_GIVEN_UP,
    CAUSE_OTHER_IS_AHEAD,
    CAUSE_OTHER_SURVIVES,
    CAUSE_DISCONNECTED,

    CAUSE_COUNT
};

struct decision;
struct situation;

/* The word for machines: "too-few", "members-primary". */
const char *cause_word(enum cause cause);

/* The sentence, in `text`; returns text. What came from outside is not escaped. */
const char *decision_text(const struct situation *situation, const struct decision *decision, char *text, size_t size);

#endif
