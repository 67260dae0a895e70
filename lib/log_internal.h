/* Between log.c and log_thread.c. */
#ifndef LOG_INTERNAL_H
#define LOG_INTERNAL_H

#include <stddef.h>

#include "log.h"

/* Takes a line without its newline; behind it there is room for one, and for a NUL. */
typedef void log_writer(enum log_level level, char *text, size_t length);

/* Writes to the log's target, however long that takes. */
void log_write(enum log_level level, char *text, size_t length);

/* Who gets the lines; NULL: log_write. */
void log_set_writer(log_writer *writer);

#endif
