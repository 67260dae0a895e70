/*
 * Text of any length that is being put together: request bodies, replies, what goes to a pipe.
 *
 * Running out of memory or over `most` is remembered in `failed` and nothing is added after it, so a caller adds all it
 * has and looks once at the end.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes; /* terminated; NULL while empty: use text_string */
    size_t length;
    size_t size;
    size_t most; /* length that it may not exceed; 0: no limit */
    bool failed;
};

void text_add(struct text *text, const char *words);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes `length` bytes from the front. */
void text_drop(struct text *text, size_t length);

/* Never NULL. Valid until the text is changed. */
const char *text_string(const struct text *text);

/* Empties the text and keeps its memory. */
void text_clear(struct text *text);
void text_free(struct text *text);

#endif
