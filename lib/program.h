/*
 * How every program of the suite begins: its options, its configuration, its log.
 *
 * One table of options gives the getopt string, the usage text and the configuration keys that
 * options set. The options that all programs have are here: -c -n -v -q -h -V --log-format.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "error.h"
#include "log.h"

struct option_row {
    int id;               /* the short letter, or a number above 255 for a long option alone */
    const char *name;     /* long name */
    const char *argument; /* what the usage calls its argument, NULL when it takes none */
    const char *help;
    const char *section; /* the configuration key that the option sets; NULL: `handle` is called */
    const char *key;
    const char *value; /* what the key is set to when the option takes no argument */
};

struct program {
    const char *name;
    const char *synopsis; /* after the name in the usage line */
    const char *summary;  /* one sentence */
    const char *footer;   /* last paragraph of --help: exit codes, where to read on */
    const struct option_row *options;
    size_t option_count;
    /* Takes an option without a key; false with the error set refuses it. */
    bool (*handle)(void *context, int id, const char *argument, struct error *error);
    void *context;

    /* What the common options said. */
    bool check_config;
    bool quiet;
    int verbosity;
    const char *config_path; /* as named by --config, else NULL */

    /* Options that set configuration keys, applied by program_configure. */
    struct {
        const struct option_row *row;
        const char *value;
    } overrides[CONFIG_KEYS_MOST];
    size_t override_count;
};

enum program_step { PROGRAM_GO_ON, PROGRAM_DONE, PROGRAM_WRONG };

/*
 * Reads the options. PROGRAM_DONE: --help or --version was printed, exit 0. PROGRAM_WRONG: `error` says what is wrong
 * (EXIT_USAGE). optind is the first operand.
 */
enum program_step program_options(struct program *program, int argc, char **argv, struct error *error);

/*
 * Brings the configuration up to date: the file (--config, else CONFIG_DEFAULT_PATH where it exists), the environment,
 * the options. The tables must have been added.
 */
bool program_configure(const struct program *program, struct config *config, struct error *error);

/* Reports a fatal error through the log, with a pointer to --help when the usage was wrong; returns the exit code. */
int program_fail(const struct program *program, const struct error *error);

#endif
