#include "deadline.h"

#include <limits.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct deadline deadline_in_ms(int64_t ms)
{
    return (struct deadline){monotonic_ns() + ms * NS_PER_MS};
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
    return a.at_ns < b.at_ns ? a : b;
}

bool deadline_passed(struct deadline deadline)
{
    return monotonic_ns() >= deadline.at_ns;
}

int deadline_left_ms(struct deadline deadline)
{
    int64_t left_ns = deadline.at_ns - monotonic_ns();

    if (left_ns <= 0)
        return 0;
    int64_t left_ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

struct timespec deadline_timespec(struct deadline deadline)
{
    return (struct timespec){.tv_sec = deadline.at_ns / NS_PER_S, .tv_nsec = deadline.at_ns % NS_PER_S};
}
