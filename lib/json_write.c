#include "json_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "escape.h"

static void add_quoted(struct text *text, const char *value)
{
    /* An escape makes six bytes of one; two quotes and the terminator. */
    size_t size = 6 * strlen(value) + 4;
    char *quoted = malloc(size);

    if (quoted == NULL) {
        text->failed = true;
        return;
    }
    struct line line = {.text = quoted, .size = size, .length = 0};
    line_add_json(&line, value);
    text_add_bytes(text, quoted, line.length);
    free(quoted);
}

/* A value follows another one unless something was just opened. */
static void begin_value(struct text *text, const char *key)
{
    char last = text->length == 0 ? '\0' : text->bytes[text->length - 1];

    if (last != '\0' && last != '{' && last != '[' && last != '\n')
        text_add(text, ",");
    if (key != NULL) {
        add_quoted(text, key);
        text_add(text, ":");
    }
}

void json_open_object(struct text *text, const char *key)
{
    begin_value(text, key);
    text_add(text, "{");
}

void json_close_object(struct text *text)
{
    text_add(text, "}");
}

void json_open_array(struct text *text, const char *key)
{
    begin_value(text, key);
    text_add(text, "[");
}

void json_close_array(struct text *text)
{
    text_add(text, "]");
}

void json_add_string(struct text *text, const char *key, const char *value)
{
    begin_value(text, key);
    add_quoted(text, value);
}

void json_add_number(struct text *text, const char *key, int64_t value)
{
    begin_value(text, key);
    text_format(text, "%" PRId64, value);
}

void json_add_int64(struct text *text, const char *key, int64_t value)
{
    begin_value(text, key);
    text_format(text, "\"%" PRId64 "\"", value);
}

void json_add_bytes(struct text *text, const char *key, const char *value)
{
    begin_value(text, key);
    text_add(text, "\"");
    base64_encode(text, value, strlen(value));
    text_add(text, "\"");
}

void json_add_true(struct text *text, const char *key)
{
    begin_value(text, key);
    text_add(text, "true");
}

void json_add_boolean(struct text *text, const char *key, bool value)
{
    begin_value(text, key);
    text_add(text, value ? "true" : "false");
}
