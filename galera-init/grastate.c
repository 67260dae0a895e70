#include "grastate.h"

#include <string.h>

#include "num.h"

enum { VALUE_SIZE = 64 };

struct parse {
    struct grastate state;
    bool has_uuid, has_seqno, has_safe;
};

/* Galera separates name and value with blanks and ends a value at the next blank (saved_state.cpp reads words). */
static bool line_value(const char *line, size_t length, const char *name, char value[VALUE_SIZE])
{
    size_t skip = strlen(name);

    if (length < skip || strncmp(line, name, skip) != 0)
        return false;
    skip += strspn(line + skip, " \t");
    size_t end = skip < length ? skip + strcspn(line + skip, " \t\r\n") : length;
    if (end > length)
        end = length;
    if (skip > end)
        skip = end;
    /* A value that is too long is no value: it is kept empty, and nothing parses as that. */
    size_t size = end - skip < VALUE_SIZE ? end - skip : 0;
    memcpy(value, line + skip, size);
    value[size] = '\0';
    return true;
}

static bool uuid_is(const char *value, struct uuid *uuid)
{
    return strlen(value) == UUID_TEXT_SIZE - 1 && uuid_parse(value, uuid);
}

/* False when the line makes the file a corrupt one. */
static bool parse_line(struct parse *parse, const char *line, size_t length)
{
    char value[VALUE_SIZE];
    bool *seen = NULL;
    bool good = true;

    if (line_value(line, length, "uuid:", value)) {
        seen = &parse->has_uuid;
        good = uuid_is(value, &parse->state.position.uuid);
    } else if (line_value(line, length, "seqno:", value)) {
        seen = &parse->has_seqno;
        good = num_parse(value, SEQNO_UNKNOWN, INT64_MAX, &parse->state.position.seqno);
    } else if (line_value(line, length, "safe_to_bootstrap:", value)) {
        seen = &parse->has_safe;
        good = strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
        parse->state.safe_to_bootstrap = value[0] == '1';
    }
    if (seen == NULL)
        return true;
    if (*seen)
        return false;
    *seen = true;
    return good;
}

struct grastate grastate_parse(const char *text)
{
    struct parse parse = {.state = {.condition = GRASTATE_GOOD, .position = position_none()}};
    bool good = true;

    if (text == NULL)
        return (struct grastate){.condition = GRASTATE_MISSING, .position = position_none()};
    for (const char *line = text; good && *line != '\0';) {
        size_t length = strcspn(line, "\n");
        good = parse_line(&parse, line, length);
        line += length + (line[length] == '\n');
    }
    if (!good || !parse.has_uuid || !parse.has_seqno)
        return (struct grastate){.condition = GRASTATE_CORRUPT, .position = position_none()};
    return parse.state;
}
