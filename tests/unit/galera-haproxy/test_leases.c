#include <stdlib.h>

#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "leases.h"
#include "log.h"

/* Entries under leases of 10 s, an etcd in memory, and what the roster makes of their end. */

enum { TTL_S = 10, TICK_MS = 100 };

static struct roster *roster;
static struct leases leases;
static struct etcd *client;
static int calls;

static enum fake_fault count_calls(void *context, struct etcd *who, enum fake_call call)
{
    (void)context;
    (void)who;
    calls += call == FAKE_LEFT ? 1 : 0;
    return FAKE_ANSWER;
}

static void take(void)
{
    struct registry registry;
    struct error error;

    assert_true(registry_build(&registry, "/p", fake_keys()->kv, fake_keys()->count, &error));
    roster_take(roster, &registry, true, fake_now_ms());
    registry_free(&registry);
}

static int64_t enter(const char *id, const char *ip)
{
    int64_t lease = fake_grant(TTL_S);
    char key[64];

    snprintf(key, sizeof key, "/p/%s/ip", id);
    fake_put(key, ip, lease);
    snprintf(key, sizeof key, "/p/%s/port", id);
    fake_put(key, "3306", lease);
    return lease;
}

/* As the loop does it, while `kept` is renewed at a third of its TTL, and until db2 is gone or `ms` have passed. */
static void pass(int64_t ms, int64_t kept, int64_t also_kept)
{
    for (int64_t at = 0; at < ms; at += TICK_MS) {
        fake_pass(TICK_MS);
        if (at % 3300 == 0) {
            fake_keep(kept);
            if (also_kept != 0)
                fake_keep(also_kept);
        }
        take();
        leases_refresh(&leases, client, roster, fake_now_ms());
    }
}

static enum presence presence_of(const char *ip)
{
    long found = roster_find(roster, ip, 3306);

    assert_true(found >= 0);
    return roster->member[found].presence;
}

static int begin(void **state)
{
    struct fake_hooks hooks = {.before = count_calls};

    (void)state;
    log_open("test");
    log_target("none");
    fake_reset(1);
    fake_set_hooks(&hooks);
    leases = (struct leases){.retry_ms = INT64_MIN};
    roster = calloc(1, sizeof *roster);
    client = fake_client("10.0.0.100");
    calls = 0;
    return roster == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    etcd_close(client);
    free(roster);
    log_close();
    return 0;
}

static void an_entry_that_nobody_renews_expires(void **state)
{
    int64_t kept = enter("db1", "10.0.0.1");

    (void)state;
    enter("db2", "10.0.0.2");
    pass(15000, kept, 0);
    assert_int_equal(presence_of("10.0.0.1"), PRESENCE_LISTED);
    assert_int_equal(presence_of("10.0.0.2"), PRESENCE_EXPIRED);
}

static void a_lease_that_is_revoked_at_any_time_is_a_removal(void **state)
{
    (void)state;
    for (int64_t after_ms = 300; after_ms < 12000; after_ms += 700) {
        fake_wipe();
        *roster = (struct roster){0};
        int64_t kept = enter("db1", "10.0.0.1");
        int64_t stopped = enter("db2", "10.0.0.2");
        pass(after_ms, kept, stopped);
        fake_revoke(stopped);
        pass(TICK_MS, kept, 0);
        if (presence_of("10.0.0.2") != PRESENCE_REMOVED)
            fail_msg("revoked after %lld ms it counts as %s", (long long)after_ms,
                     presence_word(presence_of("10.0.0.2")));
    }
}

static void what_ends_while_etcd_is_away_has_expired(void **state)
{
    int64_t kept = enter("db1", "10.0.0.1");
    int64_t stopped = enter("db2", "10.0.0.2");

    (void)state;
    pass(1000, kept, stopped);
    fake_set_down(true);
    for (int i = 0; i < 120; i++) {
        fake_pass(TICK_MS);
        leases_refresh(&leases, client, roster, fake_now_ms());
    }
    fake_set_down(false);
    fake_revoke(stopped);
    take();
    assert_int_equal(presence_of("10.0.0.2"), PRESENCE_EXPIRED);
}

/* Else a removal would look like an end that nobody wanted. */
static void an_etcd_that_is_slow_is_waited_for(void **state)
{
    int64_t kept = enter("db1", "10.0.0.1");
    int64_t stopped = enter("db2", "10.0.0.2");

    (void)state;
    fake_set_delay(1000, 10);
    pass(2000, kept, stopped);
    fake_revoke(stopped);
    pass(TICK_MS, kept, 0);
    assert_int_equal(presence_of("10.0.0.2"), PRESENCE_REMOVED);
}

static void etcd_is_asked_seldom(void **state)
{
    int64_t kept = enter("db1", "10.0.0.1");

    (void)state;
    pass(60000, kept, 0);
    assert_in_range(calls, 10, 30); /* in a minute, of one node */
}

int main(void)
{
#define WITH_ETCD(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_ETCD(an_entry_that_nobody_renews_expires),
        WITH_ETCD(a_lease_that_is_revoked_at_any_time_is_a_removal),
        WITH_ETCD(what_ends_while_etcd_is_away_has_expired),
        WITH_ETCD(an_etcd_that_is_slow_is_waited_for),
        WITH_ETCD(etcd_is_asked_seldom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
