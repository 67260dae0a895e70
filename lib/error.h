/*
 * An error on its way up: what went wrong, in words, and the exit code that it deserves.
 *
 * The function that meets the error fills it in; every caller that knows more adds what it was
 * doing in front: "cannot register db1: etcd http://10.0.0.9:2379: connection refused".
 */
#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

#include "exitcode.h"

enum { ERROR_TEXT_SIZE = 1024 };

struct error {
    enum exit_code code; /* EXIT_YES while there is no error */
    char text[ERROR_TEXT_SIZE];
};

/* Sets the error; always returns false, so that a bool function can `return error_set(...)`. */
bool error_set(struct error *error, enum exit_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<words>: " in front of what is there; always returns false. */
bool error_context(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
