/* The client at the other end of fd 0: what kind it is, and what it asks. */
#ifndef CLUSTERCHECK_CONNECTION_H
#define CLUSTERCHECK_CONNECTION_H

#include <stdint.h>

#include "deadline.h"
#include "request.h"

enum input {
    INPUT_OTHER,      /* a terminal, a pipe, a file: print the answer */
    INPUT_CONNECTION, /* a connected socket: xinetd `wait = no`, systemd `Accept=yes` */
    INPUT_LISTENER,   /* a listening socket: xinetd `wait = yes`, systemd `Accept=no` */
};

enum input input_of(int fd);

/*
 * Takes one connection from the listening socket that is fd 0 and puts it in its place. False when there is none
 * (any more).
 */
bool connection_accept(void);

/*
 * xinetd hands over the socket as fd 1 and 2 as well, and whatever a library prints there would be sent to
 * the client: both are pointed at /dev/null. Needs no free file descriptor.
 */
void connection_detach(void);

/*
 * Reads the request up to its blank line, the end of input, REQUEST_SIZE_MOST bytes, `wait_ms` of silence before the
 * first byte or after the request line, or `deadline`.
 */
struct request connection_read(int fd, int64_t wait_ms, struct deadline deadline);

#endif
