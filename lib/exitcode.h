/*
 * Exit codes of every program of the suite. "No" differs from "I could not find out".
 * Values from 64 upward are those of sysexits.h.
 */
#ifndef EXITCODE_H
#define EXITCODE_H

enum exit_code {
    EXIT_YES = 0,          /* yes; done */
    EXIT_NO = 1,           /* a clear negative answer */
    EXIT_UNKNOWN = 2,      /* could not find out */
    EXIT_USAGE = 64,       /* wrong command line */
    EXIT_UNAVAILABLE = 69, /* a service that is needed cannot be reached */
    EXIT_INTERNAL = 70,    /* internal error: memory, a system call that cannot fail */
    EXIT_TRY_AGAIN = 75,   /* not now; the same call may succeed later */
    EXIT_PERMISSION = 77,  /* not allowed */
    EXIT_CONFIG = 78,      /* wrong configuration */
};

#endif
