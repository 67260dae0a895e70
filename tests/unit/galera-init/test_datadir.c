/* The data directory: read, cleared, changed; and who uses it. */
#include "../row.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datadir.h"
#include "support/scratch.h"

#define UUID "c9a0ad1f-1111-2222-3333-444444444444"
#define NIL  "00000000-0000-0000-0000-000000000000"
#define GRASTATE(uuid, seqno, safe)                                                                                    \
    "# GALERA saved state\nversion: 2.1\nuuid:    " uuid "\nseqno:   " seqno "\nsafe_to_bootstrap: " safe "\n"
#define GVWSTATE                                                                                                       \
    "my_uuid: d3124bc8-1111-2222-3333-444444444444\n#vwbeg\nview_id: 3 0dae1307-1111-2222-3333-444444444444 12\n"      \
    "bootstrap: 0\nmember: 0dae1307-1111-2222-3333-444444444444 0\nmember: d3124bc8-1111-2222-3333-444444444444 0\n"   \
    "#vwend\n"

static const char *data(void)
{
    return scratch_path("data");
}

static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return 1;
    scratch_directory("data");
    return 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void what_is_empty(void **state)
{
    struct error error = {.code = EXIT_YES};

    (void)state;
    assert_true(datadir_is_empty(scratch_path("nothing"), &error));
    assert_true(datadir_is_empty(data(), &error));
    scratch_directory("data/lost+found");
    assert_true(datadir_is_empty(data(), &error));
    scratch_write("data/.hidden", "");
    assert_false(datadir_is_empty(data(), &error));
    assert_int_equal(error.code, EXIT_YES);

    scratch_write("file", "");
    assert_false(datadir_is_empty(scratch_path("file"), &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, scratch_path("file")));
}

/* What is found there, and what it is judged to be. */
static void what_a_directory_holds(void **state)
{
    static const struct {
        const char *name;
        const char *grastate, *gvwstate, *other; /* NULL: not there */
        bool fresh;
        bool has_data, transfer_mark, needs_recover;
        enum grastate_condition condition;
        enum gvwstate_condition view;
        enum copy copy; /* without --wsrep-recover */
    } rows[] = {
        {"nothing", NULL, NULL, NULL, false, false, false, false, GRASTATE_MISSING, GVWSTATE_MISSING, COPY_EMPTY},
        {"just installed", NULL, NULL, "ibdata1", true, false, false, false, GRASTATE_MISSING, GVWSTATE_MISSING,
         COPY_EMPTY},
        {"installed by somebody else", NULL, NULL, "ibdata1", false, true, false, true, GRASTATE_MISSING,
         GVWSTATE_MISSING, COPY_BROKEN},
        {"closed cleanly", GRASTATE(UUID, "90", "1"), NULL, "ibdata1", false, true, false, false, GRASTATE_GOOD,
         GVWSTATE_MISSING, COPY_TRUSTED},
        {"installed by us, became a copy", GRASTATE(UUID, "90", "0"), NULL, "ibdata1", true, true, false, false,
         GRASTATE_GOOD, GVWSTATE_MISSING, COPY_TRUSTED},
        {"installed by us, a start came to nothing", GRASTATE(NIL, "-1", "1"), NULL, "ibdata1", true, false, false,
         false, GRASTATE_GOOD, GVWSTATE_MISSING, COPY_EMPTY},
        {"installed by us, killed while it got a copy", GRASTATE(NIL, "-1", "0"), NULL, "sst_in_progress", true, true,
         true, false, GRASTATE_GOOD, GVWSTATE_MISSING, COPY_BROKEN},
        {"killed", GRASTATE(UUID, "-1", "0"), GVWSTATE, "ibdata1", false, true, false, true, GRASTATE_GOOD,
         GVWSTATE_GOOD, COPY_BROKEN},
        {"given up", GRASTATE(NIL, "-1", "0"), "", "ibdata1", false, true, false, false, GRASTATE_GOOD,
         GVWSTATE_USELESS, COPY_BROKEN},
        {"killed in a transfer", GRASTATE(UUID, "-1", "0"), NULL, "sst_in_progress", false, true, true, false,
         GRASTATE_GOOD, GVWSTATE_MISSING, COPY_BROKEN},
        {"a grastate.dat that is cut off", "# GALERA saved state\nuuid:    " UUID "\n", NULL, "ibdata1", false, true,
         false, true, GRASTATE_CORRUPT, GVWSTATE_MISSING, COPY_BROKEN},
        {"an empty grastate.dat", "", NULL, "ibdata1", false, true, false, true, GRASTATE_CORRUPT, GVWSTATE_MISSING,
         COPY_BROKEN},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static const char *const names[] = {"data/grastate.dat", "data/gvwstate.dat"};
        const char *const texts[] = {rows[i].grastate, rows[i].gvwstate};
        struct holding_signs signs;
        struct gvwstate view;
        struct error error = {.text = ""};
        char other[64] = "";

        for (size_t k = 0; k < 2; k++) {
            if (texts[k] != NULL)
                scratch_write(names[k], texts[k]);
        }
        if (rows[i].other != NULL) {
            snprintf(other, sizeof other, "data/%s", rows[i].other);
            scratch_write(other, "");
        }
        row_true(rows[i].name, datadir_read(data(), rows[i].fresh, &signs, &view, &error));
        row_number(rows[i].name, signs.has_data, rows[i].has_data);
        row_number(rows[i].name, signs.transfer_mark, rows[i].transfer_mark);
        row_number(rows[i].name, holding_needs_recover(&signs), rows[i].needs_recover);
        row_number(rows[i].name, signs.grastate.condition, rows[i].condition);
        row_number(rows[i].name, view.condition, rows[i].view);
        row_number(rows[i].name, signs.recovered.outcome, RECOVER_NOT_RUN);
        row_number(rows[i].name, holding_judge(&signs).copy, rows[i].copy);
        (void)unlink(scratch_path(names[0]));
        (void)unlink(scratch_path(names[1]));
        (void)unlink(scratch_path(other));
    }
}

static void what_cannot_be_read_is_an_error(void **state)
{
    static const char *const names[] = {"data/grastate.dat", "data/gvwstate.dat"};
    struct holding_signs signs;
    struct gvwstate view;
    size_t descriptors = open_descriptors();

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(names); i++) {
        struct error error = {.code = EXIT_YES};
        scratch_directory(names[i]);
        row_true(names[i], !datadir_read(data(), false, &signs, &view, &error));
        row_number(names[i], error.code, EXIT_CONFIG);
        row_contains(names[i], error.text, scratch_path(names[i]));
        assert_int_equal(rmdir(scratch_path(names[i])), 0);
    }
    assert_int_equal(open_descriptors(), descriptors);
}

/* --- clearing ----------------------------------------------------------------------------------------------------- */

static void what_an_installation_left_is_cleared(void **state)
{
    struct error error = {.code = EXIT_YES};

    (void)state;
    /* As mariadb-install-db of MariaDB 10.11 makes them. */
    static const char *const files[] = {
        "aria_log.00000001", "aria_log_control", "ib_buffer_pool",    "ib_logfile0",       "ibdata1", "ibtmp1",
        "undo001",           "ddl_recovery.log", "multi-master.info", "mysql_upgrade_info"};
    static const char *const directories[] = {"mysql", "performance_schema", "sys", "lost+found"};
    for (size_t i = 0; i < ROW_COUNT(files); i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s", files[i]);
        scratch_write(name, "x");
    }
    for (size_t i = 0; i < ROW_COUNT(directories); i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s", directories[i]);
        scratch_directory(name);
    }
    scratch_write("data/mysql/user.frm", "x");
    scratch_write("outside", "x");
    assert_int_equal(symlink(scratch_path("outside"), scratch_path("data/mysql/link")), 0);
    assert_int_equal(datadir_clear(data(), &error), DATADIR_CLEARED);
    assert_true(scratch_has("data")); /* it may be a mount point */
    assert_true(scratch_has("outside"));
    assert_true(datadir_is_empty(data(), &error));
    assert_int_equal(datadir_clear(data(), &error), DATADIR_CLEARED);
    assert_int_equal(error.code, EXIT_YES);
}

/* A backup was restored since, or a server has run there: nothing may go. */
static void what_an_installation_does_not_make_is_kept(void **state)
{
    static const struct {
        const char *name;
        bool directory;
    } rows[] = {
        {"data/shop", true},   {"data/grastate.dat", false}, {"data/galera.cache", false},   {"data/mysql2", true},
        {"data/ibdata", true}, {"data/notes.txt", false},    {"data/xtrabackup_info", false}};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.code = EXIT_YES};
        scratch_write("data/ibdata1", "x");
        if (rows[i].directory)
            scratch_directory(rows[i].name);
        else
            scratch_write(rows[i].name, "x");
        row_number(rows[i].name, datadir_clear(data(), &error), DATADIR_USED);
        row_number(rows[i].name, error.code, EXIT_YES);
        row_true(rows[i].name, scratch_has("data/ibdata1"));
        row_true(rows[i].name, scratch_has(rows[i].name));
        assert_int_equal(remove(scratch_path(rows[i].name)), 0);
    }
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static const struct position some_position = {
    .uuid = {{0xc9, 0xa0, 0xad, 0x1f, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44}},
    .seqno = 90};

static void grastate_is_written_in_one_step(void **state)
{
    struct error error;
    struct stat before, after;

    (void)state;
    scratch_write("data/grastate.dat", "old");
    scratch_write("data/grastate.dat.new", "left by an attempt that was cut short, and longer than what comes now");
    int old = open(scratch_path("data/grastate.dat"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(old, &before), 0);
    assert_true(datadir_write_grastate(data(), &some_position, true, &error));
    assert_string_equal(scratch_read("data/grastate.dat"), GRASTATE(UUID, "90", "1"));
    assert_false(scratch_has("data/grastate.dat.new"));
    /* The old file was replaced, not overwritten: a crash at any moment leaves one of the two. */
    assert_int_equal(stat(scratch_path("data/grastate.dat"), &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    char text[8];
    assert_int_equal(read(old, text, sizeof text), 3);
    close(old);

    assert_true(datadir_blank(data(), &error));
    struct grastate found = grastate_parse(scratch_read("data/grastate.dat"));
    assert_int_equal(found.condition, GRASTATE_GOOD);
    assert_true(uuid_is_nil(&found.position.uuid));
    assert_int_equal(found.position.seqno, SEQNO_UNKNOWN);
    assert_false(found.safe_to_bootstrap);
}

/* Galera runs as the owner of the directory and has to write the file itself. */
static void what_is_written_belongs_to_the_owner_of_the_directory(void **state)
{
    struct error error;
    struct stat status;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(data(), 1234, 1235), 0);
    assert_true(datadir_blank(data(), &error));
    assert_int_equal(stat(scratch_path("data/grastate.dat"), &status), 0);
    assert_int_equal(status.st_uid, 1234);
    assert_int_equal(status.st_gid, 1235);
    assert_int_equal(status.st_mode & 0007, 0);
}

static void what_cannot_be_written_is_an_error_and_leaves_nothing(void **state)
{
    struct error error = {.code = EXIT_YES};
    size_t descriptors = open_descriptors();

    (void)state;
    assert_false(datadir_blank(scratch_path("nothing"), &error));
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
    assert_non_null(strstr(error.text, "nothing/grastate.dat"));

    scratch_directory("data/grastate.dat"); /* which no file can be renamed to */
    assert_false(datadir_blank(data(), &error));
    assert_false(scratch_has("data/grastate.dat.new"));
    assert_int_equal(rmdir(scratch_path("data/grastate.dat")), 0);

    /* Somebody lays a link to a file of ours in the way. */
    scratch_write("victim", "precious");
    assert_int_equal(symlink(scratch_path("victim"), scratch_path("data/grastate.dat.new")), 0);
    assert_true(datadir_blank(data(), &error));
    assert_string_equal(scratch_read("victim"), "precious");
    assert_int_equal(open_descriptors(), descriptors);
}

static void the_old_view_is_dropped(void **state)
{
    struct error error = {.code = EXIT_YES};

    (void)state;
    scratch_write("data/gvwstate.dat", GVWSTATE);
    assert_true(datadir_drop_view(data(), &error));
    assert_false(scratch_has("data/gvwstate.dat"));
    assert_true(datadir_drop_view(data(), &error));
    assert_true(datadir_drop_view(scratch_path("nothing"), &error));
    assert_int_equal(error.code, EXIT_YES);

    scratch_directory("data/gvwstate.dat");
    assert_false(datadir_drop_view(data(), &error));
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
}

static void the_log_of_schema_changes_is_dropped(void **state)
{
    static struct server_info info;
    struct error error = {.code = EXIT_YES};

    (void)state;
    assert_true(datadir_drop_ddl_log(&info, &error)); /* a server without one */
    snprintf(info.ddl_log, sizeof info.ddl_log, "%s", scratch_path("data/ddl_recovery.log"));
    scratch_write("data/ddl_recovery.log", "drop table");
    assert_true(datadir_drop_ddl_log(&info, &error));
    assert_false(scratch_has("data/ddl_recovery.log"));
    assert_true(datadir_drop_ddl_log(&info, &error));
    snprintf(info.ddl_log, sizeof info.ddl_log, "%s", scratch_path("nothing/ddl_recovery.log"));
    assert_true(datadir_drop_ddl_log(&info, &error));
    assert_int_equal(error.code, EXIT_YES);

    snprintf(info.ddl_log, sizeof info.ddl_log, "%s", scratch_path("data/ddl_recovery.log"));
    scratch_directory("data/ddl_recovery.log");
    assert_false(datadir_drop_ddl_log(&info, &error));
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
}

/* --- who uses it -------------------------------------------------------------------------------------------------- */

/* A process that locks a file as a server does, until the pipe is closed. */
static pid_t lock_in_child(const char *name, int command, int ends[2])
{
    int ready[2];
    char byte;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(scratch_path(name), O_RDWR | O_CLOEXEC);
        close(ends[1]);
        if (fd < 0 || fcntl(fd, command, &lock) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    close(ends[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void who_holds_the_lock_is_the_user(void **state)
{
    static const struct {
        const char *name;
        int command;
        bool unseen;
    } rows[] = {
        {"data/ibdata1", F_SETLK, false},
        {"data/aria_log_control", F_SETLK, false},
        {"data/ibdata1", F_OFD_SETLK, true}, /* a lock without a process id, like that of another PID namespace */
    };

    (void)state;
    assert_int_equal(datadir_user(scratch_path("nothing")), 0);
    assert_int_equal(datadir_user(data()), 0);
    scratch_write("data/ibdata1", "x");
    scratch_write("data/aria_log_control", "x");
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        int ends[2];
        pid_t pid = lock_in_child(rows[i].name, rows[i].command, ends);
        row_number(rows[i].name, datadir_user(data()), rows[i].unseen ? DATADIR_USER_UNSEEN : pid);
        close(ends[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        row_number(rows[i].name, datadir_user(data()), 0);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, begin, scratch_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_empty),
        IN_SCRATCH(what_a_directory_holds),
        IN_SCRATCH(what_cannot_be_read_is_an_error),
        IN_SCRATCH(what_an_installation_left_is_cleared),
        IN_SCRATCH(what_an_installation_does_not_make_is_kept),
        IN_SCRATCH(grastate_is_written_in_one_step),
        IN_SCRATCH(what_is_written_belongs_to_the_owner_of_the_directory),
        IN_SCRATCH(what_cannot_be_written_is_an_error_and_leaves_nothing),
        IN_SCRATCH(the_old_view_is_dropped),
        IN_SCRATCH(the_log_of_schema_changes_is_dropped),
        IN_SCRATCH(who_holds_the_lock_is_the_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
