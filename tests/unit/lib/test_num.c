#include "../row.h"
#include "num.h"

static void numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool valid;
        int64_t value;
    } rows[] = {
        {"0", 0, 10, true, 0},
        {"10", 0, 10, true, 10},
        {"007", 0, 10, true, 7},
        {"-5", -5, 5, true, -5},
        {"-0", 0, 5, true, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
        {"11", 0, 10, false, 0},
        {"-1", 0, 10, false, 0},
        {"", 0, 10, false, 0},
        {"-", -10, 10, false, 0},
        {"--1", -10, 10, false, 0},
        {"+1", 0, 10, false, 0},
        {" 1", 0, 10, false, 0},
        {"1 ", 0, 10, false, 0},
        {"1\n", 0, 10, false, 0},
        {"- 1", -10, 10, false, 0},
        {"1x", 0, 10, false, 0},
        {"0x1", 0, 10, false, 0},
        {"1.0", 0, 10, false, 0},
        {"1e1", 0, 10, false, 0},
        {"\xD9\xA1", 0, 10, false, 0}, /* an Arabic digit */
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int64_t value = 4711;
        row_number(rows[i].text, num_parse(rows[i].text, rows[i].min, rows[i].max, &value), rows[i].valid);
        row_number(rows[i].text, value, rows[i].valid ? rows[i].value : 4711);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: not a duration */
    } rows[] = {
        {"250ms", 250},     {"0", 0},       {"0s", 0},
        {"10s", 10000},     {"10", 10000},  {"2m", 120000},
        {"1h", 3600000},    {"1.5s", 1500}, {"0.25", 250},
        {"1.5m", 90000},    {"0.001s", 1},  {"0.1ms", -1}, /* less than what we count in */
        {"1.5ms", -1},      {"1.0ms", 1},   {"999999999h", INT64_C(3599999996400000)},
        {"9999999999", -1}, {"0.0001", -1}, {"", -1},
        {"s", -1},          {".5", -1},     {"1.", -1},
        {"1.s", -1},        {"1..5", -1},   {"-1s", -1},
        {"+1s", -1},        {" 1s", -1},    {"1 s", -1},
        {"1s ", -1},        {"1S", -1},     {"1d", -1},
        {"1min", -1},       {"1m30s", -1},  {"0x10", -1},
        {"1e3", -1},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int64_t ms = -1;
        row_number(rows[i].text, duration_parse(rows[i].text, &ms), rows[i].ms >= 0);
        row_number(rows[i].text, ms, rows[i].ms);
    }
}

static void duration_texts(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},      {1, "1ms"},     {250, "250ms"}, {1000, "1s"},    {1500, "1500ms"},  {60000, "1m"},
        {61000, "61s"}, {90000, "90s"}, {120000, "2m"}, {3600000, "1h"}, {86400000, "24h"}, {5400000, "90m"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[32];
        int64_t back = -1;
        duration_format(rows[i].ms, text, sizeof text);
        row_text(rows[i].text, text, rows[i].text);
        row_true(rows[i].text, duration_parse(text, &back));
        row_number(rows[i].text, back, rows[i].ms);
    }
}

static void booleans(void **state)
{
    static const struct {
        const char *text;
        int value; /* -1: neither */
    } rows[] = {
        {"yes", 1}, {"no", 0},  {"on", 1}, {"off", 0}, {"true", 1}, {"false", 0}, {"1", 1},        {"0", 0},
        {"YES", 1}, {"Off", 0}, {"", -1},  {"y", -1},  {"2", -1},   {"yes ", -1}, {"enabled", -1},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        bool value = false;
        row_number(rows[i].text, boolean_parse(rows[i].text, &value), rows[i].value >= 0);
        row_number(rows[i].text, value, rows[i].value == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(duration_texts),
        cmocka_unit_test(booleans),
    };

    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
