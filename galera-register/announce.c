#include "announce.h"

enum {
    BEATS_PER_TTL = 3,
    VERIFY_EVERY = 2, /* beats */
    JITTER_PERCENT = 20,
    BUDGET_LEAST_MS = 500,
    RETRY_FIRST_MS = 100,
    STOP_RETRY_MS = 50,
    CONTEST_POLL_MS = 500,
    /* etcd tells what is left in whole seconds */
    CONTEST_SLACK_MS = 1500,
    RENEWALS_OF_THE_LIVING = 2,
};

void announce_init(struct announce *announce, int64_t ttl_ms, int64_t stop_timeout_ms, bool once)
{
    *announce = (struct announce){.ttl_ms = ttl_ms, .stop_timeout_ms = stop_timeout_ms, .once = once};
    /* While the entry lives several attempts must fit; afterwards nobody gains by a flood of them. */
    announce->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = ttl_ms / 4};
}

void announce_want(struct announce *announce, bool wanted, int64_t now_ms)
{
    if (wanted == announce->wanted)
        return;
    announce->wanted = wanted;
    announce->retry_at_ms = now_ms;
}

void announce_outdate(struct announce *announce)
{
    announce->outdated = true;
}

void announce_stop(struct announce *announce, int64_t now_ms)
{
    if (announce->stopping)
        return;
    announce->stopping = true;
    announce->stop_by_ms = now_ms + announce->stop_timeout_ms;
    announce->retry_at_ms = now_ms;
}

/* How long one action may take: then there is time for another attempt before the entry expires. */
static int64_t budget_ms(const struct announce *announce)
{
    int64_t third = announce->ttl_ms / BEATS_PER_TTL;

    return third < BUDGET_LEAST_MS ? BUDGET_LEAST_MS : third;
}

static struct announce_step step(enum announce_action action, int64_t until_ms)
{
    return (struct announce_step){.action = action, .until_ms = until_ms};
}

static struct announce_step stopping_step(const struct announce *announce, int64_t now_ms)
{
    if (!announce->traced)
        return step(ANNOUNCE_END, now_ms);
    if (now_ms < announce->retry_at_ms)
        return step(ANNOUNCE_WAIT, announce->retry_at_ms);
    return step(ANNOUNCE_WITHDRAW, announce->stop_by_ms);
}

struct announce_step announce_next(const struct announce *announce, int64_t now_ms)
{
    int64_t until_ms = now_ms + budget_ms(announce);

    if (announce->ended)
        return step(ANNOUNCE_END, now_ms);
    if (announce->stopping)
        return stopping_step(announce, now_ms);
    if (!announce->wanted && !announce->traced)
        return step(ANNOUNCE_WAIT, INT64_MAX);
    if (now_ms < announce->retry_at_ms)
        return step(ANNOUNCE_WAIT, announce->retry_at_ms);
    if (!announce->wanted)
        return step(ANNOUNCE_WITHDRAW, until_ms);
    if (!announce->held)
        return step(ANNOUNCE_CLAIM, until_ms);
    if (now_ms >= announce->keep_at_ms)
        return step(ANNOUNCE_KEEP, until_ms);
    if (announce->verify_due)
        return step(ANNOUNCE_VERIFY, until_ms);
    if (announce->outdated)
        return step(ANNOUNCE_UPDATE, until_ms);
    return step(ANNOUNCE_WAIT, announce->keep_at_ms);
}

/* etcd has answered: what was said about an outage is over. */
static enum announce_news end_outage(struct announce *announce)
{
    bool was_out = announce->outage;

    announce->outage = false;
    announce->expiry_told = false;
    backoff_reset(&announce->backoff);
    return was_out ? NEWS_OUTAGE_OVER : NEWS_NONE;
}

static void renew(struct announce *announce, const struct announce_report *report, int64_t now_ms, uint32_t random)
{
    announce->ttl_ms = report->ttl_ms;
    announce->expires_at_ms = report->sent_ms + report->ttl_ms;
    announce->keep_at_ms = now_ms + jitter_ms(report->ttl_ms / BEATS_PER_TTL, JITTER_PERCENT, random);
}

static enum announce_news end_with(struct announce *announce, enum announce_news news)
{
    announce->ended = true;
    return news;
}

static enum announce_news claimed(struct announce *announce, const struct announce_report *report, int64_t now_ms,
                                  uint32_t random)
{
    bool again = announce->was_held || announce->outage;

    end_outage(announce);
    renew(announce, report, now_ms, random);
    announce->held = true;
    announce->traced = true;
    announce->was_held = true;
    announce->contested = false;
    announce->outdated = false;
    announce->verify_due = false;
    announce->beats = 0;
    announce->ended = announce->once;
    return again ? NEWS_REGISTERED_AGAIN : NEWS_REGISTERED;
}

/*
 * Another node has our id. A dead one's entry runs out; a living one's is renewed, and then it ends later than it was
 * to. That is seen once of a dead one as well, when etcd has a new leader, which gives every lease its whole TTL again.
 */
static enum announce_news taken(struct announce *announce, const struct announce_report *report, int64_t now_ms)
{
    int64_t until_ms = now_ms + report->left_ms;

    announce->held = false;
    end_outage(announce);
    if (report->left_ms < 0)
        return end_with(announce, NEWS_OWNED);
    announce->retry_at_ms = now_ms + CONTEST_POLL_MS;
    if (!announce->contested || announce->holder != report->holder) {
        announce->contested = true;
        announce->holder = report->holder;
        announce->holder_until_ms = until_ms;
        announce->holder_renewals = 0;
        return NEWS_CONTESTED;
    }
    if (until_ms <= announce->holder_until_ms + CONTEST_SLACK_MS)
        return NEWS_NONE;
    announce->holder_until_ms = until_ms;
    return ++announce->holder_renewals < RENEWALS_OF_THE_LIVING ? NEWS_NONE : end_with(announce, NEWS_OWNED);
}

static enum announce_news lost(struct announce *announce, int64_t now_ms)
{
    announce->held = false;
    announce->retry_at_ms = now_ms;
    end_outage(announce);
    return NEWS_LOST;
}

static enum announce_news unreachable(struct announce *announce, int64_t now_ms, uint32_t random)
{
    announce->retry_at_ms = now_ms + backoff_delay_ms(&announce->backoff, random);
    if (announce->once)
        return end_with(announce, NEWS_GIVEN_UP);
    if (!announce->outage) {
        announce->outage = true;
        return NEWS_OUTAGE;
    }
    if (announce->held && !announce->expiry_told && now_ms > announce->expires_at_ms) {
        announce->expiry_told = true;
        return NEWS_EXPIRED;
    }
    return NEWS_NONE;
}

static enum announce_news done(struct announce *announce, const struct announce_report *report, int64_t now_ms,
                               uint32_t random)
{
    switch (report->action) {
    case ANNOUNCE_CLAIM:
        return claimed(announce, report, now_ms, random);
    case ANNOUNCE_KEEP:
        renew(announce, report, now_ms, random);
        announce->verify_due = ++announce->beats % VERIFY_EVERY == 0 || announce->outage;
        return end_outage(announce);
    case ANNOUNCE_VERIFY:
        announce->verify_due = false;
        return end_outage(announce);
    case ANNOUNCE_UPDATE:
        announce->outdated = false;
        return end_outage(announce);
    case ANNOUNCE_WITHDRAW:
        announce->held = false;
        announce->traced = false;
        announce->ended = announce->stopping;
        end_outage(announce);
        return NEWS_WITHDRAWN;
    case ANNOUNCE_WAIT:
    case ANNOUNCE_END:
        break;
    }
    return NEWS_NONE;
}

static enum announce_news not_withdrawn(struct announce *announce, int64_t now_ms)
{
    announce->retry_at_ms = now_ms + STOP_RETRY_MS;
    if (announce->retry_at_ms < announce->stop_by_ms)
        return NEWS_NONE;
    return end_with(announce, NEWS_NOT_WITHDRAWN);
}

enum announce_news announce_take(struct announce *announce, const struct announce_report *report, int64_t now_ms,
                                 uint32_t random)
{
    /* A claim that failed half way may have left something. */
    if (report->action == ANNOUNCE_CLAIM && report->outcome != OUTCOME_TAKEN)
        announce->traced = true;
    if (report->outcome == OUTCOME_DONE)
        return done(announce, report, now_ms, random);
    if (report->action == ANNOUNCE_WITHDRAW && announce->stopping)
        return not_withdrawn(announce, now_ms);
    switch (report->outcome) {
    case OUTCOME_GONE:
        return lost(announce, now_ms);
    case OUTCOME_TAKEN:
        return taken(announce, report, now_ms);
    case OUTCOME_DISPLACED:
        return end_with(announce, NEWS_DISPLACED);
    case OUTCOME_REFUSED:
        return announce->was_held ? unreachable(announce, now_ms, random) : end_with(announce, NEWS_REFUSED);
    case OUTCOME_IMPOSSIBLE:
        return end_with(announce, NEWS_IMPOSSIBLE);
    case OUTCOME_UNREACHABLE:
        return unreachable(announce, now_ms, random);
    case OUTCOME_INTERRUPTED:
    case OUTCOME_DONE:
        break;
    }
    return NEWS_NONE;
}
