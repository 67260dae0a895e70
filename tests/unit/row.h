/*
 * For tests that are tables: checks whose failure names the row. Includes what cmocka.h wants to be included before it.
 */
#ifndef ROW_H
#define ROW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Valgrind keeps descriptors for itself, and executes programs in a way of its own: rows about that say nothing there.
 */
static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

#define ROW_COUNT(table) (sizeof(table) / sizeof(table)[0])

#define row_true(row, condition)                                                                                       \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("row \"%s\": not so: %s", row, #condition);                                                       \
    } while (0)

#define row_number(row, got, expected)                                                                                 \
    do {                                                                                                               \
        long long row_got = (long long)(got);                                                                          \
        long long row_expected = (long long)(expected);                                                                \
        if (row_got != row_expected)                                                                                   \
            fail_msg("row \"%s\": %s is %lld instead of %lld", row, #got, row_got, row_expected);                      \
    } while (0)

/* NULL equals NULL alone. */
#define row_text(row, got, expected)                                                                                   \
    do {                                                                                                               \
        const char *row_got = (got);                                                                                   \
        const char *row_expected = (expected);                                                                         \
        if ((row_got == NULL) != (row_expected == NULL) || (row_got != NULL && strcmp(row_got, row_expected) != 0))    \
            fail_msg("row \"%s\": %s is \"%s\" instead of \"%s\"", row, #got, row_got == NULL ? "(null)" : row_got,    \
                     row_expected == NULL ? "(null)" : row_expected);                                                  \
    } while (0)

/* `expected` stands somewhere in `got`. */
#define row_contains(row, got, expected)                                                                               \
    do {                                                                                                               \
        if (strstr(got, expected) == NULL)                                                                             \
            fail_msg("row \"%s\": %s is \"%s\", without \"%s\"", row, #got, got, expected);                            \
    } while (0)

#endif
