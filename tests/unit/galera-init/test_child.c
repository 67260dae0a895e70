/* Processes that galera-init starts: released, abandoned, run to their end; and how a process is told from another. */
#include "../row.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "support/scratch.h"

enum { LONG_MS = 60000 };

static int status_of(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void no_children_are_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* --- between fork and exec ---------------------------------------------------------------------------------------- */

static void a_child_waits_until_it_is_released(void **state)
{
    const char *const argv[] = {scratch_script("server", "echo started > $here/started\nexit 7\n"), NULL};
    struct child child;
    struct error error;
    size_t descriptors = open_descriptors();

    (void)state;
    assert_true(child_fork(&child, argv, -1, &error));
    poll(NULL, 0, 50);
    assert_false(scratch_has("started"));
    assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
    pid_t pid = child.pid;
    assert_true(child_release(&child, argv[0], &error));
    assert_int_equal(child.pid, pid);
    int status = status_of(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_true(scratch_has("started"));
    assert_int_equal(open_descriptors(), descriptors);
}

static void an_abandoned_child_never_runs(void **state)
{
    const char *const argv[] = {scratch_script("server", "echo started > $here/started\n"), NULL};
    struct child child;
    struct error error;
    size_t descriptors = open_descriptors();

    (void)state;
    assert_true(child_fork(&child, argv, -1, &error));
    child_abandon(&child);
    assert_int_equal(child.pid, 0);
    no_children_are_left();
    assert_false(scratch_has("started"));
    assert_int_equal(open_descriptors(), descriptors);
}

/* Somebody between us and the child is killed before it could say whether the pid is on disk. */
static void a_child_whose_parent_dies_never_runs(void **state)
{
    const char *const argv[] = {scratch_script("server", "echo started > $here/started\n"), NULL};
    int status;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct child child;
        struct error error;
        raise(child_fork(&child, argv, -1, &error) ? SIGKILL : SIGTERM);
        _exit(1);
    }
    status = status_of(parent);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(waitpid(-1, &status, 0) > 0); /* the child, which is ours by now */
    assert_true(WIFEXITED(status));
    assert_false(scratch_has("started"));
    no_children_are_left();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void what_cannot_be_executed_is_an_error(void **state)
{
    static const struct {
        const char *name;
        const char *program;
        const char *words;
    } rows[] = {
        {"not there", "nothing", "No such file"},
        {"not executable", "plain", "Permission denied"},
        {"a directory", "directory", "Permission denied"},
        {"no interpreter", "lost", "No such file"},
    };
    size_t descriptors = open_descriptors();

    (void)state;
    scratch_write("plain", "#!/bin/sh\n");
    scratch_directory("directory");
    FILE *file = fopen(scratch_path("lost"), "we");
    assert_non_null(file);
    fputs("#!/nonexistent/interpreter\n", file);
    assert_int_equal(fchmod(fileno(file), 0700), 0);
    fclose(file);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const char *const argv[] = {scratch_path(rows[i].program), NULL};
        struct child child;
        struct error error = {.code = EXIT_YES};
        if (strcmp(rows[i].program, "lost") == 0 && under_valgrind())
            continue;
        row_true(rows[i].name, child_fork(&child, argv, -1, &error));
        row_true(rows[i].name, !child_release(&child, argv[0], &error));
        row_number(rows[i].name, error.code, EXIT_CONFIG);
        row_contains(rows[i].name, error.text, argv[0]);
        row_contains(rows[i].name, error.text, rows[i].words);
        row_number(rows[i].name, child.pid, 0);
        no_children_are_left();
    }
    assert_int_equal(open_descriptors(), descriptors);
}

/* --- what it inherits --------------------------------------------------------------------------------------------- */

static void a_child_inherits_its_output_and_nothing_else(void **state)
{
    char script[256];
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct error error;
    int status = -1;
    int leak = open("/dev/null", O_RDONLY); /* as a library does that forgets close-on-exec */
    int out = open(scratch_path("out"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    (void)state;
    assert_true(leak > STDERR_FILENO && out > STDERR_FILENO);
    snprintf(script, sizeof script,
             "for n in 0 1 2 %d %d; do test -e /proc/$$/fd/$n && echo $n; done; readlink /proc/$$/fd/0; echo err >&2",
             leak, out);
    assert_int_equal(child_run(argv, out, -1, deadline_in_ms(LONG_MS), &status, &error), CHILD_EXITED);
    assert_int_equal(status, 0);
    assert_string_equal(scratch_read("out"), "0\n1\n2\n/dev/null\nerr\n");
    close(leak);
    close(out);
}

static void a_child_has_no_blocked_signals_and_a_group_of_its_own(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "grep SigBlk /proc/self/status; grep SigIgn /proc/self/status", NULL};
    struct error error;
    int status = -1;
    sigset_t all, old;
    struct child child;
    int out = open(scratch_path("out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_BLOCK, &all, &old), 0);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(child_run(argv, out, -1, deadline_in_ms(LONG_MS), &status, &error), CHILD_EXITED);
    assert_true(child_fork(&child, argv, out, &error));
    assert_int_equal(getpgid(child.pid), child.pid);
    child_abandon(&child);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    signal(SIGPIPE, SIG_DFL);
    assert_non_null(strstr(scratch_read("out"), "SigBlk:\t0000000000000000\n"));
    unsigned long ignored = strtoul(strstr(scratch_read("out"), "SigIgn:\t") + 8, NULL, 16);
    assert_int_equal(ignored & (1UL << (SIGPIPE - 1)), 0);
    close(out);
}

/* --- run to the end ----------------------------------------------------------------------------------------------- */

static size_t ticks;

static void count_tick(void *context)
{
    (void)context;
    ticks++;
}

/* The program that is run takes 20 s unless it is ended. */
static void a_run_ends(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        bool wake;
        int64_t deadline_ms;
        enum child_end end;
        int signal; /* 0: exit code */
        int code;
    } rows[] = {
        {"by itself", "exit 0", false, LONG_MS, CHILD_EXITED, 0, 0},
        {"with a code", "exit 3", false, LONG_MS, CHILD_EXITED, 0, 3},
        {"by a signal", "kill -9 $$", false, LONG_MS, CHILD_EXITED, SIGKILL, 0},
        {"because we are to stop", "exec sleep 20", true, LONG_MS, CHILD_INTERRUPTED, SIGTERM, 0},
        {"because we are to stop, in its own time",
         "trap 'exit 5' TERM; echo up > $here/up; while :; do sleep 0.1; done", true, LONG_MS, CHILD_INTERRUPTED, 0, 5},
        {"because it is late", "exec sleep 20", false, 200, CHILD_LATE, SIGTERM, 0},
        {"with what it has started", "sleep 20 & wait", true, LONG_MS, CHILD_INTERRUPTED, SIGTERM, 0},
    };
    size_t descriptors = open_descriptors();

    (void)state;
    child_set_tick(count_tick, NULL);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const char *const argv[] = {scratch_script("run", rows[i].body), NULL};
        struct error error;
        int wake[2];
        int status = -1;
        ticks = 0;
        assert_int_equal(pipe2(wake, O_CLOEXEC), 0);
        if (rows[i].wake)
            assert_int_equal(write(wake[1], "x", 1), 1);
        row_number(rows[i].name, child_run(argv, -1, wake[0], deadline_in_ms(rows[i].deadline_ms), &status, &error),
                   rows[i].end);
        if (rows[i].signal != 0) {
            row_true(rows[i].name, WIFSIGNALED(status));
            row_number(rows[i].name, WTERMSIG(status), rows[i].signal);
        } else if (rows[i].end == CHILD_EXITED) {
            row_true(rows[i].name, WIFEXITED(status));
            row_number(rows[i].name, WEXITSTATUS(status), rows[i].code);
        }
        row_true(rows[i].name, rows[i].end != CHILD_LATE || ticks > 0);
        no_children_are_left();
        close(wake[0]);
        close(wake[1]);
    }
    child_set_tick(NULL, NULL);
    assert_int_equal(open_descriptors(), descriptors);
}

/* One that does not hear SIGTERM is killed after a while. */
static void a_deaf_program_is_killed(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; wait", NULL};
    struct error error;
    int status = 0;

    (void)state;
    assert_int_equal(child_run(argv, -1, -1, deadline_in_ms(500), &status, &error), CHILD_LATE);
    assert_true(WIFSIGNALED(status));
    no_children_are_left();
}

static void a_run_of_nothing_fails(void **state)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    struct error error = {.code = EXIT_YES};
    int status = 0;

    (void)state;
    assert_int_equal(child_run(argv, -1, -1, deadline_in_ms(LONG_MS), &status, &error), CHILD_FAILED);
    assert_int_equal(error.code, EXIT_CONFIG);
    no_children_are_left();
}

/* --- words and names ---------------------------------------------------------------------------------------------- */

static void a_status_has_words(void **state)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {{0, "exit code 0"},
                {1 << 8, "exit code 1"},
                {SIGKILL, "signal 9 (Killed)"},
                {SIGSEGV | 0x80, "signal 11 (Segmentation fault)"}};
    char text[64];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_text(rows[i].text, child_status_text(rows[i].status, text, sizeof text), rows[i].text);
}

static void a_process_has_a_start_time_until_it_is_dead(void **state)
{
    int64_t ours = process_start_time(getpid());
    int ends[2];
    char byte;

    (void)state;
    assert_true(ours > 0);
    assert_int_equal(process_start_time(getpid()), ours);
    assert_int_equal(process_start_time(0), 0);
    assert_int_equal(process_start_time(-1), 0);

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        prctl(PR_SET_NAME, ") R 1 (x y");
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    assert_true(process_start_time(pid) >= ours);
    close(ends[1]);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_start_time(pid), 0); /* a zombie */
    status_of(pid);
    assert_int_equal(process_start_time(pid), 0);
    close(ends[0]);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_begin, scratch_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_child_waits_until_it_is_released),
        IN_SCRATCH(an_abandoned_child_never_runs),
        IN_SCRATCH(a_child_whose_parent_dies_never_runs),
        IN_SCRATCH(what_cannot_be_executed_is_an_error),
        IN_SCRATCH(a_child_inherits_its_output_and_nothing_else),
        IN_SCRATCH(a_child_has_no_blocked_signals_and_a_group_of_its_own),
        IN_SCRATCH(a_run_ends),
        IN_SCRATCH(a_deaf_program_is_killed),
        IN_SCRATCH(a_run_of_nothing_fails),
        cmocka_unit_test(a_status_has_words),
        cmocka_unit_test(a_process_has_a_start_time_until_it_is_dead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
