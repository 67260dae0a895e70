/* What /status and /metrics tell, as text. Pure. */
#ifndef CLUSTERCHECK_REPORT_H
#define CLUSTERCHECK_REPORT_H

#include "escape.h"
#include "figures.h"
#include "observe.h"
#include "reply.h"

/* Enough for all that `facts` can hold, whatever escaping makes of it. */
enum { REPORT_SIZE = 160 * 1024 };

struct report {
    const struct observed *observed;
    const struct settings *settings;
    struct verdict verdicts[ENDPOINT_VERDICTS]; /* by endpoint */
    int weight;                                 /* what --agent tells, while up */
    int64_t age_ns;                             /* of what is known of the server; -1: nothing is */
    const struct figures *figures;              /* NULL: a process for this one check */
    const char *version;
};

/* JSON, described by conf/status.schema.json. */
void status_format(struct line *line, const struct report *report);

/* The text format of Prometheus, version 0.0.4. */
void metrics_format(struct line *line, const struct report *report);

/*
 * The HTTP answer to /status or /metrics, always 200: it is a report and not a verdict. Valid until the next call.
 */
struct page report_page(const struct report *report, const struct request *request);

/* Whether the text is a number as JSON writes them (RFC 8259, section 6); Prometheus reads the same. */
bool is_json_number(const char *text);

#endif
