/*
 * Absolute deadlines on the monotonic clock, passed down to every wait, so that a chain of waits
 * is bounded as a whole and a step of the wall clock changes nothing.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct deadline {
    int64_t at_ns; /* nanoseconds of CLOCK_MONOTONIC */
};

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t monotonic_ns(void);

/* The deadline that lies `ms` milliseconds from now. */
struct deadline deadline_in_ms(int64_t ms);

/* The earlier of the two. */
struct deadline deadline_earlier(struct deadline a, struct deadline b);

bool deadline_passed(struct deadline deadline);

/* Milliseconds left, rounded up, never negative and never more than INT_MAX: a timeout for poll(2). */
int deadline_left_ms(struct deadline deadline);

/* For clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME). */
struct timespec deadline_timespec(struct deadline deadline);

#endif
