#include "../row.h"
#include "weight.h"

static const struct facts *node(const char *queue, const char *requested, const char *sent)
{
    static struct facts facts;

    facts_clear(&facts);
    if (queue != NULL)
        facts_add(&facts, "wsrep_local_recv_queue", queue);
    if (requested != NULL)
        facts_add(&facts, "wsrep_flow_control_requested", requested);
    if (sent != NULL)
        facts_add(&facts, "wsrep_flow_control_sent", sent);
    return &facts;
}

static void of_one_look(void **state)
{
    static const struct {
        const char *name;
        const char *queue;
        const char *requested;
        int64_t weight_queue;
        int weight;
    } rows[] = {
        {"empty queue", "0", "false", 100, 100},
        {"a queue that halves", "100", "false", 100, 50},
        {"another length that halves", "10", "false", 10, 50},
        {"a short queue", "1", "false", 100, 99},
        {"a long queue", "900", "false", 100, 10},
        {"never nothing", "99999999", "false", 100, 1},
        {"asks for a pause", "0", "true", 100, 50},
        {"asks for a pause, PXC", "0", "ON", 100, 50},
        {"both", "100", "true", 100, 25},
        {"the server does not say", NULL, NULL, 100, 100},
        {"nonsense", "many", "perhaps", 100, 100},
        {"negative", "-5", "false", 100, 100},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].name, weight_of(node(rows[i].queue, rows[i].requested, NULL), rows[i].weight_queue),
                   rows[i].weight);
}

static void begins_where_it_is(void **state)
{
    struct weight weight = {0};

    (void)state;
    assert_int_equal(weight_follow(&weight, node("100", "false", "0"), 100, 1000), 50);
}

static void falls_fast_and_rises_slowly(void **state)
{
    struct weight weight = {0};
    int64_t now = 0;

    (void)state;
    assert_int_equal(weight_follow(&weight, node("0", NULL, NULL), 100, now), 100);
    for (int i = 0; i < 12; i++)
        weight_follow(&weight, node("900", NULL, NULL), 100, now += 250);
    int low = weight.told;
    assert_in_range(low, 10, 25); /* after 3 s */
    for (int i = 0; i < 12; i++)
        weight_follow(&weight, node("0", NULL, NULL), 100, now += 250);
    assert_in_range(weight.told, low + 10, 70); /* after as long, half way at most */
    for (int i = 0; i < 200; i++)
        weight_follow(&weight, node("0", NULL, NULL), 100, now += 250);
    assert_int_equal(weight.told, 100);
}

static void does_not_flutter(void **state)
{
    struct weight weight = {0};
    int changes = 0;
    int before = weight_follow(&weight, node("0", NULL, NULL), 100, 0);

    (void)state;
    for (int i = 1; i < 400; i++) {
        int told = weight_follow(&weight, node(i % 2 == 0 ? "0" : "6", NULL, NULL), 100, i * 250);
        changes += told != before;
        before = told;
    }
    assert_in_range(changes, 0, 1);
}

static void steps_of_five(void **state)
{
    struct weight weight = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        char queue[16];
        snprintf(queue, sizeof queue, "%d", i * 7);
        int told = weight_follow(&weight, node(queue, NULL, NULL), 100, i * 500);
        assert_int_equal(told % WEIGHT_STEP, 0);
        assert_in_range(told, WEIGHT_STEP, WEIGHT_FULL);
    }
}

/* A pause that came and went between two looks is known by the count. */
static void pauses_between_looks(void **state)
{
    struct weight weight = {0};

    (void)state;
    weight_follow(&weight, node("0", "false", "7"), 100, 0);
    assert_int_equal(weight_follow(&weight, node("0", "false", "7"), 100, 1000), 100);
    assert_int_equal(weight_follow(&weight, node("0", "false", "9"), 100, 2000), 75);
    /* A server that has restarted counts from zero. */
    double smooth = weight.smooth;
    weight_follow(&weight, node("0", "false", "0"), 100, 3000);
    assert_true(weight.smooth > smooth);
}

static void clock_that_stands(void **state)
{
    struct weight weight = {0};

    (void)state;
    weight_follow(&weight, node("0", NULL, NULL), 100, 5000);
    assert_int_equal(weight_follow(&weight, node("900", NULL, NULL), 100, 5000), 100);
    assert_int_equal(weight_follow(&weight, node("900", NULL, NULL), 100, 4000), 100);
}

static void donors(void **state)
{
    (void)state;
    assert_int_equal(weight_of_donor(100, 25), 25);
    assert_int_equal(weight_of_donor(10, 25), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_look),
        cmocka_unit_test(begins_where_it_is),
        cmocka_unit_test(falls_fast_and_rises_slowly),
        cmocka_unit_test(does_not_flutter),
        cmocka_unit_test(steps_of_five),
        cmocka_unit_test(pauses_between_looks),
        cmocka_unit_test(clock_that_stands),
        cmocka_unit_test(donors),
    };

    return cmocka_run_group_tests_name("weight", tests, NULL, NULL);
}
