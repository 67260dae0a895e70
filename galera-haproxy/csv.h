/* Rows of comma-separated values as HAProxy prints them ("show stat"): named columns, quotes doubled inside quotes. */
#ifndef HAPROXY_CSV_H
#define HAPROXY_CSV_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the columns by their names in the first line, which may begin with "# ". False when one is missing. */
bool csv_header(const char **rest, const char *const *name, size_t *column, size_t count);

/*
 * The next row's values of these columns: value i in the `size` bytes at `values + i * size`, cut if it is longer; ""
 * where the row has none. False at an empty line or at the end.
 */
bool csv_row(const char **rest, const size_t *column, size_t count, char *values, size_t size);

#endif
