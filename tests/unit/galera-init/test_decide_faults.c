/*
 * What a node does when something is wrong besides: a copy that cannot be trusted, no etcd, an etcd that lost its data,
 * claims that were left behind, other histories; each with the rows of test_decide.c that it can meet.
 */
#include "support/cases.h"

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
        {"... and has not died: it is at it",
         "me=n1 uuid=A boot=starting:n1 base=A:9 | n1 running A:9 alive | n2 attested A:9 alive | n3 attested A:9",
         ACTION_BOOTSTRAP, "our bootstrap is under way: going on with it from seqno 9"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_and_doubtful_copies),
        cmocka_unit_test(without_etcd),
        cmocka_unit_test(etcd_lost_its_data),
        cmocka_unit_test(claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
