#include "../row.h"
#include "observe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The server, replaced: this definition keeps lib/node.o out of the program. */
static int asked;
static enum node_failure answer;
static const char *local_state;
static const char *read_only;

enum node_failure node_ask(const struct node_settings *settings, struct deadline deadline, struct facts *facts,
                           struct error *error)
{
    (void)settings;
    assert_int_equal(deadline.at_ns, 4711);
    asked++;
    facts_clear(facts);
    if (answer != NODE_ANSWERED) {
        error_set(error, EXIT_UNAVAILABLE, "no server here");
        return answer;
    }
    facts_add(facts, "wsrep_local_state", local_state);
    facts_add(facts, "read_only", read_only);
    return NODE_ANSWERED;
}

enum node_failure node_ask_everything(const struct node_settings *settings, struct deadline deadline,
                                      struct facts *facts, struct error *error)
{
    return node_ask(settings, deadline, facts, error);
}

static char directory[] = "/tmp/clustercheck-observe-XXXXXX";
static char disable_file[64];
static char drain_file[64];
static char sst_mark[64];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(disable_file, sizeof disable_file, "%s/disabled", directory);
    snprintf(drain_file, sizeof drain_file, "%s/drain", directory);
    snprintf(sst_mark, sizeof sst_mark, "%s/sst_in_progress", directory);
    return 0;
}

static void set_file(const char *path, bool there)
{
    unlink(path);
    if (there)
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static int remove_directory(void **state)
{
    (void)state;
    set_file(disable_file, false);
    set_file(drain_file, false);
    set_file(sst_mark, false);
    return rmdir(directory);
}

static bool classic_file_is_there(void)
{
    return access("/var/tmp/clustercheck.disabled", F_OK) == 0;
}

static void endpoints(void **state)
{
    static const struct {
        const char *name;
        enum endpoint endpoint;
        bool disabled, draining, sst_in_progress;
        enum node_failure answer;
        const char *local_state, *read_only;
        bool readonly_policy;
        bool asked;
        enum verdict_state state;
        enum verdict_reason reason;
    } rows[] = {
        {"synced", ENDPOINT_POLICY, false, false, false, NODE_ANSWERED, "4", "OFF", true, true, VERDICT_UP,
         REASON_SYNCED},
        {"disabled: not asked", ENDPOINT_POLICY, true, false, false, NODE_ANSWERED, "4", "OFF", true, false,
         VERDICT_DOWN, REASON_DISABLED},
        {"draining: not asked", ENDPOINT_RW, false, true, false, NODE_ANSWERED, "4", "OFF", true, false, VERDICT_DOWN,
         REASON_DRAINING},
        {"disabled and draining", ENDPOINT_RO, true, true, false, NODE_ANSWERED, "4", "OFF", true, false, VERDICT_DOWN,
         REASON_DISABLED},
        {"disabled but alive", ENDPOINT_LIVE, true, true, false, NODE_ANSWERED, "4", "OFF", true, true, VERDICT_UP,
         REASON_SYNCED},
        {"disabled and dead", ENDPOINT_LIVE, true, false, false, NODE_CANNOT_CONNECT, "", "", true, true,
         VERDICT_UNKNOWN, REASON_CANNOT_CONNECT},
        {"read-only, /rw", ENDPOINT_RW, false, false, false, NODE_ANSWERED, "4", "ON", true, true, VERDICT_DOWN,
         REASON_READ_ONLY},
        {"read-only, /ro", ENDPOINT_RO, false, false, false, NODE_ANSWERED, "4", "ON", false, true, VERDICT_UP,
         REASON_SYNCED},
        {"read-only, / allows", ENDPOINT_POLICY, false, false, false, NODE_ANSWERED, "4", "ON", true, true, VERDICT_UP,
         REASON_SYNCED},
        {"read-only, / refuses", ENDPOINT_POLICY, false, false, false, NODE_ANSWERED, "4", "ON", false, true,
         VERDICT_DOWN, REASON_READ_ONLY},
        {"read-only, /live", ENDPOINT_LIVE, false, false, false, NODE_ANSWERED, "4", "ON", false, true, VERDICT_UP,
         REASON_SYNCED},
        {"joined, /live", ENDPOINT_LIVE, false, false, false, NODE_ANSWERED, "3", "OFF", true, true, VERDICT_UP,
         REASON_SYNCED},
        {"joiner", ENDPOINT_POLICY, false, false, true, NODE_CANNOT_CONNECT, "", "", true, true, VERDICT_DOWN,
         REASON_JOINING},
        {"joiner, /live", ENDPOINT_LIVE, false, false, true, NODE_CANNOT_CONNECT, "", "", true, true, VERDICT_UP,
         REASON_JOINING},
        {"a stale mark of a transfer", ENDPOINT_POLICY, false, false, true, NODE_ANSWERED, "4", "OFF", true, true,
         VERDICT_UP, REASON_SYNCED},
        {"dead", ENDPOINT_POLICY, false, false, false, NODE_CANNOT_CONNECT, "", "", true, true, VERDICT_UNKNOWN,
         REASON_CANNOT_CONNECT},
        {"hung, /live", ENDPOINT_LIVE, false, false, false, NODE_TIMED_OUT, "", "", true, true, VERDICT_UNKNOWN,
         REASON_TIMED_OUT},
    };

    (void)state;
    if (classic_file_is_there())
        skip();
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct observed observed;
        struct settings settings = {
            .available_when_donor = DONOR_NEVER,
            .available_when_readonly = rows[i].readonly_policy,
            .disable_file = disable_file,
            .drain_file = drain_file,
            .datadir = directory,
        };
        struct request request = {.endpoint = rows[i].endpoint, .siblings = SIBLINGS_USABLE};
        set_file(disable_file, rows[i].disabled);
        set_file(drain_file, rows[i].draining);
        set_file(sst_mark, rows[i].sst_in_progress);
        asked = 0;
        answer = rows[i].answer;
        local_state = rows[i].local_state;
        read_only = rows[i].read_only;
        observe(&observed, &settings, &request, (struct deadline){4711});
        struct verdict verdict = endpoint_verdict(&observed, &settings, rows[i].endpoint);
        row_number(rows[i].name, asked, rows[i].asked);
        row_text(rows[i].name, reason_word(verdict.reason), reason_word(rows[i].reason));
        row_number(rows[i].name, verdict.state, rows[i].state);
        row_number(rows[i].name, observed.observation.siblings, SIBLINGS_USABLE);
        if (rows[i].answer != NODE_ANSWERED)
            row_text(rows[i].name, observed.observation.failure_text, "no server here");
    }
}

/* Settings that are empty switch a file off. */
static void nothing_is_set(void **state)
{
    static struct observed observed;
    struct settings settings = {.available_when_readonly = true};
    struct request request = {.endpoint = ENDPOINT_POLICY};

    (void)state;
    if (classic_file_is_there())
        skip();
    answer = NODE_CANNOT_CONNECT;
    observe(&observed, &settings, &request, (struct deadline){4711});
    assert_int_equal(endpoint_verdict(&observed, &settings, ENDPOINT_POLICY).reason, REASON_CANNOT_CONNECT);
}

/* The policy reaches the verdict. */
static void policies(void **state)
{
    static const struct {
        const char *name;
        int donor;
        enum siblings siblings;
        enum verdict_state state;
    } rows[] = {
        {"never", DONOR_NEVER, SIBLINGS_NONE_USABLE, VERDICT_DOWN},
        {"always", DONOR_ALWAYS, SIBLINGS_USABLE, VERDICT_UP},
        {"last, siblings", DONOR_LAST, SIBLINGS_USABLE, VERDICT_DOWN},
        {"last, alone", DONOR_LAST, SIBLINGS_NONE_USABLE, VERDICT_UP},
    };

    (void)state;
    if (classic_file_is_there())
        skip();
    answer = NODE_ANSWERED;
    local_state = "2";
    read_only = "OFF";
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static struct observed observed;
        struct settings settings = {.available_when_donor = rows[i].donor};
        struct request request = {.siblings = rows[i].siblings};
        observe(&observed, &settings, &request, (struct deadline){4711});
        row_number(rows[i].name, endpoint_verdict(&observed, &settings, ENDPOINT_POLICY).state, rows[i].state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints),
        cmocka_unit_test(nothing_is_set),
        cmocka_unit_test(policies),
    };

    return cmocka_run_group_tests_name("observe", tests, make_directory, remove_directory);
}
