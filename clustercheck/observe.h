/* Gathers what the verdict depends on: the admin's files, the data directory, the server. */
#ifndef CLUSTERCHECK_OBSERVE_H
#define CLUSTERCHECK_OBSERVE_H

#include "deadline.h"
#include "request.h"
#include "settings.h"
#include "verdict.h"

/* Where an observation keeps what it points to. */
struct observed {
    struct observation observation;
    struct facts facts;
    struct error failure;
};

/*
 * Looks at everything that `endpoint` needs. The server is not asked when an admin's file has decided already.
 */
void observe(struct observed *observed, const struct settings *settings, const struct request *request,
             struct deadline deadline);

/* The verdict of an endpoint over what was observed. */
struct verdict endpoint_verdict(const struct observed *observed, const struct settings *settings, enum endpoint endpoint);

#endif
