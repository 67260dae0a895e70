#include "../row.h"
#include "statefile.h"
#include "support/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place_on_disk {
    char root[64];      /* exists */
    char directory[80]; /* the state directory in it; does not exist yet */
};

static int begin(void **state)
{
    struct place_on_disk *disk = calloc(1, sizeof *disk);

    assert_non_null(disk);
    snprintf(disk->root, sizeof disk->root, "/tmp/statefile.XXXXXX");
    assert_non_null(mkdtemp(disk->root));
    snprintf(disk->directory, sizeof disk->directory, "%s/state", disk->root);
    *state = disk;
    return 0;
}

static const char *file_in(const struct place_on_disk *disk, const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", disk->directory, name);
    return path;
}

static int end(void **state)
{
    struct place_on_disk *disk = *state;

    (void)unlink(file_in(disk, "state.json"));
    (void)rmdir(file_in(disk, "state.json"));
    (void)rmdir(file_in(disk, "state.json.new"));
    (void)unlink(file_in(disk, "lock"));
    (void)rmdir(disk->directory);
    int removed = rmdir(disk->root); /* nothing else was left there */
    free(disk);
    return removed;
}

static struct state some_state(void)
{
    uint64_t seed = 3;
    struct state state = {.cluster = "x",
                          .node = "n1",
                          .datadir = "/var/lib/my \"sql\"\xC3\xA4",
                          .epoch = 4,
                          .pledged = true,
                          .fresh = true,
                          .installing = true,
                          .peer_count = NODES_MOST,
                          .server_pid = 4194304,
                          .server_start = INT64_MAX};

    state.lineage = sample_lineage(&seed);
    assert_int_not_equal(state.lineage.count, 0);
    for (size_t i = 0; i < NODES_MOST; i++) {
        snprintf(state.peer[i].name, sizeof state.peer[i].name, "n%zu", i);
        if (i % 2 == 0)
            snprintf(state.peer[i].address, sizeof state.peer[i].address, "[::1]:%zu", 4567 + i);
        if (i % 3 == 0)
            snprintf(state.peer[i].sql, sizeof state.peer[i].sql, "db%zu.example.com:3306", i);
    }
    return state;
}

static void assert_same(const struct state *a, const struct state *b)
{
    assert_string_equal(a->cluster, b->cluster);
    assert_string_equal(a->node, b->node);
    assert_string_equal(a->datadir, b->datadir);
    assert_true(same_lineage(&a->lineage, &b->lineage));
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->pledged, b->pledged);
    assert_int_equal(a->fresh, b->fresh);
    assert_int_equal(a->installing, b->installing);
    assert_int_equal(a->server_pid, b->server_pid);
    assert_int_equal(a->server_start, b->server_start);
    assert_int_equal(a->peer_count, b->peer_count);
    for (size_t i = 0; i < a->peer_count; i++) {
        assert_string_equal(a->peer[i].name, b->peer[i].name);
        assert_string_equal(a->peer[i].address, b->peer[i].address);
        assert_string_equal(a->peer[i].sql, b->peer[i].sql);
    }
}

static void must_open(struct statefile *file, const struct place_on_disk *disk, struct state *state)
{
    struct error error = {.text = ""};

    if (!statefile_open(file, disk->directory, "x", "n1", state, &error))
        fail_msg("%s", error.text);
}

static void must_save(struct statefile *file, const struct state *state)
{
    struct error error = {.text = ""};

    if (!statefile_save(file, state, &error))
        fail_msg("%s", error.text);
}

static void write_file(const struct place_on_disk *disk, const char *name, const char *text, size_t length)
{
    (void)mkdir(disk->directory, 0700);
    int fd = open(file_in(disk, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
}

static size_t read_file(const struct place_on_disk *disk, char *text, size_t size)
{
    int fd = open(file_in(disk, "state.json"), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    ssize_t length = read(fd, text, size - 1);
    assert_true(length >= 0);
    text[length] = '\0';
    close(fd);
    return (size_t)length;
}

static void what_is_saved_is_read_again(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found, none = {.epoch = 0};
    struct stat status;
    struct error error;

    assert_true(statefile_read(disk->directory, &found, &error)); /* no directory */
    assert_same(&found, &none);
    assert_int_equal(access(disk->directory, F_OK), -1);

    must_open(&file, disk, &found);
    assert_same(&found, &none);
    assert_int_equal(stat(disk->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    must_save(&file, &none);
    must_save(&file, &saved);
    assert_int_equal(stat(file_in(disk, "state.json"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(access(file_in(disk, "state.json.new"), F_OK), -1);

    assert_true(statefile_read(disk->directory, &found, &error)); /* while it is locked */
    assert_same(&found, &saved);
    statefile_close(&file);
    statefile_close(&file); /* does no harm */

    must_open(&file, disk, &found);
    assert_same(&found, &saved);
    must_save(&file, &none);
    statefile_close(&file);
    must_open(&file, disk, &found);
    assert_same(&found, &none);
    statefile_close(&file);
}

static void a_directory_that_is_there_is_taken(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state found;
    struct stat status;

    assert_int_equal(mkdir(disk->directory, 0750), 0);
    must_open(&file, disk, &found);
    statefile_close(&file);
    assert_int_equal(stat(disk->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0750);
}

/* --- what cannot be understood ------------------------------------------------------------------------------------ */

static void must_be_refused(const struct place_on_disk *disk, const char *row, const char *words)
{
    struct statefile file;
    struct state found;
    struct error error = {.code = EXIT_YES};

    row_true(row, !statefile_read(disk->directory, &found, &error));
    row_number(row, error.code, EXIT_CONFIG);
    row_contains(row, error.text, file_in(disk, "state.json"));
    row_contains(row, error.text, words);
    error.code = EXIT_YES;
    row_true(row, !statefile_open(&file, disk->directory, "x", "n1", &found, &error));
    row_number(row, error.code, EXIT_CONFIG);
    row_contains(row, error.text, words);
    row_number(row, found.peer_count, 0);
    statefile_close(&file);
}

/* Every beginning of a good file, as a disk that lost the end of it might leave. */
static void half_a_file_is_not_taken_for_none(void **state)
{
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found;
    char text[16384];

    saved.peer_count = 2;
    must_open(&file, disk, &found);
    must_save(&file, &saved);
    statefile_close(&file);
    size_t length = read_file(disk, text, sizeof text);
    for (size_t kept = 0; kept < length - 1; kept++) {
        write_file(disk, "state.json", text, kept);
        must_be_refused(disk, "half", "cannot be understood");
    }
    memset(text, 0, length);
    write_file(disk, "state.json", text, length);
    must_be_refused(disk, "zeros", "move the file away");
}

static void one_wrong_part_is_found(void **state)
{
    static const struct {
        const char *part, *instead, *words;
    } rows[] = {
        {"\"format\":1", "\"format\":2", "\"format\""},
        {"\"format\":1,", "", "\"format\""},
        {"\"cluster\":\"x\"", "\"cluster\":\"x/y\"", "\"cluster\""},
        {"\"node\":\"n1\",", "", "\"node\""},
        {"\"pledged\":true", "\"pledged\":1", "\"pledged\""},
        {"\"pledged\":true,", "", "\"pledged\""},
        {"\"fresh\":true", "\"fresh\":\"yes\"", "\"fresh\""},
        {"\"installing\":true,", "", "\"installing\""},
        {"\"epoch\":4", "\"epoch\":-4", "\"epoch\""},
        {"\"epoch\":4", "\"epoch\":4e0", "\"epoch\""},
        {"\"root\":", "\"roof\":", "\"root\""},
        {"\"lineage\":{", "\"lineages\":{", "\"lineage\""},
        {"\"server\":{", "\"server\":3,\"servers\":{", "\"server\""},
        {"\"pid\":4194304", "\"pid\":-1", "\"pid\""},
        {"\"peers\":[", "\"peers\":{},\"others\":[", "\"peers\""},
        {"\"name\":\"n1\"", "\"name\":\"\"", "peer 1"},
        {"\"sql\":\"db0.example.com:3306\"", "\"sql\":\"db0.example.com\"", "peer 0"},
    };
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found;
    char text[16384], changed[16500];

    must_open(&file, disk, &found);
    must_save(&file, &saved);
    statefile_close(&file);
    read_file(disk, text, sizeof text);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const char *at = strstr(text, rows[i].part);
        row_true(rows[i].part, at != NULL);
        int length = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, rows[i].instead,
                              at + strlen(rows[i].part));
        write_file(disk, "state.json", changed, (size_t)length);
        must_be_refused(disk, rows[i].instead, rows[i].words);
    }
}

static void other_things_of_that_name_are_refused(void **state)
{
    const struct place_on_disk *disk = *state;

    assert_int_equal(mkdir(disk->directory, 0700), 0);
    assert_int_equal(mkdir(file_in(disk, "state.json"), 0700), 0);
    must_be_refused(disk, "directory", "no regular file");
    assert_int_equal(rmdir(file_in(disk, "state.json")), 0);
    assert_int_equal(mkfifo(file_in(disk, "state.json"), 0600), 0);
    must_be_refused(disk, "fifo", "no regular file");
}

static void a_file_of_somebody_else_is_refused(void **state)
{
    static const struct {
        const char *cluster, *node;
        bool taken;
    } rows[] = {
        {"x", "n1", true},  {"", "", true},     {"x", "", true},   {"", "n1", true},
        {"y", "n1", false}, {"x", "n2", false}, {"", "n2", false}, {"y", "", false},
    };
    const struct place_on_disk *disk = *state;
    struct statefile file;
    struct state saved = some_state(), found;

    must_open(&file, disk, &found);
    must_save(&file, &saved);
    statefile_close(&file);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.code = EXIT_YES};
        row_number(rows[i].node, statefile_open(&file, disk->directory, rows[i].cluster, rows[i].node, &found, &error),
                   rows[i].taken);
        statefile_close(&file);
        if (rows[i].taken)
            continue;
        row_number(rows[i].node, error.code, EXIT_CONFIG);
        row_contains(rows[i].node, error.text, "of node n1 of cluster x");
        row_contains(rows[i].node, error.text, file_in(disk, "state.json"));
    }
}

/* --- what cannot be done ------------------------------------------------------------------------------------------ */

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

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_read_again),
        TEST(a_directory_that_is_there_is_taken),
        TEST(half_a_file_is_not_taken_for_none),
        TEST(one_wrong_part_is_found),
        TEST(other_things_of_that_name_are_refused),
        TEST(a_file_of_somebody_else_is_refused),
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
