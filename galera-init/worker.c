#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signals.h"

/* Its number as a standard descriptor, out of the way of the three that are put there. */
static bool set_standard(const int fds[3])
{
    int copy[3];

    for (int i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
        copy[i] = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
        if (copy[i] < 0)
            return false;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(copy[i], i) < 0)
            return false;
    }
    return close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

static _Noreturn void become(const char *const argv[], const int fds[3], pid_t parent)
{
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(WORKER_NOT_FOUND);
    signals_restore();
    if (set_standard(fds))
        execvp(argv[0], (char *const *)(uintptr_t)argv); /* which it does not change */
    _exit(WORKER_NOT_FOUND);
}

bool worker_start(struct worker *worker, const char *const argv[], int in, int out, int err, struct error *error)
{
    const int fds[3] = {in, out, err};
    pid_t parent = getpid();
    pid_t pid = fork();

    *worker = (struct worker){.name = argv[0]};
    if (pid == 0)
        become(argv, fds, parent);
    if (pid < 0)
        return error_set(error, EXIT_TRY_AGAIN, "cannot start %s: %s", argv[0], strerror(errno));
    worker->pid = pid;
    return true;
}

int worker_wait(struct worker *worker)
{
    int status = 0;

    while (worker->pid > 0 && waitpid(worker->pid, &status, 0) < 0) {
        if (errno != EINTR)
            break;
    }
    worker->pid = 0;
    return status;
}

void worker_end(struct worker *worker)
{
    if (worker->pid > 0)
        kill(worker->pid, SIGKILL);
    worker_wait(worker);
}

bool worker_succeeded(const struct worker *worker, int status, struct error *error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_NOT_FOUND)
        return error_set(error, EXIT_CONFIG, "cannot run %s: it is not installed, or not in PATH", worker->name);
    if (WIFEXITED(status))
        return error_set(error, EXIT_TRY_AGAIN, "%s failed with exit code %d", worker->name, WEXITSTATUS(status));
    return error_set(error, EXIT_TRY_AGAIN, "%s was ended by signal %d", worker->name, WTERMSIG(status));
}

bool pipe_make(int ends[2], struct error *error)
{
    if (pipe2(ends, O_CLOEXEC) == 0)
        return true;
    ends[0] = ends[1] = -1;
    return error_set(error, EXIT_TRY_AGAIN, "cannot make a pipe: %s", strerror(errno));
}
