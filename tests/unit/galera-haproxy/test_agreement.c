#include <string.h>

#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "agreement.h"
#include "log.h"

/* Two balancers and the one key, over an etcd in memory. */

#define KEY "/galera-haproxy/components/galera/writer"

static char prefix[] = REGISTRY_DEFAULT_PREFIX;
static char bind_writer[] = ":33307";
static char off[] = "off";
static struct settings settings;
static struct etcd *client[2];
static struct agreement agreement[2];

static struct member member(int last)
{
    struct member made = {.port = 3306};

    snprintf(made.ip, sizeof made.ip, "10.0.0.%d", last);
    return made;
}

static void propose(int which, int last)
{
    struct member made = member(last);

    agreement_propose(&agreement[which], &made, fake_now_ms());
}

static void refresh(int which)
{
    agreement[which].next_ms = INT64_MIN;
    agreement_refresh(&agreement[which], fake_now_ms());
}

static int remembers(int which)
{
    const struct writer_memory *memory = &agreement[which].memory;
    int last = 0;

    return memory->known && sscanf(memory->ip, "10.0.0.%d", &last) == 1 ? last : 0;
}

static const char *stored(void)
{
    const struct etcd_kv *kv = fake_get(KEY);

    return kv == NULL ? "" : kv->value;
}

static int begin(void **state)
{
    (void)state;
    log_open("test");
    log_target("none");
    fake_reset(1);
    settings = (struct settings){.prefix = prefix, .writer_bind = bind_writer};
    for (int i = 0; i < 2; i++) {
        client[i] = fake_client("10.0.0.100");
        agreement[i] = (struct agreement){.memory.moved_ms = INT64_MIN};
        agreement_open(&agreement[i], &settings, client[i]);
        refresh(i);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    etcd_close(client[0]);
    etcd_close(client[1]);
    log_close();
    return 0;
}

static void the_first_proposal_counts(void **state)
{
    (void)state;
    propose(0, 1);
    assert_string_equal(stored(), "10.0.0.1:3306");
    propose(1, 2); /* has not seen it */
    assert_string_equal(stored(), "10.0.0.1:3306");
    assert_int_equal(remembers(1), 1);
    assert_int_equal(agreement[0].memory.moved_ms, INT64_MIN); /* the first writer of all has not moved */
}

static void a_change_is_followed(void **state)
{
    (void)state;
    propose(0, 1);
    refresh(1);
    fake_pass(5000);
    propose(1, 2);
    assert_int_equal(remembers(0), 1);
    refresh(0);
    assert_int_equal(remembers(0), 2);
    assert_int_equal(agreement[0].memory.moved_ms, fake_now_ms());
}

static void what_was_chosen_without_etcd_is_published_later(void **state)
{
    (void)state;
    propose(0, 1);
    refresh(1);
    fake_set_down(true);
    refresh(0);
    refresh(1);
    propose(0, 2);
    propose(1, 3); /* they should not differ, but if they do: */
    assert_int_equal(remembers(0), 2);
    assert_int_equal(remembers(1), 3);
    fake_set_down(false);
    refresh(1);
    refresh(0);
    assert_string_equal(stored(), "10.0.0.3:3306");
    assert_int_equal(remembers(0), 3);
    assert_int_equal(remembers(1), 3);
}

static void what_etcd_says_at_the_start_counts(void **state)
{
    (void)state;
    fake_put(KEY, "10.0.0.7:3306", 0);
    agreement[0] = (struct agreement){.memory.moved_ms = INT64_MIN};
    agreement_open(&agreement[0], &settings, client[0]);
    propose(0, 1); /* before it was asked */
    assert_string_equal(stored(), "10.0.0.7:3306");
    refresh(0);
    assert_int_equal(remembers(0), 7);
}

static void a_key_that_is_lost_is_written_again(void **state)
{
    (void)state;
    propose(0, 1);
    refresh(1);
    fake_wipe();
    refresh(1);
    assert_string_equal(stored(), "10.0.0.1:3306");
    refresh(0);
    assert_int_equal(remembers(0), 1);
}

static void nonsense_is_replaced(void **state)
{
    (void)state;
    propose(0, 1);
    fake_put(KEY, "10.0.0.9:3306;disable server x", 0);
    refresh(0);
    assert_int_equal(remembers(0), 1);
    propose(0, 2);
    assert_string_equal(stored(), "10.0.0.2:3306");
}

static void a_lost_answer_is_looked_up(void **state)
{
    (void)state;
    propose(0, 1);
    fake_set_down(true);
    propose(0, 2);
    assert_true(agreement[0].unpublished && agreement[0].out);
    fake_set_down(false);
    refresh(0);
    assert_string_equal(stored(), "10.0.0.2:3306");
    assert_false(agreement[0].unpublished || agreement[0].out);
}

static void an_etcd_that_is_slow_is_waited_for(void **state)
{
    (void)state;
    fake_set_delay(1500, 10);
    propose(0, 1);
    assert_string_equal(stored(), "10.0.0.1:3306");
    refresh(1);
    assert_int_equal(remembers(1), 1);
    assert_false(agreement[0].out || agreement[1].out);
}

static void an_etcd_that_hangs_gets_half_of_the_time_at_most(void **state)
{
    int64_t waited_ms = 0;
    int64_t begin_ms;

    (void)state;
    propose(0, 1);
    fake_set_delay(0, 60000);
    fake_set_down(true);
    begin_ms = fake_now_ms();
    while (fake_now_ms() < begin_ms + 60000) {
        int64_t asked_ms = fake_now_ms();
        agreement_refresh(&agreement[0], asked_ms);
        assert_true(fake_now_ms() - asked_ms <= 3000);
        waited_ms += fake_now_ms() - asked_ms;
        fake_pass(30);
    }
    assert_in_range(waited_ms, 10000, 33000);
    fake_set_down(false);
}

static void alone(void **state)
{
    (void)state;
    settings.writer_key = off;
    agreement_open(&agreement[0], &settings, client[0]);
    refresh(0);
    propose(0, 4);
    assert_int_equal(remembers(0), 4);
    assert_string_equal(stored(), "");
    fake_set_api(ETCD_V2);
    refresh(1);
    propose(1, 5);
    assert_int_equal(remembers(1), 5);
}

static void addresses(void **state)
{
    static const struct {
        const char *text;
        const char *ip; /* NULL: none */
        uint16_t port;
    } rows[] = {
        {"10.0.0.1:3306", "10.0.0.1", 3306},
        {"[2001:DB8::1]:3307", "2001:db8::1", 3307},
        {"2001:db8::1:3307", NULL, 0},
        {"[10.0.0.1]:3306", NULL, 0},
        {"10.0.0.1", NULL, 0},
        {"10.0.0.1:", NULL, 0},
        {"10.0.0.1:0", NULL, 0},
        {"10.0.0.1:99999", NULL, 0},
        {":3306", NULL, 0},
        {"[]:3306", NULL, 0},
        {"host:3306", NULL, 0},
        {"0.0.0.0:3306", NULL, 0},
        {"", NULL, 0},
        {"10.0.0.1 :3306", NULL, 0},
        {"[2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1]:1", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char ip[REGISTRY_IP_SIZE];
        uint16_t port = 0;
        bool right = agreement_parse(rows[i].text, ip, sizeof ip, &port);
        row_number(rows[i].text, right, rows[i].ip != NULL);
        if (right) {
            row_text(rows[i].text, ip, rows[i].ip);
            row_number(rows[i].text, port, rows[i].port);
        }
    }
}

int main(void)
{
#define WITH_ETCD(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_ETCD(the_first_proposal_counts),
        WITH_ETCD(a_change_is_followed),
        WITH_ETCD(what_was_chosen_without_etcd_is_published_later),
        WITH_ETCD(what_etcd_says_at_the_start_counts),
        WITH_ETCD(a_key_that_is_lost_is_written_again),
        WITH_ETCD(nonsense_is_replaced),
        WITH_ETCD(a_lost_answer_is_looked_up),
        WITH_ETCD(an_etcd_that_is_slow_is_waited_for),
        WITH_ETCD(an_etcd_that_hangs_gets_half_of_the_time_at_most),
        WITH_ETCD(alone),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
