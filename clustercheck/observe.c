#include "observe.h"

#include <stdio.h>

#include "marks.h"
#include "num.h"

void observe_files(struct observation *seen, const struct settings *settings)
{
    seen->disabled = mark_disabled(settings->disable_file);
    seen->draining = mark_draining(settings->drain_file);
}

void observe(struct observed *observed, const struct settings *settings, const struct request *request,
             struct deadline deadline)
{
    struct observation *seen = &observed->observation;

    *seen = (struct observation){
        .failure = NODE_ANSWERED,
        .facts = &observed->facts,
        .siblings = request->siblings,
    };
    bool reported = request->endpoint >= ENDPOINT_VERDICTS;

    observe_files(seen, settings);
    facts_clear(&observed->facts);
    if (request->endpoint != ENDPOINT_LIVE && !reported && (seen->disabled || seen->draining))
        return;
    seen->failure = reported ? node_ask_everything(&settings->node, deadline, &observed->facts, &observed->failure)
                             : node_ask(&settings->node, deadline, &observed->facts, &observed->failure);
    if (seen->failure == NODE_ANSWERED)
        return;
    seen->failure_text = observed->failure.text;
    seen->sst_in_progress = mark_transfer(settings->datadir);
}

struct verdict verdict_late(const struct settings *settings)
{
    struct verdict late = {.state = VERDICT_UNKNOWN, .reason = REASON_TIMED_OUT};
    char timeout[32];

    duration_format(settings->timeout_ms, timeout, sizeof timeout);
    snprintf(late.detail, sizeof late.detail, "the server did not answer within %s", timeout);
    return late;
}

struct verdict verdict_bad_request(void)
{
    return (struct verdict){.state = VERDICT_UNKNOWN,
                            .reason = REASON_BAD_REQUEST,
                            .detail = "the request line did not end, so what is asked is not known"};
}

struct verdict endpoint_verdict(const struct observed *observed, const struct settings *settings,
                                enum endpoint endpoint)
{
    struct policy policy = {
        .donor = (enum donor_policy)settings->available_when_donor,
        .readonly = settings->available_when_readonly,
        .desynced = settings->available_when_desynced,
    };

    switch (endpoint) {
    case ENDPOINT_RW:
        policy.readonly = false;
        break;
    case ENDPOINT_RO:
        policy.readonly = true;
        break;
    case ENDPOINT_LIVE:
        return verdict_live(&observed->observation);
    case ENDPOINT_WRITER:
        policy.readonly = false;
        return verdict_writer(&observed->observation, verdict_decide(&observed->observation, &policy));
    case ENDPOINT_POLICY:
    case ENDPOINT_STATUS:
    case ENDPOINT_METRICS:
    case ENDPOINT_COUNT:
        break;
    }
    return verdict_decide(&observed->observation, &policy);
}
