#include "escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool line_fits(const struct line *line, size_t more)
{
    return line->length + more < line->size;
}

static bool line_add_bytes(struct line *line, const char *bytes, size_t count)
{
    if (!line_fits(line, count))
        return false;
    memcpy(line->text + line->length, bytes, count);
    line->length += count;
    line->text[line->length] = '\0';
    return true;
}

void line_add(struct line *line, const char *text)
{
    size_t length = strlen(text);
    size_t room = line->size - line->length - 1;

    line_add_bytes(line, text, length < room ? length : room);
}

/* Bytes of the well-formed UTF-8 sequence at `text` (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (text[1] < forms[i].second_low || text[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

/* U+0080 to U+009F: a terminal may obey them like their ASCII forms (U+009B is ESC [). */
static bool is_c1_control(const char *text, size_t length)
{
    return length == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
}

enum dialect { DIALECT_LOG, DIALECT_JSON };

/* Adds the character at `*text` and steps over it; false when the line is full. */
static bool line_add_character(struct line *line, const char **text, enum dialect dialect)
{
    unsigned char byte = (unsigned char)**text;
    size_t length = utf8_length((const unsigned char *)*text);
    char escape[12];
    int used = 0;

    if (is_c1_control(*text, length)) {
        unsigned char second = (unsigned char)(*text)[1];
        used =
            snprintf(escape, sizeof escape, dialect == DIALECT_JSON ? "\\u00%02x" : "\\xc2\\x%02x", (unsigned)second);
        *text += length;
        return line_add_bytes(line, escape, (size_t)used);
    }
    if (length > 1) {
        bool added = line_add_bytes(line, *text, length);
        *text += length;
        return added;
    }
    *text += 1;
    if (byte == '\n')
        used = snprintf(escape, sizeof escape, "\\n");
    else if (byte == '\t')
        used = snprintf(escape, sizeof escape, "\\t");
    else if (byte == '\\' || (byte == '"' && dialect == DIALECT_JSON))
        used = snprintf(escape, sizeof escape, "\\%c", byte);
    else if (length == 0 && dialect == DIALECT_JSON)
        used = snprintf(escape, sizeof escape, "\\ufffd");
    else if (length == 0 || byte < 0x20 || byte == 0x7F)
        used = snprintf(escape, sizeof escape, dialect == DIALECT_JSON ? "\\u%04x" : "\\x%02x", (unsigned)byte);
    else
        used = snprintf(escape, sizeof escape, "%c", byte);
    return line_add_bytes(line, escape, (size_t)used);
}

static void line_add_all(struct line *line, const char *text, enum dialect dialect)
{
    while (*text != '\0' && line_add_character(line, &text, dialect))
        ;
}

void line_add_escaped(struct line *line, const char *text)
{
    line_add_all(line, text, DIALECT_LOG);
}

void line_add_json(struct line *line, const char *text)
{
    line_add(line, "\"");
    if (line->size > 0)
        line->size--; /* keeps a place for the closing quote */
    line_add_all(line, text, DIALECT_JSON);
    line->size++;
    line_add(line, "\"");
}

void line_add_value(struct line *line, const char *text)
{
    if (text[0] != '\0' && strpbrk(text, " =\"") == NULL) {
        line_add_escaped(line, text);
        return;
    }
    line_add(line, "\"");
    if (line->size > 0)
        line->size--; /* keeps a place for the closing quote */
    while (*text != '\0') {
        bool quote = *text == '"';
        if (quote ? !line_add_bytes(line, "\\\"", 2) : !line_add_character(line, &text, DIALECT_LOG))
            break;
        text += quote ? 1 : 0;
    }
    line->size++;
    line_add(line, "\"");
}
