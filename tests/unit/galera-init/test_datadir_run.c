/* The data directory is made, and asked for its position, by programs that stand in for the server's. */
#include "../row.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datadir.h"
#include "support/scratch.h"

#define UUID "c9a0ad1f-1111-2222-3333-444444444444"

/*
 * What a server does that ends by itself: appends to the log of --log-error, and is called with the words that
 * `calls` keeps, in their order.
 */
#define LOG_TO                                                                                                         \
    "for word; do case $word in --log-error=*) log=${word#*=};; esac; done\n"                                          \
    "for word; do case $word in --wsrep-recover|--tc-*) echo $word >> $here/calls;; esac; done\n"
#define SAY(text) "echo '2026-07-30 10:00:00 0 " text "' >> $log\n"

static int wake[2];

static const char *data(void)
{
    return scratch_path("data");
}

static int begin(void **state)
{
    if (scratch_begin(state) != 0 || pipe(wake) != 0)
        return 1;
    scratch_directory("data");
    scratch_directory("tmp");
    return setenv("TMPDIR", scratch_path("tmp"), 1);
}

static int end(void **state)
{
    unsetenv("TMPDIR");
    close(wake[0]);
    close(wake[1]);
    return scratch_end(state);
}

/* No log of a run is left behind. */
static bool tmp_is_empty(void)
{
    struct error error;

    return datadir_is_empty(scratch_path("tmp"), &error);
}

static struct server_command server(const char *body)
{
    static const char *argv[4];

    argv[0] = scratch_script("mariadbd", body);
    argv[1] = "--defaults-file=/etc/my.cnf";
    argv[2] = NULL;
    return (struct server_command){.argv = argv, .count = 2};
}

/* --- its position ------------------------------------------------------------------------------------------------- */

#define RECOVERED SAY("[Note] WSREP: Recovered position: " UUID ":90")
#define PREPARED  SAY("[Note] InnoDB: Found 2 prepared transaction(s) in InnoDB")
#define UNDECIDED PREPARED SAY("[ERROR] Found 2 prepared transactions! It means that server was not shut down properly")

static void a_position_is_asked_for(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        bool interrupted;
        bool done;
        enum exit_code code;
        enum recover_outcome outcome;
        int64_t seqno;
        bool prepared;
        const char *calls;
    } rows[] = {
        {"a position", LOG_TO SAY("[Note] InnoDB: starting") RECOVERED, false, true, EXIT_YES, RECOVER_POSITION, 90,
         false, "--wsrep-recover\n"},
        {"the last position counts", LOG_TO SAY("[Note] WSREP: Recovered position: " UUID ":7") RECOVERED, false, true,
         EXIT_YES, RECOVER_POSITION, 90, false, "--wsrep-recover\n"},
        {"its exit code does not matter", LOG_TO RECOVERED "exit 1\n", false, true, EXIT_YES, RECOVER_POSITION, 90,
         false, "--wsrep-recover\n"},
        {"no history", LOG_TO SAY("[Note] WSREP: Recovered position: 00000000-0000-0000-0000-000000000000:-1"), false,
         true, EXIT_YES, RECOVER_NOTHING, -1, false, "--wsrep-recover\n"},
        {"the data are damaged", LOG_TO SAY("[ERROR] InnoDB: Database page corruption on disk") "exit 1\n", false, true,
         EXIT_YES, RECOVER_FAILED, -1, false, "--wsrep-recover\n"},
        {"a setting is wrong", LOG_TO "echo \"[ERROR] unknown variable 'a=b'\" >&2\nexit 7\n", false, false,
         EXIT_CONFIG, RECOVER_NOT_RUN, -1, false, "--wsrep-recover\n"},
        {"the disk is full", LOG_TO SAY("[ERROR] No space left on device") "exit 1\n", false, false, EXIT_TRY_AGAIN,
         RECOVER_NOT_RUN, -1, false, "--wsrep-recover\n"},
        {"no log at all", LOG_TO, false, false, EXIT_CONFIG, RECOVER_NOT_RUN, -1, false, "--wsrep-recover\n"},
        {"it crashes", LOG_TO SAY("[ERROR] mysqld got signal 11") "kill -11 $$\n", false, false, EXIT_CONFIG,
         RECOVER_NOT_RUN, -1, false, "--wsrep-recover\n"},
        {"prepared transactions are not touched for another reason", LOG_TO PREPARED SAY("[ERROR] Aborting") "exit 1\n",
         false, false, EXIT_CONFIG, RECOVER_NOT_RUN, -1, false, "--wsrep-recover\n"},
        {"prepared transactions that do not stand in the way", LOG_TO PREPARED RECOVERED, false, true, EXIT_YES,
         RECOVER_POSITION, 90, true, "--wsrep-recover\n"},
        {"prepared transactions are rolled back",
         LOG_TO "case \" $* \" in\n*' --tc-heuristic-recover=ROLLBACK '*) touch $here/decided;;\n"
                "*) if [ -e $here/decided ]; then\n" RECOVERED "else\n" UNDECIDED "exit 1\nfi;;\nesac\n",
         false, true, EXIT_YES, RECOVER_POSITION, 90, true,
         "--wsrep-recover\n--tc-heuristic-recover=ROLLBACK\n--wsrep-recover\n"},
        {"prepared transactions that cannot be", LOG_TO UNDECIDED "exit 1\n", false, true, EXIT_YES, RECOVER_FAILED, -1,
         true, "--wsrep-recover\n--tc-heuristic-recover=ROLLBACK\n--wsrep-recover\n"},
        {"the memory was used up", LOG_TO RECOVERED "kill -9 $$\n", false, false, EXIT_TRY_AGAIN, RECOVER_NOT_RUN, -1,
         false, "--wsrep-recover\n"},
        {"somebody ended it", LOG_TO "kill -15 $$\n", false, false, EXIT_TRY_AGAIN, RECOVER_NOT_RUN, -1, false,
         "--wsrep-recover\n"},
        {"we are to stop", LOG_TO "exec sleep 20\n", true, false, EXIT_TRY_AGAIN, RECOVER_NOT_RUN, -1, false, NULL},
    };
    size_t descriptors = open_descriptors();

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct server_command command = server(rows[i].body);
        struct recovered recovered;
        struct error error = {.code = EXIT_YES};
        char byte;
        if (rows[i].interrupted)
            assert_int_equal(write(wake[1], "x", 1), 1);
        row_number(rows[i].name,
                   datadir_recover(&command, data(), scratch_path("recover.log"), wake[0], &recovered, &error),
                   rows[i].done);
        row_number(rows[i].name, error.code, rows[i].code);
        row_number(rows[i].name, recovered.outcome, rows[i].outcome);
        row_number(rows[i].name, recovered.position.seqno, rows[i].seqno);
        row_number(rows[i].name, recovered.prepared, rows[i].prepared);
        if (rows[i].calls != NULL)
            row_text(rows[i].name, scratch_read("calls"), rows[i].calls);
        row_number(rows[i].name, scratch_has("recover.log"), rows[i].done || strstr(error.text, "recover.log") != NULL);
        row_true(rows[i].name, tmp_is_empty());
        (void)unlink(scratch_path("calls"));
        (void)unlink(scratch_path("decided"));
        (void)unlink(scratch_path("recover.log"));
        if (rows[i].interrupted)
            assert_int_equal(read(wake[0], &byte, 1), 1);
    }
    assert_int_equal(open_descriptors(), descriptors);
}

static void the_log_of_a_recovery_is_kept_for_the_admin(void **state)
{
    struct server_command command = server(LOG_TO SAY("[ERROR] InnoDB: Missing FILE_CHECKPOINT(7) at 9"));
    struct recovered recovered;
    struct error error;

    (void)state;
    scratch_write("recover.log",
                  "of an earlier time, and much longer than what is to be said this time, as it happens\n");
    assert_true(datadir_recover(&command, data(), scratch_path("recover.log"), -1, &recovered, &error));
    assert_string_equal(scratch_read("recover.log"),
                        "2026-07-30 10:00:00 0 [ERROR] InnoDB: Missing FILE_CHECKPOINT(7) at 9\n");
    /* Where it cannot be kept the position counts all the same. */
    command = server(LOG_TO RECOVERED);
    assert_true(datadir_recover(&command, data(), "/nonexistent/recover.log", -1, &recovered, &error));
    assert_int_equal(recovered.outcome, RECOVER_POSITION);
}

/* The server opens its log as its own user: directory and file have to be his, and the name needs an extension. */
static void the_log_belongs_to_the_owner_of_the_directory(void **state)
{
    struct server_command command =
        server(LOG_TO RECOVERED
               "stat -c '%u %a' $log $(dirname $log) | tr '\\n' ' ' > $here/owner\necho ${log##*.} > $here/name\n");
    struct recovered recovered;
    struct error error;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(data(), 1234, 1235), 0);
    assert_true(datadir_recover(&command, data(), scratch_path("recover.log"), -1, &recovered, &error));
    assert_string_equal(scratch_read("owner"), "1234 600 1234 700 ");
    assert_string_equal(scratch_read("name"), "err\n");
}

static void without_room_for_a_log_nothing_is_run(void **state)
{
    struct server_command command = server(LOG_TO RECOVERED);
    struct recovered recovered;
    struct error error = {.code = EXIT_YES};

    (void)state;
    setenv("TMPDIR", "/nonexistent", 1);
    assert_false(datadir_recover(&command, data(), scratch_path("recover.log"), -1, &recovered, &error));
    assert_int_equal(error.code, EXIT_TRY_AGAIN);
    assert_int_equal(recovered.outcome, RECOVER_NOT_RUN);
    assert_false(datadir_install(&command, data(), "root", -1, &error));
    assert_false(scratch_has("calls"));
}

/* --- making ------------------------------------------------------------------------------------------------------- */

/* Of several servers on one host, each brings its own. */
static void the_one_of_the_server_is_taken(void **state)
{
    static const char *const places[] = {"opt/mariadb/scripts", "opt/mariadb/bin", "opt/mariadb/sbin"};
    struct error error = {.code = EXIT_YES};
    char server_path[512];
    char body[1024];

    (void)state;
    scratch_directory("opt");
    scratch_directory("opt/mariadb");
    for (size_t i = ROW_COUNT(places); i-- > 0;)
        scratch_directory(places[i]);
    snprintf(server_path, sizeof server_path, "%s", scratch_script("opt/mariadb/sbin/mariadbd", "exit 99\n"));
    const char *argv[] = {server_path, NULL};
    struct server_command command = {.argv = argv, .count = 1};
    for (size_t i = 0; i < ROW_COUNT(places); i++) { /* the last one comes first */
        char path[128];
        snprintf(path, sizeof path, "%s/mariadb-install-db", places[i]);
        snprintf(body, sizeof body, "echo %s > %s\n", places[i], scratch_path("taken"));
        scratch_script(path, body);
        row_true(places[i], datadir_install(&command, data(), "root", -1, &error));
        row_contains(places[i], scratch_read("taken"), places[i]);
    }
}

/* mariadb-install-db is found in PATH. */
static void it_is_installed(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        bool interrupted;
        bool done;
        enum exit_code code;
        const char *words;
    } rows[] = {
        {"it works", "echo noise\nexit 0\n", false, true, EXIT_YES, ""},
        {"it fails", "echo 'FATAL ERROR: no room'\necho 'and so on' >&2\nexit 1\n", false, false, EXIT_CONFIG,
         "mariadb-install-db failed (exit code 1): FATAL ERROR: no room\nand so on"},
        {"it is killed", "kill -9 $$\n", false, false, EXIT_CONFIG, "signal 9"},
        {"we are to stop", "exec sleep 20\n", true, false, EXIT_TRY_AGAIN, "interrupted"},
    };
    char path[1024];

    (void)state;
    scratch_directory("bin");
    snprintf(path, sizeof path, "%s:%s", scratch_path("bin"), getenv("PATH"));
    char *old = strdup(getenv("PATH"));
    setenv("PATH", path, 1);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct server_command command = server("exit 99\n");
        struct error error = {.code = EXIT_YES};
        char body[512];
        snprintf(body, sizeof body, "printf '%%s\\n' \"$@\" > $here/words\n%s", rows[i].body);
        scratch_script("bin/mariadb-install-db", body);
        if (rows[i].interrupted)
            assert_int_equal(write(wake[1], "x", 1), 1);
        row_number(rows[i].name, datadir_install(&command, data(), "o'root", wake[0], &error), rows[i].done);
        row_number(rows[i].name, error.code, rows[i].code);
        if (!rows[i].done)
            row_contains(rows[i].name, error.text, rows[i].words);
        row_true(rows[i].name, tmp_is_empty());
        if (rows[i].interrupted)
            continue;
        const char *words = scratch_read("words");
        row_true(rows[i].name, strncmp(words, "--defaults-file=/etc/my.cnf\n", 28) == 0); /* it has to be the first */
        row_contains(rows[i].name, words, "--auth-root-socket-user=o'root\n");
        row_contains(rows[i].name, words, "--skip-test-db\n");
        row_contains(rows[i].name, words, data());
    }
    setenv("PATH", "/nonexistent", 1);
    struct server_command command = server("exit 99\n");
    struct error error;
    assert_false(datadir_install(&command, data(), "root", wake[0], &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, "mariadb-install-db"));
    setenv("PATH", old, 1);
    free(old);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_position_is_asked_for),
        IN_SCRATCH(the_log_of_a_recovery_is_kept_for_the_admin),
        IN_SCRATCH(the_log_belongs_to_the_owner_of_the_directory),
        IN_SCRATCH(without_room_for_a_log_nothing_is_run),
        IN_SCRATCH(it_is_installed),
        IN_SCRATCH(the_one_of_the_server_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
