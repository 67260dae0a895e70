#include "verbs.h"

#include <stdio.h>
#include <string.h>

#include "num.h"
#include "tally.h"

static nodes_t seen(const struct situation *situation, enum sight sight)
{
    nodes_t set = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if (situation->nodes[i].sighting.sight == sight)
            set |= NODE_BIT(i);
    }
    return set;
}

static struct verb refused(enum verb_refusal refusal, size_t node)
{
    return (struct verb){.refusal = refusal, .node = node};
}

static bool node_runs(const struct situation *situation, size_t i)
{
    return node_is_alive(&situation->nodes[i]) || situation->nodes[i].sighting.sight != SIGHT_NONE;
}

struct verb verb_attest_lost(const struct situation *situation, const char *node)
{
    size_t i = situation_find(situation, node);
    struct verb verb = {.node = i, .compare = COMPARE_OWN | COMPARE_BOOTSTRAP};

    if (!situation->etcd_reachable)
        return refused(VERB_ETCD_UNREACHABLE, i);
    if (i == NODES_MOST)
        return refused(VERB_UNKNOWN_NODE, i);
    if (seen(situation, SIGHT_PRIMARY) != 0)
        return refused(VERB_PRIMARY_EXISTS, i);
    if (node_runs(situation, i))
        return refused(VERB_NODE_RUNS, i);
    verb.record = situation->nodes[i].record; /* what it held stays on record, for the words */
    verb.record.state = RECORD_LOST;
    verb.record.epoch = situation_epoch(situation);
    return verb;
}

struct verb verb_forget(const struct situation *situation, const char *node)
{
    size_t i = situation_find(situation, node);

    if (!situation->etcd_reachable)
        return refused(VERB_ETCD_UNREACHABLE, i);
    if (i == NODES_MOST || situation->nodes[i].record.state == RECORD_NONE)
        return refused(VERB_UNKNOWN_NODE, i);
    if (node_runs(situation, i))
        return refused(VERB_NODE_RUNS, i);
    return (struct verb){.node = i, .compare = COMPARE_OWN | COMPARE_BOOTSTRAP};
}

struct verb verb_force(const struct situation *situation)
{
    const struct node_facts *own;
    struct verb verb = {.node = situation->self, .compare = COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_POSITIONS};

    if (!situation->etcd_reachable)
        return refused(VERB_ETCD_UNREACHABLE, situation->self);
    if (situation->self == NODES_MOST)
        return refused(VERB_UNKNOWN_NODE, situation->self);
    own = &situation->nodes[situation->self];
    if (seen(situation, SIGHT_PRIMARY) != 0)
        return refused(VERB_PRIMARY_FORCED, situation->self);
    if (own->record.state != RECORD_ATTESTED || own->record.epoch != situation_epoch(situation) ||
        !node_is_alive(own) || strcmp(own->record.boot, own->member.boot) != 0)
        return refused(VERB_NOT_WAITING, situation->self);
    if (own->record.copy == COPY_BROKEN || (own->record.copy == COPY_EMPTY && situation->has_uuid))
        return refused(VERB_NO_COPY, situation->self);

    verb.bootstrap = situation_claim(situation, KIND_NEW, &own->record, own->record.boot);
    return verb;
}

static bool has_place(const struct record *record)
{
    return record->state != RECORD_NONE && (record->copy == COPY_TRUSTED || record->copy == COPY_DOUBTFUL);
}

/* The newest copy of the others; NULL: none of them has data. */
static const struct place *newest_beside(const struct situation *situation, size_t node)
{
    const struct place *best = NULL;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if (i != node && has_place(record) && (best == NULL || place_compare(record->place, *best) > 0))
            best = &record->place;
    }
    return best;
}

const char *verb_text_given_up(const struct situation *situation, const struct verb *verb, char *text, size_t size)
{
    const struct record *lost = &situation->nodes[verb->node].record;
    const struct place *best = newest_beside(situation, verb->node);
    const char *name = situation->nodes[verb->node].name;
    struct place place = lost->held; /* what it once had, it may have */
    bool ran = lost->state == RECORD_RUNNING || lost->state == RECORD_IDLE;
    char others[64] = "no other has data";

    text[0] = '\0';
    if (lost->state == RECORD_NONE) {
        snprintf(text, size, "%s has recorded nothing: what it has is not known.", name);
        return text;
    }
    if (has_place(lost) && (place.seqno < 0 || place_compare(lost->place, place) > 0))
        place = lost->place;
    if (best != NULL)
        snprintf(others, sizeof others, "the newest of them has %lld", (long long)best->seqno);
    if (place.seqno >= 0 && (best == NULL || place_compare(place, *best) > 0 || place_is_forked(place, *best)))
        snprintf(text, size, "%s is recorded AHEAD of all others, at seqno %lld (%s): what it alone has is given up.%s",
                 name, (long long)place.seqno, others, ran ? " It ran then, and may have more since." : "");
    else if (ran)
        snprintf(text, size, "%s ran when it recorded that: what it alone has since then is given up.", name);
    return text;
}

/* Nothing but its lease speaks for it: that goes on for a while after it has died. */
static bool lease_alone(const struct situation *situation, size_t i)
{
    return node_is_alive(&situation->nodes[i]) && situation->nodes[i].sighting.sight == SIGHT_NONE;
}

static bool names_attest_lost(enum cause cause)
{
    return cause == CAUSE_NOT_REPORTED || cause == CAUSE_MAY_BE_BOOTSTRAPPING || cause == CAUSE_LOST_TOO_EARLY ||
           cause == CAUSE_UNACCOUNTED;
}

const char *verb_text_later(const struct situation *situation, const struct decision *decision, int64_t ttl_ms,
                            char *text, size_t size)
{
    nodes_t leased = 0;
    char names[512];
    char time[32];

    text[0] = '\0';
    for (size_t i = 0; names_attest_lost(decision->cause) && i < situation->count; i++) {
        if ((decision->who & NODE_BIT(i)) != 0 && lease_alone(situation, i))
            leased |= NODE_BIT(i);
    }
    if (leased == 0)
        return text;
    bool one = nodes_count(leased) == 1;
    nodes_text(situation, leased, ", ", names, sizeof names);
    duration_format(ttl_ms, time, sizeof time);
    snprintf(text, size, "%s still %s run out, within %s", names,
             one ? "holds its lease: unless it is alive, attest-lost works once that has"
                 : "hold their leases: unless they are alive, attest-lost works once those have",
             time);
    return text;
}

const char *verb_text(const struct situation *situation, const struct verb *verb, int64_t ttl_ms, char *text,
                      size_t size)
{
    const char *name = verb->node == NODES_MOST ? "this host" : situation->nodes[verb->node].name;
    static const char *const words[VERB_COUNT] = {
        [VERB_ALLOWED] = "",
        [VERB_ETCD_UNREACHABLE] = "etcd unreachable: nothing was changed",
        [VERB_UNKNOWN_NODE] = "%s is not a node of this cluster; `galera-init plan` lists them",
        [VERB_PRIMARY_EXISTS] =
            "the cluster is Primary: %s joins by itself when it is started, nothing needs to be attested",
        [VERB_PRIMARY_FORCED] =
            "the cluster is Primary, nothing is to be bootstrapped: a node that is not in it joins when it is started",
        [VERB_NODE_RUNS] = "%s is alive and speaks for itself: stop it first, if it is to be given up",
        [VERB_NOT_WAITING] = "galera-init is not waiting on %s: start it there, with its server stopped, and try again",
        [VERB_NO_COPY] = "%s has no copy that the cluster could go on from: restore a backup",
    };
    char time[32];
    const char *mark = strstr(words[verb->refusal], "%s");

    if (mark == NULL)
        snprintf(text, size, "%s", words[verb->refusal]);
    else
        snprintf(text, size, "%.*s%s%s", (int)(mark - words[verb->refusal]), words[verb->refusal], name, mark + 2);
    if (verb->refusal == VERB_NODE_RUNS && lease_alone(situation, verb->node)) {
        size_t length = strlen(text);
        duration_format(ttl_ms, time, sizeof time);
        snprintf(text + length, size - length,
                 "; if it has just died, its lease runs out within %s (ttl): try again then", time);
    }
    return text;
}
