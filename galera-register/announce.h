/*
 * What to do next to keep an entry in etcd, and when. Pure: time, outcomes and wishes in, the next action out; the
 * tables in tests/unit/galera-register/test_announce.c have the cases.
 *
 * While the entry is wanted: claim it, keep it alive at a third of its TTL, read it back every few beats, and claim it
 * again whenever it turns out to be gone. An entry under our id that another node holds is watched for as long as a
 * dead holder's would last; when it is renewed twice in that time its holder lives, and we end. On a stop, or when it
 * is not wanted any more, it is withdrawn.
 *
 * Times are milliseconds of a monotonic clock.
 */
#ifndef REGISTER_ANNOUNCE_H
#define REGISTER_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"

enum announce_action {
    ANNOUNCE_WAIT,
    ANNOUNCE_CLAIM,    /* make the entry ours */
    ANNOUNCE_KEEP,     /* renew its lease */
    ANNOUNCE_VERIFY,   /* is it still there, whole and ours? */
    ANNOUNCE_UPDATE,   /* write the new state */
    ANNOUNCE_WITHDRAW, /* remove it */
    ANNOUNCE_END,
};

enum { ANNOUNCE_ACTIONS = ANNOUNCE_END + 1 };

struct announce_step {
    enum announce_action action;
    int64_t until_ms; /* WAIT: until then; the others: give up by then */
};

enum announce_outcome {
    OUTCOME_DONE,
    OUTCOME_GONE,        /* the lease or the entry is not there any more */
    OUTCOME_TAKEN,       /* another node has our id */
    OUTCOME_DISPLACED,   /* another process has registered our address under our id */
    OUTCOME_UNREACHABLE, /* etcd could not do it */
    OUTCOME_REFUSED,     /* etcd will not do it: user, rights */
    OUTCOME_IMPOSSIBLE,  /* we cannot do it: the configuration */
    OUTCOME_INTERRUPTED, /* a signal came */
};

struct announce_report {
    enum announce_action action;
    enum announce_outcome outcome;
    int64_t ttl_ms;  /* CLAIM, KEEP done: what etcd granted */
    int64_t holder;  /* TAKEN: a number that tells holders apart */
    int64_t left_ms; /* TAKEN: for how long the holder's entry would last; negative: for ever */
    int64_t sent_ms; /* when the action began */
};

/* What is worth telling. */
enum announce_news {
    NEWS_NONE,
    NEWS_REGISTERED,
    NEWS_REGISTERED_AGAIN, /* after it was lost, or etcd was away */
    NEWS_LOST,             /* the entry is gone and will be claimed again */
    NEWS_OUTAGE,           /* etcd cannot be reached; said once */
    NEWS_OUTAGE_OVER,      /* it can again, and the entry was not lost */
    NEWS_EXPIRED,          /* the outage has lasted longer than the TTL */
    NEWS_CONTESTED,        /* another node has our id; we wait to see whether it lives */
    NEWS_OWNED,            /* it lives: the end */
    NEWS_DISPLACED,        /* the end */
    NEWS_REFUSED,          /* etcd refuses us from the start: the end */
    NEWS_IMPOSSIBLE,       /* the end */
    NEWS_GIVEN_UP,         /* --once, and etcd cannot be reached: the end */
    NEWS_WITHDRAWN,
    NEWS_NOT_WITHDRAWN, /* the stop's time is over: the entry expires by itself */
};

struct announce {
    int64_t ttl_ms;
    int64_t stop_timeout_ms;
    bool once; /* end after the first claim */
    bool wanted;
    bool outdated; /* what was written is not the present state */
    bool held;     /* as far as we know */
    bool traced;   /* there may be something of ours in etcd */
    bool was_held; /* at some time */
    bool verify_due;
    bool stopping;
    bool ended;
    bool outage;
    bool expiry_told;
    bool contested;
    int64_t holder;
    int64_t holder_until_ms; /* when its entry ends unless it is renewed */
    int holder_renewals;     /* that were seen */
    int64_t beats;
    int64_t keep_at_ms;
    int64_t retry_at_ms;
    int64_t expires_at_ms; /* of our entry, when nothing renews it */
    int64_t stop_by_ms;
    struct backoff backoff;
};

void announce_init(struct announce *announce, int64_t ttl_ms, int64_t stop_timeout_ms, bool once);

/* Whether the entry is wanted in etcd. */
void announce_want(struct announce *announce, bool wanted, int64_t now_ms);

/* The state to be written has changed. */
void announce_outdate(struct announce *announce);

/* Withdraw and end. */
void announce_stop(struct announce *announce, int64_t now_ms);

struct announce_step announce_next(const struct announce *announce, int64_t now_ms);

/* What became of the action that announce_next asked for; `random` is for the jitter. */
enum announce_news announce_take(struct announce *announce, const struct announce_report *report, int64_t now_ms,
                                 uint32_t random);

#endif
