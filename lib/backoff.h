/* How long to wait before trying again: longer each time, and never all at the same moment. */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_ms;
    int64_t most_ms;
    int64_t next_ms; /* 0: start with first_ms */
};

/* The delay to keep now: half to all of the current step, which then doubles up to most_ms. `random`: any number. */
int64_t backoff_delay_ms(struct backoff *backoff, uint32_t random);

/* It worked: the next delay starts small again. */
void backoff_reset(struct backoff *backoff);

/* `ms`, up to `percent` shorter. */
int64_t jitter_ms(int64_t ms, int percent, uint32_t random);

/* A number that differs between the nodes. */
uint32_t random_number(void);

#endif
