/*
 * What a node does: the table of the manual, row by row and with what can come on top of each row. What happens over
 * time is the business of test_model.c.
 */
#include "support/cases.h"

/* --- the rows of the manual's table ---------------------------------------------------------------------------------
 */

static void first_boot(void **state)
{
    static const struct row rows[] = {
        {"nobody has reported", "me=n1 | n1 none empty alive", ACTION_ATTEST,
         "our server is stopped (an empty data directory); recording that, so that others may count on it"},
        {"alone", "me=n1 | n1 attested empty alive", ACTION_WAIT,
         "1 of 3 nodes have registered (missing two more); not bootstrapping yet"},
        {"one is missing", "me=n1 | n1 attested empty alive | n2 attested empty alive", ACTION_WAIT,
         "2 of 3 nodes have registered (missing one more); not bootstrapping yet"},
        {"lowest name", "me=n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive",
         ACTION_CLAIM, "all 3 nodes are empty and we are the first by name: creating the cluster"},
        {"a cluster of one", "me=n1 size=1 | n1 attested empty alive", ACTION_CLAIM,
         "this node is empty, and nodes = 1: creating the cluster"},
        {"not the lowest name", "me=n2 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive",
         ACTION_WAIT, "n1 goes first, being the newest or the first of equals: waiting for it"},
        {"the lowest name died", "me=n2 | n1 attested empty | n2 attested empty alive | n3 attested empty alive",
         ACTION_CLAIM, NULL},
        {"claimed by us", "me=n1 boot=claimed:n1 | n1 attested empty alive | n2 attested empty | n3 attested empty",
         ACTION_BOOTSTRAP, "the bootstrap is ours by record, from an empty data directory"},
        {"claimed by another",
         "me=n2 boot=claimed:n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty", ACTION_WAIT,
         "n1 has claimed the bootstrap: waiting for it to become Primary"},
        {"its server runs, nothing is recorded",
         "me=n2 boot=starting:n1 | n1 running empty alive primary=A synced | n2 attested empty alive", ACTION_WAIT,
         "n1 runs as Primary, but etcd does not say so yet: waiting for n1 to record it"},
        {"it is recorded",
         "me=n2 " KNOWN "| n1 attested empty | n2 attested empty alive | n3 running A:3 alive primary synced",
         ACTION_JOIN, "n3 runs as Primary: joining from an empty data directory"},
        {"more than expected", "me=n1 size=2 | n1 attested empty alive | n2 attested empty alive | n3 none empty alive",
         ACTION_CLAIM, NULL},
        {"a registered fourth is gone",
         "me=n1 | n1 attested empty alive | n2 attested empty alive | n3 attested empty alive | n4 attested empty old",
         ACTION_WAIT, "n4 has not reported and may hold newer data: start it, or `galera-init attest-lost n4`"},
        {"nodes differs: the largest counts", "me=n1 size=1 | n1 attested empty alive | n2 attested empty alive size=3",
         ACTION_WAIT, "2 of 3 nodes have registered (missing one more); not bootstrapping yet"},
        {"one was forgotten, nodes was left as it was",
         "me=n1 " KNOWN "| n1 attested A:9 alive | n2 attested A:9 alive", ACTION_WAIT,
         "2 of 3 nodes have registered (missing one more); not bootstrapping: start what is missing; or, if the "
         "cluster "
         "is smaller now, set nodes in [init] to how many are left, on all of them, and start galera-init again"},
        {"one was forgotten, nodes was lowered on one",
         "me=n1 size=2 " KNOWN "| n1 attested A:9 alive size=2 | n2 attested A:9 alive size=3", ACTION_WAIT, NULL},
        {"one was forgotten, nodes was lowered",
         "me=n1 size=2 " KNOWN "| n1 attested A:9 alive size=2 | n2 attested A:9 alive size=2", ACTION_CLAIM, NULL},
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
        {"joining, and its transfer failed",
         "me=n1 " KNOWN "| n1 running A:90 alive starting disconnected | n2 running A:120 alive primary synced",
         ACTION_STOP,
         "Galera has disconnected our server from the cluster for good, its error log says why: restarting it"},
        {"the others found it inconsistent",
         "me=n1 " KNOWN "| n1 running A:90 alive idling disconnected | n2 running A:120 alive primary synced",
         ACTION_STOP, NULL},
        {"stopped meanwhile",
         "me=n1 " KNOWN "| n1 running A:90 alive disconnected unheard | n2 running A:120 alive primary synced",
         ACTION_JOIN, NULL},
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
         ACTION_JOIN, "n2 runs as Primary: joining from an empty data directory"},
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
        {"a cluster of one node, killed: there is nobody to form the view with",
         "me=n1 size=1 uuid=A boot=primary:n1 | n1 attested A:90 view=V/1 alive", ACTION_CLAIM,
         "all nodes are stopped and accounted for, none has more than our seqno 90"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_boot),          cmocka_unit_test(one_node_restarts), cmocka_unit_test(wiped_node),
        cmocka_unit_test(all_stopped_cleanly), cmocka_unit_test(all_killed),        cmocka_unit_test(one_survives),
        cmocka_unit_test(partitioned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
