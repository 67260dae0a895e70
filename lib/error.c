#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum exit_code code, const char *format, ...)
{
    va_list arguments;

    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

bool error_context(struct error *error, const char *format, ...)
{
    char cause[sizeof error->text];
    va_list arguments;

    memcpy(cause, error->text, sizeof cause);
    va_start(arguments, format);
    int used = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);

    size_t length = used < 0 ? 0 : (size_t)used;
    size_t room = length < sizeof error->text ? sizeof error->text - length : 0;
    if (snprintf(error->text + sizeof error->text - room, room, ": %s", cause) >= (int)room)
        memcpy(error->text + sizeof error->text - 4, "...", 4);
    return false;
}
