/*
 * Doing what was decided: what is on our own disk, and what has gone to etcd, whenever something is done that rests on
 * it (decide.h, rules 2 and 4).
 */
#include "support/carry_stage.h"

/* --- what happens in which order ---------------------------------------------------------------------------------- */

static void the_order_of_things(void **state)
{
    static const struct {
        const char *name;
        const char *words;
        bool recovered;
        enum action action;
        enum carried carried;
        const char *trace;
    } rows[] = {
        {"a first attestation: noted before it is written", "me=n1 | n1 alive | n2 attested empty alive", false,
         ACTION_ATTEST, CARRY_AGAIN, "etcd: attested [pledged epoch 0 generation 0, view, cache]\n"},
        {"an attestation before the others can see us alive", "me=n1 | n1 | n2 attested empty alive", false,
         ACTION_ATTEST, CARRY_AGAIN, ""},
        {"a claim", "me=n1 size=1 | n1 attested empty alive pledged", false, ACTION_CLAIM, CARRY_AGAIN,
         "etcd: bootstrap=claimed [pledged epoch 0 generation 0, view, cache]\n"},
        {"a first bootstrap", "me=n1 size=1 boot=claimed:n1 epoch=0 | n1 attested empty alive pledged", false,
         ACTION_BOOTSTRAP, CARRIED,
         "etcd: bootstrap=starting running [pledged epoch 0 generation 0, view, cache]\n"
         "saved [free epoch 1 generation 1, view]\n"
         "new gcomm://10.0.0.1 [free epoch 1 generation 1, nil:-1 safe]\n"},
        {"a bootstrap from a copy that was closed",
         KNOWN "size=1 boot=claimed:n1 base=A:90 | n1 attested A:90 alive pledged", false, ACTION_BOOTSTRAP, CARRIED,
         "etcd: bootstrap=starting running [pledged epoch 1 generation 1, A:90, view, cache]\n"
         "saved [free epoch 2 generation 1, A:90, view, cache]\n"
         "new gcomm://10.0.0.1 [free epoch 2 generation 1, A:90 safe, cache]\n"},
        {"a bootstrap from a recovered copy", KNOWN "size=1 boot=claimed:n1 base=A:90 | n1 attested A:90 alive pledged",
         true, ACTION_BOOTSTRAP, CARRIED,
         "etcd: bootstrap=starting running [pledged epoch 1 generation 1, A:-1, view, cache]\n"
         "saved [free epoch 2 generation 1, A:-1, view, cache]\n"
         "new gcomm://10.0.0.1 from 90 [free epoch 2 generation 1, A:-1 safe, cache]\n"},
        {"a join", KNOWN "| n1 attested A:90 alive pledged | n2 running A:120 alive primary synced", false, ACTION_JOIN,
         CARRIED,
         "etcd: running [pledged epoch 1 generation 1, A:90, view, cache]\n"
         "saved [free epoch 1 generation 1, A:90, view, cache]\n"
         "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 1, A:90, cache]\n"},
        {"a join of a copy that was recovered",
         KNOWN "| n1 attested A:90 alive pledged | n2 running A:120 alive primary synced", true, ACTION_JOIN, CARRIED,
         "etcd: running [pledged epoch 1 generation 1, A:-1, view, cache]\n"
         "saved [free epoch 1 generation 1, A:-1, view, cache]\n"
         "start gcomm://10.0.0.2 donors n2, from 90 [free epoch 1 generation 1, A:-1, cache]\n"},
        {"a join of an empty directory", KNOWN "| n1 attested empty alive | n2 running A:120 alive primary synced",
         false, ACTION_JOIN, CARRIED,
         "etcd: running [free epoch 1 generation 1, view, cache]\n"
         "saved [free epoch 1 generation 1, view]\n"
         "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 1]\n"},
        /* A lineage must never be saved over a copy that it does not describe: the copy is given up first. */
        {"a join of a copy that was left behind",
         KNOWN "fork=5:80 | n1 attested A:90 alive pledged | n2 running A:120 alive primary synced", true, ACTION_JOIN,
         CARRIED,
         "etcd: running [pledged epoch 1 generation 1, A:-1, view, cache]\n"
         "saved [free epoch 1 generation 5, nil:-1, view]\n"
         "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 5, nil:-1]\n"},
        {"a join of a doubtful copy, which is not trusted further",
         KNOWN "| n1 attested A:90? alive pledged | n2 running A:120 alive primary synced", true, ACTION_JOIN, CARRIED,
         "etcd: running [pledged epoch 1 generation 1, A:-1, view, cache]\n"
         "saved [free epoch 1 generation 1, nil:-1, view]\n"
         "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 1, nil:-1]\n"},
        {"a re-merge keeps its view",
         "me=n1 uuid=A boot=starting:n2 kind=remerge view=V/2 epoch=2 | n1 attested old A:90 view=V/2 alive pledged | "
         "n2 "
         "running A:90 view=V/2 alive",
         true, ACTION_REMERGE, CARRIED,
         "etcd: running [pledged epoch 2 generation 1, A:-1, view, cache]\n"
         "saved [free epoch 2 generation 1, A:-1, view, cache]\n"
         "start gcomm://10.0.0.2 from 90 [free epoch 2 generation 1, A:-1, view, cache]\n"},
        {"without etcd", KNOWN "etcd=down | n1 A:90 | n2 cached A:120 primary synced tells", false, ACTION_JOIN,
         CARRIED,
         "saved [free epoch 1 generation 1, A:90, view, cache]\n"
         "start gcomm://10.0.0.2 donors n2, [free epoch 1 generation 1, A:90, cache]\n"},
        {"a survivor", KNOWN "boot=claimed:n1 kind=survivor base=A:90 | n1 idle A:90 alive idling | n2 attested A:90",
         false, ACTION_PC_BOOTSTRAP, CARRIED,
         "etcd: bootstrap=starting running [free epoch 1 generation 1, A:90, view, cache]\n"
         "saved [free epoch 2 generation 1, A:90, view, cache]\n"
         "pc.bootstrap [free epoch 2 generation 1, A:90, view, cache]\n"},
        {"a stop", KNOWN "| n1 running A:90 starting patience alive | n2 attested A:120", false, ACTION_STOP,
         CARRY_AGAIN, "stop\n"},
        {"our bootstrap was overtaken: nothing may be acknowledged any more",
         "me=n1 uuid=A boot=primary:n2 | n1 running B:90 serving alive | n2 running A:120", false, ACTION_STOP,
         CARRY_AGAIN, "kill\n"},
        {"the first Primary Component: accounts before anybody joins",
         "me=n1 size=1 boot=starting:n1 epoch=1 | n1 running A:1 serving alive", false, ACTION_RECORD, CARRIED,
         "accounts\netcd: bootstrap=primary uuid [free epoch 1 generation 1, A:1, view, cache]\n"},
        {"the same after it was stopped before they were made: what it had by then is where it goes on from",
         "me=n1 size=1 boot=starting:n1 base=A:5 epoch=2 | n1 running A:6 serving alive", false, ACTION_RECORD, CARRIED,
         "accounts\netcd: bootstrap=primary uuid [free epoch 2 generation 1, A:6, view, cache]\n"},
        {"a later one: there are accounts",
         "me=n1 uuid=A size=1 boot=starting:n1 base=A:90 epoch=2 | n1 running A:91 "
         "serving alive",
         false, ACTION_RECORD, CARRIED, "etcd: bootstrap=primary [free epoch 2 generation 1, A:91, view, cache]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.text = ""};
        set_up(rows[i].words, rows[i].recovered);
        row_text(rows[i].name, action_word(init.decision.action), action_word(rows[i].action));
        row_number(rows[i].name, carry(&init, &error), rows[i].carried);
        row_text(rows[i].name, trace, rows[i].trace);
    }
}

static void a_slow_etcd_is_waited_for(void **state)
{
    struct error error = {.text = ""};

    (void)state;
    set_up("me=n1 size=1 boot=claimed:n1 epoch=0 | n1 attested empty alive pledged", false);
    fake_set_timeout(4000);
    fake_set_delay(7000, 10);
    assert_int_equal(carry(&init, &error), CARRIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_of_things, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_etcd_is_waited_for, begin, end),
    };

    return cmocka_run_group_tests(tests, silence, NULL);
}
