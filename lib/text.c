#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LEAST = 256 };

/* Makes room for `more` bytes and the terminator. */
static bool text_reserve(struct text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 4 || (text->most != 0 && text->length + more > text->most)) {
        text->failed = true;
        return false;
    }
    if (text->length + more < text->size)
        return true;
    size_t size = text->size < SIZE_LEAST ? SIZE_LEAST : text->size;
    while (size <= text->length + more)
        size *= 2;
    char *bytes = realloc(text->bytes, size);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->size = size;
    return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
    if (!text_reserve(text, length))
        return;
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *words)
{
    text_add_bytes(text, words, strlen(words));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (needed < 0)
        text->failed = true;
    else if (text_reserve(text, (size_t)needed)) {
        vsnprintf(text->bytes + text->length, (size_t)needed + 1, format, again);
        text->length += (size_t)needed;
    }
    va_end(again);
}

void text_drop(struct text *text, size_t length)
{
    if (length == 0 || text->bytes == NULL)
        return;
    memmove(text->bytes, text->bytes + length, text->length - length + 1);
    text->length -= length;
}

const char *text_string(const struct text *text)
{
    return text->bytes == NULL ? "" : text->bytes;
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->bytes != NULL)
        text->bytes[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){.most = text->most};
}
