/* Files whose existence says something about a node: what an admin wants, and a state transfer that runs. */
#ifndef MARKS_H
#define MARKS_H

#include <stdbool.h>

/* `disable_file` (may be NULL) or the one where the classic check looked. */
bool mark_disabled(const char *disable_file);

/* `drain_file` may be NULL. */
bool mark_draining(const char *drain_file);

/* Whether the data directory (may be NULL) has the mark of a state transfer that is received. */
bool mark_transfer(const char *datadir);

#endif
