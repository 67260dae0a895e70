#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "num.h"
#include "signals.h"

enum { CANNOT_EXECUTE = 126, POLL_MS = 50, END_GRACE_MS = 5000, STAT_SIZE = 1024, STAT_STATE = 3, STAT_STARTTIME = 22 };

static struct {
    void (*call)(void *context);
    void *context;
} tick;

void child_set_tick(void (*call)(void *context), void *context)
{
    tick.call = call;
    tick.context = context;
}

void child_tick(void)
{
    if (tick.call != NULL)
        tick.call(tick.context);
}

static _Noreturn void become(const char *const *argv, int out_fd, int go_fd, int result_fd)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char go;
    int number;

    setpgid(0, 0);
    signals_restore();
    if (read(go_fd, &go, 1) != 1)
        _exit(CANNOT_EXECUTE);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        (out_fd >= 0 && (dup2(out_fd, STDOUT_FILENO) < 0 || dup2(out_fd, STDERR_FILENO) < 0)))
        goto failed;
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* libraries do not close all of theirs */
    execvp(argv[0], (char *const *)(uintptr_t)argv);
failed:
    number = errno;
    if (write(result_fd, &number, sizeof number) != (ssize_t)sizeof number)
        _exit(CANNOT_EXECUTE);
    _exit(CANNOT_EXECUTE);
}

bool child_fork(struct child *child, const char *const *argv, int out_fd, struct error *error)
{
    int go[2] = {-1, -1};
    int result[2] = {-1, -1};
    pid_t pid;

    *child = (struct child){.go_fd = -1, .result_fd = -1};
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(result, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        error_set(error, EXIT_INTERNAL, "cannot start %s: %s", argv[0], strerror(errno));
        close(go[0]);
        close(go[1]);
        close(result[0]);
        close(result[1]);
        return false;
    }
    if (pid == 0) {
        close(go[1]);
        close(result[0]);
        become(argv, out_fd, go[0], result[1]);
    }
    setpgid(pid, pid); /* whoever is first */
    close(go[0]);
    close(result[1]);
    *child = (struct child){.pid = pid, .go_fd = go[1], .result_fd = result[0]};
    return true;
}

static void reap(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
}

static void close_pipes(struct child *child)
{
    fd_close(&child->go_fd);
    fd_close(&child->result_fd);
}

void child_abandon(struct child *child)
{
    int status;

    close_pipes(child);
    reap(child->pid, &status);
    child->pid = 0;
}

bool child_release(struct child *child, const char *program, struct error *error)
{
    int number = 0;
    ssize_t length = write(child->go_fd, "g", 1);

    if (length == 1) {
        do
            length = read(child->result_fd, &number, sizeof number);
        while (length < 0 && errno == EINTR);
    } else {
        number = errno;
    }
    if (number == 0) {
        close_pipes(child);
        return true;
    }
    child_abandon(child);
    return error_set(error, EXIT_CONFIG, "cannot execute %s: %s; check that it is installed", program,
                     strerror(number));
}

static void end_now(pid_t pid, int *status)
{
    struct deadline kill_at = deadline_in_ms(END_GRACE_MS);

    kill(-pid, SIGTERM);
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (deadline_passed(kill_at))
            kill(-pid, SIGKILL);
        poll(NULL, 0, POLL_MS);
    }
}

enum child_end child_run(const char *const *argv, int out_fd, int wake_fd, struct deadline deadline, int *status,
                         struct error *error)
{
    struct child child;

    if (!child_fork(&child, argv, out_fd, error))
        return CHILD_FAILED;
    pid_t pid = child.pid;
    if (!child_release(&child, argv[0], error))
        return CHILD_FAILED;
    while (waitpid(pid, status, WNOHANG) == 0) {
        struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
        if (wake_fd >= 0 && poll(&wake, 1, POLL_MS) > 0) {
            end_now(pid, status);
            return CHILD_INTERRUPTED;
        }
        if (wake_fd < 0)
            poll(NULL, 0, POLL_MS);
        child_tick();
        if (deadline_passed(deadline)) {
            end_now(pid, status);
            return CHILD_LATE;
        }
    }
    return CHILD_EXITED;
}

const char *child_status_text(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exit code %d", WEXITSTATUS(status));
    return text;
}

int64_t process_start_time(pid_t pid)
{
    char path[32];
    char text[STAT_SIZE] = "";
    int64_t start = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';

    /* The name, in parentheses, may hold blanks and parentheses itself. */
    char *field = strrchr(text, ')');
    if (field == NULL || field[1] != ' ' || field[2] == 'Z' || field[2] == 'X')
        return 0;
    field += 2;
    for (int i = STAT_STATE; i < STAT_STARTTIME && field != NULL; i++) {
        field = strchr(field, ' ');
        field = field == NULL ? NULL : field + 1;
    }
    if (field == NULL)
        return 0;
    field[strcspn(field, " ")] = '\0';
    return num_parse(field, 1, INT64_MAX, &start) ? start : 0;
}
