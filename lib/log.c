#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "log_internal.h"

/* JSON escaping may make a message six times as long, and it must still fit. */
enum { MESSAGE_SIZE = 2048, LINE_SIZE = 8 * MESSAGE_SIZE, RESERVED_FOR_END = 4 };

enum sink { SINK_STDERR, SINK_SYSLOG, SINK_NONE, SINK_FILE };

static struct {
    const char *program;
    enum sink sink;
    int fd;
    enum log_level level;
    enum log_format format;
    log_writer *writer;
} log_state = {.program = "clustercheck",
               .sink = SINK_STDERR,
               .fd = -1,
               .level = LOG_LEVEL_NOTICE,
               .format = LOG_FORMAT_TEXT,
               .writer = log_write};

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERR] = "err",   [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
        [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug",
    };
    return names[level];
}

void log_open(const char *program)
{
    log_state.program = program;
}

void log_close(void)
{
    if (log_state.sink == SINK_SYSLOG)
        closelog();
    if (log_state.sink == SINK_FILE)
        close(log_state.fd);
    log_state.fd = -1;
    log_state.sink = SINK_STDERR;
}

bool log_target(const char *target)
{
    enum sink sink = SINK_FILE;
    int fd = -1;

    if (strcmp(target, "stderr") == 0)
        sink = SINK_STDERR;
    else if (strcmp(target, "syslog") == 0)
        sink = SINK_SYSLOG;
    else if (strcmp(target, "none") == 0)
        sink = SINK_NONE;
    else if ((fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640)) < 0)
        return false;
    log_close();
    log_state.sink = sink;
    log_state.fd = fd;
    if (sink == SINK_SYSLOG)
        openlog(log_state.program, LOG_PID, LOG_DAEMON);
    return true;
}

void log_set_level(enum log_level level)
{
    log_state.level = level;
}

void log_set_format(enum log_format format)
{
    log_state.format = format;
}

/* RFC 3339 in UTC with milliseconds. */
static void line_add_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char date[32];
    char text[48];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03ldZ", date, now.tv_nsec / 1000000);
    line_add(line, text);
}

static void line_add_json_member(struct line *line, const char *key, const char *value)
{
    line_add(line, line->length > 1 ? "," : "");
    line_add_json(line, key);
    line_add(line, ":");
    line_add_json(line, value);
}

static void format_json(struct line *line, enum log_level level, const struct log_field *fields, const char *message)
{
    char now[48];
    struct line time_line = LINE_IN(now);

    line_add_time(&time_line);
    line_add(line, "{");
    line_add_json_member(line, "time", now);
    line_add_json_member(line, "program", log_state.program);
    line_add_json_member(line, "level", level_name(level));
    line_add_json_member(line, "message", message);
    for (; fields != NULL && fields->key != NULL; fields++) {
        /* A field that might not fit is left out whole: the line must stay valid JSON. */
        size_t most = 6 * (strlen(fields->key) + (fields->value == NULL ? 0 : strlen(fields->value))) + 8;
        if (fields->value != NULL && line->length + most < line->size)
            line_add_json_member(line, fields->key, fields->value);
    }
    line_add(line, "}");
}

static void format_text(struct line *line, enum log_level level, const struct log_field *fields, const char *message)
{
    if (log_state.sink == SINK_FILE) {
        line_add_time(line);
        line_add(line, " ");
    }
    if (log_state.sink != SINK_SYSLOG) {
        line_add(line, log_state.program);
        line_add(line, ": ");
        line_add(line, level_name(level));
        line_add(line, ": ");
    }
    line_add_escaped(line, message);
    for (; fields != NULL && fields->key != NULL; fields++) {
        if (fields->value == NULL)
            continue;
        line_add(line, " ");
        line_add(line, fields->key);
        line_add(line, "=");
        line_add_value(line, fields->value);
    }
}

void log_set_writer(log_writer *writer)
{
    log_state.writer = writer == NULL ? log_write : writer;
}

void log_write(enum log_level level, char *text, size_t length)
{
    if (log_state.sink == SINK_SYSLOG) {
        syslog((int)level, "%s", text);
        return;
    }
    text[length] = '\n';
    int fd = log_state.sink == SINK_FILE ? log_state.fd : STDERR_FILENO;
    /* A log that cannot be written has nobody to be reported to. */
    while (write(fd, text, length + 1) < 0 && errno == EINTR)
        ;
}

void log_event(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    char text[LINE_SIZE];
    char message[MESSAGE_SIZE];
    int saved_errno = errno;
    va_list arguments;

    if (level > log_state.level || log_state.sink == SINK_NONE)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);

    struct line line = {.text = text, .size = sizeof text - RESERVED_FOR_END, .length = 0};
    if (log_state.format == LOG_FORMAT_JSON)
        format_json(&line, level, fields, message);
    else
        format_text(&line, level, fields, message);
    log_state.writer(level, text, line.length);
    errno = saved_errno;
}
