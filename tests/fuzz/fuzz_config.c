/* The configuration file. */
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "settings.h"

static bool read_text(struct config *config, struct settings *settings, const void *text, size_t size,
                      struct error *error)
{
    config_init(config);
    MUST(config_add(config, node_keys, node_key_count, &settings->node, error));
    MUST(config_add(config, settings_keys, settings_key_count, settings, error));
    /* A stream for reading never writes to its memory. */
    FILE *stream = fmemopen((void *)(uintptr_t)text, size, "r");
    MUST(stream != NULL);
    bool done = config_read_stream(config, stream, "fuzz.conf", error);
    fclose(stream);
    return done;
}

/* What --check-config prints, without the origins: read back, it gives the same again. */
static char *print_values(const struct config *config, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);

    MUST(stream != NULL);
    config_print(config, stream);
    fclose(stream);
    char *out = text;
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t kept = length;
        while (kept > 0 && strncmp(line + kept, "  ; ", 4) != 0)
            kept--;
        kept = kept == 0 ? length : kept;
        memmove(out, line, kept);
        out += kept;
        *out++ = '\n';
        line += length + 1;
    }
    *size = (size_t)(out - text);
    *out = '\0';
    return text;
}

/* A value that begins with ';' can only stand right behind the '=', and a printed secret is not the secret. */
static bool can_be_read_back(const char *text)
{
    return strstr(text, " = ;") == NULL && strstr(text, "password = *") == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct config config;
    struct error error = {.code = EXIT_YES};

    if (size == 0)
        return 0;
    if (!read_text(&config, &settings, data, size, &error)) {
        MUST(error.code == EXIT_CONFIG);
        MUST(strncmp(error.text, "fuzz.conf:", 10) == 0);
        config_free(&config);
        return 0;
    }
    size_t length;
    char *first = print_values(&config, &length);
    config_free(&config);
    if (can_be_read_back(first)) {
        size_t again_length;
        bool done = read_text(&config, &settings, first, length, &error);
        MUST(done);
        char *second = print_values(&config, &again_length);
        MUST(again_length == length && memcmp(first, second, length) == 0);
        free(second);
        config_free(&config);
    }
    free(first);
    return 0;
}
