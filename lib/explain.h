/*
 * What a server's error log means: the cause in words, and what to do about it. Pure: text in, explanation out.
 *
 * The wordings are those of Galera 3 and 4, of MariaDB 10.5 to 11 and Percona XtraDB Cluster, and of their
 * transfer scripts; the tables are in explain_rows_*.c. Only the lines since
 * the server's last start count.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct explanation {
    const char *word;   /* for machines: "not-safe-to-bootstrap"; "" when nothing is recognized */
    const char *cause;  /* a clause for people: "this node was not the last one to stop ..." */
    const char *remedy; /* another one: "let galera-init elect ..." */
    char line[512];     /* the log line that says so, cut off when it is longer; not escaped */
};

/*
 * The most telling line of `log`, which is the end of an error log: of the lines that match a row of the table the one
 * of the highest weight, and of equals the last. What a node recovers from by itself does not count any more once the
 * log shows that it did. False when nothing is recognized: then `line` is the last line that is marked as an error, or
 * "".
 */
bool explain(const char *log, struct explanation *explanation);

/* Whether a line since the last start means this, however telling the others are. `word`: as in an explanation. */
bool explain_finds(const char *log, const char *word);

/* How far this server's own transfer has come, as a joiner. */
enum transfer_stage {
    TRANSFER_NONE,
    TRANSFER_REQUESTED,     /* asked for; the donor may not have begun */
    TRANSFER_IST,           /* an incremental transfer: what was missed is received and applied */
    TRANSFER_SST_RECEIVING, /* all data are received */
    TRANSFER_SST_PREPARING, /* ... and are made usable */
    TRANSFER_DONE,
    TRANSFER_FAILED,
};

struct transfer {
    enum transfer_stage stage;
    char donor[65];  /* node name; "" unknown. Not escaped */
    char method[32]; /* of the SST: "mariabackup"; "" unknown. An IST too is prepared with it */
    int percent;     /* of an IST, -1 unknown */
};

struct transfer transfer_read(const char *log);

/* "none", "requested", "ist", "sst-receiving", "sst-preparing", "done", "failed". */
const char *transfer_stage_word(enum transfer_stage stage);

#endif
