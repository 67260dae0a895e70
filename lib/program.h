/*
 * How every program of the suite begins and ends: its options, its configuration, its log, its exit code.
 *
 * One table of options gives the getopt string, the usage text and the configuration keys that
 * options set. The options that all programs have are here: -c -n -v -q -h -V --log-format.
 *
 * program_main does everything in the order that all programs share. A program whose order is its own (clustercheck
 * answers a client even when it cannot be configured) calls the steps by themselves.
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

    /* The rest of the table is for program_main. */

    /* Takes what follows the options; false with the error set refuses it. NULL: the program takes no operands. */
    bool (*operate)(struct program *program, struct error *error);
    /*
     * Adds the tables of keys to `config` with their values in `settings`, calls program_configure, and checks and
     * completes what was read. It may be called again with other `settings` (program_read).
     */
    bool (*configure)(struct program *program, struct config *config, void *settings, struct error *error);
    /* The one job. Returns the exit code; when it has set the error, that is reported and its code counts. */
    int (*run)(struct program *program, struct error *error);
    void *settings; /* the program's own struct, for `configure` and `run` */

    /* What the common options said. */
    bool check_config;
    bool quiet;
    int verbosity;
    const char *config_path; /* as named by --config, else NULL */

    /* What follows the options, up to a NULL as in argv. */
    char **operands;
    int operand_count;
    bool dashes; /* whether "--" ended the options: what follows is no word of ours */

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
 * (EXIT_USAGE). The operands are in `program`, and optind is the first of them.
 */
enum program_step program_options(struct program *program, int argc, char **argv, struct error *error);

/*
 * Brings the configuration up to date: the file (--config, else CONFIG_DEFAULT_PATH where it exists), the environment,
 * the options. The tables must have been added.
 */
bool program_configure(const struct program *program, struct config *config, struct error *error);

/*
 * Reads the configuration into `settings` through the program's `configure`: at the start, and once more into other
 * settings on a SIGHUP, so that the old ones stay in force when the new ones are wrong. Whoever has called it frees
 * `config`, and thereby the strings in `settings`, which must stay where they are until then. When it fails there is
 * nothing to free.
 */
bool program_read(struct program *program, struct config *config, void *settings, struct error *error);

/*
 * A whole main: opens the log, reads options, operands and configuration, prints it for --check-config or else runs the
 * program, reports what went wrong, and returns the exit code.
 */
int program_main(struct program *program, int argc, char **argv);

/* Reports a fatal error through the log, with a pointer to --help when the usage was wrong; returns the exit code. */
int program_fail(const struct program *program, const struct error *error);

#endif
