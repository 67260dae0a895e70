/*
 * When the resident service may answer from what it knows, when a client waits for the server, and when the server is
 * asked again. Pure: times are given.
 *
 * The goal: an answer is never older than max_age, unless it says that the server does not answer; no client waits
 * longer than `timeout`; and the server is asked once per `refresh`, however many clients there are.
 */
#ifndef CLUSTERCHECK_FRESHNESS_H
#define CLUSTERCHECK_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of the monotonic clock; 0 stands for "never" and "not now". */
struct freshness {
    int64_t known_at; /* when the newest result was true: the question's time, or, of a failure, when it was clear */
    int64_t ended_at; /* when the newest result came in */
    int64_t asked_at; /* when the running refresh began; 0: none is running */
    bool timed_out;   /* the newest result: the server did not answer in time */
};

struct freshness_limits {
    int64_t refresh;
    int64_t max_age;
    int64_t timeout;
};

enum freshness_answer {
    FRESHNESS_SERVE, /* what is known is new enough */
    FRESHNESS_WAIT,  /* for the refresh that runs, or is to be begun */
    FRESHNESS_LATE,  /* the server hangs: say so at once */
};

enum freshness_answer freshness_judge(const struct freshness *known, const struct freshness_limits *limits,
                                      int64_t now);

/* When the clients that wait are to be told that the server is late; 0: nothing is running. */
int64_t freshness_patience_end(const struct freshness *known, const struct freshness_limits *limits);

/* When the next refresh is due while there are clients; INT64_MAX while one runs. */
int64_t freshness_due(const struct freshness *known, const struct freshness_limits *limits);

#endif
