#include "program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "version.h"

enum { OPTIONS_MOST = 48, OPTION_LOG_FORMAT = 256, HELP_COLUMN = 30, FIRST_LONG_ONLY = 256 };

static const struct option_row common[] = {
    {'c', "config", "FILE", "read FILE instead of " CONFIG_DEFAULT_PATH, NULL, NULL, NULL},
    {'n', "check-config", NULL, "print the effective configuration and exit", NULL, NULL, NULL},
    {'v', "verbose", NULL, "say more; give it twice for everything", NULL, NULL, NULL},
    {'q', "quiet", NULL, "say nothing but errors", NULL, NULL, NULL},
    {OPTION_LOG_FORMAT, "log-format", "text|json", "how log lines are written", NULL, NULL, NULL},
    {'h', "help", NULL, "show this help and exit", NULL, NULL, NULL},
    {'V', "version", NULL, "show the version and exit", NULL, NULL, NULL},
};

enum { COMMON_COUNT = sizeof common / sizeof common[0] };

static const struct option_row *row_at(const struct program *program, size_t i)
{
    return i < program->option_count ? &program->options[i] : &common[i - program->option_count];
}

static size_t row_count(const struct program *program)
{
    return program->option_count + COMMON_COUNT;
}

static const struct option_row *row_of(const struct program *program, int id)
{
    for (size_t i = 0; i < row_count(program); i++) {
        if (row_at(program, i)->id == id)
            return row_at(program, i);
    }
    return NULL;
}

static void print_row(const struct option_row *row)
{
    char left[64];
    char letter[] = "    ";

    if (row->id < FIRST_LONG_ONLY)
        snprintf(letter, sizeof letter, "-%c, ", row->id);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, row->name, row->argument == NULL ? "" : " ",
             row->argument == NULL ? "" : row->argument);
    if (strlen(left) < HELP_COLUMN)
        printf("%-*s", HELP_COLUMN, left);
    else
        printf("%s\n%*s", left, HELP_COLUMN, "");
    printf("%s\n", row->help);
}

static void print_help(const struct program *program)
{
    printf("Usage: %s %s\n%s\n\n", program->name, program->synopsis, program->summary);
    for (size_t i = 0; i < row_count(program); i++)
        print_row(row_at(program, i));
    printf("\n%s\n", program->footer);
}

static void getopt_tables(const struct program *program, struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand: what follows may be another command's */
    *shorts++ = ':';
    for (size_t i = 0; i < row_count(program); i++) {
        const struct option_row *row = row_at(program, i);
        longs[i] = (struct option){row->name, row->argument == NULL ? no_argument : required_argument, NULL, row->id};
        if (row->id < FIRST_LONG_ONLY) {
            *shorts++ = (char)row->id;
            if (row->argument != NULL)
                *shorts++ = ':';
        }
    }
    longs[row_count(program)] = (struct option){0};
    *shorts = '\0';
}

static bool unknown_option(const struct program *program, const char *written, struct error *error)
{
    char name[64];
    char hint[96];

    if (optopt != 0)
        return error_set(error, EXIT_USAGE, "unknown option '-%c'", optopt);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(written + 2, "="), written + 2);
    struct nearest nearest = NEAREST_TO(name);
    for (size_t i = 0; i < row_count(program); i++)
        nearest_offer(&nearest, row_at(program, i)->name);
    return error_set(error, EXIT_USAGE, "unknown option '--%s'%s", name, nearest_hint(&nearest, hint, sizeof hint));
}

static bool set_log_format(const char *name, struct error *error)
{
    if (strcmp(name, "json") == 0)
        log_set_format(LOG_FORMAT_JSON);
    else if (strcmp(name, "text") == 0)
        log_set_format(LOG_FORMAT_TEXT);
    else
        return error_set(error, EXIT_USAGE, "--log-format is text or json, not '%s'", name);
    return true;
}

static bool take_override(struct program *program, const struct option_row *row, const char *argument,
                          struct error *error)
{
    if (program->override_count == sizeof program->overrides / sizeof program->overrides[0])
        return error_set(error, EXIT_USAGE, "too many options");
    program->overrides[program->override_count].row = row;
    program->overrides[program->override_count++].value = argument == NULL ? row->value : argument;
    return true;
}

static bool take_option(struct program *program, const struct option_row *row, const char *argument,
                        struct error *error)
{
    if (row->key != NULL)
        return take_override(program, row, argument, error);
    switch (row->id) {
    case 'c':
        program->config_path = argument;
        return true;
    case 'n':
        program->check_config = true;
        return true;
    case 'v':
        program->verbosity++;
        return true;
    case 'q':
        program->quiet = true;
        return true;
    case OPTION_LOG_FORMAT:
        return set_log_format(argument, error);
    default:
        return program->handle(program->context, row->id, argument, error);
    }
}

static void set_log_level(const struct program *program)
{
    if (program->quiet)
        log_set_level(LOG_LEVEL_ERR);
    else if (program->verbosity > 0)
        log_set_level(program->verbosity > 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
}

/* `from`: where getopt began to look when it found that there is no further option. It only ever skips a "--". */
static void keep_operands(struct program *program, int argc, char **argv, int from)
{
    program->dashes = optind > from;
    program->operands = argv + optind;
    program->operand_count = argc - optind;
}

enum program_step program_options(struct program *program, int argc, char **argv, struct error *error)
{
    struct option longs[OPTIONS_MOST + 1];
    char shorts[2 * OPTIONS_MOST + 3];
    int id;
    int from = 1;

    if (row_count(program) > OPTIONS_MOST) {
        error_set(error, EXIT_INTERNAL, "option table is too large");
        return PROGRAM_WRONG;
    }
    getopt_tables(program, longs, shorts);
    opterr = 0;
    while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = row_of(program, id == '?' || id == ':' ? optopt : id);
        if (row == NULL) {
            unknown_option(program, argv[optind - 1], error);
            return PROGRAM_WRONG;
        }
        if (id == '?' || id == ':') {
            error_set(error, EXIT_USAGE,
                      id == ':' ? "option '--%s' needs an argument" : "option '--%s' takes no argument", row->name);
            return PROGRAM_WRONG;
        }
        if (id == 'h') {
            print_help(program);
            return PROGRAM_DONE;
        }
        if (id == 'V') {
            printf("%s %s\n", program->name, SUITE_VERSION);
            return PROGRAM_DONE;
        }
        if (!take_option(program, row, optarg, error))
            return PROGRAM_WRONG;
        from = optind;
    }
    keep_operands(program, argc, argv, from);
    set_log_level(program);
    return PROGRAM_GO_ON;
}

bool program_configure(const struct program *program, struct config *config, struct error *error)
{
    bool named = program->config_path != NULL;

    if (!config_read_file(config, named ? program->config_path : CONFIG_DEFAULT_PATH, named, error))
        return false;
    if (!config_read_environment(config, error))
        return false;
    for (size_t i = 0; i < program->override_count; i++) {
        const struct option_row *row = program->overrides[i].row;
        if (!config_set(config, row->section, row->key, program->overrides[i].value, CONFIG_FROM_COMMAND, error))
            return error_context(error, "option --%s", row->name);
    }
    return true;
}

bool program_read(struct program *program, struct config *config, void *settings, struct error *error)
{
    config_init(config);
    if (program->configure(program, config, settings, error))
        return true;
    config_free(config);
    return false;
}

static bool take_operands(struct program *program, struct error *error)
{
    if (program->operate != NULL)
        return program->operate(program, error);
    if (program->operand_count > 0)
        return error_set(error, EXIT_USAGE, "unexpected argument '%s'", program->operands[0]);
    return true;
}

static bool show(const struct config *config, struct error *error)
{
    config_print(config, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(error, EXIT_INTERNAL, "cannot write the configuration to standard output: %s",
                         strerror(errno));
    return true;
}

/* Everything after the options. The error, when it was set, has the exit code. */
static int carry_out(struct program *program, struct error *error)
{
    struct config config;
    int code = EXIT_YES;

    if (!take_operands(program, error) || !program_read(program, &config, program->settings, error))
        return (int)error->code;
    if (!program->check_config)
        code = program->run(program, error);
    else
        show(&config, error);
    config_free(&config);
    return code;
}

int program_main(struct program *program, int argc, char **argv)
{
    struct error error = {.code = EXIT_YES};
    int code = EXIT_YES;

    log_open(program->name);
    switch (program_options(program, argc, argv, &error)) {
    case PROGRAM_DONE:
    case PROGRAM_WRONG:
        break;
    case PROGRAM_GO_ON:
        code = carry_out(program, &error);
        break;
    }
    return error.code == EXIT_YES ? code : program_fail(program, &error);
}

int program_fail(const struct program *program, const struct error *error)
{
    if (error->code == EXIT_USAGE)
        log_err("%s; try '%s --help'", error->text, program->name);
    else
        log_err("%s", error->text);
    return (int)error->code;
}
