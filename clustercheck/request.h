/*
 * The HTTP request of a check, as far as the answer depends on it. Pure: bytes in, request out.
 *
 * A health check's answer is about the node and not about its client's manners: whatever is not HTTP is
 * answered like "GET /".
 */
#ifndef CLUSTERCHECK_REQUEST_H
#define CLUSTERCHECK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "verdict.h"

enum endpoint {
    ENDPOINT_POLICY,   /* "/" and every path that is not named below */
    ENDPOINT_RW,       /* "/rw": also refuses a read-only node */
    ENDPOINT_RO,       /* "/ro": accepts a read-only node */
    ENDPOINT_LIVE,     /* "/live": is the server there at all */
    ENDPOINT_WRITER,   /* "/writer": as /rw, and no usable node is preferred, as far as one node can know */
    ENDPOINT_VERDICTS, /* those above are answered with a verdict, those below with a report */
    ENDPOINT_STATUS = ENDPOINT_VERDICTS, /* "/status": JSON */
    ENDPOINT_METRICS,                    /* "/metrics": Prometheus */
    ENDPOINT_COUNT
};

enum request_progress {
    REQUEST_EMPTY,    /* nothing was sent */
    REQUEST_STARTED,  /* the request line has no end yet: what is asked is not known */
    REQUEST_LINE,     /* the request line is there, the blank line is not */
    REQUEST_COMPLETE, /* up to its blank line; what follows is ignored */
};

struct request {
    enum request_progress progress;
    enum endpoint endpoint;
    bool head;       /* HEAD: the answer has no body */
    bool keep_alive; /* HTTP/1.1 with "Connection: keep-alive" */
    bool has_body;   /* the client has more to say than the request's head */
    size_t length;   /* of the head, when it is complete */
    enum siblings siblings;
};

/* The most bytes of a request that are looked at. */
enum { REQUEST_SIZE_MOST = 8192 };

/* Reads what has arrived so far; may be called again with more. `bytes` need not be terminated and may hold any. */
struct request request_parse(const char *bytes, size_t length);

/* The endpoint of a path ("/rw", "/rw?x=1"). */
enum endpoint endpoint_of_path(const char *path, size_t length);

/* The path that names the endpoint. */
const char *endpoint_path(enum endpoint endpoint);

/*
 * What `http-check send-state` says of the other servers of the backend (HAProxy configuration manual, "http-check
 * send-state"): "UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0".
 */
enum siblings siblings_parse(const char *value, size_t length);

#endif
