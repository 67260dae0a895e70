/* The classic ways of being told things: a file of shell assignments, and positional arguments. */
#include <string.h>

#include "compat.h"
#include "fuzz.h"
#include "settings.h"

static struct settings settings;
static struct config config;

static void start(struct error *error)
{
    config_init(&config);
    MUST(config_add(&config, node_keys, node_key_count, &settings.node, error));
    MUST(config_add(&config, settings_keys, settings_key_count, &settings, error));
}

static void try_file(const uint8_t *data, size_t size)
{
    struct error error = {.code = EXIT_YES};
    FILE *stream = fmemopen((void *)(uintptr_t)data, size, "r");

    MUST(stream != NULL);
    start(&error);
    if (!compat_stream(&config, stream, "fuzz", &error)) {
        MUST(error.code == EXIT_CONFIG);
        MUST(strncmp(error.text, "fuzz:", 5) == 0);
    }
    fclose(stream);
    config_free(&config);
}

/* The lines of the input as arguments. */
static void try_arguments(const uint8_t *data, size_t size)
{
    enum { MOST = 8 };
    struct error error = {.code = EXIT_YES};
    char *text = malloc(size + 1);
    char *rest = text;
    char *arguments[MOST];
    int count = 0;

    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    while (count < MOST && rest != NULL)
        arguments[count++] = strsep(&rest, "\n");
    start(&error);
    bool done = compat_arguments(&config, count, arguments, &error);
    MUST(done || error.code == EXIT_CONFIG || error.code == EXIT_USAGE);
    if (count > 1 && error.code != EXIT_USAGE && strcmp(arguments[0], "-") != 0)
        MUST(arguments[1][0] == '\0');
    config_free(&config);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        try_file(data, size);
    try_arguments(data, size);
    return 0;
}
