/* Writing JSON: values one after the other, commas and escapes put where they belong. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/* `key` names the value inside an object and is NULL inside an array and at the top. */
void json_open_object(struct text *text, const char *key);
void json_close_object(struct text *text);
void json_open_array(struct text *text, const char *key);
void json_close_array(struct text *text);

/* Bytes that are not UTF-8 become U+FFFD. */
void json_add_string(struct text *text, const char *key, const char *value);
void json_add_number(struct text *text, const char *key, int64_t value);

/* A 64-bit number in the form of proto3: a string. */
void json_add_int64(struct text *text, const char *key, int64_t value);

/* Bytes in base64, the form of proto3. */
void json_add_bytes(struct text *text, const char *key, const char *value);

void json_add_true(struct text *text, const char *key);
void json_add_boolean(struct text *text, const char *key, bool value);

#endif
