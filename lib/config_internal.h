/* What the files of the configuration share; for config*.c alone. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "config.h"

/* Where the key's value is in the settings of its table. */
void *config_slot(const struct config_table *table, const struct config_key *key);

/* The row of a key; false when no table has it. */
bool config_find_key(struct config *config, const char *section, const char *name, struct config_table **table,
                     size_t *index);

/* Sets the error of a key that no table has, with the nearest one that there is; always returns false. */
bool config_unknown_key(const struct config *config, const char *section, const char *name, struct error *error);

/* "CLUSTERCHECK_MYSQL_HOST" for `host` in [mysql]. */
void config_environment_name(const struct config_key *key, char *name, size_t size);

#endif
