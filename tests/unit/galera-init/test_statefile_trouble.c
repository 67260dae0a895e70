#include "../row.h"
#include "statefile.h"
#include "support/statedir.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The state directory when something is in the way: another galera-init, a full disk, missing rights. */

static void a_second_one_is_told_who_is_first(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file, second;
    struct state found;
    struct error error = {.text = ""};
    char words[32];
    int ready[2], go[2], status;
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool opened = statefile_open(&file, disk->directory, "x", "n1", &found, &error);
        /* Its end releases the lock. */
        _exit(opened && write(ready[1], "r", 1) == 1 && read(go[0], &byte, 1) == 1 ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_false(statefile_open(&second, disk->directory, "x", "n1", &found, &error));
    statefile_close(&second);
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
    snprintf(words, sizeof words, "process %d", (int)child);
    assert_non_null(strstr(error.text, words));
    assert_non_null(strstr(error.text, disk->directory));
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    must_open(&second, disk, &found);
    statefile_close(&second);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

/* The lock is not handed on to the server. */
static void a_child_that_executes_does_not_keep_the_lock(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state found;
    int status;
    int fds[2];
    char byte;

    must_open(&file, disk, &found);
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", "echo up; exec sleep 60", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    statefile_close(&file);
    must_open(&file, disk, &found);
    statefile_close(&file);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(fds[0]);
    close(fds[1]);
}

/* A disk that is full: a limit on the size of files, below that of the new one and above that of the old. */
static void a_full_disk_leaves_the_old_state(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state small = {.cluster = "x", .node = "n1", .epoch = 3, .pledged = true}, large = some_state(), found;
    struct rlimit limit, before;
    struct error error = {.code = EXIT_YES};

    must_open(&file, disk, &found);
    must_save(&file, &small);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 512, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(statefile_save(&file, &large, &error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
    assert_non_null(strstr(error.text, file_in(disk, "state.json.new")));
    assert_int_equal(access(file_in(disk, "state.json.new"), F_OK), -1);
    assert_true(statefile_read(disk->directory, &found, &error));
    assert_same(&found, &small);
    must_save(&file, &large);
    assert_true(statefile_read(disk->directory, &found, &error));
    assert_same(&found, &large);
    statefile_close(&file);
}

static void what_cannot_be_replaced_stays(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found;
    struct error error = {.code = EXIT_YES};

    must_open(&file, disk, &found);
    must_save(&file, &saved);
    assert_int_equal(mkdir(file_in(disk, "state.json.new"), 0700), 0);
    saved.epoch++;
    assert_false(statefile_save(&file, &saved, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_true(statefile_read(disk->directory, &found, &error));
    assert_int_equal(found.epoch, saved.epoch - 1);
    assert_int_equal(rmdir(file_in(disk, "state.json.new")), 0);
    must_save(&file, &saved);
    /* What a crash left of a former try is in nobody's way. */
    write_file(disk, "state.json.new", "{\"form", 7);
    statefile_close(&file);
    must_open(&file, disk, &found);
    assert_int_equal(found.epoch, saved.epoch);
    must_save(&file, &saved);
    statefile_close(&file);
}

/* As another user, since nothing stops root. */
static void without_rights(void **state)
{
    enum { NOBODY = 65534, SKIPPED = 7 };
    const struct place_on_disk *disk = *state;
    int status;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(disk->root, 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct statefile file;
        struct state found;
        struct error error = {.code = EXIT_YES};
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(SKIPPED);
        bool opened = statefile_open(&file, disk->directory, "x", "n1", &found, &error);
        statefile_close(&file);
        _exit(!opened && error.code == EXIT_PERMISSION && strstr(error.text, disk->directory) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIPPED));
}

static void directories_that_cannot_be(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state found;
    struct error error = {.code = EXIT_YES};
    char path[STATE_PATH_SIZE + 10];

    snprintf(path, sizeof path, "%s/a/b", disk->root);
    assert_false(statefile_open(&file, path, "", "", &found, &error));
    statefile_close(&file);
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, path));
    assert_true(statefile_read(path, &found, &error));
    assert_false(statefile_open(&file, "/dev/null", "", "", &found, &error));
    statefile_close(&file);
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_false(statefile_read("/dev/null", &found, &error));
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(statefile_open(&file, path, "", "", &found, &error));
    statefile_close(&file);
    assert_int_equal(error.code, EXIT_CONFIG);
}

/* Nothing is saved that could not be read: then the old state stands. */
static void what_could_not_be_read_is_not_saved(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found, bad;
    struct error error;

    must_open(&file, disk, &found);
    must_save(&file, &saved);
    bad = saved;
    snprintf(bad.peer[3].address, sizeof bad.peer[3].address, "a,b");
    assert_false(statefile_save(&file, &bad, &error));
    bad = saved;
    bad.epoch = -1;
    assert_false(statefile_save(&file, &bad, &error));
    bad = saved;
    snprintf(bad.datadir, sizeof bad.datadir, "/srv/\xFF");
    assert_false(statefile_save(&file, &bad, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_true(statefile_read(disk->directory, &found, &error));
    assert_same(&found, &saved);
    statefile_close(&file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, statedir_begin, statedir_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_one_is_told_who_is_first),
        TEST(a_child_that_executes_does_not_keep_the_lock),
        TEST(a_full_disk_leaves_the_old_state),
        TEST(what_cannot_be_replaced_stays),
        TEST(without_rights),
        TEST(directories_that_cannot_be),
        TEST(what_could_not_be_read_is_not_saved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
