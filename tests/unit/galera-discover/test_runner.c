#include "../row.h"
#include "log.h"
#include "runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Real commands in a directory of their own, which they write what they see to. Retries come after milliseconds. */

enum { LONG_MS = 20000, RETRY_MS = 20 };

static char scratch[] = "/tmp/test_runner.XXXXXX";

static struct registry_entry entries[] = {
    {.id = "db1", .ip = "10.0.0.1", .port = 3306},
    {.id = "db2", .ip = "2001:db8::2", .ipv6 = true, .port = 3307},
};
static const struct registry two = {.entry = entries, .count = 2};
static const struct registry one = {.entry = entries, .count = 1};
static const struct registry none = {.entry = entries, .count = 0};

static int enter_scratch(void **state)
{
    (void)state;
    if (mkdtemp(scratch) == NULL || chdir(scratch) != 0)
        return -1;
    return log_target("none") ? 0 : -1;
}

static int leave_scratch(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return chdir("/") == 0 ? system(command) : -1;
}

static int clean(void **state)
{
    (void)state;
    return system("rm -f ./*");
}

static void begin(struct runner *runner, const char *command, int64_t timeout_ms)
{
    runner_init(runner, command, timeout_ms);
    runner->backoff = (struct backoff){.first_ms = RETRY_MS, .most_ms = 2 * RETRY_MS};
}

static void submit(struct runner *runner, const char *list, const struct registry *registry)
{
    struct text text = {0};

    text_add(&text, list);
    runner_submit(runner, &text, registry);
    text_free(&text);
}

static bool is_idle(const struct runner *runner)
{
    return runner->pid == 0 && !runner->pending;
}

/* Steps as the program does, until the newest list has been delivered or the time is over. */
static void step_for(struct runner *runner, int64_t ms)
{
    struct deadline deadline = deadline_in_ms(ms);

    for (runner_step(runner); !is_idle(runner) && !deadline_passed(deadline); runner_step(runner))
        poll(NULL, 0, 2);
}

/* What a file has now; "" when it is not there. */
static const char *content(const char *name)
{
    static char text[4096];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static void wait_for_file(struct runner *runner, const char *name)
{
    struct deadline deadline = deadline_in_ms(LONG_MS);

    while (access(name, F_OK) != 0 && !deadline_passed(deadline)) {
        runner_step(runner);
        poll(NULL, 0, 2);
    }
    assert_int_equal(access(name, F_OK), 0);
}

static void list_and_environment(void **state)
{
    struct runner runner;

    (void)state;
    begin(&runner, "cat > in; env | grep ^GALERA_ | sort > env; echo x >> runs", LONG_MS);
    assert_true(is_idle(&runner));
    submit(&runner, "line one\nline two\n", &two);
    step_for(&runner, LONG_MS);
    assert_true(is_idle(&runner));
    assert_string_equal(content("in"), "line one\nline two\n");
    assert_string_equal(content("env"), "GALERA_ADDRESSES=10.0.0.1:3306 [2001:db8::2]:3307\nGALERA_COUNT=2\n"
                                        "GALERA_GCOMM=gcomm://10.0.0.1,[2001:db8::2]\nGALERA_IDS=db1 db2\n"
                                        "GALERA_IPS=10.0.0.1 2001:db8::2\n");
    submit(&runner, "", &none);
    step_for(&runner, LONG_MS);
    assert_string_equal(content("in"), "");
    assert_string_equal(content("env"), "GALERA_ADDRESSES=\nGALERA_COUNT=0\nGALERA_GCOMM=\nGALERA_IDS=\nGALERA_IPS=\n");
    step_for(&runner, 50);
    assert_string_equal(content("runs"), "x\nx\n");
    runner_stop(&runner);
}

/* What changes while the command runs makes it run once more, with the newest list. */
static void never_two_at_once(void **state)
{
    struct runner runner;

    (void)state;
    begin(&runner,
          "mkdir running || echo two >> wrong; cat >> lists; touch started; while test ! -e go; do sleep 0.01; done;"
          "rmdir running",
          LONG_MS);
    submit(&runner, "a\n", &one);
    wait_for_file(&runner, "started");
    pid_t first = runner.pid;
    for (int i = 0; i < 20; i++) {
        char list[16];
        snprintf(list, sizeof list, "b%d\n", i);
        submit(&runner, list, &two);
        runner_step(&runner);
        assert_int_equal(runner.pid, first);
    }
    assert_true(runner_wake(&runner, deadline_in_ms(LONG_MS)).at_ns > monotonic_ns());
    close(open("go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    step_for(&runner, LONG_MS);
    assert_true(is_idle(&runner));
    assert_string_equal(content("lists"), "a\nb19\n");
    assert_string_equal(content("wrong"), "");
    runner_stop(&runner);
}

/* It fails until a file is there, and is run again each time, with the newest list. */
static void failures(void **state)
{
    static const char *const commands[] = {
        "cat > in; echo x >> runs; test -e good",
        "cat > in; echo x >> runs; test -e good || kill -9 $$",
        "cat > in; echo x >> runs; test -e good || no-such-command 2>/dev/null",
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(commands); i++) {
        struct runner runner;
        clean(NULL);
        begin(&runner, commands[i], LONG_MS);
        submit(&runner, "a\n", &one);
        struct deadline deadline = deadline_in_ms(LONG_MS);
        while ((strlen(content("runs")) < 4 || !runner.failing) && !deadline_passed(deadline)) {
            assert_false(is_idle(&runner));
            step_for(&runner, 10);
        }
        assert_true(runner.pending || runner.pid != 0);
        assert_true(runner.failing);
        assert_true(strlen(content("runs")) >= 4);
        submit(&runner, "b\n", &two);
        close(open("good", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        step_for(&runner, LONG_MS);
        assert_true(is_idle(&runner));
        assert_false(runner.failing);
        assert_string_equal(content("in"), "b\n");
        runner_stop(&runner);
    }
}

/* Later each time, and from the start again after a success or a change. */
static void pauses(void **state)
{
    struct runner runner;

    (void)state;
    runner_init(&runner, "exit 3", LONG_MS);
    submit(&runner, "", &none);
    struct deadline deadline = deadline_in_ms(LONG_MS);
    int64_t before_ns = 0; /* the step that sees the failure, and sets the pause */
    while (!runner.failing && !deadline_passed(deadline)) {
        before_ns = monotonic_ns();
        runner_step(&runner);
        poll(NULL, 0, 2);
    }
    assert_true(runner.failing);
    assert_true(runner.retry_at.at_ns - before_ns >= INT64_C(400000000));
    assert_true(deadline_left_ms(runner.retry_at) <= 1000);
    assert_true(runner_wake(&runner, deadline_in_ms(LONG_MS)).at_ns == runner.retry_at.at_ns);
    submit(&runner, "", &one);
    assert_int_equal(deadline_left_ms(runner.retry_at), 0);
    runner_stop(&runner);
}

/* A command that does not end is ended, and counts as failed, whatever it makes of that. */
static void too_late(void **state)
{
    static const char *const commands[] = {
        "touch started; exec sleep 100",
        "exec 2>/dev/null; trap 'exit 0' TERM; touch started; while :; do sleep 0.01; done",
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(commands); i++) {
        struct runner runner;
        clean(NULL);
        begin(&runner, commands[i], 150);
        submit(&runner, "a\n", &one);
        wait_for_file(&runner, "started");
        struct deadline deadline = deadline_in_ms(LONG_MS);
        while (!runner.failing && !deadline_passed(deadline)) {
            runner_step(&runner);
            poll(NULL, 0, 2);
        }
        assert_true(runner.failing);
        assert_true(runner.pending);
        runner_stop(&runner);
    }
}

/* A zombie does not: who inherits it may take its time. */
static bool lives(const char *pid_file)
{
    char path[64];
    long pid = strtol(content(pid_file), NULL, 10);

    assert_true(pid > 1);
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const char *end_of_name = strrchr(content(path), ')');
    return end_of_name != NULL && strncmp(end_of_name, ") Z", 3) != 0;
}

static void wait_for_death(const char *pid_file)
{
    struct deadline deadline = deadline_in_ms(LONG_MS);

    while (lives(pid_file) && !deadline_passed(deadline))
        poll(NULL, 0, 10);
    assert_false(lives(pid_file));
}

/* What the command has started ends with it, and by force when it does not want to. */
static void ending(void **state)
{
    static const struct {
        const char *command;
        int64_t least_ms;
    } rows[] = {
        {"sleep 100 & echo $! > child; touch started; wait", 0},
        {"trap '' TERM; sleep 100 & echo $! > child; touch started; wait", 1900},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct runner runner;
        clean(NULL);
        begin(&runner, rows[i].command, LONG_MS);
        submit(&runner, "a\n", &one);
        wait_for_file(&runner, "started");
        assert_true(lives("child"));
        int64_t from_ns = monotonic_ns();
        runner_stop(&runner);
        assert_in_range((monotonic_ns() - from_ns) / 1000000, rows[i].least_ms,
                        LONG_MS); /* and not the 100 s of the command */
        wait_for_death("child");
        assert_int_equal(runner.pid, 0);
        runner_stop(&runner); /* twice does no harm */
    }
}

/* A list longer than a pipe holds, and a command that does not read. */
static void long_list(void **state)
{
    struct runner runner;
    struct text text = {0};

    (void)state;
    for (int i = 0; i < 20000; i++)
        text_format(&text, "line %d of a long list\n", i);
    begin(&runner, "true", LONG_MS);
    runner_submit(&runner, &text, &one);
    step_for(&runner, LONG_MS);
    assert_true(is_idle(&runner));
    assert_false(runner.failing);
    runner_stop(&runner);
    begin(&runner, "wc -c > size", LONG_MS);
    runner_submit(&runner, &text, &one);
    step_for(&runner, LONG_MS);
    assert_int_equal(strtol(content("size"), NULL, 10), text.length);
    runner_stop(&runner);
    text_free(&text);
}

/* The command gets none of our files, and no signal that we ignore. (The shell itself unblocks those that we block.) */
static void clean_start(void **state)
{
    struct runner runner;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = fcntl(null, F_DUPFD, 50); /* inherited unless somebody cares */
    char command[128];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(command, sizeof command, "grep SigIgn: /proc/self/status > mask; test -e /proc/$$/fd/%d || touch closed",
             fd);
    begin(&runner, command, LONG_MS);
    submit(&runner, "a\n", &one);
    step_for(&runner, LONG_MS);
    signal(SIGPIPE, SIG_DFL);
    close(fd);
    close(null);
    unsigned long ignored = strtoul(content("mask") + strlen("SigIgn:\t"), NULL, 16);
    assert_int_equal(ignored >> (SIGPIPE - 1) & 1, 0);
    assert_int_equal(access("closed", F_OK), 0);
    runner_stop(&runner);
}

/* Nothing to do, nothing done. */
static void nothing(void **state)
{
    struct runner runner;
    struct deadline latest = deadline_in_ms(50);

    (void)state;
    begin(&runner, "touch ran", LONG_MS);
    runner_step(&runner);
    assert_true(runner_wake(&runner, latest).at_ns == latest.at_ns);
    runner_stop(&runner);
    assert_int_equal(access("ran", F_OK), -1);
    begin(&runner, NULL, LONG_MS); /* without --exec */
    runner_step(&runner);
    runner_stop(&runner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(list_and_environment, clean),
        cmocka_unit_test_setup(never_two_at_once, clean),
        cmocka_unit_test_setup(failures, clean),
        cmocka_unit_test_setup(pauses, clean),
        cmocka_unit_test_setup(too_late, clean),
        cmocka_unit_test_setup(ending, clean),
        cmocka_unit_test_setup(long_list, clean),
        cmocka_unit_test_setup(clean_start, clean),
        cmocka_unit_test_setup(nothing, clean),
    };

    return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
