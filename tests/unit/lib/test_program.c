#include "../row.h"
#include "program.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "version.h"

struct settings {
    int64_t timeout;
    bool once;
};

static const struct config_key keys[] = {
    {"clustercheck", "timeout", CONFIG_DURATION, offsetof(struct settings, timeout), "1s", 10, 60000, NULL, "h"},
    {"clustercheck", "once", CONFIG_BOOLEAN, offsetof(struct settings, once), "no", 0, 0, NULL, "h"},
};

static const struct option_row options[] = {
    {'p', "path", "PATH", "a path", NULL, NULL, NULL},
    {'t', "timeout", "TIME", "how long", "clustercheck", "timeout", NULL},
    {'1', "once", NULL, "only once", "clustercheck", "once", "yes"},
    {300, "a-very-long-option-name-indeed", "ARGUMENT", "long", NULL, NULL, NULL},
};

static const char *handled;

static bool handle(void *context, int id, const char *argument, struct error *error)
{
    assert_ptr_equal(context, &handled);
    if (strcmp(argument, "bad") == 0)
        return error_set(error, EXIT_USAGE, "option %d is bad", id);
    handled = argument;
    return true;
}

static struct program new_program(void)
{
    return (struct program){
        .name = "prog",
        .synopsis = "[OPTION]...",
        .summary = "Does nothing.",
        .footer = "The end.",
        .options = options,
        .option_count = ROW_COUNT(options),
        .handle = handle,
        .context = &handled,
    };
}

enum { MOST_WORDS = 8 };

/* Copies the words behind "prog", for getopt permutes and programs overwrite; returns argc. */
static int command_line(const char *const *words, char **argv)
{
    static char texts[MOST_WORDS + 1][64];
    int argc = 1;

    snprintf(texts[0], sizeof texts[0], "prog");
    argv[0] = texts[0];
    for (; words[argc - 1] != NULL; argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", words[argc - 1]);
        argv[argc] = texts[argc];
    }
    argv[argc] = NULL;
    optind = 0; /* getopt(3): starts afresh */
    handled = NULL;
    return argc;
}

static enum program_step run(struct program *program, const char *const *words, struct error *error)
{
    static char *argv[MOST_WORDS + 2];
    int argc = command_line(words, argv);

    return program_options(program, argc, argv, error);
}

static void wrong_options(void **state)
{
    static const struct {
        const char *words[MOST_WORDS];
        const char *error;
    } rows[] = {
        {{"--foo"}, "unknown option '--foo'"},
        {{"--pth=/x"}, "unknown option '--pth' (did you mean 'path'?)"},
        {{"--timeut", "1s"}, "unknown option '--timeut' (did you mean 'timeout'?)"},
        {{"-x"}, "unknown option '-x'"},
        {{"-xn"}, "unknown option '-x'"},
        {{"-nx"}, "unknown option '-x'"},
        {{"--verbose", "-xn"}, "unknown option '-x'"},
        {{"-?"}, "unknown option '-?'"},
        {{"-:"}, "unknown option '-:'"},
        {{"--path"}, "option '--path' needs an argument"},
        {{"-p"}, "option '--path' needs an argument"},
        {{"-np"}, "option '--path' needs an argument"},
        {{"--help=x"}, "option '--help' takes no argument"},
        {{"--once=x"}, "option '--once' takes no argument"},
        {{"--path", "bad"}, "option 112 is bad"},
        {{"--log-format", "xml"}, "--log-format is text or json, not 'xml'"},
        {{"--ver"}, "unknown option '--ver'"}, /* verbose or version */
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct program program = new_program();
        struct error error = {.code = EXIT_YES};
        row_number(rows[i].error, run(&program, rows[i].words, &error), PROGRAM_WRONG);
        row_number(rows[i].error, error.code, EXIT_USAGE);
        row_true(error.text, strncmp(error.text, rows[i].error, strlen(rows[i].error)) == 0);
    }
}

static void good_options(void **state)
{
    static const struct {
        const char *name;
        const char *words[MOST_WORDS];
        int operand; /* optind */
        bool check_config, quiet;
        int verbosity;
        const char *config_path;
        const char *handled;
    } rows[] = {
        {"none", {NULL}, 1, false, false, 0, NULL, NULL},
        {"check", {"-n"}, 2, true, false, 0, NULL, NULL},
        {"verbose twice", {"-vv"}, 2, false, false, 2, NULL, NULL},
        {"verbose, in words", {"--verbose", "--verbose"}, 3, false, false, 2, NULL, NULL},
        {"quiet and config", {"-qc", "/x"}, 3, false, true, 0, "/x", NULL},
        {"config with equals", {"--config=/x"}, 2, false, false, 0, "/x", NULL},
        {"abbreviated", {"--pa", "/x"}, 3, false, false, 0, NULL, "/x"},
        {"long only", {"--a-very-long-option-name-indeed", "z"}, 3, false, false, 0, NULL, "z"},
        {"operands end the options", {"-n", "user", "-q"}, 2, true, false, 0, NULL, NULL},
        {"two dashes", {"--", "-q"}, 2, false, false, 0, NULL, NULL},
        {"one dash is an operand", {"-", "-q"}, 1, false, false, 0, NULL, NULL},
        {"empty operand", {"", "-q"}, 1, false, false, 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct program program = new_program();
        struct error error = {.code = EXIT_YES};
        row_number(rows[i].name, run(&program, rows[i].words, &error), PROGRAM_GO_ON);
        row_number(rows[i].name, optind, rows[i].operand);
        row_number(rows[i].name, program.check_config, rows[i].check_config);
        row_number(rows[i].name, program.quiet, rows[i].quiet);
        row_number(rows[i].name, program.verbosity, rows[i].verbosity);
        row_text(rows[i].name, program.config_path, rows[i].config_path);
        row_text(rows[i].name, handled, rows[i].handled);
    }
}

static void options_set_keys(void **state)
{
    static const struct {
        const char *name;
        const char *words[MOST_WORDS];
        int64_t timeout;
        bool once;
        const char *error;
    } rows[] = {
        {"nothing", {"-c", "/dev/null"}, 1000, false, NULL},
        {"with an argument", {"-c", "/dev/null", "-t", "2s"}, 2000, false, NULL},
        {"without one", {"-c", "/dev/null", "--once"}, 1000, true, NULL},
        {"the last one counts", {"-c", "/dev/null", "-t", "2s", "-t3s"}, 3000, false, NULL},
        {"wrong", {"-c", "/dev/null", "-t", "x"}, 1000, false, "option --timeout: timeout = 'x' is not a duration"},
        {"no such file", {"-c", "/nonexistent"}, 1000, false, "cannot read the configuration /nonexistent"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct program program = new_program();
        struct error error = {.code = EXIT_YES};
        struct settings settings;
        struct config config;
        config_init(&config);
        assert_true(config_add(&config, keys, ROW_COUNT(keys), &settings, &error));
        row_number(rows[i].name, run(&program, rows[i].words, &error), PROGRAM_GO_ON);
        row_number(rows[i].name, program_configure(&program, &config, &error), rows[i].error == NULL);
        row_number(rows[i].name, settings.timeout, rows[i].timeout);
        row_number(rows[i].name, settings.once, rows[i].once);
        if (rows[i].error != NULL)
            row_contains(rows[i].name, error.text, rows[i].error);
        config_free(&config);
    }
}

/* The command line is stronger than the environment, and that than the file. */
static void sources(void **state)
{
    static const char *const with_option[] = {"-c", NULL, "-t", "4s", NULL};
    char path[] = "/tmp/clustercheck-program-XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "[clustercheck]\ntimeout = 2s\n";
    const char *words[] = {"-c", path, NULL, NULL, NULL};

    (void)state;
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    for (int sources = 1; sources <= 3; sources++) {
        struct program program = new_program();
        struct error error = {.code = EXIT_YES};
        struct settings settings;
        struct config config;
        if (sources >= 2)
            setenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT", "3s", 1);
        if (sources >= 3)
            memcpy(words + 2, with_option + 2, 2 * sizeof words[0]);
        config_init(&config);
        assert_true(config_add(&config, keys, ROW_COUNT(keys), &settings, &error));
        assert_int_equal(run(&program, words, &error), PROGRAM_GO_ON);
        assert_true(program_configure(&program, &config, &error));
        assert_int_equal(settings.timeout, 1000 * (sources + 1));
        config_free(&config);
    }
    unsetenv("CLUSTERCHECK_CLUSTERCHECK_TIMEOUT");
    unlink(path);
}

/* Runs with stdout in a file and returns what was printed. */
static const char *printed(const char *const *words)
{
    static char text[8192];
    FILE *file = tmpfile();
    int real_stdout = dup(STDOUT_FILENO);
    struct program program = new_program();
    struct error error;

    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    enum program_step step = run(&program, words, &error);
    fflush(stdout);
    dup2(real_stdout, STDOUT_FILENO);
    close(real_stdout);
    ssize_t length = pread(fileno(file), text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    fclose(file);
    assert_int_equal(step, PROGRAM_DONE);
    return text;
}

static void help(void **state)
{
    static const char *const words[] = {"--help", NULL};
    static const char *const expected[] = {
        "Usage: prog [OPTION]...\nDoes nothing.\n\n",
        "\n  -p, --path PATH             a path\n",
        "\n  -1, --once                  only once\n",
        "\n      --a-very-long-option-name-indeed ARGUMENT\n                              long\n",
        "\n  -c, --config FILE           read FILE instead of /etc/clustercheck.conf\n",
        "\n      --log-format text|json  how log lines are written\n",
        "\n\nThe end.\n",
    };
    const char *text = printed(words);

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(expected); i++)
        row_contains("help", text, expected[i]);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        row_true("fits a terminal", strcspn(line, "\n") <= 100);
}

static void version(void **state)
{
    static const char *const words[] = {"-V", NULL};

    (void)state;
    assert_string_equal(printed(words), "prog " SUITE_VERSION "\n");
}

static void too_many_overrides(void **state)
{
    struct program program = new_program();
    struct error error = {.code = EXIT_YES};
    char name[] = "prog";
    char option[] = "-1";
    char *argv[CONFIG_KEYS_MOST + 3] = {name};

    (void)state;
    for (int i = 1; i <= CONFIG_KEYS_MOST + 1; i++)
        argv[i] = option;
    optind = 0;
    assert_int_equal(program_options(&program, CONFIG_KEYS_MOST + 1, argv, &error), PROGRAM_GO_ON);
    program = new_program();
    optind = 0;
    assert_int_equal(program_options(&program, CONFIG_KEYS_MOST + 2, argv, &error), PROGRAM_WRONG);
}

/* "--" is told from a word that begins like it, from an option's argument, and from one that is an operand itself. */
static void operands(void **state)
{
    static const struct {
        const char *name;
        const char *words[MOST_WORDS];
        int count;
        bool dashes;
        const char *first;
    } rows[] = {
        {"none", {"-n"}, 0, false, NULL},
        {"nothing at all", {NULL}, 0, false, NULL},
        {"a word", {"-n", "plan", "-q"}, 2, false, "plan"},
        {"after dashes", {"-n", "--", "plan"}, 1, true, "plan"},
        {"dashes first", {"--", "server", "--port=1"}, 2, true, "server"},
        {"dashes alone", {"--"}, 0, true, NULL},
        {"dashes are an argument", {"-p", "--", "plan"}, 1, false, "plan"},
        {"dashes are an argument, long", {"--path", "--", "plan"}, 1, false, "plan"},
        {"dashes twice", {"--", "--", "plan"}, 2, true, "--"},
        {"dashes after a word", {"plan", "--", "server"}, 3, false, "plan"},
        {"one dash", {"-"}, 1, false, "-"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct program program = new_program();
        struct error error = {.code = EXIT_YES};
        row_number(rows[i].name, run(&program, rows[i].words, &error), PROGRAM_GO_ON);
        row_number(rows[i].name, program.operand_count, rows[i].count);
        row_number(rows[i].name, program.dashes, rows[i].dashes);
        row_text(rows[i].name, program.operands[0], rows[i].first);
    }
}

/* What program_main called, in order: o(perate) c(onfigure) r(un). */
static char calls[8];
static struct settings first_settings;

static void called(const char *what)
{
    snprintf(calls + strlen(calls), sizeof calls - strlen(calls), "%s", what);
}

static bool operate(struct program *program, struct error *error)
{
    called("o");
    return program->operand_count != 2 || error_set(error, EXIT_USAGE, "two are too many");
}

static bool configure(struct program *program, struct config *config, void *into, struct error *error)
{
    struct settings *settings = into;

    called("c");
    return config_add(config, keys, ROW_COUNT(keys), settings, error) && program_configure(program, config, error) &&
           (settings->timeout != 13000 || error_set(error, EXIT_CONFIG, "13s is unlucky"));
}

/* The timeout, in seconds, is the exit code; from 20 on it is an error's. */
static int job(struct program *program, struct error *error)
{
    const struct settings *settings = program->settings;

    called("r");
    assert_ptr_equal(settings, &first_settings);
    if (settings->timeout >= 20000)
        error_set(error, EXIT_UNAVAILABLE, "the job fails");
    return (int)(settings->timeout / 1000);
}

static struct program whole_program(void)
{
    struct program program = new_program();

    program.configure = configure;
    program.run = job;
    program.settings = &first_settings;
    return program;
}

/* program_main with its standard output and its log in `text`. */
static int run_main(struct program *program, const char *const *words, char *text, size_t size)
{
    char *argv[MOST_WORDS + 2];
    int argc = command_line(words, argv);
    FILE *file = tmpfile();
    int real[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};

    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    calls[0] = '\0';
    int code = program_main(program, argc, argv);
    fflush(stdout);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        dup2(real[fd - STDOUT_FILENO], fd);
        close(real[fd - STDOUT_FILENO]);
    }
    ssize_t length = pread(fileno(file), text, size - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    fclose(file);
    log_close();
    return code;
}

static void whole_mains(void **state)
{
    static const struct {
        const char *name;
        const char *words[MOST_WORDS];
        bool takes_operands;
        int code;
        const char *calls;
        const char *said; /* "": nothing at all */
    } rows[] = {
        {"runs", {"-c", "/dev/null"}, false, 1, "cr", ""},
        {"the job's code", {"-c", "/dev/null", "-t5"}, false, 5, "cr", ""},
        {"the job's error", {"-c", "/dev/null", "-t20"}, false, EXIT_UNAVAILABLE, "cr", "prog: err: the job fails\n"},
        {"prints the configuration", {"-c", "/dev/null", "-n", "-t5"}, false, EXIT_YES, "c", "timeout = 5s"},
        {"a wrong value", {"-c", "/dev/null", "-tx"}, false, EXIT_CONFIG, "c", "prog: err: option --timeout: timeout"},
        {"a wrong value is not printed", {"-c", "/dev/null", "-n", "-t13"}, false, EXIT_CONFIG, "c", "13s is unlucky"},
        {"no such file", {"-c", "/nonexistent"}, false, EXIT_CONFIG, "c", "/nonexistent"},
        {"a wrong option", {"--foo"}, false, EXIT_USAGE, "", "unknown option '--foo'; try 'prog --help'\n"},
        {"help", {"--help", "x"}, false, EXIT_YES, "", "Usage: prog"},
        {"no operands",
         {"-c", "/dev/null", "x", "y"},
         false,
         EXIT_USAGE,
         "",
         "prog: err: unexpected argument 'x'; try 'prog --help'\n"},
        {"no operands after dashes either", {"-c", "/dev/null", "--", "x"}, false, EXIT_USAGE, "", "argument 'x'"},
        {"dashes alone", {"-c", "/dev/null", "--"}, false, 1, "cr", ""},
        {"takes operands", {"-c", "/dev/null", "x"}, true, 1, "ocr", ""},
        {"is asked even when there are none", {"-c", "/dev/null"}, true, 1, "ocr", ""},
        {"refuses operands",
         {"-c", "/dev/null", "-n", "x", "y"},
         true,
         EXIT_USAGE,
         "o",
         "prog: err: two are too many; try 'prog --help'\n"},
    };
    static char text[8192];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct program program = whole_program();
        program.operate = rows[i].takes_operands ? operate : NULL;
        row_number(rows[i].name, run_main(&program, rows[i].words, text, sizeof text), rows[i].code);
        row_text(rows[i].name, calls, rows[i].calls);
        if (rows[i].said[0] == '\0')
            row_text(rows[i].name, text, "");
        else
            row_contains(rows[i].name, text, rows[i].said);
    }
}

/* The configuration could not be printed: that is no success. */
static void full_disk(void **state)
{
    static const char *const words[] = {"-c", "/dev/null", "-n", NULL};
    static char text[8192];
    struct program program = whole_program();
    FILE *real = stdout;

    (void)state;
    stdout = fopen("/dev/full", "w");
    assert_non_null(stdout);
    int code = run_main(&program, words, text, sizeof text);
    fclose(stdout);
    stdout = real;
    assert_int_equal(code, EXIT_INTERNAL);
    assert_non_null(strstr(text, "cannot write the configuration"));
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* As on SIGHUP: other settings are read beside those in force, with the same command line. */
static void reading_again(void **state)
{
    char path[] = "/tmp/clustercheck-program-XXXXXX";
    const char *const words[] = {"-c", path, "-1", NULL};
    struct program program = whole_program();
    struct error error = {.code = EXIT_YES};
    struct config first;
    struct config second;
    struct settings next;

    (void)state;
    close(mkstemp(path));
    write_file(path, "[clustercheck]\ntimeout = 2s\n");
    assert_int_equal(run(&program, words, &error), PROGRAM_GO_ON);
    assert_true(program_read(&program, &first, &first_settings, &error));

    write_file(path, "[clustercheck]\ntimeout = 3s\n");
    assert_true(program_read(&program, &second, &next, &error));
    assert_int_equal(first_settings.timeout, 2000);
    assert_int_equal(next.timeout, 3000);
    assert_true(next.once);
    config_free(&second);

    write_file(path, "[clustercheck]\ntimeout = 13s\n");
    assert_false(program_read(&program, &second, &next, &error));
    assert_int_equal(error.code, EXIT_CONFIG);
    assert_int_equal(second.count, 0);
    assert_int_equal(first_settings.timeout, 2000);
    config_free(&first);
    unlink(path);
}

static void failures(void **state)
{
    struct program program = new_program();
    struct error error = {.code = EXIT_YES};

    (void)state;
    log_target("none");
    error_set(&error, EXIT_USAGE, "x");
    assert_int_equal(program_fail(&program, &error), EXIT_USAGE);
    error_set(&error, EXIT_CONFIG, "x");
    assert_int_equal(program_fail(&program, &error), EXIT_CONFIG);
    log_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(good_options),
        cmocka_unit_test(options_set_keys),
        cmocka_unit_test(sources),
        cmocka_unit_test(help),
        cmocka_unit_test(version),
        cmocka_unit_test(too_many_overrides),
        cmocka_unit_test(operands),
        cmocka_unit_test(whole_mains),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(reading_again),
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
