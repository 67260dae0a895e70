#include "backoff.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t jitter_ms(int64_t ms, int percent, uint32_t random)
{
    return ms - ms * percent / 100 * (int64_t)(random % 1024) / 1024;
}

int64_t backoff_delay_ms(struct backoff *backoff, uint32_t random)
{
    int64_t step = backoff->next_ms == 0 ? backoff->first_ms : backoff->next_ms;

    backoff->next_ms = step * 2 > backoff->most_ms ? backoff->most_ms : step * 2;
    return jitter_ms(step, 50, random);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->next_ms = 0;
}

uint32_t random_number(void)
{
    uint32_t number;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number)
        return number;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_nsec ^ ((uint32_t)getpid() << 16);
}
