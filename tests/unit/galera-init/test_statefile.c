#include "../row.h"
#include "statefile.h"
#include "support/statedir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
        {"\"served\":true,", "", "\"served\""},
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, statedir_begin, statedir_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_read_again),           TEST(a_directory_that_is_there_is_taken),
        TEST(half_a_file_is_not_taken_for_none),     TEST(one_wrong_part_is_found),
        TEST(other_things_of_that_name_are_refused), TEST(a_file_of_somebody_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
