/* Doing what was decided, when it cannot be done: nothing is relied upon that is not so. */
#include "support/carry_stage.h"

#define FIRST_BOOT  "me=n1 size=1 boot=claimed:n1 epoch=0 | n1 attested empty alive pledged"
#define LEFT_BEHIND KNOWN "fork=5:80 | n1 attested A:90 alive pledged | n2 running A:120 alive primary synced"
#define JOIN        KNOWN "| n1 attested A:90 alive pledged | n2 running A:120 alive primary synced"
#define UNPLEDGED   "me=n1 | n1 alive | n2 attested empty alive"
#define REMERGE                                                                                                        \
    "me=n1 uuid=A boot=starting:n2 kind=remerge view=V/2 epoch=2 | n1 attested old A:90 view=V/2 alive pledged | n2 "  \
    "running A:90 view=V/2 alive"

/* A file cannot be written where a directory is in the way. */
static void state_cannot_be_saved(void)
{
    scratch_directory("state/state.json.new");
}

static void state_can_be_saved(void)
{
    assert_int_equal(rmdir(scratch_path("state/state.json.new")), 0);
}

static void grastate_cannot_be_written(void)
{
    (void)unlink(scratch_path("data/grastate.dat"));
    scratch_directory("data/grastate.dat");
}

static void view_cannot_be_removed(void)
{
    assert_int_equal(unlink(scratch_path("data/gvwstate.dat")), 0);
    scratch_directory("data/gvwstate.dat");
}

static void cache_cannot_be_removed(void)
{
    assert_int_equal(unlink(scratch_path("data/galera.cache")), 0);
    scratch_directory("data/galera.cache");
}

static void condition_does_not_hold(void)
{
    condition_holds = false;
}

static void etcd_does_not_answer(void)
{
    fault = FAKE_NO_ANSWER;
}

static void answer_is_lost(void)
{
    fault = FAKE_LOST;
}

static void etcd_refuses(void)
{
    fault = FAKE_DENIED;
}

static void server_does_not_start(void)
{
    starts = false;
}

static void addresses_are_not_known(void)
{
    memset(init.keys.card, 0, sizeof init.keys.card);
}

static void own_address_is_not_known(void)
{
    init.card.address[0] = '\0';
}

static void accounts_cannot_be_made(void)
{
    makes_accounts = false;
}

static void server_cannot_be_ended(void)
{
    stops = false;
}

#define COMMIT_JOIN "etcd: running [pledged epoch 1 generation 1, A:90, view, cache]\n"

static void what_goes_wrong(void **state)
{
    static const struct {
        const char *name;
        const char *words;
        void (*happens)(void);
        enum carried carried;
        bool changed;   /* the data directory, so that it has to be looked at again */
        bool pledged;   /* as we know it then */
        int generation; /* newest of our lineage, likewise */
        const char *trace;
    } rows[] = {
        /* Nothing is attested that is not noted. */
        {"a pledge that cannot be noted", UNPLEDGED, state_cannot_be_saved, CARRY_LATER, false, true, 0, ""},
        {"an attestation that is overtaken", UNPLEDGED, condition_does_not_hold, CARRY_AGAIN, false, true, 0,
         "etcd: attested [pledged epoch 0 generation 0, view, cache]\n"},
        {"an attestation that nobody hears", UNPLEDGED, etcd_does_not_answer, CARRY_LATER, false, true, 0,
         "etcd: attested [pledged epoch 0 generation 0, view, cache]\n"},

        /* Nothing is started, and nothing changed, that was not written. */
        {"a bootstrap that is overtaken", FIRST_BOOT, condition_does_not_hold, CARRY_AGAIN, false, true, 0,
         "etcd: bootstrap=starting running [pledged epoch 0 generation 0, view, cache]\n"},
        {"a bootstrap without an answer", FIRST_BOOT, answer_is_lost, CARRY_AGAIN, false, true, 0,
         "etcd: bootstrap=starting running [pledged epoch 0 generation 0, view, cache]\n"},
        {"a bootstrap that etcd refuses", FIRST_BOOT, etcd_refuses, CARRY_LATER, false, true, 0,
         "etcd: bootstrap=starting running [pledged epoch 0 generation 0, view, cache]\n"},
        {"a join that is overtaken", LEFT_BEHIND, condition_does_not_hold, CARRY_AGAIN, false, true, 1, COMMIT_JOIN},

        /* What cannot be done is found out before anything is written. */
        {"nobody to connect to", LEFT_BEHIND, addresses_are_not_known, CARRY_LATER, false, true, 1, ""},
        {"no address of our own", FIRST_BOOT, own_address_is_not_known, CARRY_LATER, false, true, 0, ""},
        {"nobody to re-merge with: the try is used up", REMERGE, addresses_are_not_known, CARRY_LATER, false, true, 1,
         "etcd: running [pledged epoch 2 generation 1, A:90, view, cache]\n"},

        /* What was changed is looked at again, and what is not on disk does not count. */
        {"a copy that cannot be given up", LEFT_BEHIND, grastate_cannot_be_written, CARRY_LATER, true, true, 1,
         "etcd: running [pledged epoch 1 generation 1, view, cache]\n"},
        {"a cache that cannot be given up", LEFT_BEHIND, cache_cannot_be_removed, CARRY_LATER, true, true, 1,
         COMMIT_JOIN},
        {"a lineage that cannot be saved", LEFT_BEHIND, state_cannot_be_saved, CARRY_LATER, true, true, 1, COMMIT_JOIN},
        {"a view that cannot be removed", JOIN, view_cannot_be_removed, CARRY_LATER, true, false, 1,
         COMMIT_JOIN "saved [free epoch 1 generation 1, A:90, view, cache]\n"},
        {"a server that does not start", JOIN, server_does_not_start, CARRY_LATER, true, false, 1,
         COMMIT_JOIN "saved [free epoch 1 generation 1, A:90, view, cache]\n"
                     "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 1, A:90, cache]\n"},
        {"grastate.dat cannot be made safe", FIRST_BOOT, grastate_cannot_be_written, CARRY_LATER, true, false, 1,
         "etcd: bootstrap=starting running [pledged epoch 0 generation 0, view, cache]\n"
         "saved [free epoch 1 generation 1, view]\n"},

        /* Nobody may join before the accounts are there. */
        {"accounts that cannot be made", "me=n1 size=1 boot=starting:n1 epoch=1 | n1 running A:1 serving alive",
         accounts_cannot_be_made, CARRY_LATER, false, false, 1, "accounts\n"},
        {"a server that cannot be ended keeps its boot id",
         KNOWN "| n1 running A:90 starting patience alive | n2 attested A:120", server_cannot_be_ended, CARRY_AGAIN,
         false, false, 1, "stop\n"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.code = EXIT_YES};
        set_up(rows[i].words, false);
        rows[i].happens();
        row_number(rows[i].name, carry(&init, &error), rows[i].carried);
        row_text(rows[i].name, trace, rows[i].trace);
        row_number(rows[i].name, !init.disk_known, rows[i].changed);
        row_number(rows[i].name, init.state.pledged, rows[i].pledged);
        row_number(rows[i].name, lineage_newest(&init.state.lineage).number, rows[i].generation);
        row_true(rows[i].name, rows[i].carried != CARRY_LATER || (error.code != EXIT_YES && error.text[0] != '\0'));
        row_true(rows[i].name, strcmp(init.boot, "new") != 0);
    }
}

/* However often it is tried: no attestation before the pledge is on disk. */
static void a_pledge_is_noted_before_every_attestation(void **state)
{
    struct error error;

    (void)state;
    set_up(UNPLEDGED, false);
    state_cannot_be_saved();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(carry(&init, &error), CARRY_LATER);
        assert_string_equal(trace, "");
    }
    state_can_be_saved();
    assert_int_equal(carry(&init, &error), CARRY_AGAIN);
    assert_string_equal(trace, "etcd: attested [pledged epoch 0 generation 0, view, cache]\n");
}

/* The same after a start whose note failed: what is on disk may be free, whatever we remember. */
static void a_pledge_is_noted_again_after_a_start_that_failed(void **state)
{
    struct error error;

    (void)state;
    set_up(JOIN, false);
    state_cannot_be_saved();
    assert_int_equal(carry(&init, &error), CARRY_LATER);
    init.decision.action = ACTION_ATTEST;
    trace[0] = '\0';
    assert_int_equal(carry(&init, &error), CARRY_LATER);
    assert_string_equal(trace, "");
    state_can_be_saved();
    assert_int_equal(carry(&init, &error), CARRY_AGAIN);
    assert_true(init.state_is_saved);
}

/* --- leaving ------------------------------------------------------------------------------------------------------ */

static void etcd_answers_later(void)
{
    fault = FAKE_NO_ANSWER;
    answers_after = 3;
}

static void a_clean_stop_is_recorded(void **state)
{
    static const struct {
        const char *name;
        void (*happens)(void);
        const char *trace;
    } rows[] = {
        {"it is", NULL, "etcd: attested [pledged epoch 1 generation 1, A:90, view, cache]\n"},
        {"no etcd", etcd_does_not_answer, ""},
        {"an etcd that is slow", etcd_answers_later,
         "etcd: attested [pledged epoch 1 generation 1, A:90, view, cache]\n"},
        {"no room for the note", state_cannot_be_saved, ""},
        {"somebody has spoken for us", condition_does_not_hold,
         "etcd: attested [pledged epoch 1 generation 1, A:90, view, cache]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        set_up(KNOWN "| n1 running A:90 serving alive | n2 running A:90 alive", false);
        if (rows[i].happens != NULL)
            rows[i].happens();
        init.process.child.pid = 0;
        init_new_boot(&init);
        carry_leave(&init, deadline_in_ms(1000));
        row_text(rows[i].name, trace, rows[i].trace); /* with the new boot id, which keys_compose looks at */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_goes_wrong, begin, end),
        cmocka_unit_test_setup_teardown(a_pledge_is_noted_before_every_attestation, begin, end),
        cmocka_unit_test_setup_teardown(a_pledge_is_noted_again_after_a_start_that_failed, begin, end),
        cmocka_unit_test_setup_teardown(a_clean_stop_is_recorded, begin, end),
    };

    return cmocka_run_group_tests(tests, silence, NULL);
}
