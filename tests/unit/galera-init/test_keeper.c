/*
 * The lease and member/<node>: what others see of us, whatever happens to etcd. The thread of the keeper runs against
 * an etcd of one key (support/one_key.h); the clock is the real one.
 */
#include "../row.h"

#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "support/one_key.h"
#include "support/scratch.h"

enum { TTL_MS = 300, OLD_LEASE = 50, OTHER_LEASE = 99, STOP_MS = 1000 };

/* --- a keeper ----------------------------------------------------------------------------------------------------- */

static struct keeper *keeper;
static const struct node_card card = {.address = "10.0.0.1", .sql = "10.0.0.1:3306", .seqno = SEQNO_UNKNOWN};

static int begin(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    memset(&world, 0, sizeof world);
    world.lock = lock;
    log_target("none");
    return 0;
}

static void open_keeper(int64_t ttl_ms, int64_t old_lease)
{
    struct error error;

    /* The handle is only handed through. */
    keeper = keeper_open((struct etcd *)&world, "/galera/x/", "n1", ttl_ms, old_lease, &error);
    assert_non_null(keeper);
}

static void tell(enum member_phase phase)
{
    keeper_tell(keeper, phase, "b1", &card);
}

static void close_keeper(void)
{
    keeper_close(keeper, STOP_MS);
    assert_true(world.closed);
}

/* What is there says this, under the lease that the keeper names. */
static bool says(void *words)
{
    pthread_mutex_lock(&world.lock);
    bool so = strstr(world.value, words) != NULL && world.key_lease == world.live && world.live != 0;
    int64_t lease = world.live;
    pthread_mutex_unlock(&world.lock);
    return so && keeper_lease(keeper) == lease;
}

static void must_say(const char *words)
{
    char copy[64];

    snprintf(copy, sizeof copy, "%s", words);
    if (!eventually(says, copy))
        fail_msg("member/ does not come to say %s but %s", words, world.value);
}

static bool renewed_twice(void *from)
{
    pthread_mutex_lock(&world.lock);
    bool so = world.renewals >= *(int *)from + 2;
    pthread_mutex_unlock(&world.lock);
    return so;
}

static void change(void (*how)(void))
{
    pthread_mutex_lock(&world.lock);
    how();
    pthread_mutex_unlock(&world.lock);
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void nothing_is_written_before_there_is_something_to_say(void **state)
{
    (void)state;
    open_keeper(TTL_MS, 0);
    usleep(50000);
    assert_int_equal(keeper_lease(keeper), 0);
    close_keeper();
    assert_int_equal(world.grants, 0);
    assert_int_equal(world.revoked_count, 0);
    keeper_close(NULL, STOP_MS);
}

static void what_is_told_is_written_and_kept(void **state)
{
    int from = 0;

    (void)state;
    open_keeper(TTL_MS, 0);
    tell(MEMBER_PROBING);
    must_say("\"phase\":\"probing\"");
    assert_int_equal(world.key_lease, FIRST_LEASE);
    assert_true(eventually(renewed_twice, &from));
    assert_int_equal(world.writes, 1); /* what has not changed is not written again */
    tell(MEMBER_PROBING);
    tell(MEMBER_SYNCED);
    must_say("\"phase\":\"synced\"");
    must_say("\"sql\":\"10.0.0.1:3306\"");
    close_keeper();
    assert_int_equal(world.grants, 1);
    assert_int_equal(world.revoked[0], FIRST_LEASE);
    assert_string_equal(world.value, "");
}

static void lease_ends(void)
{
    wipe();
}

static void lease_lives_without_its_key(void)
{
    world.value[0] = '\0';
    world.key_lease = 0;
}

static void somebody_else_has_it(void)
{
    snprintf(world.value, sizeof world.value, "{\"phase\":\"synced\",\"boot\":\"twin\"}");
    world.key_lease = OTHER_LEASE;
}

static void etcd_goes(void)
{
    world.down = true;
}

static void etcd_is_back_without_us(void)
{
    world.down = false;
    wipe();
}

static void what_is_lost_is_written_again(void **state)
{
    static const struct {
        const char *name;
        void (*happens)(void);
        int grants;
    } rows[] = {{"the lease has ended, or etcd was wiped", lease_ends, 2},
                {"the key was deleted", lease_lives_without_its_key, 1}};

    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        begin(state);
        open_keeper(TTL_MS, 0);
        tell(MEMBER_SYNCED);
        must_say("synced");
        change(rows[i].happens);
        must_say("synced");
        row_number(rows[i].name, world.grants, rows[i].grants);
        close_keeper();
    }
}

static bool ours(void *context)
{
    (void)context;
    pthread_mutex_lock(&world.lock);
    bool so = strstr(world.value, "\"b1\"") != NULL;
    pthread_mutex_unlock(&world.lock);
    return so;
}

/* Two galera-inits of one name: the second waits until the first is gone, and never writes over it. */
static void a_key_of_somebody_else_is_left_alone(void **state)
{
    int from;

    (void)state;
    somebody_else_has_it();
    open_keeper(TTL_MS, 0);
    tell(MEMBER_PROBING);
    from = world.renewals;
    assert_true(eventually(renewed_twice, &from)); /* it has tried, and tries again */
    assert_false(ours(NULL));
    assert_int_equal(world.writes, 0);
    change(lease_lives_without_its_key);
    assert_true(eventually(ours, NULL));
    change(somebody_else_has_it); /* taken from us */
    pthread_mutex_lock(&world.lock);
    from = world.renewals;
    pthread_mutex_unlock(&world.lock);
    assert_true(eventually(renewed_twice, &from));
    assert_false(ours(NULL));
    close_keeper();
    assert_non_null(strstr(world.value, "twin"));
}

static void an_etcd_that_was_away_hears_the_latest(void **state)
{
    (void)state;
    change(etcd_goes);
    open_keeper(TTL_MS, 0);
    tell(MEMBER_PROBING);
    usleep(20000);
    assert_int_equal(keeper_lease(keeper), 0);
    tell(MEMBER_JOINING);
    change(etcd_is_back_without_us);
    must_say("joining");
    change(etcd_goes);
    tell(MEMBER_SYNCED);
    usleep(20000);
    change(etcd_is_back_without_us);
    must_say("synced");
    change(etcd_goes);
    close_keeper(); /* which does not hang */
}

/* Our predecessor was killed: nobody shall wait for the end of its lease. */
static void the_lease_of_a_dead_predecessor_is_revoked(void **state)
{
    static const struct {
        const char *name;
        enum etcd_failure failure;
        bool gone;
    } rows[] = {
        {"it lives", ETCD_OK, true}, {"it has ended", ETCD_NOT_FOUND, true}, {"we may not", ETCD_DENIED, false}};

    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        begin(state);
        if (rows[i].failure != ETCD_NOT_FOUND) {
            somebody_else_has_it();
            world.key_lease = OLD_LEASE;
        }
        world.revoke_failure = rows[i].failure;
        open_keeper(TTL_MS, OLD_LEASE);
        tell(MEMBER_PROBING);
        int from = 0;
        assert_true(rows[i].gone ? eventually(ours, NULL) : eventually(renewed_twice, &from));
        row_number(rows[i].name, ours(NULL), rows[i].gone);
        row_true(rows[i].name, world.revoked_count == 0 || world.revoked[0] == OLD_LEASE);
        world.revoke_failure = ETCD_OK;
        close_keeper();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_written_before_there_is_something_to_say, begin),
        cmocka_unit_test_setup(what_is_told_is_written_and_kept, begin),
        cmocka_unit_test_setup(what_is_lost_is_written_again, begin),
        cmocka_unit_test_setup(a_key_of_somebody_else_is_left_alone, begin),
        cmocka_unit_test_setup(an_etcd_that_was_away_hears_the_latest, begin),
        cmocka_unit_test_setup(the_lease_of_a_dead_predecessor_is_revoked, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
