/*
 * What operators may tell a cluster: attest-lost, forget, bootstrap --force. Pure, like decide(): whether the command
 * is allowed, why not, and the transaction that carries it out. The situation is read by the command; its `self` is
 * this host's node, or NODES_MOST when it is none. All servers have been asked.
 *
 *   attest-lost NODE   "its server is stopped, and do not wait for its data": position/NODE = lost. It counts from then
 * on for those who have reported before (decide.h, rule 7). A node that comes back joins, by a full transfer when the
 * cluster has gone on without what it has. forget NODE        "it will not come back": position/NODE is removed. Nobody
 * waits for it again. To replace a node, forget the old one and start the new one. bootstrap --force  "go on from this
 * node's copy": the claim of rule 3 in this node's name, although nodes are missing, another copy is newer, this one is
 * doubtful or recovery = manual. Its galera-init must be running and waiting; it carries the claim out by rule 4. What
 * others have beyond that copy is given up: they will find themselves left behind.
 *
 * None of them is allowed while a member is Primary, except to forget a node that is gone.
 */
#ifndef GALERA_INIT_VERBS_H
#define GALERA_INIT_VERBS_H

#include "decide.h"

enum verb_refusal {
    VERB_ALLOWED,
    VERB_ETCD_UNREACHABLE,
    VERB_UNKNOWN_NODE,
    VERB_PRIMARY_EXISTS, /* there is nothing to decide: it joins when it comes back */
    VERB_PRIMARY_FORCED, /* bootstrap --force: there is nothing to bootstrap */
    VERB_NODE_RUNS,      /* its server answers, or its galera-init is alive and speaks for itself */
    VERB_NOT_WAITING,    /* bootstrap --force: this node's galera-init has to be running with its server stopped */
    VERB_NO_COPY,        /* bootstrap --force: nothing here that a cluster could go on from */
    VERB_COUNT
};

struct verb {
    enum verb_refusal refusal;
    size_t node;
    unsigned compare;           /* COMPARE_*; COMPARE_OWN means position/NODE */
    struct record record;       /* attest-lost: to write */
    struct bootstrap bootstrap; /* bootstrap --force: to write */
};

struct verb verb_attest_lost(const struct situation *situation, const char *node);
struct verb verb_forget(const struct situation *situation, const char *node);
struct verb verb_force(const struct situation *situation);

/*
 * Why it is refused and what to do instead, in `text`; "" when it is allowed. `ttl_ms`: how long a lease outlives its
 * holder. Returns text.
 */
const char *verb_text(const struct situation *situation, const struct verb *verb, int64_t ttl_ms, char *text,
                      size_t size);

/*
 * What an attest-lost that is allowed gives up, as far as anybody knows: that the node is recorded ahead of all others,
 * or may have more than its record says; "" when others are known to have all of it. Returns text.
 */
const char *verb_text_given_up(const struct situation *situation, const struct verb *verb, char *text, size_t size);

/*
 * A decision may name attest-lost as the way out. When it would be refused as yet because of a lease: whose, and until
 * when; "" otherwise. Returns text.
 */
const char *verb_text_later(const struct situation *situation, const struct decision *decision, int64_t ttl_ms,
                            char *text, size_t size);

#endif
