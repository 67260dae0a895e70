#include "../row.h"
#include "journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static char directory[] = "/tmp/clustercheck-journal-XXXXXX";
static char log_path[64];
static struct settings settings = {.state_dir = directory};

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(log_path, sizeof log_path, "%s/log", directory);
    return 0;
}

static void empty_directory(void)
{
    DIR *stream = opendir(directory);

    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
}

static int remove_directory(void **state)
{
    (void)state;
    empty_directory();
    return rmdir(directory);
}

static int start(void **state)
{
    (void)state;
    empty_directory();
    settings = (struct settings){.state_dir = directory};
    return log_target(log_path) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    log_close();
    return 0;
}

/* What was logged since the last call, and how many lines. */
static const char *logged(int *lines)
{
    static char text[65536];
    int fd = open(log_path, O_RDWR | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof text - 1);

    assert_true(length >= 0);
    text[length] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    *lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        *lines += *c == '\n';
    return text;
}

static void note(enum endpoint endpoint, enum verdict_state state, enum verdict_reason reason)
{
    struct verdict verdict = {.state = state, .reason = reason, .detail = "what\nit means"};

    journal_note(&settings, endpoint, &verdict);
}

static char *file_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void changes(void **state)
{
    static const struct {
        const char *name;
        enum endpoint endpoint;
        enum verdict_state state;
        enum verdict_reason reason;
        const char *expected; /* part of the line; NULL: none is logged */
    } rows[] = {
        {"the first", ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED,
         ": notice: node is up: what\\nit means endpoint=/ reason=synced\n"},
        {"the same", ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED, NULL},
        {"down", ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR,
         ": warning: node is down: what\\nit means endpoint=/ reason=donor before=\"up synced\"\n"},
        {"still down", ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR, NULL},
        {"another endpoint", ENDPOINT_RW, VERDICT_DOWN, REASON_DONOR, "endpoint=/rw reason=donor\n"},
        {"another endpoint again", ENDPOINT_RW, VERDICT_DOWN, REASON_DONOR, NULL},
        {"another reason", ENDPOINT_POLICY, VERDICT_DOWN, REASON_DESYNCED, "reason=desynced before=\"down donor\"\n"},
        {"same reason, another state", ENDPOINT_POLICY, VERDICT_UP, REASON_DESYNCED, "before=\"down desynced\"\n"},
        {"unknown", ENDPOINT_POLICY, VERDICT_UNKNOWN, REASON_TIMED_OUT, ": err: node is unknown: "},
        {"still unknown", ENDPOINT_POLICY, VERDICT_UNKNOWN, REASON_TIMED_OUT, NULL},
        {"a longer word behind", ENDPOINT_POLICY, VERDICT_DOWN, REASON_JOINING, "reason=joining"},
        {"a shorter one", ENDPOINT_POLICY, VERDICT_DOWN, REASON_JOINED, "before=\"down joining\"\n"},
        {"back up", ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED, "before=\"down joined\"\n"},
        {"back up for the other", ENDPOINT_RW, VERDICT_UP, REASON_SYNCED,
         "endpoint=/rw reason=synced before=\"down donor\"\n"},
        {"the live endpoint", ENDPOINT_LIVE, VERDICT_UP, REASON_SYNCED, "endpoint=/live"},
        {"the read-only endpoint", ENDPOINT_RO, VERDICT_UP, REASON_SYNCED, "endpoint=/ro"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int lines;
        note(rows[i].endpoint, rows[i].state, rows[i].reason);
        const char *text = logged(&lines);
        row_number(rows[i].name, lines, rows[i].expected != NULL);
        row_contains(rows[i].name, text, rows[i].expected == NULL ? "" : rows[i].expected);
    }
}

/* A failure that lasts is said again; nothing else is. */
static void repeats(void **state)
{
    static const struct {
        const char *name;
        enum verdict_state state;
        int64_t repeat_ms;
        int age_s;
        bool logged;
    } rows[] = {
        {"unknown, due", VERDICT_UNKNOWN, 60000, 61, true},
        {"unknown, not yet", VERDICT_UNKNOWN, 60000, 50, false},
        {"unknown, never again", VERDICT_UNKNOWN, 0, 100000, false},
        {"unknown, the clock was set back", VERDICT_UNKNOWN, 60000, -1000, false},
        {"down", VERDICT_DOWN, 60000, 100000, false},
        {"up", VERDICT_UP, 60000, 100000, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct timespec then[2] = {{.tv_sec = time(NULL) - rows[i].age_s}, {.tv_sec = time(NULL) - rows[i].age_s}};
        int lines;
        settings.log_repeat_ms = rows[i].repeat_ms;
        note(ENDPOINT_POLICY, rows[i].state, REASON_CANNOT_CONNECT);
        logged(&lines);
        assert_int_equal(utimensat(AT_FDCWD, file_of("policy.last"), then, 0), 0);
        note(ENDPOINT_POLICY, rows[i].state, REASON_CANNOT_CONNECT);
        logged(&lines);
        row_number(rows[i].name, lines, rows[i].logged);
        note(ENDPOINT_POLICY, rows[i].state, REASON_CANNOT_CONNECT);
        logged(&lines);
        row_number(rows[i].name, lines, 0); /* the repetition counts as the last one */
    }
}

/* What the file may hold, after a crash or by another hand. */
static void strange_files(void **state)
{
    static const struct {
        const char *content;
        bool logged;
    } rows[] = {
        {"up synced\n", false},
        {"up synced", false},
        {"up synced\nrest of a longer one\n", false},
        {"", true},
        {"\n", true},
        {"up", true},
        {"up syncedx\n", true},
        {"up sync\n", true},
        {"\x01\xFF\n", true},
        {"down a-very-long-line-that-does-not-fit-into-any-buffer-of-the-journal-at-all-and-goes-on-and-on\n", true},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int lines;
        int fd = open(file_of("policy.last"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, rows[i].content, strlen(rows[i].content)), strlen(rows[i].content));
        close(fd);
        note(ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED);
        logged(&lines);
        row_number(rows[i].content, lines, rows[i].logged);
        note(ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED);
        logged(&lines);
        row_number(rows[i].content, lines, 0);
    }
}

/* Where the last verdict cannot be kept, everything but "up" is said. */
static void nowhere_to_keep_it(void **state)
{
    static char nonexistent[] = "/nonexistent/clustercheck";
    static char not_a_directory[] = "/dev/null";
    static char too_long[5000];
    static const struct {
        const char *name;
        char *state_dir;
    } rows[] = {
        {"not set", NULL},
        {"missing", nonexistent},
        {"not a directory", not_a_directory},
        {"too long", too_long},
    };

    (void)state;
    memset(too_long, '/', sizeof too_long - 1);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int lines;
        settings.state_dir = rows[i].state_dir;
        for (int k = 0; k < 3; k++) {
            note(ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED);
            note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
            note(ENDPOINT_POLICY, VERDICT_UNKNOWN, REASON_TIMED_OUT);
        }
        logged(&lines);
        row_number(rows[i].name, lines, 6);
    }
}

/* The directory may be writable for others: no link is followed, nothing waits for a FIFO's other end. */
static void traps(void **state)
{
    char target[80];
    int lines;
    struct stat status;

    (void)state;
    snprintf(target, sizeof target, "%s/target", directory);
    assert_int_equal(symlink(target, file_of("policy.last")), 0);
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    logged(&lines);
    assert_int_equal(lines, 1);
    assert_int_equal(stat(target, &status), -1);
    unlink(file_of("policy.last"));

    assert_int_equal(mkfifo(file_of("policy.last"), 0600), 0);
    alarm(10);
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    alarm(0);
    logged(&lines);
    assert_int_equal(lines, 1);
}

static void read_only_file(void **state)
{
    const uid_t nobody = 65534;
    uid_t user = geteuid();
    int lines;

    (void)state;
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    assert_int_equal(chmod(file_of("policy.last"), 0444), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    logged(&lines);
    if (user == 0) /* root may write everything */
        assert_int_equal(seteuid(nobody), 0);
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    note(ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED);
    assert_int_equal(seteuid(user), 0);
    logged(&lines);
    assert_int_equal(lines, 1);
}

/* Another check that is about to say it holds the lock. */
static void locked(void **state)
{
    int lines;

    (void)state;
    note(ENDPOINT_POLICY, VERDICT_UP, REASON_SYNCED);
    int fd = open(file_of("policy.last"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    logged(&lines);
    alarm(10);
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    alarm(0);
    logged(&lines);
    assert_int_equal(lines, 0);
    close(fd);
    note(ENDPOINT_POLICY, VERDICT_DOWN, REASON_DONOR);
    logged(&lines);
    assert_int_equal(lines, 1);
}

/* Many processes find the same change at the same moment: one line. */
static void concurrent_writers(void **state)
{
    enum { ROUNDS = 40, WRITERS = 12, NOTES = 5 };

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        char name[32];
        int go[2];
        int lines;
        bool up = round % 2 == 0;
        assert_int_equal(pipe2(go, O_CLOEXEC), 0);
        for (int writer = 0; writer < WRITERS; writer++) {
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                char byte;
                close(go[1]);
                if (read(go[0], &byte, 1) != 0) /* all of them start when the parent closes its end */
                    _exit(1);
                for (int i = 0; i < NOTES; i++)
                    note(ENDPOINT_POLICY, up ? VERDICT_UP : VERDICT_DOWN, up ? REASON_SYNCED : REASON_JOINED);
                _exit(0);
            }
        }
        close(go[0]);
        close(go[1]);
        for (int writer = 0; writer < WRITERS; writer++) {
            int status;
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
        }
        snprintf(name, sizeof name, "round %d", round);
        const char *text = logged(&lines);
        row_number(name, lines, 1);
        row_contains(name, text, up ? "node is up" : "node is down");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes, start, stop),
        cmocka_unit_test_setup_teardown(repeats, start, stop),
        cmocka_unit_test_setup_teardown(strange_files, start, stop),
        cmocka_unit_test_setup_teardown(nowhere_to_keep_it, start, stop),
        cmocka_unit_test_setup_teardown(traps, start, stop),
        cmocka_unit_test_setup_teardown(read_only_file, start, stop),
        cmocka_unit_test_setup_teardown(locked, start, stop),
        cmocka_unit_test_setup_teardown(concurrent_writers, start, stop),
    };

    return cmocka_run_group_tests_name("journal", tests, make_directory, remove_directory);
}
