#include "observe.h"

#include <stdio.h>
#include <unistd.h>

/* Where the classic check looked. */
static const char classic_disable_file[] = "/var/tmp/clustercheck.disabled";

/* The name that the state transfer scripts of MariaDB and PXC use (scripts/wsrep_sst_common, SST_PROGRESS_FILE). */
static const char sst_mark[] = "sst_in_progress";

static bool file_exists(const char *path)
{
    return path != NULL && access(path, F_OK) == 0;
}

static bool sst_in_progress(const struct settings *settings)
{
    char path[4096];

    if (settings->datadir == NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s", settings->datadir, sst_mark);
    return file_exists(path);
}

void observe(struct observed *observed, const struct settings *settings, const struct request *request,
             struct deadline deadline)
{
    struct observation *seen = &observed->observation;

    *seen = (struct observation){
        .failure = NODE_ANSWERED,
        .facts = &observed->facts,
        .disabled = file_exists(settings->disable_file) || file_exists(classic_disable_file),
        .draining = file_exists(settings->drain_file),
        .siblings = request->siblings,
    };
    facts_clear(&observed->facts);
    if (request->endpoint != ENDPOINT_LIVE && (seen->disabled || seen->draining))
        return;
    seen->failure = node_ask(&settings->node, deadline, &observed->facts, &observed->failure);
    if (seen->failure == NODE_ANSWERED)
        return;
    seen->failure_text = observed->failure.text;
    seen->sst_in_progress = sst_in_progress(settings);
}

struct verdict endpoint_verdict(const struct observed *observed, const struct settings *settings, enum endpoint endpoint)
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
    case ENDPOINT_POLICY:
    case ENDPOINT_COUNT:
        break;
    }
    return verdict_decide(&observed->observation, &policy);
}
