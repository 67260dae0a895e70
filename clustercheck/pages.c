#include "pages.h"

#include <string.h>

#include "agent.h"
#include "journal.h"
#include "report.h"
#include "version.h"
#include "weight.h"

/* An admin's file counts at the latest this long after it has appeared. */
enum { LOOK_NS = 10 * 1000000, NS_PER_MS = 1000000, SIBLINGS_COUNT = SIBLINGS_USABLE + 1 };

struct kept_answer {
    unsigned generation; /* of what it was made from; 0: never made */
    int status;
    struct reply reply;
};

static struct {
    const struct settings *settings;
    struct snapshot *snapshot;
    enum node_failure failure; /* as the snapshot came */
    bool late;
    bool disabled, draining;
    int64_t looked_ns;
    unsigned generation; /* counts the changes of all that */
    struct weight weight;
    struct kept_answer kept[ENDPOINT_VERDICTS][SIBLINGS_COUNT][2][2];
    struct {
        bool noted;
        enum verdict_state state;
        enum verdict_reason reason;
        int64_t at_ns;
    } noted[ENDPOINT_VERDICTS];
    struct snapshot nothing; /* before the first refresh */
} pages = {.snapshot = &pages.nothing, .failure = NODE_TIMED_OUT, .generation = 1};

static void changed(void)
{
    pages.generation++;
}

void pages_configure(const struct settings *settings)
{
    pages.settings = settings;
    pages.nothing.observed.observation.facts = &pages.nothing.observed.facts;
    pages.looked_ns = 0;
    changed();
}

void pages_learn(struct snapshot *snapshot)
{
    pages.snapshot = snapshot;
    pages.failure = snapshot->observed.observation.failure;
    if (pages.failure == NODE_ANSWERED)
        weight_follow(&pages.weight, &snapshot->observed.facts, pages.settings->weight_queue,
                      snapshot->ended_ns / NS_PER_MS);
    changed();
}

void pages_set_late(bool late)
{
    if (late != pages.late) {
        pages.late = late;
        changed();
    }
}

void pages_look(int64_t now_ns)
{
    struct observation files;

    if (pages.looked_ns != 0 && now_ns - pages.looked_ns < LOOK_NS)
        return;
    pages.looked_ns = now_ns;
    observe_files(&files, pages.settings);
    if (files.disabled != pages.disabled || files.draining != pages.draining) {
        pages.disabled = files.disabled;
        pages.draining = files.draining;
        changed();
    }
}

bool pages_need_server(enum endpoint endpoint)
{
    return endpoint >= ENDPOINT_LIVE && endpoint != ENDPOINT_WRITER ? true : !pages.disabled && !pages.draining;
}

/* The observation as a process for one check would have made it now. */
static const struct observed *observed_now(enum siblings siblings)
{
    struct observation *seen = &pages.snapshot->observed.observation;

    seen->disabled = pages.disabled;
    seen->draining = pages.draining;
    seen->siblings = siblings;
    seen->failure = pages.late ? NODE_TIMED_OUT : pages.failure;
    return &pages.snapshot->observed;
}

static struct verdict verdict_now(enum endpoint endpoint, enum siblings siblings)
{
    struct verdict verdict = endpoint_verdict(observed_now(siblings), pages.settings, endpoint);

    return verdict.reason == REASON_TIMED_OUT ? verdict_late(pages.settings) : verdict;
}

struct verdict pages_verdict(void)
{
    return verdict_now(ENDPOINT_POLICY, SIBLINGS_NOT_TOLD);
}

/* The file of last verdicts is looked at when there is something to say, and not every time. */
static void note(enum endpoint endpoint, const struct verdict *verdict)
{
    int64_t now_ns = monotonic_ns();
    int64_t repeat_ns = pages.settings->log_repeat_ms * NS_PER_MS;
    bool same = pages.noted[endpoint].noted && pages.noted[endpoint].state == verdict->state &&
                pages.noted[endpoint].reason == verdict->reason;
    bool repeated =
        verdict->state == VERDICT_UNKNOWN && repeat_ns > 0 && now_ns - pages.noted[endpoint].at_ns >= repeat_ns;

    if (same && !repeated)
        return;
    pages.noted[endpoint].noted = true;
    pages.noted[endpoint].state = verdict->state;
    pages.noted[endpoint].reason = verdict->reason;
    pages.noted[endpoint].at_ns = now_ns;
    journal_note(pages.settings, endpoint, verdict);
}

static const char *state_word(const struct verdict *verdict)
{
    bool asked = !pages.late && pages.failure == NODE_ANSWERED && verdict->reason != REASON_DISABLED &&
                 verdict->reason != REASON_DRAINING;

    return asked ? facts_get(&pages.snapshot->observed.facts, "wsrep_local_state_comment") : NULL;
}

static void make_answer(struct kept_answer *answer, const struct request *request)
{
    struct verdict verdict = verdict_now(request->endpoint, request->siblings);

    if (request->progress == REQUEST_STARTED)
        verdict = verdict_bad_request();
    else
        note(request->endpoint, &verdict);
    reply_format(&answer->reply, &verdict, request, (enum body_style)pages.settings->body, state_word(&verdict));
    answer->status = reply_status(&verdict);
}

static struct page report_now(const struct request *request, const struct figures *figures, int64_t now_ns)
{
    static struct report report;

    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        report.verdicts[i] = verdict_now((enum endpoint)i, request->siblings);
    report.observed = observed_now(request->siblings);
    report.settings = pages.settings;
    report.weight = pages.weight.begun ? pages.weight.told : WEIGHT_FULL;
    report.age_ns = pages.snapshot == &pages.nothing ? -1 : now_ns - pages.snapshot->began_ns;
    report.figures = figures;
    report.version = SUITE_VERSION;
    return report_page(&report, request);
}

struct page pages_answer(const struct request *request, const struct figures *figures, int64_t now_ns)
{
    static struct kept_answer unusual;
    struct kept_answer *answer = &unusual;

    if (request->endpoint >= ENDPOINT_VERDICTS)
        return report_now(request, figures, now_ns);
    if (request->progress == REQUEST_STARTED)
        unusual.generation = 0;
    else
        answer = &pages.kept[request->endpoint][request->siblings][request->head][request->keep_alive];
    if (answer->generation != pages.generation) {
        make_answer(answer, request);
        answer->generation = pages.generation;
    }
    return (struct page){answer->reply.text, answer->reply.length, answer->status};
}

struct page pages_agent(void)
{
    static char text[128];
    struct line line = LINE_IN(text);
    struct verdict verdict = pages_verdict();
    int weight = pages.weight.begun ? pages.weight.told : WEIGHT_FULL;

    note(ENDPOINT_POLICY, &verdict);
    if (verdict.reason == REASON_DONOR)
        weight = weight_of_donor(weight, pages.settings->donor_weight);
    agent_format(&line, &verdict, weight);
    return (struct page){text, line.length, 0};
}
