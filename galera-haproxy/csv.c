#include "csv.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 32 };

#define NOT_FOUND SIZE_MAX

/* Reads one value and leaves `*rest` at what ends it: a comma, a newline or the end. */
static void read_value(const char **rest, char *value, size_t size)
{
    const char *c = *rest;
    size_t length = 0;
    bool quoted = *c == '"';

    if (quoted)
        c++;
    while (*c != '\0') {
        if (quoted && *c == '"' && c[1] != '"') {
            c++;
            break;
        }
        if (!quoted && (*c == ',' || *c == '\n'))
            break;
        if (quoted && *c == '"')
            c++;
        if (length < size - 1)
            value[length++] = *c;
        c++;
    }
    value[length] = '\0';
    *rest = c + strcspn(c, ",\n");
}

/* Goes to the next value of the row; false at its end, with `*rest` at the next row. */
static bool next_value(const char **rest)
{
    bool more = **rest == ',';

    if (**rest != '\0')
        (*rest)++;
    return more;
}

bool csv_header(const char **rest, const char *const *name, size_t *column, size_t count)
{
    char value[NAME_SIZE];
    size_t found = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        column[i] = NOT_FOUND;
    if (strncmp(*rest, "# ", 2) == 0)
        *rest += 2;
    do {
        read_value(rest, value, sizeof value);
        for (size_t i = 0; i < count; i++) {
            if (column[i] == NOT_FOUND && strcmp(name[i], value) == 0) {
                column[i] = at;
                found++;
            }
        }
        at++;
    } while (next_value(rest));
    return found == count;
}

bool csv_row(const char **rest, const size_t *column, size_t count, char *values, size_t size)
{
    char value[256];
    size_t at = 0;

    if (**rest == '\0' || **rest == '\n')
        return false;
    memset(values, 0, count * size);
    do {
        read_value(rest, value, sizeof value);
        for (size_t i = 0; i < count; i++) {
            if (column[i] == at)
                snprintf(values + i * size, size, "%s", value);
        }
        at++;
    } while (next_value(rest));
    return true;
}
