#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "num.h"
#include "signals.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30000, END_GRACE_MS = 2000, POLL_NS = 10000000, CANNOT_EXECUTE = 126 };

void runner_init(struct runner *runner, const char *command, int64_t timeout_ms)
{
    *runner = (struct runner){.command = command, .timeout_ms = timeout_ms};
    runner->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = RETRY_MOST_MS};
    runner->retry_at = deadline_in_ms(0);
}

void runner_submit(struct runner *runner, const struct text *list, const struct registry *registry)
{
    text_clear(&runner->input);
    text_add_bytes(&runner->input, text_string(list), list->length);
    for (int variable = 0; variable < VARIABLES; variable++) {
        text_clear(&runner->variable[variable]);
        variable_value(&runner->variable[variable], (enum variable)variable, registry);
    }
    runner->pending = true;
    runner->retry_at = deadline_in_ms(0);
}

static void run_later(struct runner *runner)
{
    runner->failing = true;
    runner->pending = true;
    runner->retry_at = deadline_in_ms(backoff_delay_ms(&runner->backoff, random_number()));
}

/* A file and not a pipe: nobody waits for a command that does not read. */
static int make_input(const struct text *input)
{
    int fd = memfd_create("galera-discover", MFD_CLOEXEC);

    if (fd >= 0 &&
        (write(fd, text_string(input), input->length) != (ssize_t)input->length || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static _Noreturn void become_command(const char *command, int input)
{
    setpgid(0, 0); /* so that what the command starts is ended with it */
    signals_restore();
    if (dup2(input, STDIN_FILENO) >= 0) {
        close_range(STDERR_FILENO + 1, ~0U, 0);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    _exit(CANNOT_EXECUTE);
}

static void start(struct runner *runner)
{
    int input = make_input(&runner->input);

    for (int variable = 0; variable < VARIABLES; variable++)
        setenv(variable_name((enum variable)variable), text_string(&runner->variable[variable]), 1);
    pid_t pid = input < 0 ? -1 : fork();
    if (pid == 0)
        become_command(runner->command, input);
    int saved_errno = errno;
    if (input >= 0)
        close(input);
    if (pid < 0) {
        log_warning("cannot run '%s': %s; trying again", runner->command, strerror(saved_errno));
        run_later(runner);
        return;
    }
    setpgid(pid, pid); /* whoever is first */
    runner->pid = pid;
    runner->pending = false;
    runner->ended = false;
    runner->end_at = deadline_in_ms(runner->timeout_ms);
}

static void judge(struct runner *runner, int status)
{
    const char *late = runner->ended ? " because it took too long" : "";

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !runner->ended) {
        if (runner->failing)
            log_notice("'%s' has succeeded", runner->command);
        runner->failing = false;
        backoff_reset(&runner->backoff);
        return;
    }
    if (WIFEXITED(status))
        log_warning("'%s' %s with exit code %d%s; it will be run again", runner->command,
                    runner->ended ? "was ended" : "failed", WEXITSTATUS(status), late);
    else
        log_warning("'%s' was ended by signal %d%s; it will be run again", runner->command, WTERMSIG(status), late);
    run_later(runner);
}

static void reap(struct runner *runner)
{
    int status;

    if (runner->pid == 0 || waitpid(runner->pid, &status, WNOHANG) != runner->pid)
        return;
    runner->pid = 0;
    judge(runner, status);
}

static void end_late(struct runner *runner)
{
    char time_text[32];

    if (runner->pid == 0 || !deadline_passed(runner->end_at))
        return;
    duration_format(runner->timeout_ms, time_text, sizeof time_text);
    if (!runner->ended)
        log_warning("'%s' has not ended within %s (exec_timeout); ending it", runner->command, time_text);
    kill(-runner->pid, runner->ended ? SIGKILL : SIGTERM);
    runner->ended = true;
    runner->end_at = deadline_in_ms(END_GRACE_MS);
}

void runner_step(struct runner *runner)
{
    reap(runner);
    end_late(runner);
    if (runner->pid == 0 && runner->pending && deadline_passed(runner->retry_at))
        start(runner);
}

struct deadline runner_wake(const struct runner *runner, struct deadline latest)
{
    if (runner->pid != 0)
        return deadline_earlier(runner->end_at, latest);
    return runner->pending ? deadline_earlier(runner->retry_at, latest) : latest;
}

void runner_stop(struct runner *runner)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    struct deadline kill_at = deadline_in_ms(END_GRACE_MS);

    if (runner->pid != 0)
        kill(-runner->pid, SIGTERM);
    while (runner->pid != 0 && waitpid(runner->pid, NULL, WNOHANG) == 0) {
        if (deadline_passed(kill_at))
            kill(-runner->pid, SIGKILL);
        nanosleep(&pause, NULL);
    }
    runner->pid = 0;
    text_free(&runner->input);
    for (int variable = 0; variable < VARIABLES; variable++)
        text_free(&runner->variable[variable]);
}
