#include "../row.h"
#include "base64.h"

#include <stdlib.h>

/* RFC 4648 section 10, and bytes that are no text. */
static const struct {
    const char *bytes;
    size_t length;
    const char *words;
} pairs[] = {
    {"", 0, ""},
    {"f", 1, "Zg=="},
    {"fo", 2, "Zm8="},
    {"foo", 3, "Zm9v"},
    {"foob", 4, "Zm9vYg=="},
    {"fooba", 5, "Zm9vYmE="},
    {"foobar", 6, "Zm9vYmFy"},
    {"\0\0", 2, "AAA="},
    {"\xff\xfe\xfd", 3, "//79"},
    {"\xfb\xf0", 2, "+/A="},
};

static void both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(pairs); i++) {
        struct text text = {0};
        size_t length = 99;
        base64_encode(&text, pairs[i].bytes, pairs[i].length);
        row_text(pairs[i].words, text_string(&text), pairs[i].words);
        char *bytes = base64_decode(pairs[i].words, &length);
        row_true(pairs[i].words, bytes != NULL);
        row_number(pairs[i].words, length, pairs[i].length);
        row_true(pairs[i].words, memcmp(bytes, pairs[i].bytes, length) == 0 && bytes[length] == '\0');
        free(bytes);
        text_free(&text);
    }
}

static void refused(void **state)
{
    static const char *const rows[] = {"Z",    "Zg",   "Zg=",  "Z===", "====", "Zg==Zg==", "Zm9v Zg=", "Zm9v\n",
                                       "Zm9*", "Zh==", "Zm9=", "Z=g=", "=Zg=", "Zm9-",     "Zm9_"};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        size_t length;
        char *bytes = base64_decode(rows[i], &length);
        row_true(rows[i], bytes == NULL);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways), cmocka_unit_test(refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
