/* One check from the request to the answer: what main's steps are made of. */
#ifndef CLUSTERCHECK_CHECK_H
#define CLUSTERCHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "observe.h"
#include "reply.h"
#include "settings.h"

/*
 * The process makes one check, and the watchdog must be able to tell of it; hence one static check and no pointers
 * to it.
 */
struct check {
    struct settings settings;
    enum input input;       /* INPUT_OTHER: print the answer instead of sending it */
    struct request request; /* from the connection, or what --path says */
    bool classic;           /* called with classic arguments: their exit codes too */
    bool quiet;             /* do not print the answer */
    bool agent;             /* answer as an agent-check, not by HTTP */
    bool watch;             /* print every change until somebody ends it */
    bool reported;          /* the answer is a report and not a verdict */
    struct observed observed;
    struct verdict verdict;
    struct reply reply;
};

extern struct check check;

/*
 * Looks at fd 0, and takes fds 1 and 2 away from a client that has them.
 */
void check_adopt_input(void);

/* To be called before the server is asked for the first time. */
void check_quick_start(void);

/* Sends log lines where the settings say; a log that cannot be opened does not cost the answer. */
void check_open_log(void);

/*
 * Reads the request, asks the server, decides, answers, notes a change in the log. `started_ns` is when the process
 * began, from which the timeout counts. False, with nothing answered, when it cannot even begin.
 */
bool check_run(int64_t started_ns, struct error *error);

/* The check cannot be made: answers 503 with the error as the reason. Only when there is a client. */
void check_refuse(const struct error *error);

/* The exit code of check.verdict. */
int check_exit_code(void);

#endif
