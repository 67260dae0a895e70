#include "freshness.h"

/* A refresh that follows directly upon one that timed out is not waited for: its clients would all lose `timeout`
 * again. */
static bool still_hangs(const struct freshness *known, const struct freshness_limits *limits)
{
    return known->timed_out && known->asked_at != 0 && known->asked_at - known->ended_at <= limits->max_age;
}

enum freshness_answer freshness_judge(const struct freshness *known, const struct freshness_limits *limits, int64_t now)
{
    if (known->asked_at != 0 && (now - known->asked_at >= limits->timeout || still_hangs(known, limits)))
        return FRESHNESS_LATE;
    if (known->known_at != 0 && now - known->known_at <= limits->max_age)
        return FRESHNESS_SERVE;
    return FRESHNESS_WAIT;
}

int64_t freshness_patience_end(const struct freshness *known, const struct freshness_limits *limits)
{
    return known->asked_at == 0 ? 0 : known->asked_at + limits->timeout;
}

int64_t freshness_due(const struct freshness *known, const struct freshness_limits *limits)
{
    if (known->asked_at != 0)
        return INT64_MAX;
    return known->known_at == 0 ? 0 : known->known_at + limits->refresh;
}
