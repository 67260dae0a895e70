#include "../row.h"

#include "lineage.h"

/* Three generations: 1 from the first transaction on, 2 after 90, 5 after 130. */
static struct lineage three(void)
{
    struct lineage lineage = {.root = GENERATION_NONE};

    lineage_append(&lineage, generation_of(1, "a"), -1);
    lineage_append(&lineage, generation_of(2, "b"), 90);
    lineage_append(&lineage, generation_of(5, "a"), 130);
    return lineage;
}

static void generations_of_seqnos(void **state)
{
    static const struct {
        int64_t seqno, number;
    } rows[] = {{-1, 0}, {0, 1}, {90, 1}, {91, 2}, {130, 2}, {131, 5}, {1000, 5}};
    struct lineage lineage = three(), none = {.root = GENERATION_NONE};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        assert_int_equal(lineage_generation(&lineage, rows[i].seqno).number, rows[i].number);
    assert_int_equal(lineage_newest(&lineage).number, 5);
    assert_int_equal(lineage_newest(&none).number, GENERATION_NONE);
}

static void what_a_history_contains(void **state)
{
    static const struct {
        const char *name;
        const char *boot;
        int64_t number, seqno;
        bool contained;
    } rows[] = {
        {"an old copy", "a", 1, 80, true},
        {"all of a generation", "a", 1, 90, true},
        {"more than was gone on from", "a", 1, 91, false},
        {"of the second", "b", 2, 91, true},
        {"more of the second than there was", "b", 2, 131, false},
        {"the newest", "a", 5, 140, true},
        {"ahead", "a", 5, 9999, true},
        {"a generation that was not", "a", 3, 110, false},
        {"the same number, by somebody else", "c", 2, 100, false},
        {"nothing", NULL, 0, -1, true},
        {"a history from before", NULL, 0, 50, false},
    };
    struct lineage lineage = three();

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct place place = {.seqno = rows[i].seqno};
        if (rows[i].boot != NULL)
            place.generation = generation_of(rows[i].number, rows[i].boot);
        row_true(rows[i].name, lineage_contains(&lineage, place) == rows[i].contained);
    }
}

static void a_generation_without_transactions_goes(void **state)
{
    struct lineage lineage = three();

    (void)state;
    lineage_append(&lineage, generation_of(7, "c"), 130);
    assert_int_equal(lineage.count, 3);
    assert_int_equal(lineage_generation(&lineage, 131).number, 7);
    lineage_append(&lineage, generation_of(8, "c"), 80);
    assert_int_equal(lineage.count, 2);
    assert_int_equal(lineage_generation(&lineage, 80).number, 1);
    assert_int_equal(lineage_generation(&lineage, 81).number, 8);
}

static void what_is_forgotten_is_never_the_same(void **state)
{
    struct lineage lineage = {.root = GENERATION_NONE};

    (void)state;
    for (int64_t i = 0; i <= LINEAGE_MOST; i++)
        lineage_append(&lineage, generation_of(i + 1, "a"), i * 10);
    assert_int_equal(lineage.count, LINEAGE_MOST);
    assert_int_equal(lineage_generation(&lineage, 10).number, GENERATION_FORGOTTEN);
    struct place place = {.generation = lineage_generation(&lineage, 5), .seqno = 5};
    assert_false(lineage_contains(&lineage, place));
    assert_false(generation_equal(place.generation, place.generation));
}

static void order_of_copies(void **state)
{
    struct place old = {generation_of(1, "a"), 120}, new = {generation_of(2, "b"), 95},
                 newer = {generation_of(2, "b"), 96};
    struct place other = {generation_of(2, "c"), 96};

    (void)state;
    assert_true(place_compare(old, new) < 0);
    assert_true(place_compare(new, old) > 0);
    assert_true(place_compare(newer, new) > 0);
    assert_int_equal(place_compare(new, new), 0);
    assert_true(place_is_forked(newer, other));
    assert_false(place_is_forked(newer, new));
    assert_false(place_is_forked(old, new));
}

static void equality(void **state)
{
    struct lineage a = three(), b = three();

    (void)state;
    assert_true(lineage_equal(&a, &b));
    b.entry[1].generation.mark++;
    assert_false(lineage_equal(&a, &b));
    b = three();
    b.count--;
    assert_false(lineage_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_of_seqnos),
        cmocka_unit_test(what_a_history_contains),
        cmocka_unit_test(a_generation_without_transactions_goes),
        cmocka_unit_test(what_is_forgotten_is_never_the_same),
        cmocka_unit_test(order_of_copies),
        cmocka_unit_test(equality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
