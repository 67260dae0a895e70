#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "store.h"

/*
 * As test_store_v3.c, with the keys of v2: a row is what is in etcd, an action of ours, what happens before one of its
 * calls, and what comes of it.
 */

enum { TTL_S = 10, TTL_MS = 10000 };

enum act {
    NOTHING,
    OTHER,          /* another node's entry under our id */
    OTHER_FOR_EVER, /* ... that does not expire */
    OTHER_PORT,     /* another server with our address */
    FORMER,         /* an entry like ours */
    FORMER_FOR_EVER,
    HALF,       /* ours without its address */
    HALF_OTHER, /* another's without its address */
    EMPTY,      /* a directory alone */
    HELD,
    HELD_STATELESS,
    GONE,
    IP_GONE,
    HOST_CHANGED,
    ACTS
};

static const char directory[] = "/p/db1";

static struct registry_entry own;
static struct store store;
static struct etcd *client;

static void put_entry(const char *host, const char *ip, const char *port, int64_t ttl_s)
{
    fake_v2_delete(directory);
    fake_v2_put(directory, NULL, ttl_s);
    fake_v2_put("/p/db1/host", host, 0);
    if (ip != NULL)
        fake_v2_put("/p/db1/ip", ip, 0);
    fake_v2_put("/p/db1/port", port, 0);
    fake_v2_put("/p/db1/state", "synced", 0);
}

static void claim_it(bool with_state)
{
    struct announce_report report;
    struct error error;

    if (!with_state)
        own.state[0] = '\0';
    store_do(&store, ANNOUNCE_CLAIM, deadline_in_ms(1000), &report, &error);
    assert_int_equal(report.outcome, OUTCOME_DONE);
}

static void perform(enum act act)
{
    switch (act) {
    case OTHER:
        put_entry("two", "10.0.0.6", "3306", TTL_S);
        break;
    case OTHER_FOR_EVER:
        put_entry("two", "10.0.0.6", "3306", 0);
        break;
    case OTHER_PORT:
        put_entry("one", "10.0.0.5", "3307", TTL_S);
        break;
    case FORMER:
        put_entry("one", "10.0.0.5", "3306", TTL_S);
        break;
    case FORMER_FOR_EVER:
        put_entry("one", "10.0.0.5", "3306", 0);
        break;
    case HALF:
        put_entry("one", NULL, "3306", TTL_S);
        break;
    case HALF_OTHER:
        put_entry("two", NULL, "3306", TTL_S);
        break;
    case EMPTY:
        fake_v2_delete(directory);
        fake_v2_put(directory, NULL, TTL_S);
        break;
    case HELD:
        claim_it(true);
        break;
    case HELD_STATELESS:
        claim_it(false);
        break;
    case GONE:
        fake_v2_delete(directory);
        break;
    case IP_GONE:
        fake_v2_delete("/p/db1/ip");
        break;
    case HOST_CHANGED:
        fake_v2_put("/p/db1/host", "elsewhere", 0);
        break;
    case NOTHING:
    case ACTS:
        break;
    }
}

struct disturbance {
    int at;
    enum act act;
    enum fake_fault fault;
};

struct course {
    struct disturbance disturbance;
    int calls;
    bool active;
};

static enum fake_fault before(void *context, struct etcd *who, enum fake_call call)
{
    struct course *course = context;

    (void)who;
    (void)call;
    if (!course->active || ++course->calls != course->disturbance.at)
        return FAKE_ANSWER;
    perform(course->disturbance.act);
    return course->disturbance.fault;
}

static const char *const neighbours[] = {"/p/db/ip", "/p/db10/ip", "/p/ip", "/q/db1/ip"};

static void check_neighbours(const char *row)
{
    size_t found = 0;

    for (size_t i = 0; i < fake_v2_keys()->count; i++) {
        for (size_t k = 0; k < ROW_COUNT(neighbours); k++)
            found += strcmp(fake_v2_keys()->kv[i].key, neighbours[k]) == 0;
    }
    row_number(row, found, ROW_COUNT(neighbours));
}

static void begin(struct course *course)
{
    const struct fake_hooks hooks = {.context = course, .before = before};

    fake_reset(1);
    fake_set_api(ETCD_V2);
    fake_set_hooks(&hooks);
    client = fake_client("10.0.0.5");
    own = (struct registry_entry){.id = "db1", .port = 3306, .host = "one", .state = "synced"};
    store_init(&store, client, &own, "/p", TTL_MS);
    for (size_t i = 0; i < ROW_COUNT(neighbours); i++)
        fake_v2_put(neighbours[i], "x", 0);
}

static enum announce_outcome act_ourselves(struct course *course, enum announce_action action,
                                           struct announce_report *report, struct error *error)
{
    *error = (struct error){.code = EXIT_YES};
    if (action == ANNOUNCE_UPDATE)
        snprintf(own.state, sizeof own.state, "donor");
    course->calls = 0;
    course->active = true;
    store_do(&store, action, deadline_in_ms(3000), report, error);
    course->active = false;
    return report->outcome;
}

/* "ours" when our entry is there, whole and about to expire some day; "empty" for a directory without keys. */
static const char *describe(char *text, size_t size)
{
    const struct etcd_range *all = fake_v2_keys();

    text[0] = '\0';
    if (holder_find(all, "/p/db1/", &own, 0).intact && fake_v2_left_ms(directory) > 0)
        return "ours";
    for (size_t i = 0; i < all->count; i++) {
        size_t length = strlen(text);
        if (strncmp(all->kv[i].key, "/p/db1/", 7) == 0)
            snprintf(text + length, size - length, "%s%s=%s", length == 0 ? "" : " ", all->kv[i].key + 7,
                     all->kv[i].value);
    }
    return text[0] == '\0' && fake_v2_has_directory(directory) ? "empty" : text;
}

/* Words for the tables. */
#define CLAIM       ANNOUNCE_CLAIM
#define KEEP        ANNOUNCE_KEEP
#define VERIFY      ANNOUNCE_VERIFY
#define UPDATE      ANNOUNCE_UPDATE
#define WITHDRAW    ANNOUNCE_WITHDRAW
#define END         ANNOUNCE_WAIT, OUTCOME_DONE, NULL
#define DONE        OUTCOME_DONE
#define LOST        OUTCOME_GONE
#define TAKEN       OUTCOME_TAKEN
#define AWAY        OUTCOME_UNREACHABLE
#define REFUSED     OUTCOME_REFUSED
#define INTERRUPTED OUTCOME_INTERRUPTED
#define SILENT      FAKE_NO_ANSWER
#define BREAK_LATE  FAKE_INTERRUPTED_LATE

#define REST        "10.0.0.5 port=3306 state=synced"
#define OTHERS      "host=two ip=10.0.0.6 port=3306 state=synced"
#define OTHERS_PORT "host=one ip=10.0.0.5 port=3307 state=synced"
#define FORMER_S    "host=one ip=10.0.0.5 port=3306 state=synced"
#define STATELESS   "host=one ip=10.0.0.5 port=3306"
#define HALF_S      "host=one port=3306 state=synced"
#define HALF_OTHERS "host=two port=3306 state=synced"

struct row {
    const char *name;
    enum act scene[2];
    enum announce_action action;
    struct disturbance disturbance;
    enum announce_outcome outcome;
    const char *keys;
    const char *error;
    enum announce_action then;
    enum announce_outcome then_outcome;
    const char *then_keys;
};

static void play(const struct row *row)
{
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;
    char text[512];

    begin(&course);
    for (size_t i = 0; i < ROW_COUNT(row->scene); i++)
        perform(row->scene[i]);
    course.disturbance = row->disturbance;
    row_number(row->name, act_ourselves(&course, row->action, &report, &error), row->outcome);
    row_true(row->name, row->disturbance.at <= course.calls);
    row_text(row->name, describe(text, sizeof text), row->keys);
    if (row->error != NULL)
        row_contains(row->name, error.text, row->error);
    course.disturbance = (struct disturbance){.at = 0};
    if (row->then != ANNOUNCE_WAIT) {
        row_number(row->name, act_ourselves(&course, row->then, &report, &error), row->then_outcome);
        row_text(row->name, describe(text, sizeof text), row->then_keys);
    }
    check_neighbours(row->name);
    etcd_close(client);
}

/* The calls of a first claim: 1 version, 2 read, 3 directory, 4 to 9 the fields with the address last, 10 directory. */
static void claims(void **state)
{
    static const struct row rows[] = {
        {"nobody", {0}, CLAIM, {0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"leftover", {FORMER}, CLAIM, {0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"leftover for ever", {FORMER_FOR_EVER}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"half a leftover", {HALF}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"half of another's", {HALF_OTHER}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"an empty directory", {EMPTY}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"another", {OTHER}, CLAIM, {0}, TAKEN, OTHERS, "belongs to 10.0.0.6:3306", WITHDRAW, DONE, OTHERS},
        {"our other server",
         {OTHER_PORT},
         CLAIM,
         {0},
         TAKEN,
         OTHERS_PORT,
         "10.0.0.5:3307",
         WITHDRAW,
         DONE,
         OTHERS_PORT},
        {"another in the gap", {0}, CLAIM, {3, OTHER, 0}, AWAY, OTHERS, "", CLAIM, TAKEN, OTHERS},
        {"the leftover goes in the gap", {FORMER}, CLAIM, {3, GONE, 0}, AWAY, "", "not found", CLAIM, DONE, "ours"},
        {"the directory goes later", {0}, CLAIM, {7, GONE, 0}, DONE, STATELESS, NULL, VERIFY, LOST, STATELESS},
        {"the directory goes at the end", {0}, CLAIM, {10, GONE, 0}, AWAY, "", "not found", CLAIM, DONE, "ours"},
        {"no version", {0}, CLAIM, {1, 0, SILENT}, AWAY, "", "no answer", WITHDRAW, DONE, ""},
        {"no answer to the read", {0}, CLAIM, {2, 0, SILENT}, AWAY, "", "no answer", CLAIM, DONE, "ours"},
        {"half way, and a stop",
         {0},
         CLAIM,
         {8, 0, SILENT},
         AWAY,
         "host=one state=synced",
         "no answer",
         WITHDRAW,
         DONE,
         ""},
        {"a directory, and a stop", {0}, CLAIM, {4, 0, SILENT}, AWAY, "empty", "no answer", WITHDRAW, DONE, ""},
        {"the directory twice", {0}, CLAIM, {3, 0, FAKE_TWICE}, AWAY, "empty", "", CLAIM, DONE, "ours"},
        {"the address twice", {0}, CLAIM, {9, 0, FAKE_TWICE}, DONE, "ours", NULL, END},
        {"interrupted", {0}, CLAIM, {9, 0, BREAK_LATE}, INTERRUPTED, "ours", "interr", WITHDRAW, DONE, ""},
        {"denied", {0}, CLAIM, {3, 0, FAKE_DENIED}, REFUSED, "", "denied", END},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

static void beats(void **state)
{
    static const struct row rows[] = {
        {"keep", {HELD}, KEEP, {0}, DONE, "ours", NULL, END},
        {"keep, gone", {HELD, GONE}, KEEP, {0}, LOST, "", "not found", CLAIM, DONE, "ours"},
        {"keep, no answer", {HELD}, KEEP, {1, 0, SILENT}, AWAY, "ours", "no answer", KEEP, DONE, "ours"},
        {"verify", {HELD}, VERIFY, {0}, DONE, "ours", NULL, END},
        {"verify, gone", {HELD, GONE}, VERIFY, {0}, LOST, "", "removed or", CLAIM, DONE, "ours"},
        {"verify, no address", {HELD, IP_GONE}, VERIFY, {0}, LOST, HALF_S, "removed or", CLAIM, DONE, "ours"},
        {"verify, a key changed",
         {HELD, HOST_CHANGED},
         VERIFY,
         {0},
         LOST,
         "host=elsewhere ip=" REST,
         "removed or",
         CLAIM,
         DONE,
         "ours"},
        {"verify, it does not expire",
         {HELD, FORMER_FOR_EVER},
         VERIFY,
         {0},
         LOST,
         FORMER_S,
         "removed or",
         CLAIM,
         DONE,
         "ours"},
        {"verify, another", {HELD, OTHER}, VERIFY, {0}, TAKEN, OTHERS, "belongs to", WITHDRAW, DONE, OTHERS},
        {"update", {HELD}, UPDATE, {0}, DONE, "ours", NULL, END},
        {"update, the first state", {HELD_STATELESS}, UPDATE, {0}, DONE, "ours", NULL, END},
        {"update, gone", {HELD, GONE}, UPDATE, {0}, LOST, "", "not there", CLAIM, DONE, "ours"},
        {"update, gone since", {HELD}, UPDATE, {2, GONE, 0}, DONE, "state=donor", NULL, VERIFY, LOST, "state=donor"},
        {"update, another", {HELD, OTHER}, UPDATE, {0}, TAKEN, OTHERS, "belongs to", END},
        {"update, twice", {HELD}, UPDATE, {2, 0, FAKE_TWICE}, DONE, "ours", NULL, END},
        {"update, no answer", {HELD}, UPDATE, {1, 0, SILENT}, AWAY, FORMER_S, "no answer", UPDATE, DONE, "ours"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

/* The calls: 1 read, 2 the address, 3 read, 4 the directory. */
static void withdrawals(void **state)
{
    static const struct row rows[] = {
        {"ours", {HELD}, WITHDRAW, {0}, DONE, "", NULL, CLAIM, DONE, "ours"},
        {"nothing left", {HELD, GONE}, WITHDRAW, {0}, DONE, "", NULL, END},
        {"another's", {HELD, OTHER}, WITHDRAW, {0}, DONE, OTHERS, NULL, END},
        {"of our other server", {HELD, OTHER_PORT}, WITHDRAW, {0}, DONE, OTHERS_PORT, NULL, END},
        {"another begins", {HELD, HALF_OTHER}, WITHDRAW, {0}, DONE, HALF_OTHERS, NULL, END},
        {"another in the gap", {HELD}, WITHDRAW, {2, OTHER, 0}, DONE, OTHERS, NULL, END},
        {"another in the second gap", {HELD}, WITHDRAW, {3, OTHER, 0}, DONE, OTHERS, NULL, END},
        {"another begins in the second gap", {HELD}, WITHDRAW, {3, HALF_OTHER, 0}, DONE, HALF_OTHERS, NULL, END},
        {"gone in the gap", {HELD}, WITHDRAW, {2, GONE, 0}, DONE, "", NULL, END},
        {"the address twice", {HELD}, WITHDRAW, {2, 0, FAKE_TWICE}, DONE, "", NULL, END},
        {"the directory twice", {HELD}, WITHDRAW, {4, 0, FAKE_TWICE}, DONE, "", NULL, END},
        {"no answer", {HELD}, WITHDRAW, {2, 0, SILENT}, AWAY, "ours", "no answer", WITHDRAW, DONE, ""},
        {"no answer after the address",
         {HELD},
         WITHDRAW,
         {4, 0, SILENT},
         AWAY,
         HALF_S,
         "no answer",
         WITHDRAW,
         DONE,
         ""},
        {"answer lost", {HELD}, WITHDRAW, {4, 0, FAKE_LOST}, AWAY, "", "no answer", WITHDRAW, DONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

static void reports(void **state)
{
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;

    (void)state;
    begin(&course);
    perform(OTHER);
    fake_pass(3000);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_TAKEN);
    assert_int_equal(report.left_ms, 7000);
    int64_t holder = report.holder;
    fake_v2_put("/p/db1", NULL, TTL_S); /* it lives */
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_TAKEN);
    assert_int_equal(report.left_ms, 10000);
    assert_int_equal(report.holder, holder);
    perform(OTHER_FOR_EVER);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_TAKEN);
    assert_int_equal(report.left_ms, -1);
    perform(GONE);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_DONE);
    assert_int_equal(report.ttl_ms, TTL_MS);
    fake_pass(TTL_MS - 1);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_KEEP, &report, &error), OUTCOME_DONE);
    fake_pass(TTL_MS - 1);
    assert_true(fake_v2_has_directory("/p/db1"));
    fake_pass(1);
    assert_false(fake_v2_has_directory("/p/db1"));
    assert_true(fake_v2_has_directory("/p"));
    etcd_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims),
        cmocka_unit_test(beats),
        cmocka_unit_test(withdrawals),
        cmocka_unit_test(reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
