/* What a decision says besides its action: the transaction, the claim, what precedes a start, the words. */
#include "support/cases.h"

static void transactions(void **state)
{
    static const struct {
        const char *name;
        const char *situation;
        enum action action;
        unsigned compare, write;
    } rows[] = {
        {"attest", "me=n1 | n1 none empty alive", ACTION_ATTEST, COMPARE_OWN, WRITE_OWN},
        {"claim", "me=n1 size=1 | n1 attested empty alive", ACTION_CLAIM,
         COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_OWN | COMPARE_POSITIONS, WRITE_BOOTSTRAP},
        {"bootstrap", "me=n1 size=1 boot=claimed:n1 | n1 attested empty alive", ACTION_BOOTSTRAP,
         COMPARE_BOOTSTRAP | COMPARE_OWN, WRITE_BOOTSTRAP | WRITE_OWN},
        {"join, one donor", "me=n1 " KNOWN "| n1 none A:9 | n2 running A:9 alive primary synced", ACTION_JOIN,
         COMPARE_BOOTSTRAP | COMPARE_OWN | COMPARE_POSITIONS, WRITE_OWN},
        {"join, two donors",
         "me=n1 " KNOWN "| n1 none A:9 | n2 running A:9 primary synced | n3 running A:9 primary synced", ACTION_JOIN,
         COMPARE_BOOTSTRAP | COMPARE_OWN, WRITE_OWN},
        {"join without etcd", "me=n1 etcd=down uuid=A | n1 A:90 | n2 cached primary synced tells", ACTION_JOIN, 0, 0},
        {"primary", "me=n1 boot=starting:n1 | n1 running A:1 alive serving", ACTION_RECORD,
         COMPARE_BOOTSTRAP | COMPARE_UUID, WRITE_BOOTSTRAP | WRITE_UUID},
        {"etcd lost its data", "me=n1 epoch=3 forgot | n1 none A:90 alive serving", ACTION_RECORD,
         COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_OWN, WRITE_BOOTSTRAP | WRITE_UUID | WRITE_OWN},
        {"idle", "me=n1 " KNOWN "| n1 running A:90 alive idling | n2 running A:90", ACTION_RECORD, COMPARE_OWN,
         WRITE_OWN},
        {"pc.bootstrap", "me=n1 size=1 uuid=A boot=claimed:n1 kind=survivor | n1 idle A:90 alive idling",
         ACTION_PC_BOOTSTRAP, COMPARE_BOOTSTRAP | COMPARE_OWN, WRITE_BOOTSTRAP | WRITE_OWN},
        {"wait", "me=n1 | n1 attested empty alive", ACTION_WAIT, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct situation situation;
        situation_from_words(rows[i].situation, &situation);
        struct decision decision = decide(&situation);
        row_text(rows[i].name, action_word(decision.action), action_word(rows[i].action));
        row_number(rows[i].name, decision.compare, rows[i].compare);
        row_number(rows[i].name, decision.write, rows[i].write);
    }
}

static void what_a_claim_says(void **state)
{
    static struct situation situation;

    (void)state;
    situation_from_words(
        "me=n1 epoch=4 uuid=A boot=primary:n2 | n1 attested A:120 alive | n2 attested A:90 | n3 lost A:130",
        &situation);
    struct decision decision = decide(&situation);
    assert_int_equal(decision.action, ACTION_CLAIM);
    assert_int_equal(decision.bootstrap.phase, BOOTSTRAP_CLAIMED);
    assert_int_equal(decision.bootstrap.kind, KIND_NEW);
    assert_int_equal(decision.bootstrap.epoch, 5);
    assert_string_equal(decision.bootstrap.node, "n1");
    assert_string_equal(decision.bootstrap.boot, situation.boot);
    assert_int_equal(decision.bootstrap.base.seqno, 120);
    assert_int_equal(decision.bootstrap.lineage.count, 2);
    assert_int_equal(decision.bootstrap.lineage.entry[1].base, 120);
    assert_true(generation_equal(lineage_newest(&decision.bootstrap.lineage), generation_of(5, situation.boot)));

    situation_from_words("me=n1 " KNOWN "| n1 attested A:1 view=V/2 alive | n2 attested A:2 view=V/2 alive",
                         &situation);
    situation.size = 2;
    situation.nodes[0].record.size = situation.nodes[1].record.size = 2;
    decision = decide(&situation);
    assert_int_equal(decision.bootstrap.kind, KIND_REMERGE);
    assert_int_equal(decision.bootstrap.phase, BOOTSTRAP_STARTING);
    assert_int_equal(decision.bootstrap.base.seqno, 2);
    assert_int_equal(decision.bootstrap.lineage.count, 1);
    assert_true(view_equal(&decision.bootstrap.view, &situation.local.view));
}

static void what_precedes_a_start(void **state)
{
    static const struct {
        const char *name;
        const char *situation;
        bool drop_view, discard;
    } rows[] = {
        {"join", "me=n1 " KNOWN "| n1 none A:9 view=V/3 | n2 running A:9 primary synced", true, false},
        {"join, left behind", "me=n1 fork=2:8 " KNOWN "| n1 none A:9 | n2 running A:9 primary synced", true, true},
        {"join, foreign", "me=n1 discard " KNOWN "| n1 none B:9 | n2 running A:9 primary synced", true, true},
        {"join, plain", "me=n1 discard " KNOWN "| n1 none plain | n2 running A:9 primary synced", true, true},
        {"join, broken", "me=n1 " KNOWN "| n1 none broken | n2 running A:9 primary synced", true, true},
        {"join, doubtful", "me=n1 " KNOWN "| n1 none A:9? | n2 running A:9 primary synced", true, false},
        {"join, no state directory", "me=n1 nostate " KNOWN "| n1 none A:9 | n2 running A:9 primary synced", true,
         true},
        {"join, empty", "me=n1 " KNOWN "| n1 none empty | n2 running A:9 primary synced", true, false},
        {"bootstrap", "me=n1 uuid=A boot=claimed:n1 | n1 attested A:9 view=V/3 alive", true, false},
        {"re-merge",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/2 epoch=2 | n1 running A:1 view=V/2 | n2 attested old A:2 "
         "view=V/2 alive",
         false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct situation situation;
        situation_from_words(rows[i].situation, &situation);
        struct decision decision = decide(&situation);
        row_number(rows[i].name, decision.drop_view, rows[i].drop_view);
        row_number(rows[i].name, decision.discard, rows[i].discard);
    }
}

static void every_cause_has_words(void **state)
{
    (void)state;
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        static struct situation situation;
        char text[1024];
        situation_from_words("me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:8", &situation);
        struct decision decision = {.action = ACTION_WAIT, .cause = cause, .who = NODE_BIT(1)};
        assert_non_null(cause_word(cause));
        decision_text(&situation, &decision, text, sizeof text);
        row_true(cause_word(cause), strlen(text) > 0 && strchr(text, '%') == NULL);
        for (enum cause other = 0; other < cause; other++)
            row_true(cause_word(cause), strcmp(cause_word(other), cause_word(cause)) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions),
        cmocka_unit_test(what_a_claim_says),
        cmocka_unit_test(what_precedes_a_start),
        cmocka_unit_test(every_cause_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
