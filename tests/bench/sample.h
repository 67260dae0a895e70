/*
 * What the bench tools share: a growing list of measured values with
 * percentiles, the monotonic clock, and strict parsing of numbers.
 */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Values of one kind; the unit is the caller's. */
struct sample {
    uint64_t *value;
    size_t count;
    size_t room;
    bool sorted;
};

/* Appends one value; ends the program when memory is exhausted. */
void sample_add(struct sample *s, uint64_t value);

/* The smallest value that per_mille thousandths of all are not above; 0 when empty. */
uint64_t sample_quantile(struct sample *s, unsigned per_mille);

double sample_mean(const struct sample *s);
void sample_free(struct sample *s);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_now(void);

/* A whole decimal number within [least, most]; false leaves *out as it was. */
bool number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/* Writes text as a JSON string, quotes included. */
void json_string(FILE *out, const char *text);

/* Prints "program: message" and exits 64 (wrong usage) or another code. */
__attribute__((noreturn, format(printf, 2, 3))) void bench_die(int code, const char *format, ...);

#endif
