/*
 * An etcd in memory that stands in for lib/etcd.o and what belongs to it, and a clock that moves when it is told to.
 *
 * A test that the Makefile lists under FAKED_ETCD is linked with these objects instead, so the code under test calls
 * lib/etcd.h as ever. There is one world: keys with revisions and a history, leases, and the separate keys of v2. What
 * "somebody else" does to it is done with the functions below; what goes wrong with a call is decided by a hook that
 * sees every call before it is carried out, and that may change the world in that moment.
 *
 * What is taken to be so of etcd: "API reference", "v2 API", and what lib/etcd.h promises of lib/etcd.c.
 */
#ifndef FAKE_ETCD_H
#define FAKE_ETCD_H

#include "etcd.h"

/* --- time and chance ---------------------------------------------------------------------------------------------- */

/* CLOCK_MONOTONIC and getrandom(2) of the whole process are these. */
int64_t fake_now_ms(void);

/* Moves the clock; leases and v2 keys that are due expire on the way, each at its time. */
void fake_pass(int64_t ms);

/* 0 <= result < n. The same numbers after the same fake_reset. */
uint32_t fake_random(uint32_t n);

/* --- the world ---------------------------------------------------------------------------------------------------- */

/* A new and empty world; clients are closed before. */
void fake_reset(uint32_t seed);

/* Which API it offers; ETCD_V3 after a reset. */
void fake_set_api(enum etcd_api api);

/* How long a call takes that is answered, and one that is not (at most until its deadline). */
void fake_set_delay(int64_t answer_ms, int64_t failure_ms);

/* `timeout` in the settings of every client; 2 s after a reset. */
void fake_set_timeout(int64_t timeout_ms);

/* How long after its end a lease is noticed to have ended. */
void fake_set_lag(int64_t lag_ms);

/* No member answers anybody and no time passes for leases; afterwards there is a new leader. */
void fake_set_down(bool down);

/* Every lease gets its whole TTL again. */
void fake_change_leader(void);

/* All is gone, and revisions count from 1 again; watches end. */
void fake_wipe(void);

/* The history before the present revision is gone. */
void fake_compact(void);

void fake_put(const char *key, const char *value, int64_t lease);
void fake_delete(const char *key, bool prefix);
const struct etcd_kv *fake_get(const char *key); /* NULL: not there */
const struct etcd_range *fake_keys(void);

int64_t fake_grant(int64_t ttl_s);
bool fake_keep(int64_t lease);
void fake_revoke(int64_t lease);
bool fake_lease_lives(int64_t lease);

/* Renewals of leases that have ended are acknowledged all the same, as by etcd 3.4.23 after a revocation. */
void fake_acknowledge_dead_leases(void);

/* v2; NULL as the value: a directory. A TTL of 0: none. */
void fake_v2_put(const char *key, const char *value, int64_t ttl_s);
void fake_v2_delete(const char *key);
const struct etcd_range *fake_v2_keys(void); /* without the directories */
bool fake_v2_has_directory(const char *key);
int64_t fake_v2_left_ms(const char *directory); /* -1: it does not expire, or is not there */

/* --- clients ------------------------------------------------------------------------------------------------------ */

/* As etcd_open does; closed with etcd_close. Two endpoints, "http://etcd1" and "http://etcd2". */
struct etcd *fake_client(const char *local_address);
void fake_set_local_address(struct etcd *client, const char *address);

enum fake_call {
    FAKE_FIND_API,
    FAKE_GET,
    FAKE_COMMIT,
    FAKE_PUT,
    FAKE_DELETE,
    FAKE_GRANT,
    FAKE_KEEP,
    FAKE_REVOKE,
    FAKE_LEFT,
    FAKE_WATCH,
    FAKE_CALLS
};

enum fake_fault {
    FAKE_ANSWER,      /* no fault */
    FAKE_NO_ANSWER,   /* not done; the caller hears nothing */
    FAKE_LOST,        /* done; the caller hears nothing */
    FAKE_TWICE,       /* done, then repeated at the next endpoint, whose answer comes; FAKE_LOST if not repeatable */
    FAKE_INTERRUPTED, /* not done */
    FAKE_INTERRUPTED_LATE, /* done */
    FAKE_DENIED,
    FAKE_REFUSED,
    FAKE_NO_SPACE,
    FAKE_FAULTS
};

struct fake_hooks {
    void *context;
    /* Before a call; NULL: all are answered. */
    enum fake_fault (*before)(void *context, struct etcd *client, enum fake_call call);
    /* A client is about to write or delete `key`, which holds `old` (NULL: nothing). */
    void (*writes)(void *context, struct etcd *client, const char *key, const struct etcd_kv *old);
    /* Somebody waits for news until then: may change the world, must move the clock. NULL: nothing happens. */
    void (*idle)(void *context, int64_t until_ms);
};

void fake_set_hooks(const struct fake_hooks *hooks);

/* --- watches ------------------------------------------------------------------------------------------------------ */

/* All watches that are open end with this text: an EOF, a lost leader, an answer that makes no sense. */
void fake_end_watches(const char *reason);

/* The next `count` watches are accepted and then say nothing. */
void fake_mute_watches(int count);

/* Those that are open are cut off without a word: they never say anything again. */
void fake_silence_watches(void);

/* At most so many revisions at once; 0: all there are. */
void fake_set_batch(int revisions);

/* A progress notification for every open watch. */
void fake_send_progress(void);

size_t fake_open_watches(void);

/* The first fd of the next wait is ready. */
void fake_wake(void);

#endif
