/* What the resident service counts of itself, for /status and /metrics. Pure. */
#ifndef CLUSTERCHECK_FIGURES_H
#define CLUSTERCHECK_FIGURES_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 14 };

/* Upper bounds in microseconds, growing; what is beyond the last counts under HISTOGRAM_BOUNDS. */
extern const int64_t histogram_bound_us[HISTOGRAM_BOUNDS];

struct histogram {
    uint64_t count[HISTOGRAM_BOUNDS + 1];
    uint64_t total;
    int64_t sum_ns;
};

enum figures_code { CODE_200, CODE_404, CODE_503, CODE_AGENT, CODE_COUNT };

struct figures {
    uint64_t answers[CODE_COUNT];
    uint64_t connections; /* accepted */
    uint64_t given_up;    /* because there were too many */
    uint64_t refreshes;   /* ended */
    uint64_t failed_refreshes;
    uint64_t reconnects;
    size_t clients; /* now */
    struct histogram answer_time;
    struct histogram refresh_time;
};

void histogram_add(struct histogram *histogram, int64_t ns);

enum figures_code figures_code_of(int status);

#endif
