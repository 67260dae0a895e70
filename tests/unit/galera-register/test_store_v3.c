#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "store.h"

/*
 * A row: what is in etcd, an action of ours, what happens before one of its calls, and what comes of it. Then, for some
 * rows, a second action that nothing disturbs.
 *
 * We are db1 with 10.0.0.5, host one; the other node has 10.0.0.6, host two.
 */

enum { TTL_S = 10, TTL_MS = 10000 };

/* Things that somebody else does. */
enum act {
    NOTHING,
    OTHER,           /* another node's entry under our id, with a lease */
    OTHER_FOR_EVER,  /* ... without one */
    FORMER,          /* an entry like ours under another lease: of a former run, or of a second process */
    FORMER_FOR_EVER, /* ... without one */
    PART_WITHOUT_IP,
    PART_WITH_IP,
    HELD, /* we have claimed it */
    KEYS_GONE,
    KEY_GONE,
    KEY_CHANGED,
    PORT_CHANGED,
    IP_CHANGED,
    LEASE_GONE, /* ours */
    OTHER_GONE, /* the other's lease */
    WIPED,
    MOVED, /* our connection comes from another address now */
    ACTS
};

static const char directory[] = "/p/db1/";

static struct registry_entry own;
static struct store store;
static struct etcd *client;
static int64_t other_lease;

static void put(const char *field, const char *value, int64_t lease)
{
    char key[64];

    snprintf(key, sizeof key, "%s%s", directory, field);
    fake_put(key, value, lease);
}

static void put_entry(const char *host, const char *ip, int64_t lease)
{
    fake_delete(directory, true);
    put("host", host, lease);
    put("ip", ip, lease);
    put("port", "3306", lease);
    put("state", "synced", lease);
}

static void act_on_part(enum act act)
{
    if (act == KEY_GONE)
        fake_delete("/p/db1/host", false);
    else if (act == KEY_CHANGED)
        put("host", "elsewhere", 0);
    else if (act == PORT_CHANGED)
        put("port", "3307", 0);
    else if (act == IP_CHANGED)
        put("ip", "10.0.0.9", 0);
    else if (act == PART_WITHOUT_IP)
        put("host", "two", fake_grant(TTL_S));
    else if (act == PART_WITH_IP)
        put("ip", "10.0.0.5", fake_grant(TTL_S));
}

static void perform(enum act act)
{
    struct announce_report report;
    struct error error;

    switch (act) {
    case OTHER:
        other_lease = fake_grant(TTL_S);
        put_entry("two", "10.0.0.6", other_lease);
        break;
    case OTHER_FOR_EVER:
        put_entry("two", "10.0.0.6", 0);
        break;
    case FORMER:
        put_entry("one", "10.0.0.5", fake_grant(TTL_S));
        break;
    case FORMER_FOR_EVER:
        put_entry("one", "10.0.0.5", 0);
        break;
    case HELD:
        store_do(&store, ANNOUNCE_CLAIM, deadline_in_ms(1000), &report, &error);
        assert_int_equal(report.outcome, OUTCOME_DONE);
        break;
    case KEYS_GONE:
        fake_delete(directory, true);
        break;
    case LEASE_GONE:
        fake_revoke(store.lease);
        break;
    case OTHER_GONE:
        fake_revoke(other_lease);
        break;
    case WIPED:
        fake_wipe();
        break;
    case MOVED:
        fake_set_local_address(client, "10.0.0.4");
        break;
    case PART_WITHOUT_IP:
    case PART_WITH_IP:
    case KEY_GONE:
    case KEY_CHANGED:
    case PORT_CHANGED:
    case IP_CHANGED:
    case NOTHING:
    case ACTS:
        act_on_part(act);
        break;
    }
}

/* What happens before call number `at` (0: never; negative: before that call and all later ones). */
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
    const struct disturbance *disturbance = &course->disturbance;

    (void)who;
    (void)call;
    if (!course->active)
        return FAKE_ANSWER;
    course->calls++;
    if (course->calls != disturbance->at && (disturbance->at >= 0 || course->calls < -disturbance->at))
        return FAKE_ANSWER;
    course->active = false;
    perform(disturbance->act);
    course->active = true;
    return disturbance->fault;
}

/* Keys that are nobody's business. */
static const char *const neighbours[] = {"/p", "/p/db", "/p/db/ip", "/p/db1", "/p/db10/ip", "/p/ip", "/q/db1/ip"};

static void check_neighbours(const char *row)
{
    for (size_t i = 0; i < ROW_COUNT(neighbours); i++) {
        const struct etcd_kv *kv = fake_get(neighbours[i]);
        row_true(row, kv != NULL && kv->version == 1);
    }
}

static void begin(struct course *course)
{
    const struct fake_hooks hooks = {.context = course, .before = before};

    fake_reset(1);
    fake_set_hooks(&hooks);
    client = fake_client("10.0.0.5");
    own = (struct registry_entry){.id = "db1", .port = 3306, .host = "one", .state = "synced"};
    other_lease = 0;
    store_init(&store, client, &own, "/p", TTL_MS);
    for (size_t i = 0; i < ROW_COUNT(neighbours); i++)
        fake_put(neighbours[i], "x", 0);
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

/* "ours" when our entry is there and whole, else what is there. */
static const char *describe(char *text, size_t size)
{
    const struct etcd_range *all = fake_keys();
    struct etcd_range below = *all;

    text[0] = '\0';
    if (holder_find(&below, directory, &own, store.lease).intact)
        return "ours";
    for (size_t i = 0; i < all->count; i++) {
        size_t length = strlen(text);
        if (strncmp(all->kv[i].key, directory, strlen(directory)) == 0)
            snprintf(text + length, size - length, "%s%s=%s", length == 0 ? "" : " ",
                     all->kv[i].key + strlen(directory), all->kv[i].value);
    }
    return text;
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
#define DISPLACED   OUTCOME_DISPLACED
#define AWAY        OUTCOME_UNREACHABLE
#define REFUSED     OUTCOME_REFUSED
#define INTERRUPTED OUTCOME_INTERRUPTED
#define SILENT      FAKE_NO_ANSWER
#define BREAK       FAKE_INTERRUPTED
#define BREAK_LATE  FAKE_INTERRUPTED_LATE

#define REST        "10.0.0.5 port=3306 state=synced"
#define OTHERS      "host=two ip=10.0.0.6 port=3306 state=synced"
#define OTHERS_PORT "host=one ip=10.0.0.5 port=3307 state=synced"
#define FORMER_S    "host=one ip=10.0.0.5 port=3306 state=synced"
#define STRANGE_S   "host=one ip=10.0.0.9 port=3306 state=synced"

struct row {
    const char *name;
    enum act scene[3];
    enum announce_action action;
    struct disturbance disturbance;
    enum announce_outcome outcome;
    const char *keys;
    const char *error; /* a part of it; NULL: none is expected */
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
    if (fake_get("/p") != NULL) /* or all was wiped */
        check_neighbours(row->name);
    etcd_close(client);
}

/* The calls of a first claim: 1 version, 2 range, 3 grant, 4 transaction. */
static void claims(void **state)
{
    static const struct row rows[] = {
        {"nobody", {0}, CLAIM, {0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"leftover", {FORMER}, CLAIM, {0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"leftover for ever", {FORMER_FOR_EVER}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"half a leftover", {PART_WITH_IP}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"no ip", {PART_WITHOUT_IP}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"another", {OTHER}, CLAIM, {0}, TAKEN, OTHERS, "belongs to 10.0.0.6:3306", WITHDRAW, DONE, OTHERS},
        {"another for ever", {OTHER_FOR_EVER}, CLAIM, {0}, TAKEN, OTHERS, "belongs to", END},
        {"another, dying", {OTHER}, CLAIM, {3, OTHER_GONE, 0}, TAKEN, "", "belongs to", CLAIM, DONE, "ours"},
        {"another, and then etcd is away", {OTHER}, CLAIM, {3, 0, SILENT}, AWAY, OTHERS, "no answer", END},
        {"another before the grant", {0}, CLAIM, {3, OTHER, 0}, TAKEN, OTHERS, "belongs to", WITHDRAW, DONE, OTHERS},
        {"another before the write", {0}, CLAIM, {4, OTHER, 0}, TAKEN, OTHERS, "belongs to", WITHDRAW, DONE, OTHERS},
        {"another in the place of our leftover", {FORMER}, CLAIM, {4, OTHER, 0}, TAKEN, OTHERS, "belongs to", END},
        {"a second process in the gap", {0}, CLAIM, {4, FORMER, 0}, DONE, "ours", NULL, END},
        {"the leftover goes in the gap", {FORMER}, CLAIM, {4, KEYS_GONE, 0}, DONE, "ours", NULL, END},
        {"always changed", {0}, CLAIM, {-4, FORMER, 0}, AWAY, FORMER_S, "changed by", CLAIM, DONE, "ours"},
        {"the lease goes before the write", {0}, CLAIM, {4, LEASE_GONE, 0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"every lease goes before the write", {0}, CLAIM, {-4, LEASE_GONE, 0}, AWAY, "", "lease", CLAIM, DONE, "ours"},
        {"etcd is emptied before the write", {0}, CLAIM, {4, WIPED, 0}, DONE, "ours", NULL, END},
        {"the answer is lost", {0}, CLAIM, {4, 0, FAKE_LOST}, AWAY, "ours", "no answer", CLAIM, DONE, "ours"},
        {"lost, and a stop", {0}, CLAIM, {4, 0, FAKE_LOST}, AWAY, "ours", "no answer", WITHDRAW, DONE, ""},
        {"written twice", {0}, CLAIM, {4, 0, FAKE_TWICE}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"leftover written twice", {FORMER}, CLAIM, {4, 0, FAKE_TWICE}, DONE, "ours", NULL, END},
        {"granted twice", {0}, CLAIM, {3, 0, FAKE_TWICE}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"broken, written", {0}, CLAIM, {4, 0, BREAK_LATE}, INTERRUPTED, "ours", "interr", WITHDRAW, DONE, ""},
        {"broken, not written", {0}, CLAIM, {4, 0, BREAK}, INTERRUPTED, "", "interr", CLAIM, DONE, "ours"},
        {"no version", {0}, CLAIM, {1, 0, SILENT}, AWAY, "", "no answer", WITHDRAW, DONE, ""},
        {"no range", {0}, CLAIM, {2, 0, SILENT}, AWAY, "", "no answer", CLAIM, DONE, "ours"},
        {"no lease", {0}, CLAIM, {3, 0, FAKE_LOST}, AWAY, "", "no answer", CLAIM, DONE, "ours"},
        {"no right to read", {0}, CLAIM, {2, 0, FAKE_DENIED}, REFUSED, "", "denied", END},
        {"no right to write", {0}, CLAIM, {4, 0, FAKE_DENIED}, REFUSED, "", "denied", END},
        {"no space", {0}, CLAIM, {4, 0, FAKE_NO_SPACE}, AWAY, "", "space", CLAIM, DONE, "ours"},
        {"again, whole", {HELD}, CLAIM, {0}, DONE, "ours", NULL, WITHDRAW, DONE, ""},
        {"again, keys gone", {HELD, KEYS_GONE}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"again, lease gone", {HELD, LEASE_GONE}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"again, a strange port", {HELD, PORT_CHANGED}, CLAIM, {0}, DONE, "ours", NULL, END},
        {"again, from another address", {HELD, MOVED}, CLAIM, {0}, DONE, "ours", NULL, VERIFY, DONE, "ours"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

static void beats(void **state)
{
    static const struct row rows[] = {
        {"keep", {HELD}, KEEP, {0}, DONE, "ours", NULL, END},
        {"keep, lease gone", {HELD, LEASE_GONE}, KEEP, {0}, LOST, "", "lease", CLAIM, DONE, "ours"},
        {"keep, keys gone", {HELD, KEYS_GONE}, KEEP, {0}, DONE, "", NULL, VERIFY, LOST, ""},
        {"keep, etcd emptied", {HELD, WIPED}, KEEP, {0}, LOST, "", "lease", END},
        {"keep, no answer", {HELD}, KEEP, {1, 0, SILENT}, AWAY, "ours", "no answer", KEEP, DONE, "ours"},
        {"keep, answer lost", {HELD}, KEEP, {1, 0, FAKE_LOST}, AWAY, "ours", "no answer", KEEP, DONE, "ours"},
        {"keep, interrupted", {HELD}, KEEP, {1, 0, BREAK}, INTERRUPTED, "ours", "interr", KEEP, DONE, "ours"},
        {"keep, no right any more", {HELD}, KEEP, {1, 0, FAKE_DENIED}, REFUSED, "ours", "denied", KEEP, DONE, "ours"},
        {"verify", {HELD}, VERIFY, {0}, DONE, "ours", NULL, END},
        {"verify, a key gone", {HELD, KEY_GONE}, VERIFY, {0}, LOST, "ip=" REST, "changed by", CLAIM, DONE, "ours"},
        {"verify, a key changed",
         {HELD, KEY_CHANGED},
         VERIFY,
         {0},
         LOST,
         "host=elsewhere ip=" REST,
         "changed by",
         CLAIM,
         DONE,
         "ours"},
        {"verify, the port changed",
         {HELD, PORT_CHANGED},
         VERIFY,
         {0},
         LOST,
         OTHERS_PORT,
         "changed by",
         CLAIM,
         DONE,
         "ours"},
        {"verify, for ever",
         {HELD, IP_CHANGED},
         VERIFY,
         {0},
         TAKEN,
         STRANGE_S,
         "10.0.0.9",
         WITHDRAW,
         DONE,
         "ip=10.0.0.9"},
        {"verify, keys gone", {HELD, KEYS_GONE}, VERIFY, {0}, LOST, "", "removed", CLAIM, DONE, "ours"},
        {"verify, lease gone", {HELD, LEASE_GONE}, VERIFY, {0}, LOST, "", "removed", CLAIM, DONE, "ours"},
        {"verify, a second process",
         {HELD, FORMER},
         VERIFY,
         {0},
         DISPLACED,
         FORMER_S,
         "another process",
         WITHDRAW,
         DONE,
         FORMER_S},
        {"verify, another node",
         {HELD, OTHER},
         VERIFY,
         {0},
         TAKEN,
         OTHERS,
         "belongs to 10.0.0.6:3306",
         WITHDRAW,
         DONE,
         OTHERS},
        {"verify, a dead node", {HELD, OTHER, OTHER_GONE}, VERIFY, {0}, LOST, "", "removed", CLAIM, DONE, "ours"},
        {"verify, no answer", {HELD, OTHER}, VERIFY, {2, 0, SILENT}, AWAY, OTHERS, "no answer", END},
        {"update", {HELD}, UPDATE, {0}, DONE, "ours", NULL, VERIFY, DONE, "ours"},
        {"update, done twice", {HELD}, UPDATE, {1, 0, FAKE_TWICE}, DONE, "ours", NULL, END},
        {"update, answer lost", {HELD}, UPDATE, {1, 0, FAKE_LOST}, AWAY, "ours", "no answer", UPDATE, DONE, "ours"},
        {"update, another node", {HELD, OTHER}, UPDATE, {0}, LOST, OTHERS, "not there", CLAIM, TAKEN, OTHERS},
        {"update, a second process", {HELD, FORMER}, UPDATE, {0}, LOST, FORMER_S, "not there", END},
        {"update, keys gone", {HELD, KEYS_GONE}, UPDATE, {0}, LOST, "", "not there", CLAIM, DONE, "ours"},
        {"update, lease gone", {HELD, LEASE_GONE}, UPDATE, {0}, LOST, "", "", CLAIM, DONE, "ours"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

static void withdrawals(void **state)
{
    static const struct row rows[] = {
        {"ours", {HELD}, WITHDRAW, {0}, DONE, "", NULL, CLAIM, DONE, "ours"},
        {"never claimed", {FORMER}, WITHDRAW, {0}, DONE, FORMER_S, NULL, END},
        {"nothing left", {HELD, LEASE_GONE}, WITHDRAW, {0}, DONE, "", NULL, END},
        {"another's", {HELD, OTHER}, WITHDRAW, {0}, DONE, OTHERS, NULL, END},
        {"another's, in the gap", {HELD}, WITHDRAW, {1, OTHER, 0}, DONE, OTHERS, NULL, END},
        {"of a second process", {HELD, FORMER}, WITHDRAW, {0}, DONE, FORMER_S, NULL, END},
        {"a stranger's key in it", {HELD, KEY_CHANGED}, WITHDRAW, {0}, DONE, "host=elsewhere", NULL, END},
        {"no answer", {HELD}, WITHDRAW, {1, 0, SILENT}, AWAY, "ours", "no answer", WITHDRAW, DONE, ""},
        {"answer lost", {HELD}, WITHDRAW, {1, 0, FAKE_LOST}, AWAY, "", "no answer", WITHDRAW, DONE, ""},
        {"done twice", {HELD}, WITHDRAW, {1, 0, FAKE_TWICE}, DONE, "", NULL, END},
        {"no right any more", {HELD}, WITHDRAW, {1, 0, FAKE_DENIED}, REFUSED, "ours", "denied", WITHDRAW, DONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(&rows[i]);
}

/* What the other's entry does not survive whole, whatever we do. */
static bool act_is_harmless(enum act act)
{
    return act == NOTHING || act == OTHER || act == LEASE_GONE || act == MOVED;
}

struct trial {
    enum act scene;
    enum announce_action action;
    struct disturbance disturbance;
};

/* What must hold whatever happens: who is there under a lease that lives stays there, and what is ours can go. */
static void try(const struct trial *trial)
{
    const struct disturbance *disturbance = &trial->disturbance;
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;
    char text[512];
    char row[96];

    snprintf(row, sizeof row, "scene %d, action %d, before call %d: act %d and fault %d", (int)trial->scene,
             (int)trial->action, disturbance->at, (int)disturbance->act, (int)disturbance->fault);
    begin(&course);
    perform(HELD);
    perform(trial->scene);
    course.disturbance = *disturbance;
    enum announce_outcome outcome = act_ourselves(&course, trial->action, &report, &error);
    row_true(row, outcome == OUTCOME_DONE || error.code != EXIT_YES);
    if (outcome == OUTCOME_DONE && trial->action == ANNOUNCE_CLAIM)
        row_text(row, describe(text, sizeof text), "ours");
    if (other_lease != 0 && act_is_harmless(disturbance->act))
        row_text(row, describe(text, sizeof text), OTHERS);
    int64_t lease = store.lease;
    course.disturbance = (struct disturbance){.at = 0};
    row_number(row, act_ourselves(&course, ANNOUNCE_WITHDRAW, &report, &error), OUTCOME_DONE);
    for (size_t i = 0; i < fake_keys()->count; i++)
        row_true(row, lease == 0 || fake_keys()->kv[i].lease != lease);
    if (other_lease != 0 && act_is_harmless(disturbance->act))
        row_text(row, describe(text, sizeof text), OTHERS);
    if (fake_get("/p") != NULL)
        check_neighbours(row);
    etcd_close(client);
}

/* Every scene, action, moment, event and fault with each other. */
static void everything_at_once(void **state)
{
    static const enum act scenes[] = {NOTHING, KEYS_GONE, KEY_CHANGED, LEASE_GONE, OTHER, FORMER, IP_CHANGED};
    enum { CALLS_MOST = 8, FAULTS = FAKE_FAULTS, ALL = ACTS * FAULTS * CALLS_MOST };

    (void)state;
    for (size_t scene = 0; scene < ROW_COUNT(scenes); scene++) {
        for (int action = ANNOUNCE_CLAIM; action <= ANNOUNCE_WITHDRAW; action++) {
            for (int i = 0; i < ALL; i++) {
                struct trial trial = {
                    scenes[scene],
                    (enum announce_action)action,
                    {i / FAULTS % CALLS_MOST, (enum act)(i / FAULTS / CALLS_MOST), (enum fake_fault)(i % FAULTS)}};
                if (trial.disturbance.act != HELD)
                    try(&trial);
            }
        }
    }
}

/* What a claim reports: how long the other's entry would last, and what etcd has granted. */
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
    assert_int_equal(report.holder, other_lease);
    perform(OTHER_FOR_EVER);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_TAKEN);
    assert_int_equal(report.left_ms, -1);
    perform(KEYS_GONE);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_DONE);
    assert_int_equal(report.ttl_ms, TTL_MS);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_KEEP, &report, &error), OUTCOME_DONE);
    assert_int_equal(report.ttl_ms, TTL_MS);
    etcd_close(client);
}

/* An entry lasts for what its claim reports, even when the lease of an earlier attempt is used. */
static void old_lease(void **state)
{
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;

    (void)state;
    begin(&course);
    course.disturbance = (struct disturbance){4, NOTHING, FAKE_NO_ANSWER};
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_UNREACHABLE);
    fake_pass(TTL_MS - 1000);
    course.disturbance = (struct disturbance){.at = 0};
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_DONE);
    fake_pass(report.ttl_ms - 1);
    assert_non_null(fake_get("/p/db1/ip"));
    etcd_close(client);
}

/* A lease that etcd goes on renewing although it has ended: a claim finds out, and takes another one. */
static void lease_that_only_seems_to_live(void **state)
{
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;

    (void)state;
    begin(&course);
    perform(HELD);
    int64_t lease = store.lease;
    fake_revoke(lease);
    fake_acknowledge_dead_leases();
    assert_int_equal(act_ourselves(&course, ANNOUNCE_KEEP, &report, &error), OUTCOME_DONE);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_VERIFY, &report, &error), OUTCOME_GONE);
    assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_DONE);
    assert_int_not_equal(store.lease, lease);
    assert_true(fake_lease_lives(store.lease));
    assert_int_equal(fake_get("/p/db1/ip")->lease, store.lease);
    etcd_close(client);
}

/* What a claim needs to know of the lease it asks etcd, be it after a withdrawal or after its end. */
static void lease_that_has_ended(void **state)
{
    static const enum act ends[] = {NOTHING, LEASE_GONE};
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(ends); i++) {
        begin(&course);
        perform(HELD);
        perform(ends[i]);
        assert_int_equal(act_ourselves(&course, ANNOUNCE_KEEP, &report, &error),
                         ends[i] == NOTHING ? OUTCOME_DONE : OUTCOME_GONE);
        for (int times = 0; times < 2; times++) {
            assert_int_equal(act_ourselves(&course, ANNOUNCE_WITHDRAW, &report, &error), OUTCOME_DONE);
            assert_null(fake_get("/p/db1/ip"));
        }
        assert_int_equal(act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), OUTCOME_DONE);
        assert_true(fake_lease_lives(store.lease));
        assert_int_equal(fake_get("/p/db1/ip")->lease, store.lease);
        etcd_close(client);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *configured;
        const char *local;
        enum announce_outcome outcome;
        const char *ip;
    } rows[] = {
        {"", "10.0.0.5", OUTCOME_DONE, "10.0.0.5"},
        {"", "2001:db8:0::5", OUTCOME_DONE, "2001:db8::5"},
        {"10.1.1.1", "10.0.0.5", OUTCOME_DONE, "10.1.1.1"},
        {"10.1.1.1", "127.0.0.1", OUTCOME_DONE, "10.1.1.1"},
        {"", "127.0.0.1", OUTCOME_IMPOSSIBLE, NULL},
        {"", "127.3.2.1", OUTCOME_IMPOSSIBLE, NULL},
        {"", "::1", OUTCOME_IMPOSSIBLE, NULL},
        {"", "fe80::1", OUTCOME_IMPOSSIBLE, NULL},
        {"", "", OUTCOME_IMPOSSIBLE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct course course = {.active = false};
        struct announce_report report;
        struct error error;
        begin(&course);
        snprintf(own.ip, sizeof own.ip, "%s", rows[i].configured);
        store_init(&store, client, &own, "/p", TTL_MS);
        fake_set_local_address(client, rows[i].local);
        row_number(rows[i].local, act_ourselves(&course, ANNOUNCE_CLAIM, &report, &error), rows[i].outcome);
        const struct etcd_kv *ip = fake_get("/p/db1/ip");
        row_text(rows[i].local, ip == NULL ? NULL : ip->value, rows[i].ip);
        etcd_close(client);
    }
}

/* No time: nothing is done, and nothing takes longer than it may. */
static void deadlines(void **state)
{
    struct course course = {.active = false};
    struct announce_report report;
    struct error error;

    (void)state;
    begin(&course);
    fake_set_delay(400, 5000);
    int64_t began_ms = fake_now_ms();
    store_do(&store, ANNOUNCE_CLAIM, deadline_in_ms(1000), &report, &error);
    assert_int_equal(report.outcome, OUTCOME_UNREACHABLE);
    assert_true(fake_now_ms() - began_ms <= 1000);
    etcd_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims),
        cmocka_unit_test(beats),
        cmocka_unit_test(withdrawals),
        cmocka_unit_test(reports),
        cmocka_unit_test(old_lease),
        cmocka_unit_test(addresses),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(everything_at_once),
        cmocka_unit_test(lease_that_only_seems_to_live),
        cmocka_unit_test(lease_that_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
