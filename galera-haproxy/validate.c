#include "validate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadline.h"
#include "num.h"
#include "signals.h"
#include "text.h"

enum { OUTPUT_MOST = 65536, CANNOT_RUN = 127 };

static void run(const char *haproxy, const char *main_config, const char *candidate, int output)
{
    int null = open("/dev/null", O_RDONLY);

    signals_restore();
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(CANNOT_RUN);
    execl(haproxy, haproxy, "-c", "-f", main_config, "-f", candidate, (char *)NULL);
    _exit(CANNOT_RUN);
}

/* Reads what it says until it has ended; false when it has not in time. */
static bool read_output(int fd, struct deadline deadline, struct text *output)
{
    char bytes[4096];
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    while (!deadline_passed(deadline)) {
        if (poll(&poller, 1, deadline_left_ms(deadline)) <= 0)
            continue;
        ssize_t count = read(fd, bytes, sizeof bytes);
        if (count == 0)
            return true;
        if (count > 0 && output->length + (size_t)count <= OUTPUT_MOST)
            text_add_bytes(output, bytes, (size_t)count);
    }
    return false;
}

/* The first alarm, without HAProxy's "[ALERT]    (1234) : ". */
static const char *first_alert(const char *output, size_t *length)
{
    const char *at = strstr(output, "[ALERT]");
    const char *words = at == NULL ? NULL : strstr(at, " : ");

    at = words != NULL ? words + 3 : output;
    *length = strcspn(at, "\n");
    return at;
}

static bool wait_end(pid_t pid, bool ended, int *status)
{
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return true;
}

bool validate_config(const struct settings *settings, const char *candidate, struct error *error)
{
    const char *haproxy = settings->haproxy;
    const char *main_config = settings->main_config;
    struct text output = {0};
    char limit[32];
    int ends[2];
    int status = 0;
    bool right = false;
    size_t length;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, EXIT_INTERNAL, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        run(haproxy, main_config, candidate, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error_set(error, EXIT_INTERNAL, "cannot start a process: %s", strerror(errno));
    }
    bool ended = read_output(ends[0], deadline_in_ms(settings->validate_timeout_ms), &output);
    close(ends[0]);
    bool known = wait_end(pid, ended, &status);
    duration_format(settings->validate_timeout_ms, limit, sizeof limit);
    if (!ended)
        error_set(error, EXIT_UNAVAILABLE, "'%s -c' has not ended in %s", haproxy, limit);
    else if (!known || !WIFEXITED(status))
        error_set(error, EXIT_UNAVAILABLE, "'%s -c' was ended by a signal", haproxy);
    else if (WEXITSTATUS(status) == CANNOT_RUN && output.length == 0)
        error_set(error, EXIT_CONFIG, "cannot run %s to validate the new file: set haproxy in [haproxy] to the program",
                  haproxy);
    else
        right = WEXITSTATUS(status) == 0;
    if (!right && ended && output.length > 0) {
        const char *alert = first_alert(text_string(&output), &length);
        error_set(error, EXIT_CONFIG, "HAProxy does not accept %s with the new %s: %.*s", main_config, candidate,
                  (int)(length < 500 ? length : 500), alert);
    }
    text_free(&output);
    return right;
}
