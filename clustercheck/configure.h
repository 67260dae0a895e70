/* All sources of clustercheck's settings, old and new, in their order of strength. */
#ifndef CLUSTERCHECK_CONFIGURE_H
#define CLUSTERCHECK_CONFIGURE_H

#include "config.h"
#include "program.h"
#include "settings.h"

/* What the command line said; the files and the environment are read anew each time. */
struct sources {
    const struct program *program;
    int operand_count; /* of the classic arguments */
    char **operand;
};

/* Reads everything into `settings`, which point into `config`'s strings; a password in the operands is overwritten. */
bool configure(const struct sources *sources, struct config *config, struct settings *settings, struct error *error);

/*
 * Makes it possible to configure again: the operands are copied, and each time a copy of the copy is overwritten. For a
 * process that stays.
 */
bool sources_keep(struct sources *sources, struct error *error);

/* Frees what sources_keep has made. */
void sources_free(struct sources *sources);

#endif
