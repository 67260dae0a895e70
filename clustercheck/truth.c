#include "truth.h"

#include "pages.h"
#include "refresher.h"

enum { NS_PER_MS = 1000000 };

static struct {
    const struct settings *settings;
    struct figures *figures;
    struct freshness known;
    struct freshness_limits limits;
} truth;

static void take_settings(const struct settings *settings)
{
    truth.settings = settings;
    truth.limits = (struct freshness_limits){.refresh = settings->refresh_ms * NS_PER_MS,
                                             .max_age = settings->max_age_ms * NS_PER_MS,
                                             .timeout = settings->timeout_ms * NS_PER_MS};
    pages_configure(settings);
}

bool truth_open(const struct settings *settings, struct figures *figures, struct error *error)
{
    truth.figures = figures;
    take_settings(settings);
    return refresher_start(error);
}

int truth_fd(void)
{
    return refresher_fd();
}

bool truth_learn(void)
{
    struct snapshot *snapshot = refresher_take();

    if (snapshot == NULL)
        return false;
    enum node_failure failure = snapshot->observed.observation.failure;
    truth.known = (struct freshness){
        .known_at = failure == NODE_ANSWERED ? snapshot->began_ns : snapshot->ended_ns,
        .ended_at = snapshot->ended_ns,
        .timed_out = failure == NODE_TIMED_OUT,
    };
    pages_learn(snapshot);
    pages_set_late(false);
    truth.figures->refreshes++;
    truth.figures->failed_refreshes += failure != NODE_ANSWERED;
    truth.figures->reconnects += snapshot->reconnected;
    histogram_add(&truth.figures->refresh_time, snapshot->ended_ns - snapshot->began_ns);
    return true;
}

static void begin_refresh(int64_t now_ns)
{
    if (refresher_runs())
        return;
    truth.known.asked_at = now_ns;
    refresher_order(truth.settings);
}

enum freshness_answer truth_judge(enum endpoint endpoint, int64_t now_ns)
{
    pages_look(now_ns);
    if (!pages_need_server(endpoint))
        return FRESHNESS_SERVE;
    enum freshness_answer answer = freshness_judge(&truth.known, &truth.limits, now_ns);
    if (answer == FRESHNESS_WAIT)
        begin_refresh(now_ns);
    else
        pages_set_late(answer == FRESHNESS_LATE);
    return answer;
}

int64_t truth_patience_end(void)
{
    return freshness_patience_end(&truth.known, &truth.limits);
}

void truth_declare_late(void)
{
    pages_set_late(true);
}

int64_t truth_tick(int64_t now_ns)
{
    if (freshness_due(&truth.known, &truth.limits) <= now_ns)
        begin_refresh(now_ns);
    return freshness_due(&truth.known, &truth.limits);
}

bool truth_reconfigure(const struct settings *settings)
{
    if (refresher_runs())
        return false;
    refresher_forget();
    truth.known = (struct freshness){0};
    take_settings(settings);
    return true;
}

bool truth_close(int64_t wait_ms)
{
    return refresher_stop(wait_ms);
}
