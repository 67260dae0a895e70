/*
 * Giving exactly one answer, in time, whatever hangs.
 *
 * A watchdog thread holds a prepared answer and gives it when the deadline passes. Whoever takes the answer first,
 * the checking thread or the watchdog, keeps it: a good answer is never cut in half and never followed by another.
 */
#ifndef CLUSTERCHECK_ANSWER_H
#define CLUSTERCHECK_ANSWER_H

#include <stdbool.h>

#include "deadline.h"
#include "error.h"
#include "reply.h"

/*
 * Starts the watchdog. When `deadline` passes before answer_claim, it writes the fallback with answer_write, calls
 * `late` and ends the process with `exit_code`.
 */
bool answer_watch(struct deadline deadline, int exit_code, void (*late)(void), struct error *error);

/* Replaces the fallback. Until the first call, or with an `fd` of -1, the watchdog just ends the process. */
void answer_prepare(const struct reply *fallback, int fd, bool is_client);

/*
 * From here on the watchdog keeps quiet. Does not return when the watchdog has been first: the process ends. With a
 * client, a process that has not ended a few seconds later is ended by SIGALRM.
 */
void answer_claim(void);

/*
 * Writes the reply. To a client: then closes our direction of the socket and reads until the client closes (bounded in
 * time), since closing with unread bytes would make the kernel send a reset that can overtake the answer (RFC 9112
 * section 9.6). Anything else is left open, a socket too: standard output may be the journal's and shared with others.
 */
void answer_write(int fd, bool is_client, const struct reply *reply);

/* The same for an answer of any length. */
void answer_write_text(int fd, bool is_client, const char *text, size_t length);

#endif
