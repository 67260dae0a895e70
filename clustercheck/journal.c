#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static const char *endpoint_file(enum endpoint endpoint)
{
    return endpoint == ENDPOINT_POLICY ? "policy" : endpoint_path(endpoint) + 1;
}

static void write_log(enum endpoint endpoint, const struct verdict *verdict, const char *before)
{
    struct log_field fields[] = {{"endpoint", endpoint_path(endpoint)},
                                 {"reason", reason_word(verdict->reason)},
                                 {"before", before},
                                 {NULL, NULL}};
    enum log_level level = verdict->state == VERDICT_UP     ? LOG_LEVEL_NOTICE
                           : verdict->state == VERDICT_DOWN ? LOG_LEVEL_WARNING
                                                            : LOG_LEVEL_ERR;

    log_event(level, fields, "node is %s: %s", verdict_state_word(verdict->state), verdict->detail);
}

/* Whether a failure that lasts is due again; the file's time is that of the last line. */
static bool repeat_is_due(int fd, int64_t repeat_ms)
{
    struct stat status;

    return repeat_ms > 0 && fstat(fd, &status) == 0 && (time(NULL) - status.st_mtime) * 1000 >= repeat_ms;
}

/* `fd` is locked. */
static void note_in_file(int fd, const struct settings *settings, enum endpoint endpoint, const struct verdict *verdict)
{
    char before[64] = "";
    char now[64];
    ssize_t length = pread(fd, before, sizeof before - 1, 0);

    before[length < 0 ? 0 : length] = '\0';
    before[strcspn(before, "\n")] = '\0';
    snprintf(now, sizeof now, "%s %s\n", verdict_state_word(verdict->state), reason_word(verdict->reason));
    bool same = strncmp(before, now, strlen(now) - 1) == 0 && before[strlen(now) - 1] == '\0';
    if (same && (verdict->state != VERDICT_UNKNOWN || !repeat_is_due(fd, settings->log_repeat_ms)))
        return;
    write_log(endpoint, verdict, before[0] == '\0' ? NULL : before);
    /* A disk that is full leaves the file empty: the next check logs again, which is what is wanted then. */
    if (ftruncate(fd, 0) == 0 && pwrite(fd, now, strlen(now), 0) < 0)
        log_debug("cannot keep the last verdict: %s", strerror(errno));
}

void journal_note(const struct settings *settings, enum endpoint endpoint, const struct verdict *verdict)
{
    char path[4096];
    int fd = -1;

    if (settings->state_dir != NULL) {
        snprintf(path, sizeof path, "%s/%s.last", settings->state_dir, endpoint_file(endpoint));
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
    }
    if (fd < 0) {
        if (verdict->state != VERDICT_UP)
            write_log(endpoint, verdict, NULL);
        return;
    }
    /* Another check that holds the lock is saying the same at this moment. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        note_in_file(fd, settings, endpoint, verdict);
    close(fd);
}
