/* Base64 with padding, RFC 4648 section 4: how etcd's JSON gateway carries keys and values. */
#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

void base64_encode(struct text *text, const void *bytes, size_t length);

/*
 * The bytes in a new buffer, which the caller frees; a NUL follows them. Strict: NULL for anything that an encoder
 * would not have written (blanks, missing padding, bits that are lost), and when memory runs out.
 */
char *base64_decode(const char *words, size_t *length);

#endif
