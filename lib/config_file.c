#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"
#include "nearest.h"

#define ENVIRONMENT_PREFIX "CLUSTERCHECK_"

/* Every section of the suite's file; a program has keys for some of them and skips the others. */
static const char *const sections[] = {"mysql", "clustercheck", "etcd", "register", "discover", "init", "haproxy"};

enum { SECTION_COUNT = sizeof sections / sizeof sections[0] };

/* What the reader and the handler that inih calls share while a file is read. */
struct file_reading {
    struct config *config;
    FILE *stream;
    int line;
    struct error *error;
    bool failed;
};

static bool file_error(struct file_reading *reading)
{
    reading->failed = true;
    return error_context(reading->error, "%s:%d", reading->config->path, reading->line);
}

static bool check_section(const char *section, struct error *error)
{
    struct nearest nearest = NEAREST_TO(section);
    char hint[96];

    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcasecmp(sections[i], section) == 0)
            return true;
        nearest_offer(&nearest, sections[i]);
    }
    return error_set(error, EXIT_CONFIG, "unknown section [%s]%s", section, nearest_hint(&nearest, hint, sizeof hint));
}

/* `text` begins with '['. inih knows a section only by its keys and ignores what follows the bracket. */
static bool check_section_line(const char *text, struct error *error)
{
    char section[64];
    size_t length = strcspn(text + 1, "]");
    const char *rest = text + 1 + length;

    if (*rest == '\0')
        return error_set(error, EXIT_CONFIG, "a section's name ends with ']'");
    rest++;
    rest += strspn(rest, " \t\r\n");
    if (*rest != '\0' && strchr(";#", *rest) == NULL)
        return error_set(error, EXIT_CONFIG, "nothing may follow the section's name in its line");
    snprintf(section, sizeof section, "%.*s", (int)length, text + 1);
    return check_section(section, error);
}

/*
 * inih would take an indented line for the continuation of the line before: the blanks in front are dropped, and a byte
 * order mark with them.
 */
static void drop_front(char *text, bool first_line)
{
    const char *start = text;

    if (first_line && strncmp(start, "\xEF\xBB\xBF", 3) == 0)
        start += 3;
    start += strspn(start, " \t");
    memmove(text, start, strlen(start) + 1);
}

/* Reads to the end of the line; false at the end of the file. `*fits` when `text` has all of it, and no NUL byte. */
static bool read_raw_line(FILE *stream, char *text, size_t size, bool *fits)
{
    size_t length = 0;
    int c = getc(stream);

    if (c == EOF)
        return false;
    *fits = true;
    for (; c != EOF && c != '\n'; c = getc(stream)) {
        if (c != '\0' && length < size - 1)
            text[length++] = (char)c;
        else
            *fits = false;
    }
    text[length] = '\0';
    return true;
}

/*
 * inih's reader (ini.h, ini_parse_stream): one line a call. inih splits lines that are longer than its buffer without a
 * word; such a line, and one with a NUL byte, is an error here unless it is a comment.
 */
static char *read_line(char *text, int size, void *context)
{
    struct file_reading *reading = context;
    bool fits;

    if (reading->failed || !read_raw_line(reading->stream, text, (size_t)size, &fits))
        return NULL;
    reading->line++;
    drop_front(text, reading->line == 1);
    if (!fits && text[0] != ';' && text[0] != '#') {
        error_set(reading->error, EXIT_CONFIG, "line is longer than %d characters or has a NUL byte", size - 1);
        file_error(reading);
        return NULL;
    }
    if (text[0] == '[' && !check_section_line(text, reading->error)) {
        file_error(reading);
        return NULL;
    }
    return text;
}

static bool is_ours(const struct config *config, const char *section)
{
    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; !config->tables[t].borrowed && i < config->tables[t].count; i++) {
            if (strcasecmp(config->tables[t].keys[i].section, section) == 0)
                return true;
        }
    }
    return false;
}

static bool take_from_file(struct file_reading *reading, const char *section, const char *name, const char *value)
{
    struct config *config = reading->config;
    struct config_table *table;
    size_t i;

    if (section[0] == '\0')
        return error_set(reading->error, EXIT_CONFIG, "a key stands before the first [section]");
    bool found = config_find_key(config, section, name, &table, &i);
    if (!found && !is_ours(config, section))
        return true;
    if (!found)
        return config_unknown_key(config, section, name, reading->error);
    if (table->line[i] != 0)
        return error_set(reading->error, EXIT_CONFIG, "'%s' was already set in line %d", name, table->line[i]);
    table->line[i] = reading->line;
    return config_set(config, section, name, value, CONFIG_FROM_FILE, reading->error);
}

static int handle_pair(void *context, const char *section, const char *name, const char *value)
{
    struct file_reading *reading = context;

    return reading->failed || take_from_file(reading, section, name, value == NULL ? "" : value) || file_error(reading);
}

bool config_read_stream(struct config *config, FILE *stream, const char *path, struct error *error)
{
    struct file_reading reading = {.config = config, .stream = stream, .error = error};

    config->path = path;
    int wrong_line = ini_parse_stream(read_line, &reading, handle_pair, &reading);
    if (ferror(stream))
        return error_set(error, EXIT_CONFIG, "cannot read the configuration %s: %s", path, strerror(errno));
    /* inih goes on after a line that it does not understand, so a mistake that was found later may have been reported.
     */
    if (wrong_line != 0 && (!reading.failed || wrong_line < reading.line))
        return error_set(error, EXIT_CONFIG, "%s:%d: neither a [section], nor key = value, nor a comment", path,
                         wrong_line);
    return !reading.failed;
}

bool config_read_file(struct config *config, const char *path, bool required, struct error *error)
{
    FILE *stream = fopen(path, "re");

    if (stream == NULL && errno == ENOENT && !required)
        return true;
    if (stream == NULL)
        return error_set(error, EXIT_CONFIG, "cannot read the configuration %s: %s", path, strerror(errno));

    bool done = config_read_stream(config, stream, path, error);
    fclose(stream);
    return done;
}

void config_environment_name(const struct config_key *key, char *name, size_t size)
{
    snprintf(name, size, ENVIRONMENT_PREFIX "%s_%s", key->section, key->name);
    for (; *name != '\0'; name++)
        *name = (char)toupper((unsigned char)*name);
}

bool config_read_environment(struct config *config, struct error *error)
{
    char name[128];

    for (size_t t = 0; t < config->count; t++) {
        for (size_t i = 0; i < config->tables[t].count; i++) {
            const struct config_key *key = &config->tables[t].keys[i];
            config_environment_name(key, name, sizeof name);
            const char *value = getenv(name);
            if (value != NULL && !config_set(config, key->section, key->name, value, CONFIG_FROM_ENVIRONMENT, error))
                return error_context(error, "environment variable %s", name);
        }
    }
    return true;
}
