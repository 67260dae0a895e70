/*
 * Configuration: one INI file for the whole suite, described by tables of keys.
 *
 * A table row says everything about a key: where it stands, its type, its default, its bounds, what it
 * is for. Parsing, the environment, --check-config, the sample file and the manual's completeness
 * test all read the rows. Order of strength: command line, environment, file, default.
 *
 * The environment variable of a key is CLUSTERCHECK_<SECTION>_<KEY> in capitals, for example
 * CLUSTERCHECK_MYSQL_HOST for `host` in [mysql].
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

#define CONFIG_DEFAULT_PATH "/etc/clustercheck.conf"

enum config_type {
    CONFIG_STRING,   /* char *, NULL when empty */
    CONFIG_SECRET,   /* the same, masked wherever it is shown */
    CONFIG_PATH,     /* the same; an absolute path */
    CONFIG_NUMBER,   /* int64_t, min..max */
    CONFIG_BOOLEAN,  /* bool */
    CONFIG_DURATION, /* int64_t milliseconds, min..max */
    CONFIG_SECONDS,  /* the same; whole seconds */
    CONFIG_CHOICE,   /* int, one of `choices` */
    CONFIG_PERCENT,  /* int64_t, min..max; "25%" or "25" */
};

struct config_choice {
    const char *word; /* the first word of a value is the one that is shown; the others are aliases */
    int value;
};

struct config_key {
    const char *section;
    const char *name;
    enum config_type type;
    size_t offset;                       /* in the program's settings struct */
    const char *fallback;                /* the default as text, "" for none */
    int64_t min, max;                    /* CONFIG_NUMBER, CONFIG_PERCENT; durations (ms) */
    const struct config_choice *choices; /* CONFIG_CHOICE; ends with {NULL, 0} */
    const char *help;
};

enum config_strength {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_LEGACY,
    CONFIG_FROM_FILE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_COMMAND
};

enum { CONFIG_TABLES_MOST = 6, CONFIG_KEYS_MOST = 32 };

struct config_table {
    const struct config_key *keys;
    size_t count;
    void *settings;
    bool borrowed; /* a few keys of another program's section, whose other keys are none of our business */
    enum config_strength strength[CONFIG_KEYS_MOST];
    int line[CONFIG_KEYS_MOST]; /* in the file, 0 when the value is not from there */
};

struct config {
    struct config_table tables[CONFIG_TABLES_MOST];
    size_t count;
    const char *path; /* of the file that was read, NULL when none was */
};

void config_init(struct config *config);

/*
 * Adds a table and puts the defaults into `settings`, which config_free empties again. At most CONFIG_TABLES_MOST
 * tables of at most CONFIG_KEYS_MOST keys.
 */
bool config_add(struct config *config, const struct config_key *keys, size_t count, void *settings,
                struct error *error);

/* The same for single keys of another program's section: the keys of it that are not in a table are skipped. */
bool config_borrow(struct config *config, const struct config_key *keys, size_t count, void *settings,
                   struct error *error);

/*
 * Reads the file; sections of other programs are skipped. A missing file is an error only when `required`. `path` is
 * kept. An unknown section, an unknown key of our sections, a wrong value, a key given twice: EXIT_CONFIG, naming file,
 * line and the nearest valid name. " ;" in a line begins a comment; indentation means nothing.
 */
bool config_read_file(struct config *config, const char *path, bool required, struct error *error);

/* The same from an open stream; `path` is what errors call it. */
bool config_read_stream(struct config *config, FILE *stream, const char *path, struct error *error);

/* Takes what CLUSTERCHECK_<SECTION>_<KEY> says for every key of the tables. */
bool config_read_environment(struct config *config, struct error *error);

/*
 * Sets one key unless a stronger source has already spoken. The error does not say where the value came from: the
 * caller adds that with error_context.
 */
bool config_set(struct config *config, const char *section, const char *name, const char *value,
                enum config_strength strength, struct error *error);

/*
 * Whether the value of `name` comes from a stronger source than that of `other`: where two keys say the same
 * thing in two ways (password_file, password), the stronger source is meant.
 */
bool config_outranks(struct config *config, const char *section, const char *name, const char *other);

/* The effective configuration in the file's own format, secrets masked, each value's origin as a comment. */
void config_print(const struct config *config, FILE *stream);

/* Frees the strings in the settings and empties the tables. */
void config_free(struct config *config);

#endif
