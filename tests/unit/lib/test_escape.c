#include "../row.h"
#include "escape.h"

enum form { LOG, JSON, VALUE };

static void add(struct line *line, enum form form, const char *text)
{
    switch (form) {
    case LOG:
        line_add_escaped(line, text);
        break;
    case JSON:
        line_add_json(line, text);
        break;
    case VALUE:
        line_add_value(line, text);
        break;
    }
}

static void escapes(void **state)
{
    static const struct {
        const char *name;
        enum form form;
        const char *text;
        const char *expected;
    } rows[] = {
        {"plain", LOG, "plain text", "plain text"},
        {"empty", LOG, "", ""},
        {"newline and tab", LOG, "a\nb\tc", "a\\nb\\tc"},
        {"carriage return", LOG, "a\rb", "a\\x0db"},
        {"escape sequence", LOG, "\033[31m", "\\x1b[31m"},
        {"delete", LOG, "\177", "\\x7f"},
        {"backslash", LOG, "a\\n", "a\\\\n"},
        {"quote", LOG, "say \"x\"", "say \"x\""},
        {"two bytes", LOG, "\xC3\xA4", "\xC3\xA4"},
        {"three bytes", LOG, "\xE2\x82\xAC", "\xE2\x82\xAC"},
        {"four bytes", LOG, "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"no-break space, the first after C1", LOG, "\xC2\xA0", "\xC2\xA0"},
        {"C1 control: CSI", LOG,
         "\xC2\x9B"
         "31m",
         "\\xc2\\x9b31m"},
        {"first C1 control", LOG, "\xC2\x80", "\\xc2\\x80"},
        {"C1 control as a bare byte", LOG,
         "\x9B"
         "31m",
         "\\x9b31m"},
        {"overlong slash", LOG, "\xC0\xAF", "\\xc0\\xaf"},
        {"overlong three bytes", LOG, "\xE0\x80\xAF", "\\xe0\\x80\\xaf"},
        {"surrogate", LOG, "\xED\xA0\x80", "\\xed\\xa0\\x80"},
        {"above U+10FFFF", LOG, "\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"cut after one of two", LOG, "\xC3", "\\xc3"},
        {"cut after three of four", LOG, "\xF0\x9F\x98", "\\xf0\\x9f\\x98"},
        {"lone continuation", LOG, "\x80x", "\\x80x"},
        {"byte FF", LOG, "\xFF\xFE", "\\xff\\xfe"},
        {"plain", JSON, "plain", "\"plain\""},
        {"empty", JSON, "", "\"\""},
        {"quote and backslash", JSON, "\"\\", "\"\\\"\\\\\""},
        {"newline and tab", JSON, "a\nb\t", "\"a\\nb\\t\""},
        {"control", JSON, "\x01\r\177", "\"\\u0001\\u000d\\u007f\""},
        {"C1 control", JSON, "\xC2\x9B", "\"\\u009b\""},
        {"UTF-8", JSON, "\xE2\x82\xAC", "\"\xE2\x82\xAC\""},
        {"not UTF-8", JSON,
         "a\xFF"
         "b\xC3",
         "\"a\\ufffdb\\ufffd\""},
        {"plain", VALUE, "synced", "synced"},
        {"empty", VALUE, "", "\"\""},
        {"blank", VALUE, "up synced", "\"up synced\""},
        {"equals", VALUE, "a=b", "\"a=b\""},
        {"quote", VALUE, "a\"b", "\"a\\\"b\""},
        {"newline without blank", VALUE, "a\nb", "a\\nb"},
        {"newline and blank", VALUE, "a\nb c", "\"a\\nb c\""},
        {"backslash and quote", VALUE, "\\\"", "\"\\\\\\\"\""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[128] = "";
        struct line line = LINE_IN(text);
        add(&line, rows[i].form, rows[i].text);
        row_text(rows[i].name, text, rows[i].expected);
        row_number(rows[i].name, line.length, strlen(text));
    }
}

/* Whatever the room, a line is terminated, is a beginning of the whole and is not cut inside an escape. */
static void narrow_lines(void **state)
{
    static const char hostile[] = "a\n\x01\"\\\xC3\xA4\xFF = \xC2\x9B"
                                  "end";

    (void)state;
    for (int form = LOG; form <= VALUE; form++) {
        char whole[256] = "";
        struct line all = LINE_IN(whole);
        add(&all, (enum form)form, hostile);
        for (size_t size = 1; size <= all.length + 1; size++) {
            char text[256];
            memset(text, '#', sizeof text);
            text[0] = '\0';
            struct line line = {.text = text, .size = size, .length = 0};
            add(&line, (enum form)form, hostile);
            row_true("within its size", line.length < size && text[line.length] == '\0' && text[size] == '#');
            row_number("the size is as before", line.size, size);
            row_number("the end of the text", line.length, strlen(text));
            size_t same = line.length - (form != LOG && line.length > 1 ? 1 : 0);
            row_number("the beginning of the whole", strncmp(text, whole, same), 0);
            if (form != LOG && size > 2)
                row_true("the quote is closed", line.length >= 2 && text[line.length - 1] == '"');
        }
    }
}

static void no_escape_is_cut(void **state)
{
    static const char *const pieces[] = {"\n", "\x01", "\\", "\xFF", "\xC2\x9B", "\xE2\x82\xAC", "\""};

    (void)state;
    for (int form = LOG; form <= VALUE; form++) {
        for (size_t i = 0; i < ROW_COUNT(pieces); i++) {
            char source[16];
            char whole[64] = "";
            struct line all = LINE_IN(whole);
            snprintf(source, sizeof source, "%s ", pieces[i]); /* the blank makes a value quoted */
            add(&all, (enum form)form, source);
            size_t unit = all.length - 1 - (form == LOG ? 0 : 2);
            for (size_t size = 3; size <= all.length; size++) {
                char text[64] = "";
                struct line line = {.text = text, .size = size, .length = 0};
                add(&line, (enum form)form, source);
                size_t inner = line.length - (form == LOG ? 0 : 2);
                row_true(pieces[i], inner == 0 || inner == unit || inner == unit + 1);
            }
        }
    }
}

static void plain_addition(void **state)
{
    char text[8] = "";
    struct line line = LINE_IN(text);

    (void)state;
    line_add(&line, "abc");
    line_add(&line, "");
    line_add(&line, "defgh");
    assert_string_equal(text, "abcdefg");
    line_add(&line, "x");
    line_add_escaped(&line, "x");
    line_add_json(&line, "x");
    line_add_value(&line, "x y");
    assert_string_equal(text, "abcdefg");
    assert_int_equal(line.length, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(narrow_lines),
        cmocka_unit_test(no_escape_is_cut),
        cmocka_unit_test(plain_addition),
    };

    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
