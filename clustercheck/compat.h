/*
 * The classic bash clustercheck's ways of being told things, for the unit files and service files that people have:
 * positional arguments, environment variables, a file of shell assignments.
 */
#ifndef CLUSTERCHECK_COMPAT_H
#define CLUSTERCHECK_COMPAT_H

#include "config.h"

/*
 * `<user> <password> <available_when_donor> <log_file> <available_when_readonly> <defaults_file>`, all optional,
 * or with "-" in place of user and password, which are then taken from the option file. The password is
 * overwritten in argv. What is not given gets the classic default. More than six arguments: EXIT_USAGE.
 */
bool compat_arguments(struct config *config, int count, char **arguments, struct error *error);

/* MYSQL_USERNAME, MYSQL_PASSWORD, MYSQL_HOST, MYSQL_PORT, AVAILABLE_WHEN_DONOR, ... */
bool compat_environment(struct config *config, struct error *error);

/*
 * The same names as shell assignments in a file, weaker than every other source. Nothing is executed: an assignment
 * whose value a shell would have to compute is an error. A file that is not there is none.
 */
bool compat_file(struct config *config, const char *path, struct error *error);

/* The same from an open stream; `path` is what errors call it. */
bool compat_stream(struct config *config, FILE *stream, const char *path, struct error *error);

#endif
