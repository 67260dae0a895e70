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

static enum program_step run(struct program *program, const char *const *words, struct error *error)
{
    static char texts[MOST_WORDS + 1][64];
    char *argv[MOST_WORDS + 2] = {texts[0]};
    int argc = 1;

    snprintf(texts[0], sizeof texts[0], "prog");
    for (; words[argc - 1] != NULL; argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", words[argc - 1]);
        argv[argc] = texts[argc];
    }
    optind = 0; /* getopt(3): starts afresh */
    handled = NULL;
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
        {"wrong", {"-c", "/dev/null", "-t", "x"}, 1000, false, "option --timeout: timeout = x is not a duration"},
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
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
