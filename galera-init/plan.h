/* `galera-init plan`: what is so, what follows from it, and why, for people or as JSON. */
#ifndef INIT_PLAN_H
#define INIT_PLAN_H

#include "scene.h"

/* Returns the exit code: EXIT_YES, or that of a standard output that does not take it. */
int plan_print(const struct scene *scene, bool as_json, struct error *error);

#endif
