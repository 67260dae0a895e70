/* The server's program: what its options come to, and the command lines that it is run with. */
#include "../row.h"

#include <stdlib.h>
#include <unistd.h>

#include "server.h"
#include "support/scratch.h"

/* --- its options -------------------------------------------------------------------------------------------------- */

/* Of `mariadbd --verbose --help`, MariaDB 10.11 of Debian 12, shortened. */
static const char help_head[] =
    "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n"
    "Copyright (c) 2000, 2018, Oracle, MariaDB Corporation Ab and others.\n"
    "\n"
    "Starts the MariaDB database server.\n"
    "\n"
    "Usage: mariadbd [OPTIONS]\n"
    "\n"
    "Default options are read from the following files in the given order:\n"
    "/etc/my.cnf /etc/mysql/my.cnf ~/.my.cnf \n"
    "--no-defaults             Don't read default options from any option file.\n"
    "\n"
    "  -h, --datadir=name  Path to the database root directory\n"
    "  -P, --port=#        Port number to use for connection or 0 to default to,\n"
    "                      my.cnf, $MYSQL_TCP_PORT, /etc/services, built-in default\n"
    "                      (3306), whatever comes first\n"
    "  --wsrep-on          To enable wsrep replication \n"
    "\n"
    "Variables (--variable-name=value)\n"
    "and boolean options {FALSE|TRUE}                             Value (after reading options)\n"
    "------------------------------------------------------------ -------------\n"
    "allow-suspicious-udfs                                        FALSE\n"
    "general-log-file                                             vm.log\n";

static const char help_tail[] =
    "port-open-timeout                                            0\n"
    "wsrep-start-position                                         00000000-0000-0000-0000-000000000000:-1\n"
    "\n"
    "To see what variables a running server is using, type\n"
    "'SELECT * FROM INFORMATION_SCHEMA.GLOBAL_VARIABLES' instead of 'mysqld --verbose --help'.\n";

static void what_the_options_come_to(void **state)
{
    static const struct {
        const char *name;
        const char *lines;
        const char *datadir, *socket, *log_error, *provider, *bind_address, *sst_method;
        bool wsrep_on;
        int64_t port;
    } rows[] = {
        {"the defaults of Debian",
         "bind-address                                                 (No default value)\n"
         "datadir                                                      /var/lib/mysql/\n"
         "log-error                                                    \n"
         "port                                                         3306\n"
         "socket                                                       /run/mysqld/mysqld.sock\n"
         "wsrep-on                                                     FALSE\n"
         "wsrep-provider                                               none\n"
         "wsrep-sst-method                                             rsync\n",
         "/var/lib/mysql", "/run/mysqld/mysqld.sock", "", "none", "", "rsync", false, 3306},
        {"a node of a cluster",
         "bind-address                                                 127.0.1.1\n"
         "datadir                                                      /srv/n 1/data/\n"
         "log-error                                                    /var/log/mysql/error.log\n"
         "port                                                         3307\n"
         "socket                                                       /run/n1.sock\n"
         "wsrep-on                                                     TRUE\n"
         "wsrep-provider                                               /usr/lib/galera/libgalera_smm.so\n"
         "wsrep-sst-method                                             mariabackup\n",
         "/srv/n 1/data", "/run/n1.sock", "/var/log/mysql/error.log", "/usr/lib/galera/libgalera_smm.so", "127.0.1.1",
         "mariabackup", true, 3307},
        {"relative paths are of the data directory",
         "datadir                                                      /d/\n"
         "log-error                                                    log/e.txt\n"
         "socket                                                       ./y.sock\n",
         "/d", "/d/y.sock", "/d/log/e.txt", "", "", "", false, 3306},
        {"a log without an extension gets one", "datadir  /d/\nlog-error   /var/log.d/server\n", "/d", "",
         "/var/log.d/server.err", "", "", "", false, 3306},
        {"a relative log without an extension", "datadir  /d.x\nlog-error  server\n", "/d.x", "", "/d.x/server.err", "",
         "", "", false, 3306},
        {"a log with a dot keeps its name", "datadir  /d\nlog-error  server.\n", "/d", "", "/d/server.", "", "", "",
         false, 3306},
        {"the root directory", "datadir  /\nsocket  s\n", "/", "//s", "", "", "", "", false, 3306},
        {"a port that is none", "port  0\n", "", "", "", "", "", "", false, 3306},
        {"blanks at the end", "datadir  /d/   \nwsrep-on  ON \n", "/d", "", "", "", "", "", true, 3306},
        {"no table at all", "", "", "", "", "", "", "", false, 3306},
    };
    static struct server_info info;
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        snprintf(text, sizeof text, "%s%s%s", help_head, rows[i].lines, help_tail);
        server_parse_help(text, &info);
        row_text(rows[i].name, info.datadir, rows[i].datadir);
        row_text(rows[i].name, info.socket, rows[i].socket);
        row_text(rows[i].name, info.log_error, rows[i].log_error);
        row_text(rows[i].name, info.provider, rows[i].provider);
        row_text(rows[i].name, info.bind_address, rows[i].bind_address);
        row_text(rows[i].name, info.sst_method, rows[i].sst_method);
        row_number(rows[i].name, info.wsrep_on, rows[i].wsrep_on);
        row_number(rows[i].name, info.port, rows[i].port);
    }
}

/* Nothing that a program prints goes beyond a field. */
static void lines_of_any_length_do_no_harm(void **state)
{
    static struct server_info info;
    enum { SIZE = 3 * SERVER_PATH_SIZE };
    char *text = malloc(SIZE);

    (void)state;
    assert_non_null(text);
    for (size_t length = SERVER_PATH_SIZE - 8; length < SERVER_PATH_SIZE + 8; length++) {
        memcpy(text, "datadir  /", 10);
        memset(text + 10, 'x', length);
        snprintf(text + 10 + length, SIZE - 10 - length, "\nsocket  s\nlog-error  e\nport  3307");
        server_parse_help(text, &info);
        assert_int_equal(info.port, 3307);
        assert_true(strlen(info.datadir) < sizeof info.datadir);
        assert_true(strlen(info.log_error) < sizeof info.log_error);
    }
    memset(text, 'n', SIZE);
    text[SIZE - 1] = '\0';
    server_parse_help(text, &info);
    text[SIZE / 2] = ' ';
    server_parse_help(text, &info);
    text[100] = ' ';
    server_parse_help(text, &info);
    assert_string_equal(info.datadir, "");
    free(text);
}

/* --- command lines ------------------------------------------------------------------------------------------------ */

static const char *const words[] = {"mariadbd", "--defaults-file=/etc/n1.cnf", "--wsrep-cluster-address=gcomm://",
                                    NULL};
static const struct server_command command = {.argv = words, .count = 3};
static const struct server_command with_datadir = {.argv = words, .count = 3, .datadir = "/d"};
static const struct position start_position = {
    .uuid = {{0xaa, 0, 0, 0, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44}}, .seqno = 90};

static const char *joined(const struct server_arguments *arguments)
{
    static char text[4096];
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < arguments->count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i == 0 ? "" : " ", arguments->argv[i]);
    return text;
}

#define ADMINS "mariadbd --defaults-file=/etc/n1.cnf --wsrep-cluster-address=gcomm:// "
#define OURS   "--wsrep-cluster-name=c --wsrep-node-name=n1 --wsrep-node-address=10.0.0.1 "

/* Ours come last, so that they are the ones that count; the option file's name stays first. */
static void how_a_server_is_started(void **state)
{
    static const struct {
        const char *name;
        const struct server_command *command;
        struct server_start start;
        const char *line;
    } rows[] = {
        {"a new cluster",
         &command,
         {"c", "n1", "10.0.0.1", "10.0.0.1", NULL, true, NULL},
         ADMINS OURS "--wsrep-cluster-address=gcomm://10.0.0.1 --wsrep-new-cluster"},
        {"a joiner",
         &command,
         {"c", "n1", "10.0.0.1", "10.0.0.2,10.0.0.3:4568", "n2,n3,", false, NULL},
         ADMINS OURS "--wsrep-cluster-address=gcomm://10.0.0.2,10.0.0.3:4568 --wsrep-sst-donor=n2,n3,"},
        {"from a recovered position",
         &command,
         {"c", "n1", "10.0.0.1", "10.0.0.2", NULL, false, &start_position},
         ADMINS OURS "--wsrep-cluster-address=gcomm://10.0.0.2 "
                     "--wsrep-start-position=aa000000-1111-2222-3333-444444444444:90"},
        {"another data directory",
         &with_datadir,
         {"c", "n1", "10.0.0.1", "10.0.0.2", NULL, false, NULL},
         ADMINS "--datadir=/d " OURS "--wsrep-cluster-address=gcomm://10.0.0.2"},
    };
    static struct server_arguments arguments;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {.text = ""};
        row_true(rows[i].name, server_start_arguments(rows[i].command, &rows[i].start, &arguments, &error));
        row_text(rows[i].name, joined(&arguments), rows[i].line);
        row_true(rows[i].name, arguments.argv[arguments.count] == NULL);
    }
}

/* An empty gcomm:// makes a new cluster: never by us, whatever we were given. */
static void an_empty_list_is_never_passed(void **state)
{
    static const char *const lists[] = {"", " ", ",", ",,", " , ,", ", "};
    static struct server_arguments arguments;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(lists); i++) {
        for (int fresh = 0; fresh < 2; fresh++) {
            struct server_start start = {"c", "n1", "10.0.0.1", lists[i], NULL, fresh != 0, NULL};
            struct error error = {.code = EXIT_YES};
            row_true(lists[i], !server_start_arguments(&command, &start, &arguments, &error));
            row_number(lists[i], error.code, EXIT_INTERNAL);
        }
    }
}

static void a_run_adds_its_options_and_an_address_that_connects_nowhere(void **state)
{
    static const char *const options[] = {"--wsrep-recover", "--log-error=/x", NULL};
    static struct server_arguments arguments;
    struct error error;

    (void)state;
    assert_true(server_run_arguments(&command, options, &arguments, &error));
    assert_string_equal(joined(&arguments), ADMINS "--wsrep-cluster-address=dummy:// --wsrep-recover --log-error=/x");
    assert_true(server_run_arguments(&with_datadir, options, &arguments, &error));
    assert_string_equal(joined(&arguments),
                        ADMINS "--datadir=/d --wsrep-cluster-address=dummy:// --wsrep-recover --log-error=/x");
}

static void what_is_too_long_is_an_error(void **state)
{
    static const char *many[SERVER_ARGUMENTS_MOST];
    static char list[3 * SERVER_LIST_SIZE];
    static struct server_arguments arguments;
    struct server_start start = {"c", "n1", "10.0.0.1", "10.0.0.2", NULL, false, NULL};
    struct error error;

    (void)state;
    for (size_t i = 0; i < SERVER_ARGUMENTS_MOST; i++)
        many[i] = "--x";
    for (size_t count = SERVER_ARGUMENTS_MOST - 6; count <= SERVER_ARGUMENTS_MOST; count++) {
        struct server_command long_command = {.argv = many, .count = count};
        bool fits = count + 4 < SERVER_ARGUMENTS_MOST;
        error.code = EXIT_YES;
        assert_int_equal(server_start_arguments(&long_command, &start, &arguments, &error), fits);
        assert_int_equal(error.code, fits ? EXIT_YES : EXIT_USAGE);
    }
    memset(list, 'x', sizeof list - 1);
    start.members = list;
    assert_false(server_start_arguments(&command, &start, &arguments, &error));
    assert_int_equal(error.code, EXIT_USAGE);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

#define GOOD "cat <<END\ndatadir   /d/\nwsrep-on    TRUE\nwsrep-provider   /galera.so\nport   3307\nsocket   s\nEND\n"

static void a_server_is_asked(void **state)
{
    static const struct {
        const char *name;
        const char *body;
        bool interrupted;
        bool good;
        enum exit_code code;
        const char *words;
    } rows[] = {
        {"it tells", "echo noise >&2\n" GOOD, false, true, EXIT_YES, ""},
        {"it is without Galera", "echo 'datadir  /d'\necho 'wsrep-on   FALSE'\n", false, false, EXIT_CONFIG,
         "without Galera (wsrep_on=OFF, wsrep_provider=none)"},
        {"it has no provider", "echo 'datadir  /d'\necho 'wsrep-on   TRUE'\necho 'wsrep-provider   none'\n", false,
         false, EXIT_CONFIG, "wsrep_on=ON, wsrep_provider=none"},
        {"it says nothing", "exit 0\n", false, false, EXIT_CONFIG, "set datadir"},
        {"it refuses its options",
         "echo '2026-11-28 14:49:40 0 [Warning] Could not increase'\n"
         "echo \"2026-11-28 14:49:40 0 [ERROR] mariadbd: unknown option '--bogus'\"\necho usage\nexit 7\n",
         false, false, EXIT_CONFIG, "(exit code 7): [ERROR] mariadbd: unknown option '--bogus'"},
        {"it has no option file", "echo 'Could not open required defaults file: /x' >&2\nexit 1\n", false, false,
         EXIT_CONFIG, "(exit code 1): Could not open required defaults file: /x"},
        {"it crashes", "kill -11 $$\n", false, false, EXIT_CONFIG, "signal 11"},
        {"it says too much", "head -c 2000000 /dev/zero\n", false, false, EXIT_INTERNAL, "--verbose --help"},
        {"we are to stop", "exec sleep 20\n", true, false, EXIT_TRY_AGAIN, "interrupted"},
    };
    size_t descriptors = open_descriptors();

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const char *const argv[] = {scratch_script("server", rows[i].body), "--admin", NULL};
        const struct server_command asked = {.argv = argv, .count = 2};
        struct server_info info;
        struct error error = {.code = EXIT_YES};
        int wake[2];
        assert_int_equal(pipe(wake), 0);
        if (rows[i].interrupted)
            assert_int_equal(write(wake[1], "x", 1), 1);
        row_number(rows[i].name, server_ask(&asked, wake[0], &info, &error), rows[i].good);
        row_number(rows[i].name, error.code, rows[i].code);
        if (!rows[i].good)
            row_contains(rows[i].name, error.text, rows[i].words);
        else
            row_text(rows[i].name, info.socket, "/d/s");
        close(wake[0]);
        close(wake[1]);
    }
    assert_int_equal(open_descriptors(), descriptors);
}

static void it_is_asked_with_the_admins_words(void **state)
{
    const char *const argv[] = {scratch_script("server", "echo \"$@\" > $here/words\n" GOOD), "--admin", "a b", NULL};
    const struct server_command asked = {.argv = argv, .count = 3, .datadir = "/d"};
    struct server_info info;
    struct error error;

    (void)state;
    assert_true(server_ask(&asked, -1, &info, &error));
    assert_string_equal(scratch_read("words"),
                        "--admin a b --datadir=/d --wsrep-cluster-address=dummy:// --verbose --help\n");
}

static void a_program_that_is_not_there(void **state)
{
    const char *const argv[] = {"/nonexistent/mariadbd", NULL};
    const struct server_command asked = {.argv = argv, .count = 1};
    struct server_info info;
    struct error error;

    (void)state;
    assert_false(server_ask(&asked, -1, &info, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_non_null(strstr(error.text, "cannot execute /nonexistent/mariadbd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_options_come_to),
        cmocka_unit_test(lines_of_any_length_do_no_harm),
        cmocka_unit_test(how_a_server_is_started),
        cmocka_unit_test(an_empty_list_is_never_passed),
        cmocka_unit_test(a_run_adds_its_options_and_an_address_that_connects_nowhere),
        cmocka_unit_test(what_is_too_long_is_an_error),
        cmocka_unit_test_setup_teardown(a_server_is_asked, scratch_begin, scratch_end),
        cmocka_unit_test_setup_teardown(it_is_asked_with_the_admins_words, scratch_begin, scratch_end),
        cmocka_unit_test(a_program_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
