/* The HTTP answer, as text. Pure. */
#ifndef CLUSTERCHECK_REPLY_H
#define CLUSTERCHECK_REPLY_H

#include <stddef.h>

#include "request.h"
#include "settings.h"
#include "verdict.h"

enum { REPLY_SIZE = 2048 };

struct reply {
    char text[REPLY_SIZE];
    size_t length;
};

/* An answer of any length, somewhere else. */
struct page {
    const char *text;
    size_t length;
    int status;
};

/*
 * `state` is the server's own word for its state (wsrep_local_state_comment), NULL when it said nothing; it is
 * escaped here.
 */
void reply_format(struct reply *reply, const struct verdict *verdict, const struct request *request,
                  enum body_style style, const char *state);

/* The status code of a verdict: 200 up, 404 draining (http-check disable-on-404), 503 everything else. */
int reply_status(const struct verdict *verdict);

#endif
