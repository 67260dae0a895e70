#include "json.h"

#include <jansson.h>

#include "num.h"

/* struct json is never defined: its pointers are the library's. The library takes no const where it hands a child out.
 */
static json_t *inside(const struct json *value)
{
    return (json_t *)(uintptr_t)value;
}

static const struct json *outside(const json_t *value)
{
    return (const struct json *)value;
}

struct json *json_parse(const char *text, size_t length, struct error *error)
{
    json_error_t problem;
    json_t *root = json_loadb(text, length, 0, &problem);

    if (root == NULL)
        error_set(error, EXIT_UNAVAILABLE, "not JSON: %s", problem.text);
    return (struct json *)root;
}

void json_free(struct json *root)
{
    json_decref(inside(root));
}

const struct json *json_member(const struct json *object, const char *name)
{
    return outside(json_object_get(inside(object), name));
}

size_t json_count(const struct json *array)
{
    return json_array_size(inside(array));
}

const struct json *json_item(const struct json *array, size_t i)
{
    return outside(json_array_get(inside(array), i));
}

const char *json_text(const struct json *value)
{
    return json_string_value(inside(value));
}

bool json_is_map(const struct json *value)
{
    return value != NULL && json_typeof(inside(value)) == JSON_OBJECT;
}

bool json_is_list(const struct json *value)
{
    return value != NULL && json_typeof(inside(value)) == JSON_ARRAY;
}

bool json_truth(const struct json *value)
{
    return value != NULL && json_typeof(inside(value)) == JSON_TRUE;
}

bool json_flag(const struct json *value, bool *truth)
{
    *truth = json_truth(value);
    return value != NULL && json_is_boolean(inside(value));
}

int64_t json_number(const struct json *value, int64_t fallback)
{
    const char *digits = json_text(value);
    int64_t number;

    if (digits != NULL)
        return num_parse(digits, INT64_MIN, INT64_MAX, &number) ? number : fallback;
    if (value != NULL && json_typeof(inside(value)) == JSON_INTEGER)
        return json_integer_value(inside(value));
    return fallback;
}
