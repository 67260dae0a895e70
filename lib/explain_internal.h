/* What the files of the explanation share; for explain*.c alone. */
#ifndef EXPLAIN_INTERNAL_H
#define EXPLAIN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* A line of a log, without its end; it is not terminated. */
struct log_line {
    const char *start;
    size_t length;
};

/* Takes the next line from `rest`, which is advanced; false at the end. */
bool log_line_next(const char **rest, struct log_line *line);

/* Where the log of the server's last start begins; the whole text when it shows no start. */
const char *log_last_start(const char *log);

/* The parts of `pattern`, which are separated by '*', stand in the line in this order; letters of either case. */
bool log_line_has(const struct log_line *line, const char *pattern);

/* What stands behind the first `words` of the line; NULL when they are not there. */
const char *log_line_after(const struct log_line *line, const char *words);

/* What shows that a trouble is over. */
enum log_cure {
    CURE_NONE,    /* it stays true whatever follows */
    CURE_PRIMARY, /* a view of a Primary Component */
    CURE_QUORUM,  /* ... whose members know their common position */
    CURE_SYNCED,  /* Synced */
};

enum { EXPLAIN_PATTERNS = 9 };

/* How much a line says: what ends a start for good, down to what merely stands around. */
enum {
    WEIGHT_ROOT = 9,   /* the cause itself */
    WEIGHT_LIKELY = 7, /* the cause, most of the time */
    WEIGHT_STEP = 5,   /* between cause and end: another log, or another line, may tell more */
    WEIGHT_END = 3,    /* how it ended */
    WEIGHT_HINT = 1,   /* usual, and worth a thought where nothing else is said */
};

/*
 * What strerror() says depends on the C library and the locale, and Galera 26.4.21 replaced part of it by words of its
 * own (gcs_error_str): rows have the error's number too, where the line has it.
 */
struct explain_row {
    const char *word; /* NULL ends a table */
    int weight;
    enum log_cure cure;
    const char *patterns[EXPLAIN_PATTERNS]; /* one is enough; NULL is none */
    const char *cause;
    const char *remedy;
};

/* Of several rows that match one line the first counts, in this order. */
extern const struct explain_row explain_group[];
extern const struct explain_row explain_transfer[];
extern const struct explain_row explain_server[];

#endif
