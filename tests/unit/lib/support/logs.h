/*
 * Excerpts of the error logs of real servers that were brought into the trouble that the name says: WORD.what, where
 * WORD is what must be found ("none": nothing). They are seeds of the fuzz target too.
 */
#ifndef LOGS_H
#define LOGS_H

#include <stdlib.h>

#include "../../row.h"

#define LOGS "tests/fuzz/corpus/explain"

/* The caller frees it. */
static inline char *log_read(const char *name)
{
    enum { MOST = 1 << 20 };
    char path[512];
    char *text = malloc(MOST);

    snprintf(path, sizeof path, "%s/%s", LOGS, name);
    FILE *file = fopen(path, "r");
    if (file == NULL || text == NULL)
        fail_msg("cannot read %s: run the tests from the top of the source tree", path);
    size_t length = fread(text, 1, MOST - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

#endif
