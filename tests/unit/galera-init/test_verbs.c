#include "../row.h"

#include "support/words.h"
#include "verbs.h"

#define KNOWN  "uuid=A boot=primary:n2 "
#define LEASED "; if it has just died, its lease runs out within 10s (ttl): try again then"

enum verb_name { LOST, FORGET, FORCE };

static struct verb verb_of(const struct situation *situation, enum verb_name name, const char *node)
{
    if (name == LOST)
        return verb_attest_lost(situation, node);
    return name == FORGET ? verb_forget(situation, node) : verb_force(situation);
}

static void what_is_allowed(void **state)
{
    static const struct {
        const char *name;
        const char *situation;
        enum verb_name verb;
        const char *node;
        const char *refusal; /* "": it is allowed */
    } rows[] = {
        {"lost", KNOWN "| n1 attested A:9 alive | n2 attested A:9 alive | n3 running A:9", LOST, "n3", ""},
        {"lost, and nobody else has reported", KNOWN "| n1 running A:9 | n3 running A:9", LOST, "n3", ""},
        {"lost, and it never registered", KNOWN "forgot | n1 attested A:9 | n3 cached", LOST, "n3", ""},
        {"lost, unknown", KNOWN "| n1 attested A:9 alive", LOST, "n9",
         "this host is not a node of this cluster; `galera-init plan` lists them"},
        {"lost, alive", KNOWN "| n1 attested A:9 alive | n3 attested A:9 alive", LOST, "n3",
         "n3 is alive and speaks for itself: stop it first, if it is to be given up" LEASED},
        {"lost, its server answers", KNOWN "| n1 attested A:9 alive | n3 idle A:9 nonprimary", LOST, "n3",
         "n3 is alive and speaks for itself: stop it first, if it is to be given up"},
        {"lost, and the cluster is Primary", KNOWN "| n1 running A:9 alive primary | n3 running A:9", LOST, "n3",
         "the cluster is Primary: n3 joins by itself when it is started, nothing needs to be attested"},
        {"lost, no etcd", "etcd=down | n1 cached | n3 cached", LOST, "n3", "etcd unreachable: nothing was changed"},
        {"forget", KNOWN "| n1 running A:9 alive primary | n4 attested A:9", FORGET, "n4", ""},
        {"forget, alive", KNOWN "| n1 running A:9 alive primary | n4 attested A:9 alive", FORGET, "n4",
         "n4 is alive and speaks for itself: stop it first, if it is to be given up" LEASED},
        {"forget, no record", KNOWN "| n1 running A:9 alive primary | n4 cached", FORGET, "n4",
         "n4 is not a node of this cluster; `galera-init plan` lists them"},
        {"forget, no etcd", "etcd=down | n4 cached", FORGET, "n4", "etcd unreachable: nothing was changed"},
        {"force", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 running A:12", FORCE, NULL, ""},
        {"force, doubtful", "me=n1 " KNOWN "| n1 attested A:9? alive | n2 attested A:9 alive", FORCE, NULL, ""},
        {"force, plain", "me=n1 | n1 attested plain alive | n2 attested empty", FORCE, NULL, ""},
        {"force, empty, no cluster recorded", "me=n1 | n1 attested empty alive | n2 attested empty", FORCE, NULL, ""},
        {"force, empty", "me=n1 " KNOWN "| n1 attested empty alive", FORCE, NULL,
         "n1 has no copy that the cluster could go on from: restore a backup"},
        {"force, broken", "me=n1 " KNOWN "| n1 attested broken alive", FORCE, NULL,
         "n1 has no copy that the cluster could go on from: restore a backup"},
        {"force, not waiting", "me=n1 " KNOWN "| n1 running A:9 | n2 attested A:9", FORCE, NULL,
         "galera-init is not waiting on n1: start it there, with its server stopped, and try again"},
        {"force, not alive", "me=n1 " KNOWN "| n1 attested A:9 | n2 attested A:9", FORCE, NULL,
         "galera-init is not waiting on n1: start it there, with its server stopped, and try again"},
        {"force, attested by an earlier boot", "me=n1 " KNOWN "| n1 attested unheard A:9 alive | n2 attested A:9",
         FORCE, NULL, "galera-init is not waiting on n1: start it there, with its server stopped, and try again"},
        {"force, Primary", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 running A:9 primary", FORCE, NULL,
         "the cluster is Primary, nothing is to be bootstrapped: a node that is not in it joins when it is started"},
        {"force, on some other host", KNOWN "| n1 attested A:9 alive", FORCE, NULL,
         "this host is not a node of this cluster; `galera-init plan` lists them"},
        {"force, no etcd", "me=n1 etcd=down | n1 A:9 alive", FORCE, NULL, "etcd unreachable: nothing was changed"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct situation situation;
        char text[512];
        situation_from_words(rows[i].situation, &situation);
        struct verb verb = verb_of(&situation, rows[i].verb, rows[i].node);
        row_text(rows[i].name, verb_text(&situation, &verb, 10000, text, sizeof text), rows[i].refusal);
        row_true(rows[i].name, (verb.refusal == VERB_ALLOWED) == (verb.compare != 0));
    }
}

/* A decision that names attest-lost must not lead to a refusal without a word on it. */
static void what_a_lease_delays(void **state)
{
    static const struct {
        const char *name;
        const char *situation;
        enum cause cause;
        const char *text;
    } rows[] = {
        {"its lease has run out", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:9 alive | n3 running A:9",
         CAUSE_NOT_REPORTED, ""},
        {"it holds it still", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:9 alive | n3 running A:9 alive",
         CAUSE_NOT_REPORTED,
         "n3 still holds its lease: unless it is alive, attest-lost works once that has run out, within 10s"},
        {"two do", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 running A:9 alive | n3 running A:9 alive",
         CAUSE_NOT_REPORTED,
         "n2, n3 still hold their leases: unless they are alive, attest-lost works once those have run out, within "
         "10s"},
        {"one of two", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 running A:9 | n3 running A:9 alive",
         CAUSE_NOT_REPORTED,
         "n3 still holds its lease: unless it is alive, attest-lost works once that has run out, within 10s"},
        {"another way out", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 running A:9 alive primary", CAUSE_DONORS_BUSY,
         ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct situation situation;
        char text[512];
        situation_from_words(rows[i].situation, &situation);
        struct decision decision = decide(&situation);
        row_number(rows[i].name, decision.cause, rows[i].cause);
        row_text(rows[i].name, verb_text_later(&situation, &decision, 10000, text, sizeof text), rows[i].text);
    }
}

static void what_is_given_up(void **state)
{
    static const struct {
        const char *name;
        const char *situation;
        const char *text;
    } rows[] = {
        {"others have as much", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:8 | n3 attested A:9", ""},
        {"it ran", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:8 | n3 running A:7",
         "n3 ran when it recorded that: what it alone has since then is given up."},
        {"it is ahead", "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:11 | n3 attested A:12",
         "n3 is recorded AHEAD of all others, at seqno 12 (the newest of them has 11): what it alone has is given up."},
        {"it is ahead, and ran", "me=n1 " KNOWN "| n1 attested A:9 alive | n3 running A:12",
         "n3 is recorded AHEAD of all others, at seqno 12 (the newest of them has 9): what it alone has is given up. "
         "It "
         "ran then, and may have more since."},
        {"it once was", "me=n1 " KNOWN "| n1 attested A:9 alive | n3 attested empty held=12",
         "n3 is recorded AHEAD of all others, at seqno 12 (the newest of them has 9): what it alone has is given up."},
        {"it alone has data", "me=n1 " KNOWN "| n1 attested empty alive | n2 attested broken | n3 attested A:12",
         "n3 is recorded AHEAD of all others, at seqno 12 (no other has data): what it alone has is given up."},
        {"the others are of a later generation", "me=n1 " KNOWN "| n1 attested A:9 g=3 alive | n3 attested A:12 g=2",
         ""},
        {"it is empty", "me=n1 | n1 attested empty alive | n3 attested empty", ""},
        {"nothing is known", "me=n1 " KNOWN "forgot | n1 attested A:9 alive | n3 cached",
         "n3 has recorded nothing: what it has is not known."},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct situation situation;
        char text[512];
        situation_from_words(rows[i].situation, &situation);
        struct verb verb = verb_attest_lost(&situation, "n3");
        row_number(rows[i].name, verb.refusal, VERB_ALLOWED);
        row_text(rows[i].name, verb_text_given_up(&situation, &verb, text, sizeof text), rows[i].text);
    }
}

/* An operator's word, and what it lets others do. */
static void lost_then_claimed(void **state)
{
    static struct situation situation;

    (void)state;
    situation_from_words("me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:8 alive | n3 running A:7", &situation);
    assert_int_equal(decide(&situation).action, ACTION_WAIT);
    struct verb verb = verb_attest_lost(&situation, "n3");
    assert_int_equal(verb.record.state, RECORD_LOST);
    assert_int_equal(verb.record.epoch, 1);
    assert_int_equal(verb.record.position.seqno, 7);
    situation.nodes[2].record = verb.record;
    situation.nodes[2].record.revision = 60;
    assert_int_equal(decide(&situation).action, ACTION_CLAIM);
    situation.nodes[0].record.revision = 61;
    struct decision late = decide(&situation);
    assert_int_equal(late.action, ACTION_WAIT);
    assert_int_equal(late.cause, CAUSE_LOST_TOO_EARLY);
}

static void forced_then_carried_out(void **state)
{
    static struct situation situation;

    (void)state;
    situation_from_words("me=n2 manual " KNOWN "| n1 running A:12 | n2 attested A:9 alive | n3 attested A:11 alive",
                         &situation);
    assert_int_equal(decide(&situation).action, ACTION_WAIT);
    struct verb verb = verb_force(&situation);
    assert_int_equal(verb.refusal, VERB_ALLOWED);
    assert_int_equal(verb.compare, COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_POSITIONS);
    assert_int_equal(verb.bootstrap.epoch, 2);
    assert_int_equal(verb.bootstrap.base.seqno, 9);
    situation.bootstrap = verb.bootstrap;
    assert_int_equal(decide(&situation).action, ACTION_BOOTSTRAP);

    /* And the one that was passed over finds that it is left behind. */
    struct lineage after = verb.bootstrap.lineage;
    assert_false(lineage_contains(&after, situation.nodes[2].record.place));
    assert_true(lineage_contains(&after, situation.nodes[1].record.place));
}

/* A doubtful copy may hold half of a schema change: an older one that is sound cannot be completed from it. */
static void forced_from_a_doubtful_copy(void **state)
{
    static struct situation situation;

    (void)state;
    situation_from_words("me=n2 " KNOWN "| n1 attested A:7 alive | n2 attested A:9? alive | n3 attested A:9? alive",
                         &situation);
    assert_int_equal(decide(&situation).action, ACTION_WAIT);
    struct verb verb = verb_force(&situation);
    assert_int_equal(verb.refusal, VERB_ALLOWED);
    assert_int_equal(verb.bootstrap.base.seqno, 9);
    for (size_t i = 0; i < 3; i++)
        assert_false(lineage_contains(&verb.bootstrap.lineage, situation.nodes[i].record.place));
    assert_int_equal(lineage_generation(&verb.bootstrap.lineage, 9).number, verb.bootstrap.epoch);
    situation.bootstrap = verb.bootstrap;
    assert_int_equal(decide(&situation).action, ACTION_BOOTSTRAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allowed),         cmocka_unit_test(what_a_lease_delays),
        cmocka_unit_test(what_is_given_up),        cmocka_unit_test(lost_then_claimed),
        cmocka_unit_test(forced_then_carried_out), cmocka_unit_test(forced_from_a_doubtful_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
