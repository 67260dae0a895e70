/*
 * Strict parsing of what people write: numbers, durations, booleans. A trailing character, an
 * empty text or a value out of range is "no", never a guess.
 */
#ifndef NUM_H
#define NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number in min..max; a leading '-' is allowed, blanks and '+' are not. */
bool num_parse(const char *text, int64_t min, int64_t max, int64_t *value);

/* "250ms", "10s", "2m", "1h", or a bare number of seconds, with up to three decimals; in whole milliseconds. */
bool duration_parse(const char *text, int64_t *ms);

/* The shortest form that duration_parse reads back: 250 -> "250ms", 120000 -> "2m". */
void duration_format(int64_t ms, char *text, size_t size);

/* yes/no, on/off, true/false, 1/0; letters of either case. */
bool boolean_parse(const char *text, bool *value);

#endif
