/*
 * What the resident service knows, and the answers that follow from it: the same verdicts, in the same words, as a
 * process for one check gives. An answer is put together once for everything that it depends on, and kept until
 * something changes.
 */
#ifndef CLUSTERCHECK_PAGES_H
#define CLUSTERCHECK_PAGES_H

#include "figures.h"
#include "refresher.h"
#include "reply.h"

/* Begins with new settings, at the start and after a change; what is known of the server stays. They are kept. */
void pages_configure(const struct settings *settings);

/* Takes the result of a refresh; it is kept until the next. */
void pages_learn(struct snapshot *snapshot);

/* Whether the server hangs: while it does, it counts as timed out, whatever was known before. */
void pages_set_late(bool late);

/* Looks for the admin's files, unless that was done milliseconds ago. */
void pages_look(int64_t now_ns);

/* True when the answer depends on the server, and not on an admin's file alone. */
bool pages_need_server(enum endpoint endpoint);

/* The answer to a request, or the agent's line; valid until the next call. Changes of a verdict are logged here. */
struct page pages_answer(const struct request *request, const struct figures *figures, int64_t now_ns);
struct page pages_agent(void);

/* "/"'s verdict over what is known now. */
struct verdict pages_verdict(void);

#endif
