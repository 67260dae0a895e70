/* The one line of HAProxy's agent-check (HAProxy configuration manual, "agent-check"). Pure. */
#ifndef CLUSTERCHECK_AGENT_H
#define CLUSTERCHECK_AGENT_H

#include "escape.h"
#include "verdict.h"

/*
 * "up ready 85%", "drain", "maint" or "down #reason", and a newline. "ready" is always said with "up", since only the
 * agent itself undoes the drain or maint that it has asked for; and never otherwise, since a server that leaves maint
 * is used before its first check.
 */
void agent_format(struct line *line, const struct verdict *verdict, int weight);

#endif
