/*
 * One log line per change of the verdict, none per healthy check, though every check is a process of its own:
 * the last verdict is kept in a small file per endpoint.
 */
#ifndef CLUSTERCHECK_JOURNAL_H
#define CLUSTERCHECK_JOURNAL_H

#include "request.h"
#include "settings.h"
#include "verdict.h"

/*
 * Logs the verdict when it differs from the last one, or when it is a failure that was last logged `log_repeat` ago.
 * Where the file cannot be kept, every verdict but "up" is logged.
 */
void journal_note(const struct settings *settings, enum endpoint endpoint, const struct verdict *verdict);

#endif
