/*
 * Log lines: one event, one line, one write.
 *
 * As text, "program: level: message key=value ...", or as one JSON object a line; to stderr, to
 * syslog, to a file, or nowhere. Whatever a message carries from outside is escaped here, so callers may pass
 * text from a server as it came. A message says what happened, what that means, and what to do next.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

/* The values are those of syslog(3). */
enum log_level {
    LOG_LEVEL_ERR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
    const char *key;
    const char *value; /* NULL leaves the field out */
};

/* `program` must outlive the log. Until log_target is called, lines go to stderr. */
void log_open(const char *program);

/*
 * "stderr", "syslog", "none" or the absolute path of a file to append to. False when the file cannot be opened
 * (errno says why); the log then stays where it was.
 */
bool log_target(const char *target);

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

/* Writes one line when `level` is to be logged. `fields` ends with {NULL, NULL}, or is NULL. errno is kept. */
void log_event(enum log_level level, const struct log_field *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_err(...)     log_event(LOG_LEVEL_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)  log_event(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)    log_event(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_event(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

/* Closes a file or syslog; later lines go to stderr again. */
void log_close(void);

#endif
