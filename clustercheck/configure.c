#include "configure.h"

#include <stdlib.h>
#include <string.h>

#include "compat.h"

static const char *const classic_files[] = {"/etc/sysconfig/clustercheck", "/etc/default/clustercheck"};

bool configure(const struct sources *sources, struct config *config, struct settings *settings, struct error *error)
{
    if (!config_add(config, node_keys, node_key_count, &settings->node, error) ||
        !config_add(config, settings_keys, settings_key_count, settings, error))
        return false;
    if (sources->operand_count > 0 && !compat_arguments(config, sources->operand_count, sources->operand, error))
        return false;
    if (!compat_environment(config, error))
        return false;
    for (size_t i = 0; i < sizeof classic_files / sizeof classic_files[0]; i++) {
        if (!compat_file(config, classic_files[i], error))
            return false;
    }
    return program_configure(sources->program, config, error) && node_read_password(config, &settings->node, error);
}

bool sources_keep(struct sources *sources, struct error *error)
{
    char **copy = calloc((size_t)sources->operand_count + 1, sizeof *copy);

    bool whole = copy != NULL;

    for (int i = 0; whole && i < sources->operand_count; i++) {
        copy[i] = strdup(sources->operand[i]);
        whole = copy[i] != NULL;
    }
    sources->operand = copy;
    if (!whole) {
        sources_free(sources);
        return error_set(error, EXIT_INTERNAL, "out of memory");
    }
    return true;
}

void sources_free(struct sources *sources)
{
    for (int i = 0; sources->operand != NULL && i < sources->operand_count; i++)
        free(sources->operand[i]);
    free(sources->operand);
    sources->operand = NULL;
    sources->operand_count = 0;
}
