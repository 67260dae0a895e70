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

/* The admin's files alone: sets `disabled` and `draining`. */
void observe_files(struct observation *seen, const struct settings *settings);

/* What is said when the server has not answered within `timeout`. */
struct verdict verdict_late(const struct settings *settings);

/* What is said to half a request line. */
struct verdict verdict_bad_request(void);

/* The verdict of an endpoint over what was observed. */
struct verdict endpoint_verdict(const struct observed *observed, const struct settings *settings,
                                enum endpoint endpoint);

#endif
