/*
 * What a node does: the table of the manual, row by row and every two rows that can meet. The situations are written in
 * the words of support/words.h; what happens over time is the business of test_model.c.
 */
#include "../row.h"

#include "decide.h"
#include "support/words.h"

#define UUID_A "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"
#define UUID_B "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"

/* A cluster that was there before: recorded, and its last Primary Component known. */
#define KNOWN "uuid=A boot=primary:n2 "

struct row {
    const char *name;
    const char *situation;
    enum action action;
    const char *text; /* NULL: any */
};

static void check_rows(const struct row *rows, size_t count)
{
    static struct situation situation;
    char text[1024];

    for (size_t i = 0; i < count; i++) {
        situation_from_words(rows[i].situation, &situation);
        struct decision decision = decide(&situation);
        decision_text(&situation, &decision, text, sizeof text);
        if (decision.action != rows[i].action)
            fail_msg("row \"%s\": %s (%s: %s) instead of %s", rows[i].name, action_word(decision.action),
                     cause_word(decision.cause), text, action_word(rows[i].action));
        if (rows[i].text != NULL)
            row_text(rows[i].name, text, rows[i].text);
        if (decision.action == ACTION_JOIN || decision.action == ACTION_REMERGE)
            row_true(rows[i].name, (decision.who & ~NODE_BIT(situation.self)) != 0);
    }
}

/* --- the rows of the manual's table ---------------------------------------------------------------------------------
 */

static void first_boot(void **state)
{
    static const struct row rows[] = {
        {"nobody has reported", "me=n1 | n1 none empty alive", ACTION_ATTEST,
         "our server is stopped at empty; recording that, so that others may count on it"},
        {"alone", "me=n1 | n1 attested empty alive", ACTION_WAIT,
         "1 of 3 nodes have registered (missing two more); not bootstrapping yet"},
        {"one is missing", "me=n1 | n1 attested empty alive | n2 attested empty alive", ACTION_WAIT,
         "2 of 3 nodes have registered (missing one more); not bootstrapping yet"},
        {"lowest name", "me=n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive",
         ACTION_CLAIM, "all 3 nodes are empty and we are the first by name: creating the cluster"},
        {"not the lowest name", "me=n2 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive",
         ACTION_WAIT, "n1 goes first, being the newest or the first of equals: waiting for it"},
        {"the lowest name died", "me=n2 | n1 attested empty | n2 attested empty alive | n3 attested empty alive",
         ACTION_CLAIM, NULL},
        {"claimed by us", "me=n1 boot=claimed:n1 | n1 attested empty alive | n2 attested empty | n3 attested empty",
         ACTION_BOOTSTRAP, "the bootstrap is ours by record, from seqno empty"},
        {"claimed by another",
         "me=n2 boot=claimed:n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty", ACTION_WAIT,
         "n1 has claimed the bootstrap: waiting for it to become Primary"},
        {"its server runs, nothing is recorded",
         "me=n2 boot=starting:n1 | n1 running empty alive primary=A synced | n2 attested empty alive", ACTION_WAIT,
         "n1 runs as Primary, but etcd does not say so yet: waiting for n1 to record it"},
        {"it is recorded",
         "me=n2 " KNOWN "| n1 attested empty | n2 attested empty alive | n3 running A:3 alive primary synced",
         ACTION_JOIN, "n3 runs as Primary: joining from seqno empty"},
        {"more than expected", "me=n1 size=2 | n1 attested empty alive | n2 attested empty alive | n3 none empty alive",
         ACTION_CLAIM, NULL},
        {"a registered fourth is gone",
         "me=n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive | n4 attested empty old",
         ACTION_WAIT, "n4 has not reported and may hold newer data: start it, or `galera-init attest-lost n4`"},
        {"nodes differs: the largest counts", "me=n1 size=1 | n1 attested empty alive | n2 attested empty alive size=3",
         ACTION_WAIT, "2 of 3 nodes have registered (missing one more); not bootstrapping yet"},
        {"a cluster of one", "me=n1 size=1 | n1 attested empty alive", ACTION_CLAIM, NULL},
        {"recovery=manual is not about the first boot", "me=n1 size=1 manual | n1 attested empty alive", ACTION_CLAIM,
         NULL},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void one_node_restarts(void **state)
{
    static const struct row rows[] = {
        {"own history", "me=n1 " KNOWN "| n1 running A:90 alive unheard | n2 running A:120 alive primary synced",
         ACTION_JOIN, "n2 runs as Primary: joining from seqno 90"},
        {"other history", "me=n1 " KNOWN "| n1 running B:90 alive | n2 running A:120 alive primary synced",
         ACTION_REFUSE,
         "local data belongs to cluster " UUID_B ", running cluster is " UUID_A
         ": joining would erase it; set foreign_data=discard to allow"},
        {"other history, allowed",
         "me=n1 discard " KNOWN "| n1 running B:90 alive | n2 running A:120 alive primary synced", ACTION_JOIN, NULL},
        {"a database that never was in a cluster",
         "me=n1 " KNOWN "| n1 none plain alive | n2 running A:120 alive primary synced", ACTION_REFUSE,
         "this node has a database that was never part of a cluster: joining would erase it, set foreign_data=discard "
         "to "
         "allow; or `galera-init bootstrap --force` on its node to make it the cluster's"},
        {"members of another cluster",
         "me=n1 " KNOWN "| n1 running A:90 alive | n2 running A:120 alive primary=B synced", ACTION_REFUSE,
         "n2 runs as Primary of another cluster than the recorded " UUID_A
         ": two clusters share this name or these addresses"},
        {"the cluster went on without our copy",
         "me=n1 fork=2:80 " KNOWN "| n1 running A:90 alive | n2 running A:120 alive primary synced", ACTION_JOIN,
         "the cluster went on without our copy (seqno 90) and has another history since: joining n2 by a full "
         "transfer"},
        {"the cluster went on from what we have",
         "me=n1 fork=2:90 " KNOWN "| n1 running A:90 alive | n2 running A:120 alive primary synced", ACTION_JOIN,
         "n2 runs as Primary: joining from seqno 90"},
        {"the state directory is lost",
         "me=n1 nostate " KNOWN "| n1 running A:90 alive | n2 running A:120 alive primary synced", ACTION_JOIN, NULL},
        {"the only donor is busy", "me=n1 " KNOWN "| n1 running A:90 alive | n2 running A:120 alive primary donor",
         ACTION_WAIT, "no donor to spare: waiting for the state transfer of n2 to end"},
        {"one donor, another joiner",
         "me=n1 " KNOWN "| n1 running A:9 alive | n2 running A:12 alive primary synced | n3 running A:9 joining",
         ACTION_WAIT, "no donor to spare: waiting for the state transfer of n3 to end"},
        {"two donors, another joiner",
         "me=n1 " KNOWN "| n1 running A:9 alive | n2 running A:12 alive primary synced | n3 running A:9 joining | n4 "
         "running A:12 primary synced",
         ACTION_JOIN, NULL},
        {"another one of our name", "me=n1 " KNOWN "| n1 running A:90 twin | n2 running A:120 alive primary synced",
         ACTION_WAIT,
         "another galera-init holds the lease of node name n1: it runs elsewhere, or its lease must expire first"},
        {"a server that is not ours",
         "me=n1 " KNOWN "| n1 running A:90 alive stranger | n2 running A:120 alive primary synced", ACTION_STOP, NULL},
        {"joining", "me=n1 " KNOWN "| n1 running A:90 alive starting patience | n2 running A:120 alive primary synced",
         ACTION_RUN, "started; waiting to be taken in by n2"},
        {"joining, and the members died", "me=n1 " KNOWN "| n1 running A:90 alive starting patience | n2 running A:120",
         ACTION_STOP, "no Primary Component came about: stopping the server to decide anew"},
        {"running", "me=n1 " KNOWN "| n1 running A:120 alive serving | n2 running A:120 alive primary synced",
         ACTION_RUN, "Primary"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void wiped_node(void **state)
{
    static const struct row rows[] = {
        {"joins", "me=n1 " KNOWN "| n1 running empty alive held=120 | n2 running A:120 alive primary synced",
         ACTION_JOIN, "n2 runs as Primary: joining from seqno empty"},
        {"after a full crash it does not begin",
         "me=n1 " KNOWN "| n1 attested empty alive | n2 attested A:120 alive | n3 attested A:110 alive", ACTION_WAIT,
         "n2 goes first, being the newest or the first of equals: waiting for it"},
        {"it had more than anybody has now",
         "me=n2 " KNOWN "| n1 attested empty alive held=130 | n2 attested A:120 alive | n3 attested A:110", ACTION_WAIT,
         "n1 recorded seqno 130 and does not have it any more: restore it, or `galera-init bootstrap --force` on the "
         "node to go on "
         "from without it"},
        {"all are wiped",
         "me=n1 " KNOWN "| n1 attested empty alive | n2 attested empty alive | n3 attested empty alive", ACTION_WAIT,
         "no trusted copy left: restore a backup"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void all_stopped_cleanly(void **state)
{
    static const struct row rows[] = {
        {"the last one need not wait",
         "me=n3 " KNOWN "| n1 attested A:100 | n2 attested A:110 | n3 attested A:120 safe alive", ACTION_CLAIM,
         "we were the last to stop, cleanly, at seqno 120, and nobody recorded more: not waiting for the others"},
        {"another recorded more", "me=n2 " KNOWN "| n1 attested A:120 | n2 attested A:90 alive | n3 attested A:90",
         ACTION_WAIT, "n1 recorded seqno 120, we have 90: waiting for n1"},
        {"safe_to_bootstrap is no excuse for being behind",
         "me=n2 " KNOWN "| n1 attested A:120 | n2 attested A:90 safe alive | n3 attested A:90", ACTION_WAIT,
         "n1 recorded seqno 120, we have 90: waiting for n1"},
        {"the newest is back", "me=n2 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 attested A:90",
         ACTION_WAIT, "n1 goes first, being the newest or the first of equals: waiting for it"},
        {"a tie: safe_to_bootstrap",
         "me=n2 " KNOWN "| n1 attested A:90 alive | n2 attested A:90 alive safe | n3 attested A:90 alive", ACTION_CLAIM,
         NULL},
        {"a tie: name", "me=n2 " KNOWN "| n1 attested A:90 | n2 attested A:90 alive | n3 attested A:90 alive",
         ACTION_CLAIM, "all nodes are stopped and accounted for, none has more than our seqno 90"},
        {"one had been killed before",
         "me=n3 " KNOWN "| n1 running A:100 | n2 attested A:110 | n3 attested A:120 safe alive", ACTION_WAIT,
         "n1 has not reported and may hold newer data: start it, or `galera-init attest-lost n1`"},
        {"one recorded more and was started since",
         "me=n3 " KNOWN "| n1 running A:130 | n2 attested A:110 | n3 attested A:120 safe alive", ACTION_WAIT,
         "n1 recorded seqno 130, we have 120: waiting for n1"},
        {"the records are of an earlier epoch",
         "me=n3 " KNOWN "epoch=2 | n1 attested A:100 old | n2 attested A:110 | n3 attested A:120 safe alive",
         ACTION_WAIT, "n1 has not reported and may hold newer data: start it, or `galera-init attest-lost n1`"},
        {"recovery=manual",
         "me=n3 manual " KNOWN "| n1 attested A:100 | n2 attested A:110 | n3 attested A:120 safe alive", ACTION_WAIT,
         "recovery = manual: `galera-init bootstrap --force` on n3 would go on from seqno 120"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void all_killed(void **state)
{
    static const struct row rows[] = {
        {"back, not attested", "me=n1 " KNOWN "| n1 running A:90 alive unheard | n2 running A:90 | n3 running A:90",
         ACTION_ATTEST, NULL},
        {"one is missing", "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 running A:80",
         ACTION_WAIT, "n3 has not reported and may hold newer data: start it, or `galera-init attest-lost n3`"},
        {"all are back, the newest goes first",
         "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 attested A:80 alive", ACTION_CLAIM,
         "all nodes are stopped and accounted for, none has more than our seqno 120"},
        {"the later generation is the newer",
         "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive g=2 | n3 attested A:80 alive g=2",
         ACTION_ATTEST, NULL},
        {"one is lost", "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 lost A:130",
         ACTION_CLAIM, NULL},
        {"the word came too early",
         "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 lost late A:130", ACTION_WAIT,
         "the loss of n3 was attested before all others had reported: repeat `galera-init attest-lost n3`"},
        {"the lost one came back",
         "me=n1 " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 attested A:130 alive", ACTION_WAIT,
         "n3 goes first, being the newest or the first of equals: waiting for it"},
        {"one view, all back",
         "me=n1 " KNOWN
         "| n1 attested A:1 view=V/3 alive | n2 attested A:2 view=V/3 alive | n3 attested A:1 view=V/3 alive",
         ACTION_CLAIM, "all nodes are back with the same gvwstate.dat: Galera forms its old view again"},
        {"one view, another claims",
         "me=n2 " KNOWN
         "| n1 attested A:1 view=V/3 alive | n2 attested A:2 view=V/3 alive | n3 attested A:1 view=V/3 alive",
         ACTION_WAIT, NULL},
        {"the claim names us",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 running A:1 view=V/3 alive | n2 attested "
         "old A:2 view=V/3 alive | n3 attested old A:1 view=V/3 alive",
         ACTION_REMERGE, "all nodes are back with the same gvwstate.dat: Galera forms its old view again"},
        {"another view than the claim's",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 running A:1 view=V/3 alive | n2 attested "
         "old A:2 view=W/2 alive | n3 attested old A:1 view=V/3 alive",
         ACTION_ATTEST, NULL},
        {"we had our try",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 running A:1 view=V/3 alive | n2 running A:2 "
         "view=V/3 alive | n3 attested old A:1 view=V/3 alive",
         ACTION_ATTEST, NULL},
        {"somebody gave up",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 attested A:1 view=V/3 alive | n2 running "
         "A:2 view=V/3 alive starting | n3 running A:1 view=V/3 alive",
         ACTION_STOP, "n1 gave up on the old view: stopping the server to decide anew"},
        {"waiting in the old view",
         "me=n2 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 running A:1 view=V/3 alive | n2 running A:2 "
         "view=V/3 alive starting | n3 running A:1 view=V/3 alive",
         ACTION_RUN, "waiting for the members of the last view to come back"},
        {"it failed: no second try, an election",
         "me=n1 uuid=A boot=starting:n1 kind=remerge view=V/3 epoch=2 | n1 attested A:3 view=V/3 alive | n2 attested "
         "A:2 view=V/3 alive | n3 attested A:1 view=V/3 alive",
         ACTION_CLAIM, "all nodes are stopped and accounted for, none has more than our seqno 3"},
        {"the measured trap",
         "me=n1 " KNOWN "| n1 attested A:48692 view=W/2 alive | n2 attested A:48692 view=W/2 alive | n3 attested "
         "A:48690 view=V/3 alive",
         ACTION_CLAIM, "all nodes are stopped and accounted for, none has more than our seqno 48692"},
        {"one gvwstate.dat is gone",
         "me=n1 " KNOWN "| n1 attested A:9 view=V/3 alive | n2 attested A:8 view=V/3 alive | n3 attested A:8 alive",
         ACTION_CLAIM, "all nodes are stopped and accounted for, none has more than our seqno 9"},
        {"a view with a member that nobody knows",
         "me=n1 " KNOWN
         "| n1 attested A:9 view=V/4 alive | n2 attested A:8 view=V/4 alive | n3 attested A:8 view=V/4 alive",
         ACTION_CLAIM, "all nodes are stopped and accounted for, none has more than our seqno 9"},
        {"recovery=manual",
         "me=n1 manual " KNOWN "| n1 attested A:120 alive | n2 attested A:90 alive | n3 attested A:80 alive",
         ACTION_WAIT, "recovery = manual: `galera-init bootstrap --force` on n1 would go on from seqno 120"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void one_survives(void **state)
{
    static const struct row rows[] = {
        {"records it", "me=n1 " KNOWN "| n1 running A:90 alive idling | n2 running A:90 | n3 running A:90",
         ACTION_RECORD, NULL},
        {"both are dead", "me=n1 " KNOWN "| n1 idle A:90 alive idling | n2 running A:90 | n3 running A:90", ACTION_WAIT,
         "n2, n3 unaccounted for: start them, or attest their loss"},
        {"one is dead", "me=n1 " KNOWN "| n1 idle A:90 alive idling | n2 running A:90 | n3 attested A:90 alive",
         ACTION_WAIT, "n2 unaccounted for: start it, or attest its loss"},
        {"both are back with the old view",
         "me=n1 " KNOWN
         "| n1 idle A:90 view=V/3 alive idling | n2 attested A:90 view=V/3 alive | n3 attested A:90 view=V/3 alive",
         ACTION_WAIT, "waiting for the members of the last view to come back: n2, n3"},
        {"we are one of them, and claim",
         "me=n2 " KNOWN
         "| n1 idle A:90 view=V/3 alive nonprimary | n2 attested A:90 view=V/3 alive | n3 attested A:90 view=V/3 alive",
         ACTION_CLAIM, "all nodes are back with the same gvwstate.dat: Galera forms its old view again"},
        {"one is lost, nobody is ahead",
         "me=n1 " KNOWN "| n1 idle A:90 view=V/3 alive idling | n2 attested A:80 view=V/3 alive | n3 lost A:120",
         ACTION_CLAIM,
         "all other nodes are stopped and accounted for, none has more than our seqno 90: making the running server "
         "Primary again"},
        {"one is lost, another is ahead",
         "me=n1 " KNOWN "| n1 idle A:90 alive idling | n2 attested A:95 alive | n3 lost A:120", ACTION_STOP,
         "n2 has seqno 95, our server 90: stopping it so that the newest can go first"},
        {"the claim is ours",
         "me=n1 uuid=A boot=claimed:n1 kind=survivor | n1 idle A:90 alive idling | n2 attested A:80 | n3 lost A:120",
         ACTION_PC_BOOTSTRAP, "the bootstrap is ours by record, from seqno 90"},
        {"the claim is ours, of an earlier boot",
         "me=n1 uuid=A boot=claimed:n1 earlier kind=survivor | n1 idle A:90 alive idling | n2 attested A:80 | n3 lost "
         "A:120",
         ACTION_CLAIM, NULL},
        {"it ended before it was known to be Primary",
         "me=n1 uuid=A boot=starting:n1 earlier kind=survivor base=A:90 | n1 running A:90 alive | n2 attested A:80 | "
         "n3 lost A:120",
         ACTION_BOOTSTRAP, "our bootstrap was not recorded as done: going on with it from seqno 90"},
        {"stopped, beside a survivor",
         "me=n2 " KNOWN "| n1 idle A:90 alive nonprimary | n2 attested A:80 alive | n3 lost A:120", ACTION_WAIT,
         "n1 still runs, non-Primary: waiting for it to become Primary or to stop"},
        {"two survivors, the other one is better",
         "me=n2 " KNOWN "| n1 idle A:90 alive nonprimary | n2 idle A:90 alive idling | n3 lost A:120", ACTION_STOP,
         "n1 goes on as the one survivor: stopping our server to join it"},
        {"two survivors, we are better",
         "me=n1 " KNOWN "| n1 idle A:90 alive idling | n2 idle A:90 alive nonprimary | n3 lost A:120", ACTION_WAIT,
         "the best of several survivors; waiting for n2 to stop"},
        {"all survive and see each other",
         "me=n1 " KNOWN "| n1 idle A:90 alive idling | n2 idle A:90 alive nonprimary | n3 idle A:90 alive nonprimary",
         ACTION_WAIT, "in contact with n2, n3: Galera merges us by itself"},
        {"... and nothing comes of it",
         "me=n2 " KNOWN
         "| n1 idle A:90 alive nonprimary | n2 idle A:90 alive idling patience | n3 idle A:90 alive nonprimary",
         ACTION_STOP, NULL},
        {"recovery=manual",
         "me=n1 manual " KNOWN "| n1 idle A:90 alive idling | n2 attested A:80 alive | n3 lost A:120", ACTION_WAIT,
         "recovery = manual: `galera-init bootstrap --force` on n1 would go on from seqno 90"},
        {"the cluster went on without us",
         "me=n1 fork=2:80 uuid=A epoch=2 boot=primary:n2 | n1 idle A:90 alive idling | n2 running A:120 primary synced",
         ACTION_STOP, "the cluster was bootstrapped without us: stopping to join it"},
        {"in contact with the Primary Component",
         "me=n1 " KNOWN
         "| n1 idle A:90 alive idling | n2 running A:120 primary synced | n3 running A:120 primary synced",
         ACTION_WAIT, "in contact with n2, n3: Galera merges us by itself"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void partitioned(void **state)
{
    static const struct row rows[] = {
        {"from all", "me=n3 " KNOWN "| n1 running A:90 alive | n2 running A:90 alive | n3 idle A:90 alive idling",
         ACTION_WAIT, "partitioned from n1, n2: staying non-Primary; check the network between the nodes"},
        {"from an idle one", "me=n3 " KNOWN "| n1 idle A:90 alive | n2 attested A:90 alive | n3 idle A:90 alive idling",
         ACTION_WAIT, "partitioned from n1: staying non-Primary; check the network between the nodes"},
        {"stopped, beside a partition",
         "me=n3 " KNOWN "| n1 idle A:90 alive | n2 idle A:90 alive | n3 attested A:90 alive", ACTION_WAIT,
         "n1, n2 have not reported and may hold newer data: start them, or `galera-init attest-lost n1 n2`"},
        {"from etcd as well", "me=n3 etcd=down | n1 cached | n2 cached | n3 idle A:90 idling", ACTION_WAIT,
         "etcd unreachable: will not bootstrap"},
        {"a copy that has to join",
         "me=n3 " KNOWN "| n1 running A:90 alive | n2 running A:90 alive | n3 attested broken alive", ACTION_WAIT,
         NULL},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void interrupted_and_doubtful_copies(void **state)
{
    static const struct row rows[] = {
        {"killed in a transfer, members there",
         "me=n1 " KNOWN "| n1 running broken alive | n2 running A:120 alive primary synced", ACTION_JOIN, NULL},
        {"killed in a transfer, never a candidate",
         "me=n1 " KNOWN "| n1 attested broken alive | n2 attested A:9 alive | n3 attested A:8 alive", ACTION_WAIT,
         "n2 goes first, being the newest or the first of equals: waiting for it"},
        {"... nor against an empty one",
         "me=n1 " KNOWN "| n1 attested broken alive | n2 attested empty alive | n3 attested broken alive", ACTION_WAIT,
         "no trusted copy left: restore a backup"},
        {"... and etcd has forgotten the cluster",
         "me=n2 | n1 attested broken alive | n2 attested empty alive | n3 attested empty alive", ACTION_WAIT,
         "no trusted copy left: restore a backup"},
        {"a first boot that died is no transfer",
         "me=n2 boot=starting:n1 | n1 attested broken alive | n2 attested empty alive | n3 attested empty alive",
         ACTION_CLAIM, NULL},
        {"doubtful, behind a trusted one",
         "me=n2 " KNOWN "| n1 attested A:90? alive | n2 attested A:90 alive | n3 attested A:80 alive", ACTION_CLAIM,
         NULL},
        {"doubtful is never the first choice",
         "me=n1 " KNOWN "| n1 attested A:90? alive | n2 attested A:90 alive | n3 attested A:80 alive", ACTION_WAIT,
         "n2 goes first, being the newest or the first of equals: waiting for it"},
        {"doubtful, ahead",
         "me=n2 " KNOWN "| n1 attested A:95? alive | n2 attested A:90 alive | n3 attested A:80 alive", ACTION_WAIT,
         "n1 has a newer copy (seqno 95) that cannot be trusted: repair it, or `galera-init bootstrap --force` on the "
         "node to go on "
         "from"},
        {"doubtful, ahead, and it is us",
         "me=n1 " KNOWN "| n1 attested A:95? alive | n2 attested A:90 alive | n3 attested A:80 alive", ACTION_WAIT,
         "n1 has a newer copy (seqno 95) that cannot be trusted: repair it, or `galera-init bootstrap --force` on the "
         "node to go on "
         "from; this node: grastate.dat is corrupt: only InnoDB's own position is known; remove the file and let this "
         "node join "
         "another one"},
        {"nothing but doubtful ones",
         "me=n1 " KNOWN "| n1 attested A:95? alive | n2 attested A:90? alive | n3 attested broken alive", ACTION_CLAIM,
         NULL},
        {"no re-merge with a doubtful one",
         "me=n1 " KNOWN
         "| n1 attested A:9? view=V/3 alive | n2 attested A:9 view=V/3 alive | n3 attested A:8 view=V/3 alive",
         ACTION_WAIT, "n2 goes first, being the newest or the first of equals: waiting for it"},
        {"a doubtful one joins", "me=n1 " KNOWN "| n1 running A:95? alive | n2 running A:120 alive primary synced",
         ACTION_JOIN, NULL},
        {"the state directory is lost: doubtful",
         "me=n1 nostate " KNOWN "| n1 running A:95 alive | n2 attested A:90 alive | n3 attested A:90 alive",
         ACTION_ATTEST, NULL},
        {"data that never was in a cluster, first boot",
         "me=n1 | n1 attested plain alive | n2 attested empty alive | n3 attested empty alive", ACTION_WAIT,
         "this node has a database that was never part of a cluster: joining would erase it, set foreign_data=discard "
         "to "
         "allow; or `galera-init bootstrap --force` on its node to make it the cluster's"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void without_etcd(void **state)
{
    static const struct row rows[] = {
        {"first boot", "me=n1 etcd=down | n1 empty", ACTION_WAIT, "etcd unreachable: will not bootstrap"},
        {"nobody is Primary", "me=n1 etcd=down epoch=1 forgot | n1 A:90 | n2 cached | n3 cached", ACTION_WAIT,
         "etcd unreachable: will not bootstrap"},
        {"a member is Primary", "me=n1 etcd=down uuid=A | n1 A:90 | n2 cached primary synced tells", ACTION_JOIN,
         "etcd unreachable, but n2, known from before, runs as Primary: joining"},
        {"it does not tell its generation", "me=n1 etcd=down uuid=A | n1 A:90 | n2 cached primary synced", ACTION_WAIT,
         "etcd unreachable: n2 runs as Primary, but cannot be shown to go on from our copy; waiting for etcd"},
        {"we have pledged", "me=n1 etcd=down uuid=A | n1 A:90 pledged | n2 cached primary synced tells", ACTION_WAIT,
         "etcd unreachable: n2 runs as Primary, but others may count on our record that says we are stopped; waiting "
         "for etcd"},
        {"other history", "me=n1 etcd=down uuid=A | n1 B:90 | n2 cached primary synced tells", ACTION_REFUSE, NULL},
        {"other history, discard", "me=n1 discard etcd=down | n1 B:90 | n2 cached primary=A synced tells",
         ACTION_REFUSE, NULL},
        {"a database that never was in a cluster", "me=n1 etcd=down uuid=A | n1 plain | n2 cached primary synced tells",
         ACTION_REFUSE, NULL},
        {"an interrupted transfer", "me=n1 etcd=down uuid=A | n1 broken | n2 cached primary synced tells", ACTION_JOIN,
         NULL},
        {"a wiped node", "me=n1 etcd=down | n1 empty | n2 cached primary=A synced", ACTION_WAIT, NULL},
        {"the donor is busy", "me=n1 etcd=down uuid=A | n1 A:90 | n2 cached primary donor tells", ACTION_WAIT, NULL},
        {"all were killed, all are back", "me=n1 etcd=down uuid=A | n1 A:90 view=V/2 | n2 cached", ACTION_WAIT,
         "etcd unreachable: will not bootstrap"},
        {"safe_to_bootstrap", "me=n1 etcd=down uuid=A | n1 A:90 safe pledged | n2 cached", ACTION_WAIT,
         "etcd unreachable: will not bootstrap"},
        {"running", "me=n1 etcd=down uuid=A | n1 A:90 serving | n2 cached", ACTION_RUN, NULL},
        {"survived", "me=n1 etcd=down uuid=A | n1 A:90 idling | n2 cached", ACTION_WAIT, NULL},
        {"claimed, and then", "me=n1 etcd=down uuid=A | n1 A:90 pledged alive | n2 A:90 nonprimary", ACTION_WAIT, NULL},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void etcd_lost_its_data(void **state)
{
    static const struct row rows[] = {
        {"a Primary member tells it again", "me=n1 epoch=3 forgot | n1 none A:90 alive serving", ACTION_RECORD, NULL},
        {"an empty one sees a Primary member", "me=n1 | n1 none empty alive | n2 none alive primary=A synced",
         ACTION_WAIT, "n2 runs as Primary, but etcd does not say so yet: waiting for n2 to record it"},
        {"an empty one sees data", "me=n1 | n1 attested empty alive | n2 attested A:90 alive", ACTION_WAIT,
         "no cluster recorded, but n2 has data: waiting for it to form the cluster"},
        {"data, others empty: goes first",
         "me=n2 | n1 attested empty alive | n2 attested A:90 alive | n3 attested empty alive", ACTION_CLAIM, NULL},
        {"data, others not there", "me=n2 epoch=3 forgot | n2 attested A:90 alive | n1 cached | n3 cached", ACTION_WAIT,
         "n1, n3 have not reported and may hold newer data: start them, or `galera-init attest-lost n1 n3`"},
        {"more members than `nodes`, known from before",
         "me=n1 epoch=3 forgot | n1 attested A:9 alive | n2 attested A:9 | n3 attested A:9 | n4 cached", ACTION_WAIT,
         "n4 has not reported and may hold newer data: start it, or `galera-init attest-lost n4`"},
        {"forgotten by an operator, not by etcd",
         "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:9 | n3 attested A:9 | n4 cached", ACTION_CLAIM, NULL},
        {"all back, one view",
         "me=n1 epoch=3 forgot | n1 attested A:9 view=V/3 alive | n2 attested A:9 view=V/3 alive | n3 attested A:9 "
         "view=V/3 alive",
         ACTION_CLAIM, "all nodes are back with the same gvwstate.dat: Galera forms its old view again"},
        {"a claim that was under way",
         "me=n1 epoch=3 forgot | n1 running A:9 alive starting | n2 attested A:9 alive | n3 attested A:9 alive",
         ACTION_RUN, NULL},
        {"somebody else records an older epoch", "me=n1 epoch=3 forgot boot=claimed:n2 | n1 running A:9 alive serving",
         ACTION_RECORD, NULL},
        {"a survivor", "me=n1 epoch=3 forgot | n1 idle A:9 alive idling | n2 cached | n3 cached", ACTION_WAIT,
         "n2, n3 unaccounted for: start them, or attest their loss"},
        {"different histories", "me=n1 | n1 attested A:9 alive | n2 attested B:8 alive | n3 attested A:9 alive",
         ACTION_REFUSE,
         "the nodes hold different histories, nobody starts: n1 " UUID_A ":9, n2 " UUID_B ":8, n3 " UUID_A
         ":9; keep one, and start the others with foreign_data=discard"},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

static void claims(void **state)
{
    static const struct row rows[] = {
        {"the claimant died before it started",
         "me=n2 uuid=A boot=claimed:n1 | n1 attested A:9 | n2 attested A:9 alive | n3 attested A:9 alive", ACTION_CLAIM,
         NULL},
        {"... and had the newest copy",
         "me=n2 uuid=A boot=claimed:n1 | n1 attested A:10 | n2 attested A:9 alive | n3 attested A:9 alive", ACTION_WAIT,
         "n1 recorded seqno 10, we have 9: waiting for n1"},
        {"... and came back",
         "me=n1 uuid=A boot=claimed:n1 earlier | n1 attested A:10 alive | n2 attested A:9 alive | n3 attested A:9 "
         "alive",
         ACTION_CLAIM, NULL},
        {"... and came back, not attested yet",
         "me=n1 uuid=A boot=claimed:n1 earlier | n1 attested unheard A:10 alive | n2 attested A:9 alive | n3 attested "
         "A:9 alive",
         ACTION_ATTEST, NULL},
        {"the claimant died after that",
         "me=n2 uuid=A boot=starting:n1 | n1 running A:9 | n2 attested A:9 alive | n3 attested A:9 alive", ACTION_WAIT,
         "n1 may still be bootstrapping: start it, or `galera-init attest-lost n1` when its server is certainly "
         "stopped"},
        {"... and is attested lost",
         "me=n2 uuid=A boot=starting:n1 | n1 lost A:9 | n2 attested A:9 alive | n3 attested A:9 alive", ACTION_CLAIM,
         NULL},
        {"... and came back with its copy",
         "me=n1 uuid=A boot=starting:n1 earlier base=A:9 | n1 running unheard A:9 alive | n2 attested A:9 alive | n3 "
         "attested A:9",
         ACTION_BOOTSTRAP, "our bootstrap was not recorded as done: going on with it from seqno 9"},
        {"... and came back with less",
         "me=n1 uuid=A boot=starting:n1 earlier base=A:9 | n1 running unheard A:8 alive | n2 attested A:9 alive | n3 "
         "attested A:9",
         ACTION_ATTEST, NULL},
        {"... and came back empty",
         "me=n1 uuid=A boot=starting:n1 earlier base=A:9 | n1 running unheard empty alive | n2 attested A:9 alive | n3 "
         "attested A:9",
         ACTION_ATTEST, NULL},
        {"... of a first boot, before its server had begun",
         "me=n1 boot=starting:n1 earlier | n1 running unheard empty alive | n2 attested empty alive | n3 attested "
         "empty",
         ACTION_BOOTSTRAP, NULL},
        {"... of a first boot, after it",
         "me=n1 boot=starting:n1 earlier | n1 running unheard A:2 alive | n2 attested empty alive | n3 attested empty",
         ACTION_BOOTSTRAP, NULL},
        {"... and gave up",
         "me=n2 uuid=A boot=starting:n1 | n1 attested empty alive | n2 attested A:9 alive | n3 attested A:9 alive",
         ACTION_CLAIM, NULL},
        {"our server is Primary, nothing recorded yet", "me=n1 boot=starting:n1 | n1 running A:1 alive serving",
         ACTION_RECORD, NULL},
        {"the write was lost to another",
         "me=n1 uuid=A fork=2:9 epoch=2 boot=starting:n2 | n1 running A:9 alive serving | n2 running A:9 alive",
         ACTION_STOP,
         "our server is Primary, but etcd records another cluster or a bootstrap by somebody else: ending it at once"},
        {"another cluster is recorded", "me=n1 uuid=B boot=primary:n2 | n1 running A:9 alive serving", ACTION_STOP,
         NULL},
        {"a claim beside a Primary member is put right",
         "me=n1 uuid=A boot=claimed:n2 | n1 running A:9 alive serving | n2 attested A:9 alive", ACTION_RECORD, NULL},
        {"a claim of an epoch that is over",
         "me=n1 uuid=A boot=claimed:n2 epoch=1 | n1 attested A:9 alive | n2 attested A:9 alive | n3 running A:9 g=4",
         ACTION_ATTEST, NULL},
        {"starting, and left behind",
         "me=n1 uuid=A fork=2:9 epoch=2 boot=primary:n2 | n1 running A:9 alive starting | n2 running A:9 alive",
         ACTION_STOP, "the cluster was bootstrapped without us: stopping to join it"},
        {"a Primary member without a record of its own", "me=n1 " KNOWN "| n1 none A:9 alive serving", ACTION_RECORD,
         NULL},
        {"the winner of a recorded cluster has another UUID",
         "me=n1 " KNOWN "| n1 attested B:99 alive | n2 attested A:9 alive | n3 attested A:8", ACTION_REFUSE,
         "local data belongs to cluster " UUID_B ", running cluster is " UUID_A
         ": joining would erase it; set foreign_data=discard to allow"},
        {"... and does not count for the others",
         "me=n2 " KNOWN "| n1 attested B:99 alive | n2 attested A:9 alive | n3 attested A:8", ACTION_CLAIM, NULL},
        {"two bootstraps of one number",
         "me=n1 uuid=A boot=primary:n1 epoch=1 | n1 attested A:9 alive | n2 attested A:9 alive g=1 | n3 attested A:9",
         ACTION_REFUSE, NULL},
    };

    (void)state;
    check_rows(rows, ROW_COUNT(rows));
}

/* --- what is written -------------------------------------------------------------------------------------------------
 */

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
        cmocka_unit_test(first_boot),
        cmocka_unit_test(one_node_restarts),
        cmocka_unit_test(wiped_node),
        cmocka_unit_test(all_stopped_cleanly),
        cmocka_unit_test(all_killed),
        cmocka_unit_test(one_survives),
        cmocka_unit_test(partitioned),
        cmocka_unit_test(interrupted_and_doubtful_copies),
        cmocka_unit_test(without_etcd),
        cmocka_unit_test(etcd_lost_its_data),
        cmocka_unit_test(claims),
        cmocka_unit_test(transactions),
        cmocka_unit_test(what_a_claim_says),
        cmocka_unit_test(what_precedes_a_start),
        cmocka_unit_test(every_cause_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
