/*
 * Reading JSON from outside. Every function takes NULL for "not there" and answers accordingly, so a path of members
 * is followed without a check at each step. The only module that knows the JSON library.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct json; /* a value; all but the root belong to their root */

/* The root, which the caller frees, or NULL with the error set (EXIT_UNAVAILABLE). Trailing text is an error. */
struct json *json_parse(const char *text, size_t length, struct error *error);
void json_free(struct json *root);

/* NULL when `object` is no object or has no such member. */
const struct json *json_member(const struct json *object, const char *name);

/* Items of an array; 0 and NULL for anything else. */
size_t json_count(const struct json *array);
const struct json *json_item(const struct json *array, size_t i);

/* The text of a string, or NULL. */
const char *json_text(const struct json *value);

/* Whether it is an object, an array. */
bool json_is_map(const struct json *value);
bool json_is_list(const struct json *value);
bool json_truth(const struct json *value);

/* Whether it is true or false, and which. */
bool json_flag(const struct json *value, bool *truth);

/* A whole number, or a string of digits as proto3 writes 64-bit numbers; `fallback` when it is neither. */
int64_t json_number(const struct json *value, int64_t fallback);

#endif
