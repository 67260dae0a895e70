/* Signals as something to poll(2) for. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

#include "error.h"

/*
 * Blocks the signals of `list` (ends with 0) in this thread and those it starts, and returns a signalfd for them (close
 * on exec, not blocking). -1 with the error set. SIGPIPE is ignored from here on.
 */
int signals_open(const int *list, struct error *error);

/* The next pending signal, 0 when there is none. */
int signals_next(int fd);

/* Undoes what signals_open did to the process: for a child, before it runs another program. */
void signals_restore(void);

#endif
