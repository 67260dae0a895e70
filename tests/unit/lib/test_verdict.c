#include "../row.h"
#include "verdict.h"

#include <stdlib.h>

/* What servers say, as "name=value" words; the later word replaces the earlier one of the same name. */
#define MARIADB                                                                                                        \
    "wsrep_on=ON wsrep_provider=/usr/lib/galera/libgalera_smm.so wsrep_desync=OFF wsrep_reject_queries=NONE "          \
    "wsrep_sst_method=mariabackup wsrep_sst_donor_rejects_queries=OFF read_only=OFF "                                  \
    "wsrep_cluster_status=Primary wsrep_ready=ON wsrep_connected=ON wsrep_local_state=4 "                              \
    "wsrep_local_state_comment=Synced version=10.11.19-MariaDB "
#define PXC                                                                                                            \
    "wsrep_on=ON wsrep_provider=/usr/lib/galera4/libgalera_smm.so wsrep_desync=OFF wsrep_reject_queries=NONE "         \
    "wsrep_sst_method=xtrabackup-v2 wsrep_sst_donor_rejects_queries=OFF read_only=OFF "                                \
    "pxc_maint_mode=DISABLED wsrep_cluster_status=Primary wsrep_ready=ON wsrep_connected=ON "                          \
    "wsrep_local_state=4 wsrep_local_state_comment=Synced version=8.0.36-28.1 "
#define DONOR   "wsrep_local_state=2 wsrep_local_state_comment=Donor/Desynced "
#define BY_HAND DONOR "wsrep_desync=ON "
#define RSYNC   "wsrep_sst_method=rsync "
#define NON_PRIMARY                                                                                                    \
    "wsrep_cluster_status=non-Primary wsrep_ready=OFF wsrep_local_state=0 wsrep_local_state_comment=Initialized "

static void take_facts(struct facts *facts, const char *words)
{
    char copy[2048];
    char *rest = copy;

    facts_clear(facts);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(value, "(absent)") != 0) {
            assert_true(facts_add(facts, word, value));
            continue;
        }
        for (size_t i = 0; i < facts->count; i++) {
            if (strcmp(facts->row[i].name, word) == 0)
                facts->row[i] = facts->row[--facts->count];
        }
    }
}

enum { UP = VERDICT_UP, DOWN = VERDICT_DOWN, UNKNOWN = VERDICT_UNKNOWN };

static void servers_that_answer(void **state)
{
    static const struct policy strict = {DONOR_NEVER, false, false};
    static const struct policy usual = {DONOR_NEVER, true, false};
    static const struct policy always = {DONOR_ALWAYS, true, false};
    static const struct policy nonblocking = {DONOR_NONBLOCKING, true, false};
    static const struct policy last = {DONOR_LAST, true, false};
    static const struct policy desynced = {DONOR_NEVER, true, true};
    static const struct policy all = {DONOR_ALWAYS, true, true};
    static const struct policy desynced_writable = {DONOR_NEVER, false, true};
    static const struct policy always_writable = {DONOR_ALWAYS, false, false};
    static const struct {
        const char *name;
        const char *facts;
        const struct policy *policy;
        enum siblings siblings;
        int state;
        enum verdict_reason reason;
        const char *detail; /* part of it */
    } rows[] = {
        {"MariaDB synced", MARIADB, &usual, 0, UP, REASON_SYNCED, "synced"},
        {"PXC synced", PXC, &usual, 0, UP, REASON_SYNCED, "synced"},
        {"synced, strict", PXC, &strict, 0, UP, REASON_SYNCED, ""},

        /* wsrep_local_state */
        {"initialized", MARIADB "wsrep_local_state=0", &all, 0, DOWN, REASON_INITIALIZED, "not part of the cluster"},
        {"joining", MARIADB "wsrep_local_state=1", &all, 0, DOWN, REASON_JOINING, "receives"},
        {"joined", MARIADB "wsrep_local_state=3", &all, 0, DOWN, REASON_JOINED, "catches up"},
        {"state 5", MARIADB "wsrep_local_state=5", &all, 0, UNKNOWN, REASON_NOT_READY, "'5'"},
        {"state 44", MARIADB "wsrep_local_state=44", &all, 0, UNKNOWN, REASON_NOT_READY, "'44'"},
        {"state 4x", MARIADB "wsrep_local_state=4x", &all, 0, UNKNOWN, REASON_NOT_READY, "'4x'"},
        {"state -1", MARIADB "wsrep_local_state=-1", &all, 0, UNKNOWN, REASON_NOT_READY, "'-1'"},
        {"empty state", MARIADB "wsrep_local_state=", &all, 0, UNKNOWN, REASON_NOT_READY, "''"},
        {"state in words", MARIADB "wsrep_local_state=Synced", &all, 0, UNKNOWN, REASON_NOT_READY, "'Synced'"},

        /* donor: policy x method x siblings */
        {"donor, never, mariabackup", MARIADB DONOR, &usual, 0, DOWN, REASON_DONOR, "wsrep_sst_method=mariabackup)"},
        {"donor, never, rsync", MARIADB DONOR RSYNC, &usual, 0, DOWN, REASON_DONOR, "wsrep_sst_method=rsync)"},
        {"donor, never, last one", MARIADB DONOR, &usual, SIBLINGS_NONE_USABLE, DOWN, REASON_DONOR, ""},
        {"donor, always, mariabackup", MARIADB DONOR, &always, 0, UP, REASON_DONOR, "which the policy allows"},
        {"donor, always, rsync", MARIADB DONOR RSYNC, &always, 0, UP, REASON_DONOR, "rsync"},
        {"donor, always, siblings", MARIADB DONOR RSYNC, &always, SIBLINGS_USABLE, UP, REASON_DONOR, ""},
        {"donor, nonblocking, mariabackup", MARIADB DONOR, &nonblocking, 0, UP, REASON_DONOR, ""},
        {"donor, nonblocking, xtrabackup-v2", PXC DONOR, &nonblocking, 0, UP, REASON_DONOR, ""},
        {"donor, nonblocking, clone", PXC DONOR "wsrep_sst_method=clone", &nonblocking, 0, UP, REASON_DONOR, ""},
        {"donor, nonblocking, rsync", MARIADB DONOR RSYNC, &nonblocking, 0, DOWN, REASON_DONOR, ""},
        {"donor, nonblocking, mysqldump", MARIADB DONOR "wsrep_sst_method=mysqldump", &nonblocking, 0, DOWN,
         REASON_DONOR, ""},
        {"donor, nonblocking, own script", MARIADB DONOR "wsrep_sst_method=mine", &nonblocking, 0, DOWN, REASON_DONOR,
         ""},
        {"donor, nonblocking, no method", MARIADB DONOR "wsrep_sst_method=(absent)", &nonblocking, 0, DOWN,
         REASON_DONOR, "(unset)"},
        {"donor, nonblocking, rsync, last one", MARIADB DONOR RSYNC, &nonblocking, SIBLINGS_NONE_USABLE, DOWN,
         REASON_DONOR, ""},
        {"donor, last, rsync, not told", MARIADB DONOR RSYNC, &last, SIBLINGS_NOT_TOLD, DOWN, REASON_DONOR, ""},
        {"donor, last, rsync, siblings", MARIADB DONOR RSYNC, &last, SIBLINGS_USABLE, DOWN, REASON_DONOR, ""},
        {"donor, last, rsync, last one", MARIADB DONOR RSYNC, &last, SIBLINGS_NONE_USABLE, UP, REASON_DONOR, ""},
        {"donor, last, mariabackup, not told", MARIADB DONOR, &last, SIBLINGS_NOT_TOLD, UP, REASON_DONOR, ""},
        {"donor, last, mariabackup, siblings", MARIADB DONOR, &last, SIBLINGS_USABLE, UP, REASON_DONOR, ""},
        {"donor, old server without wsrep_desync", MARIADB DONOR "wsrep_desync=(absent)", &usual, 0, DOWN, REASON_DONOR,
         ""},

        /* desynced by hand is told apart, and does not fall under the donor policy */
        {"desynced", MARIADB BY_HAND, &usual, 0, DOWN, REASON_DESYNCED, "wsrep_desync=OFF brings it back"},
        {"desynced, donors always", MARIADB BY_HAND, &always, 0, DOWN, REASON_DESYNCED, ""},
        {"desynced, last one", MARIADB BY_HAND RSYNC, &last, SIBLINGS_NONE_USABLE, DOWN, REASON_DESYNCED, ""},
        {"desynced, allowed", MARIADB BY_HAND, &desynced, 0, UP, REASON_DESYNCED, "which the policy allows"},
        {"desynced, allowed, rsync", MARIADB BY_HAND RSYNC, &desynced, 0, UP, REASON_DESYNCED, ""},
        {"donor, desynced allowed", MARIADB DONOR, &desynced, 0, DOWN, REASON_DONOR, ""},
        {"wsrep_desync=ON but synced", MARIADB "wsrep_desync=ON", &usual, 0, UP, REASON_SYNCED, ""},
        {"desynced, not ready", MARIADB BY_HAND "wsrep_ready=OFF", &desynced, 0, DOWN, REASON_NOT_READY, ""},
        {"desynced, read-only", MARIADB BY_HAND "read_only=ON", &desynced_writable, 0, DOWN, REASON_READ_ONLY, ""},

        /* wsrep_sst_donor_rejects_queries counts for a donor alone */
        {"donor rejects queries", MARIADB DONOR "wsrep_sst_donor_rejects_queries=ON", &always, 0, DOWN,
         REASON_REJECTING_QUERIES, "wsrep_sst_donor_rejects_queries=ON"},
        {"donor rejects queries, never", MARIADB DONOR "wsrep_sst_donor_rejects_queries=ON", &usual, 0, DOWN,
         REASON_REJECTING_QUERIES, ""},
        {"would reject as donor, synced", MARIADB "wsrep_sst_donor_rejects_queries=ON", &usual, 0, UP, REASON_SYNCED,
         ""},
        {"would reject as donor, desynced by hand", MARIADB BY_HAND "wsrep_sst_donor_rejects_queries=ON", &desynced, 0,
         UP, REASON_DESYNCED, ""},

        /* what keeps a node that looks fit from serving */
        {"not ready", MARIADB "wsrep_ready=OFF", &all, 0, DOWN, REASON_NOT_READY, "wsrep_ready is OFF"},
        {"donor, not ready", MARIADB DONOR "wsrep_ready=OFF", &all, 0, DOWN, REASON_NOT_READY, ""},
        {"ready is junk", MARIADB "wsrep_ready=maybe", &all, 0, DOWN, REASON_NOT_READY, "maybe"},
        {"ready is empty", MARIADB "wsrep_ready=", &all, 0, DOWN, REASON_NOT_READY, ""},
        {"ready in small letters", MARIADB "wsrep_ready=on", &usual, 0, UP, REASON_SYNCED, ""},
        {"rejects", MARIADB "wsrep_reject_queries=ALL", &all, 0, DOWN, REASON_REJECTING_QUERIES, "is ALL"},
        {"rejects and kills", MARIADB "wsrep_reject_queries=ALL_KILL", &all, 0, DOWN, REASON_REJECTING_QUERIES,
         "ALL_KILL"},
        {"donor, rejects", MARIADB DONOR "wsrep_reject_queries=ALL", &all, 0, DOWN, REASON_REJECTING_QUERIES, ""},
        {"not ready and rejects", MARIADB "wsrep_ready=OFF wsrep_reject_queries=ALL", &all, 0, DOWN, REASON_NOT_READY,
         ""},

        /* read_only */
        {"read-only, allowed", MARIADB "read_only=ON", &usual, 0, UP, REASON_SYNCED, ""},
        {"read-only, refused", MARIADB "read_only=ON", &strict, 0, DOWN, REASON_READ_ONLY, "read_only is ON"},
        {"read-only as 1", MARIADB "read_only=1", &strict, 0, DOWN, REASON_READ_ONLY, ""},
        {"writable as 0", MARIADB "read_only=0", &strict, 0, UP, REASON_SYNCED, ""},
        {"read-only without locks", MARIADB "read_only=NO_LOCK", &strict, 0, DOWN, REASON_READ_ONLY, "NO_LOCK"},
        {"read_only absent", MARIADB "read_only=(absent)", &strict, 0, UP, REASON_SYNCED, ""},
        {"donor, read-only, refused", MARIADB DONOR "read_only=ON", &always_writable, 0, DOWN, REASON_READ_ONLY, ""},
        {"rejects and read-only", MARIADB "read_only=ON wsrep_reject_queries=ALL", &strict, 0, DOWN,
         REASON_REJECTING_QUERIES, ""},

        /* the Primary Component */
        {"non-primary", MARIADB NON_PRIMARY, &all, 0, DOWN, REASON_NON_PRIMARY, "non-Primary: cut off"},
        {"disconnected", MARIADB "wsrep_cluster_status=Disconnected wsrep_local_state=0", &all, 0, DOWN,
         REASON_NON_PRIMARY, "Disconnected"},
        {"non-primary though synced", MARIADB "wsrep_cluster_status=non-Primary", &all, 0, DOWN, REASON_NON_PRIMARY,
         ""},
        {"cluster status is junk", MARIADB "wsrep_cluster_status=Primaryish", &all, 0, DOWN, REASON_NON_PRIMARY, ""},
        {"cluster status is empty", MARIADB "wsrep_cluster_status=", &all, 0, DOWN, REASON_NON_PRIMARY, ""},
        {"cluster status in capitals", MARIADB "wsrep_cluster_status=PRIMARY", &usual, 0, UP, REASON_SYNCED, ""},

        /* PXC's maintenance mode */
        {"maintenance", PXC "pxc_maint_mode=MAINTENANCE", &all, 0, DOWN, REASON_MAINTENANCE, "MAINTENANCE"},
        {"shutting down", PXC "pxc_maint_mode=SHUTDOWN", &all, 0, DOWN, REASON_MAINTENANCE, "SHUTDOWN"},
        {"maintenance as a donor", PXC DONOR "pxc_maint_mode=MAINTENANCE", &all, 0, DOWN, REASON_MAINTENANCE, ""},
        {"maintenance and non-primary", PXC NON_PRIMARY "pxc_maint_mode=SHUTDOWN", &all, 0, DOWN, REASON_MAINTENANCE,
         ""},

        /* not a node of a cluster */
        {"plain MariaDB",
         "wsrep_on=OFF wsrep_provider=none read_only=OFF wsrep_local_state=0 wsrep_ready=OFF "
         "wsrep_cluster_status=Disconnected version=10.11.19-MariaDB",
         &all, 0, DOWN, REASON_STANDALONE, "wsrep_provider=none"},
        {"plain MySQL", "read_only=OFF version=8.0.36", &all, 0, DOWN, REASON_STANDALONE, "(unset)"},
        {"says nothing at all", "", &all, 0, DOWN, REASON_STANDALONE, "(unset)"},
        {"wsrep_on=OFF", MARIADB "wsrep_on=OFF", &all, 0, DOWN, REASON_STANDALONE, "not replicated"},
        {"wsrep_on=OFF hides the state", MARIADB "wsrep_on=OFF wsrep_local_state=(absent)", &all, 0, DOWN,
         REASON_STANDALONE, "not replicated"},
        {"provider none, state 4", MARIADB "wsrep_provider=none", &all, 0, DOWN, REASON_STANDALONE, ""},
        {"no state", MARIADB "wsrep_local_state=(absent)", &all, 0, DOWN, REASON_STANDALONE, ""},

        /* a variable that does not exist is not applicable */
        {"only a state", "wsrep_local_state=4", &strict, 0, UP, REASON_SYNCED, ""},
        {"only a state, donor", "wsrep_local_state=2", &strict, 0, DOWN, REASON_DONOR, "(unset)"},
        {"ready absent", MARIADB "wsrep_ready=(absent)", &usual, 0, UP, REASON_SYNCED, ""},
        {"rejects absent", MARIADB "wsrep_reject_queries=(absent)", &usual, 0, UP, REASON_SYNCED, ""},
        {"cluster status absent", MARIADB "wsrep_cluster_status=(absent)", &usual, 0, UP, REASON_SYNCED, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct facts facts;
        struct observation seen = {.failure = NODE_ANSWERED, .facts = &facts, .siblings = rows[i].siblings};
        take_facts(&facts, rows[i].facts);
        struct verdict verdict = verdict_decide(&seen, rows[i].policy);
        row_text(rows[i].name, reason_word(verdict.reason), reason_word(rows[i].reason));
        row_number(rows[i].name, verdict.state, rows[i].state);
        row_contains(rows[i].name, verdict.detail, rows[i].detail);
        /* An admin's files come before everything that the server says. */
        seen.draining = true;
        verdict = verdict_decide(&seen, rows[i].policy);
        row_number(rows[i].name, verdict.reason, REASON_DRAINING);
        row_number(rows[i].name, verdict.state, DOWN);
        seen.disabled = true;
        verdict = verdict_decide(&seen, rows[i].policy);
        row_number(rows[i].name, verdict.reason, REASON_DISABLED);
        row_number(rows[i].name, verdict.state, DOWN);
        /* It answered, so it is alive. */
        row_number(rows[i].name, verdict_live(&seen).state, UP);
    }
}

static void servers_that_fail(void **state)
{
    static const struct {
        const char *name;
        enum node_failure failure;
        bool sst_in_progress;
        const char *text;
        int state;
        enum verdict_reason reason;
        const char *detail;
        int live_state;
        enum verdict_reason live_reason;
    } rows[] = {
        {"refused", NODE_CANNOT_CONNECT, false, "connection refused", UNKNOWN, REASON_CANNOT_CONNECT,
         "cannot be reached: connection refused", UNKNOWN, REASON_CANNOT_CONNECT},
        {"refused during a transfer", NODE_CANNOT_CONNECT, true, "connection refused", DOWN, REASON_JOINING,
         "takes no connections", UP, REASON_JOINING},
        {"denied", NODE_ACCESS_DENIED, false, "Access denied", UNKNOWN, REASON_ACCESS_DENIED,
         "refuses the check's account", UP, REASON_ACCESS_DENIED},
        {"denied, with the mark of a transfer", NODE_ACCESS_DENIED, true, "Access denied", UNKNOWN,
         REASON_ACCESS_DENIED, "Access denied", UP, REASON_ACCESS_DENIED},
        {"full", NODE_TOO_MANY_CONNECTIONS, false, "Too many", UNKNOWN, REASON_TOO_MANY_CONNECTIONS,
         "no connection left", UP, REASON_TOO_MANY_CONNECTIONS},
        {"timed out", NODE_TIMED_OUT, false, "lost", UNKNOWN, REASON_TIMED_OUT, "did not answer in time: lost", UNKNOWN,
         REASON_TIMED_OUT},
        {"timed out, with the mark of a transfer", NODE_TIMED_OUT, true, "lost", UNKNOWN, REASON_TIMED_OUT, "", UNKNOWN,
         REASON_TIMED_OUT},
        {"no text", NODE_CANNOT_CONNECT, false, NULL, UNKNOWN, REASON_CANNOT_CONNECT, "no details", UNKNOWN,
         REASON_CANNOT_CONNECT},
    };
    static const struct policy policy = {DONOR_ALWAYS, true, true};
    static const struct facts nothing;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct observation seen = {.failure = rows[i].failure,
                                   .failure_text = rows[i].text,
                                   .facts = &nothing,
                                   .sst_in_progress = rows[i].sst_in_progress};
        struct verdict verdict = verdict_decide(&seen, &policy);
        row_text(rows[i].name, reason_word(verdict.reason), reason_word(rows[i].reason));
        row_number(rows[i].name, verdict.state, rows[i].state);
        row_contains(rows[i].name, verdict.detail, rows[i].detail);
        struct verdict live = verdict_live(&seen);
        row_text(rows[i].name, reason_word(live.reason), reason_word(rows[i].live_reason));
        row_number(rows[i].name, live.state, rows[i].live_state);
        seen.disabled = true;
        row_number(rows[i].name, verdict_decide(&seen, &policy).reason, REASON_DISABLED);
        row_number(rows[i].name, verdict_live(&seen).state, rows[i].live_state);
    }
}

/* Every combination of what a server may say and of what the policy may be: only a fit node is ever up. */
static void never_up_without_all_conditions(void **state)
{
    static const char *const variables[][4] = {
        {"wsrep_local_state", "2", "4", NULL},
        {"wsrep_cluster_status", "Primary", "non-Primary", NULL},
        {"wsrep_ready", "ON", "OFF", NULL},
        {"wsrep_reject_queries", "NONE", "ALL", NULL},
        {"wsrep_on", "ON", "OFF", NULL},
        {"pxc_maint_mode", "DISABLED", "MAINTENANCE", NULL},
        {"read_only", "OFF", "ON", NULL},
        {"wsrep_desync", "OFF", "ON", NULL},
        {"wsrep_sst_method", "mariabackup", "rsync", NULL},
        {"wsrep_sst_donor_rejects_queries", "OFF", "ON", NULL},
    };
    enum { STATE, STATUS, READY, REJECT, WSREP_ON, MAINT, READ_ONLY, DESYNC, METHOD, DONOR_REJECTS, VARIABLES };

    (void)state;
    for (unsigned bits = 0; bits < 1U << VARIABLES; bits++) {
        static struct facts facts;
        char name[64];
        facts_clear(&facts);
        for (unsigned v = 0; v < VARIABLES; v++)
            facts_add(&facts, variables[v][0], variables[v][bits >> v & 1 ? 2 : 1]);
        bool synced = bits >> STATE & 1;
        bool by_hand = bits >> DESYNC & 1;
        bool rsync = bits >> METHOD & 1;
        for (unsigned p = 0; p < 4 * 2 * 2 * 3; p++) {
            struct policy policy = {(enum donor_policy)(p % 4), p / 4 % 2 != 0, p / 8 % 2 != 0};
            struct observation seen = {.failure = NODE_ANSWERED, .facts = &facts, .siblings = (enum siblings)(p / 16)};
            bool serves = !(bits >> STATUS & 1) && !(bits >> READY & 1) && !(bits >> REJECT & 1) &&
                          !(bits >> WSREP_ON & 1) && !(bits >> MAINT & 1) &&
                          (policy.readonly || !(bits >> READ_ONLY & 1));
            bool donates = !(bits >> DONOR_REJECTS & 1) &&
                           (policy.donor == DONOR_ALWAYS || (policy.donor != DONOR_NEVER && !rsync) ||
                            (policy.donor == DONOR_LAST && seen.siblings == SIBLINGS_NONE_USABLE));
            bool expected = serves && (synced || (by_hand ? policy.desynced : donates));
            struct verdict verdict = verdict_decide(&seen, &policy);
            snprintf(name, sizeof name, "facts %x, policy %u", bits, p);
            row_number(name, verdict.state, expected ? VERDICT_UP : VERDICT_DOWN);
            row_true(name, verdict.detail[0] != '\0');
        }
    }
}

static void long_texts_are_cut(void **state)
{
    static char text[2000];
    static const struct facts nothing;
    struct observation seen = {.failure = NODE_CANNOT_CONNECT, .failure_text = text, .facts = &nothing};
    struct policy policy = {DONOR_NEVER, true, false};

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(strlen(verdict_decide(&seen, &policy).detail), VERDICT_DETAIL_SIZE - 1);
}

static void words(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        const char *word = reason_word((enum verdict_reason)i);
        assert_non_null(word);
        row_number(word, strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
        for (int k = 0; k < i; k++)
            row_true(word, strcmp(word, reason_word((enum verdict_reason)k)) != 0);
    }
    assert_string_equal(verdict_state_word(VERDICT_UP), "up");
    assert_string_equal(verdict_state_word(VERDICT_DOWN), "down");
    assert_string_equal(verdict_state_word(VERDICT_UNKNOWN), "unknown");
}

static void methods(void **state)
{
    static const struct {
        const char *method;
        bool nonblocking;
    } rows[] = {
        {"mariabackup", true}, {"xtrabackup-v2", true}, {"clone", true},      {"MariaBackup", true}, {"rsync", false},
        {"mysqldump", false},  {"xtrabackup", false},   {"rsync_wan", false}, {"", false},           {"skip", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].method, sst_method_is_nonblocking(rows[i].method), rows[i].nonblocking);
    assert_false(sst_method_is_nonblocking(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_answer),
        cmocka_unit_test(servers_that_fail),
        cmocka_unit_test(never_up_without_all_conditions),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(words),
        cmocka_unit_test(methods),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
