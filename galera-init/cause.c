#include "cause.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "escape.h"
#include "tally.h"

enum { NAMES_SIZE = 512, NUMBER_SIZE = 24 };

/*
 * In a sentence %w stands for the names in `who`, %a for the same as operands of a command, %i for "it" or "them", %h
 * for "has" or "have" and %r for "runs" or "run" after them, %u for our UUID, %c for the cluster's, %s for our seqno,
 * %q for the same in words that fit an empty copy as well, %S for the highest seqno in `who`, %m for how many are
 * missing, in words, %n for how many have registered, %N for how many are expected, %f for the flaw of our copy, %l for
 * the list of copies, %e for who is empty, %b for how far our bootstrap is.
 */
static const struct {
    const char *word;
    const char *sentence;
} causes[CAUSE_COUNT] = {
    [CAUSE_NOT_ATTESTED] = {"not-attested",
                            "our server is stopped (%q); recording that, so that others may count on it"},
    [CAUSE_FIRST_BOOT] = {"first-boot", "%e: creating the cluster"},
    [CAUSE_NEWEST] = {"newest", "all nodes are stopped and accounted for, none has more than our seqno %s"},
    [CAUSE_LAST_TO_STOP] = {"last-to-stop",
                            "we were the last to stop, cleanly, at seqno %s, and nobody recorded more: not "
                            "waiting for the others"},
    [CAUSE_SURVIVED] = {"survived",
                        "all other nodes are stopped and accounted for, none has more than our seqno %s: making "
                        "the running server Primary again"},
    [CAUSE_SAME_VIEW] = {"same-view", "all nodes are back with the same gvwstate.dat: Galera forms its old view again"},
    [CAUSE_CLAIM_IS_OURS] = {"claim-is-ours", "the bootstrap is ours by record, from %q"},
    [CAUSE_OURS_TO_FINISH] = {"ours-to-finish", "our bootstrap %b: going on with it from %q"},
    [CAUSE_MEMBERS_PRIMARY] = {"members-primary", "%w %r as Primary: joining from %q"},
    [CAUSE_CACHED_PRIMARY] = {"cached-primary", "etcd unreachable, but %w, known from before, %r as Primary: joining"},
    [CAUSE_BEHIND_FORK] = {"behind-fork",
                           "the cluster went on without our copy (seqno %s) and has another history since: "
                           "joining %w by a full transfer"},
    [CAUSE_RUNNING] = {"running", "Primary"},
    [CAUSE_NOT_RECORDED] = {"not-recorded", "bringing what etcd says of us in line with what is"},
    [CAUSE_TRANSFER] = {"transfer", "started; waiting to be taken in by %w"},
    [CAUSE_BECOMING_PRIMARY] = {"becoming-primary", "started to bootstrap the cluster; waiting for it to be Primary"},
    [CAUSE_OLD_VIEW] = {"old-view", "waiting for the members of the last view to come back%W"},

    [CAUSE_TOO_FEW] = {"too-few", "%n of %N nodes have registered (missing %m more); not bootstrapping yet"},
    [CAUSE_TOO_FEW_LEFT] =
        {"too-few-left", "%n of %N nodes have registered (missing %m more); not bootstrapping: start what is missing; "
                         "or, if the cluster is smaller now, set nodes in [init] to how many are left, on all of "
                         "them, and start galera-init again"},
    [CAUSE_NOT_REPORTED] = {"not-reported",
                            "%w %h not reported and may hold newer data: start %i, or `galera-init attest-lost %a`"},
    [CAUSE_RECORDED_AHEAD] = {"recorded-ahead", "%w recorded seqno %S, we have %s: waiting for %w"},
    [CAUSE_UNACCOUNTED] = {"unaccounted", "%w unaccounted for: start %i, or attest %I loss"},
    [CAUSE_PARTITIONED] = {"partitioned",
                           "partitioned from %w: staying non-Primary; check the network between the nodes"},
    [CAUSE_LOST_TOO_EARLY] = {"lost-too-early",
                              "the loss of %w was attested before all others had reported: repeat `galera-init "
                              "attest-lost %a`"},
    [CAUSE_NO_CLUSTER_BUT_DATA] = {"no-cluster-but-data",
                                   "no cluster recorded, but %w %h data: waiting for it to form the "
                                   "cluster"},
    [CAUSE_CLAIMED] = {"claimed", "%w has claimed the bootstrap: waiting for it to become Primary"},
    [CAUSE_MAY_BE_BOOTSTRAPPING] = {"may-be-bootstrapping", "%w may still be bootstrapping: start %i, or `galera-init "
                                                            "attest-lost %a` when its server is certainly stopped"},
    [CAUSE_OTHER_IS_NEWER] = {"other-is-newer",
                              "%w goes first, being the newest or the first of equals: waiting for it"},
    [CAUSE_SURVIVORS_DECIDE] = {"survivors-decide",
                                "%w still %r, non-Primary: waiting for it to become Primary or to stop"},
    [CAUSE_OTHERS_STOP] = {"others-stop", "the best of several survivors; waiting for %w to stop"},
    [CAUSE_PRIMARY_UNRECORDED] = {"primary-unrecorded",
                                  "%w %r as Primary, but etcd does not say so yet: waiting for %w to "
                                  "record it"},
    [CAUSE_DONORS_BUSY] = {"donors-busy", "no donor to spare: waiting for the state transfer of %w to end"},
    [CAUSE_MERGING] = {"merging", "in contact with %w: Galera merges us by itself"},
    [CAUSE_NAME_TAKEN] = {"name-taken",
                          "another galera-init holds the lease of node name %w: it runs elsewhere, or its lease "
                          "must expire first"},

    [CAUSE_ETCD_UNREACHABLE] = {"etcd-unreachable", "etcd unreachable: will not bootstrap"},
    [CAUSE_ETCD_PLEDGED] = {"etcd-pledged",
                            "etcd unreachable: %w %r as Primary, but others may count on our record that says "
                            "we are stopped; waiting for etcd"},
    [CAUSE_ETCD_GENERATION] = {"etcd-generation",
                               "etcd unreachable: %w %r as Primary, but cannot be shown to go on from our copy; "
                               "waiting for etcd"},
    [CAUSE_MANUAL] = {"manual", "recovery = manual: `galera-init bootstrap --force` on %w would go on from seqno %S"},
    [CAUSE_DOUBTFUL_AHEAD] = {"doubtful-ahead",
                              "%w has a newer copy (seqno %S) that cannot be trusted: repair it, or `galera-init "
                              "bootstrap --force` on the node to go on from%f"},
    [CAUSE_HELD_AHEAD] = {"held-ahead",
                          "%w recorded seqno %S and does not have it any more: restore it, or `galera-init "
                          "bootstrap --force` on the node to go on from without it"},

    [CAUSE_FOREIGN] = {"foreign",
                       "local data belongs to cluster %u, running cluster is %c: joining would erase it; set "
                       "foreign_data=discard to allow"},
    [CAUSE_OTHER_CLUSTER] = {"other-cluster",
                             "%w %r as Primary of another cluster than the recorded %c: two clusters share this "
                             "name or these addresses"},
    [CAUSE_PLAIN_DATA] =
        {"plain-data", "%p a database that was never part of a cluster: joining would erase it, set "
                       "foreign_data=discard to allow; or `galera-init bootstrap --force` on its node to make it the "
                       "cluster's"},
    [CAUSE_HISTORIES] = {"histories",
                         "the nodes hold different histories, nobody starts: %l; keep one, and start the others with "
                         "foreign_data=discard"},
    [CAUSE_NO_TRUSTED_COPY] = {"no-trusted-copy", "no trusted copy left: restore a backup%f"},

    [CAUSE_STRANGER] = {"stranger", "a server that we did not start uses the data directory: stopping it"},
    [CAUSE_CLAIM_LOST] = {"claim-lost",
                          "our server is Primary, but etcd records another cluster or a bootstrap by somebody else: "
                          "ending it at once"},
    [CAUSE_LEFT_BEHIND] = {"left-behind", "the cluster was bootstrapped without us: stopping to join it"},
    [CAUSE_NO_PRIMARY_CAME] = {"no-primary-came",
                               "no Primary Component came about: stopping the server to decide anew"},
    [CAUSE_GIVEN_UP] = {"given-up", "%w gave up on the old view: stopping the server to decide anew"},
    [CAUSE_OTHER_IS_AHEAD] = {"other-is-ahead",
                              "%w has seqno %S, our server %s: stopping it so that the newest can go first"},
    [CAUSE_DISCONNECTED] = {"disconnected",
                            "Galera has disconnected our server from the cluster for good, its error log says why: "
                            "restarting it"},
    [CAUSE_OTHER_SURVIVES] = {"other-survives", "%w goes on as the one survivor: stopping our server to join it"},
};

const char *cause_word(enum cause cause)
{
    return causes[cause].word;
}

static void add_number(struct line *line, int64_t number)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof text, "%" PRId64, number);
    line_add(line, text);
}

static void add_seqno(struct line *line, const struct holding *holding)
{
    if (holding->copy == COPY_TRUSTED || holding->copy == COPY_DOUBTFUL)
        add_number(line, holding->position.seqno);
    else
        line_add(line, copy_word(holding->copy)); /* "waiting: n1 recorded seqno 120, we have empty" says what is so */
}

static void add_copy(struct line *line, const struct holding *holding)
{
    if (holding->copy == COPY_EMPTY) {
        line_add(line, "an empty data directory");
        return;
    }
    line_add(line, holding->copy == COPY_TRUSTED || holding->copy == COPY_DOUBTFUL ? "seqno " : "a copy that is ");
    add_seqno(line, holding);
}

static int64_t highest_seqno(const struct situation *situation, nodes_t who)
{
    int64_t highest = SEQNO_UNKNOWN;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if ((who & NODE_BIT(i)) == 0 || record->state == RECORD_NONE)
            continue;
        if (record->held.seqno > highest)
            highest = record->held.seqno;
        if (record->position.seqno > highest)
            highest = record->position.seqno;
    }
    return highest;
}

static void add_uuid(struct line *line, const struct uuid *uuid)
{
    char text[UUID_TEXT_SIZE];

    line_add(line, uuid_format(uuid, text));
}

/* Of the recorded cluster, else of the one that answered. */
static const struct uuid *cluster_uuid(const struct situation *situation, nodes_t who)
{
    if (!situation->has_uuid && who != 0)
        return &situation->nodes[nodes_first(who)].sighting.uuid;
    return &situation->uuid;
}

static void add_missing(struct line *line, int missing)
{
    static const char *const words[] = {"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};

    if (missing >= 0 && missing < (int)(sizeof words / sizeof words[0]))
        line_add(line, words[missing]);
    else
        add_number(line, missing);
}

static int nodes_expected(const struct tally *tally)
{
    return tally->size > tally->registered ? tally->size : tally->registered;
}

static void add_copies(struct line *line, const struct situation *situation, nodes_t who)
{
    char position[POSITION_TEXT_SIZE];
    bool first = true;

    for (size_t i = 0; i < situation->count; i++) {
        if ((who & NODE_BIT(i)) == 0)
            continue;
        line_add(line, first ? "" : ", ");
        line_add(line, situation->nodes[i].name);
        line_add(line, " ");
        line_add(line, position_format(&situation->nodes[i].record.position, position));
        first = false;
    }
}

static void add_names(struct line *line, const struct situation *situation, nodes_t who, const char *between)
{
    char names[NAMES_SIZE];

    line_add(line, nodes_text(situation, who, between, names, sizeof names));
}

/* A cluster of one has no first by name. */
static void add_empty(struct line *line, int size)
{
    if (size == 1) {
        line_add(line, "this node is empty, and nodes = 1");
        return;
    }
    line_add(line, "all ");
    add_number(line, size);
    line_add(line, " nodes are empty and we are the first by name");
}

/* The boot id of its own galera-init: that one is at it, and nothing has gone wrong (galera-init plan asks as it). */
static bool is_under_way(const struct situation *situation)
{
    return strcmp(situation->bootstrap.boot, situation->boot) == 0;
}

static void add_fact(struct line *line, char what, const struct situation *situation, const struct decision *decision)
{
    nodes_t who = decision->who;
    bool one = nodes_count(who) == 1;
    struct tally tally = tally_take(situation);
    const char *flaw = flaw_text(situation->local.holding.flaw);

    switch (what) {
    case 'w':
        add_names(line, situation, who, ", ");
        break;
    case 'W':
        line_add(line, who == 0 ? "" : ": ");
        add_names(line, situation, who, ", ");
        break;
    case 'p':
        if (who == 0 || situation->local.holding.copy == COPY_PLAIN)
            line_add(line, "this node has");
        else {
            add_names(line, situation, who, ", ");
            line_add(line, one ? " has" : " have");
        }
        break;
    case 'a':
        add_names(line, situation, who, " ");
        break;
    case 'i':
        line_add(line, one ? "it" : "them");
        break;
    case 'I':
        line_add(line, one ? "its" : "their");
        break;
    case 'h':
        line_add(line, one ? "has" : "have");
        break;
    case 'r':
        line_add(line, one ? "runs" : "run");
        break;
    case 'u':
        add_uuid(line, &situation->local.holding.position.uuid);
        break;
    case 'c':
        add_uuid(line, cluster_uuid(situation, who));
        break;
    case 's':
        add_seqno(line, &situation->local.holding);
        break;
    case 'q':
        add_copy(line, &situation->local.holding);
        break;
    case 'S':
        add_number(line, highest_seqno(situation, who));
        break;
    case 'm':
        add_missing(line, tally.size - tally.registered);
        break;
    case 'n':
        add_number(line, tally.registered);
        break;
    case 'N':
        add_number(line, nodes_expected(&tally));
        break;
    case 'e':
        add_empty(line, nodes_expected(&tally));
        break;
    case 'b':
        line_add(line, is_under_way(situation) ? "is under way" : "was not recorded as done");
        break;
    case 'f':
        line_add(line, flaw[0] == '\0' ? "" : "; this node: ");
        line_add(line, flaw);
        break;
    case 'l':
        add_copies(line, situation, who);
        break;
    default:
        break;
    }
}

const char *decision_text(const struct situation *situation, const struct decision *decision, char *text, size_t size)
{
    struct line line = {.text = text, .size = size};
    char plain[2] = "";

    text[0] = '\0';
    for (const char *c = causes[decision->cause].sentence; *c != '\0'; c++) {
        if (*c == '%') {
            add_fact(&line, *++c, situation, decision);
        } else {
            plain[0] = *c;
            line_add(&line, plain);
        }
    }
    return text;
}
