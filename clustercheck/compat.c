#include "compat.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"

enum { CLASSIC_ARGUMENTS = 6, LINE_MOST = 1024 };

/* The order is that of the classic positional arguments; host and port could only be set by name. */
static const struct classic {
    const char *variable;
    const char *section;
    const char *key;
    const char *fallback; /* what the classic check assumed; NULL: nothing */
} classics[] = {
    {"MYSQL_USERNAME", "mysql", "user", "clustercheckuser"},
    {"MYSQL_PASSWORD", "mysql", "password", "clustercheckpassword!"},
    {"AVAILABLE_WHEN_DONOR", "clustercheck", "available_when_donor", "0"},
    {"ERR_FILE", "clustercheck", "log", "/dev/null"},
    {"AVAILABLE_WHEN_READONLY", "clustercheck", "available_when_readonly", "1"},
    {"DEFAULTS_EXTRA_FILE", "mysql", "defaults_file", "/etc/my.cnf"},
    {"MYSQL_HOST", "mysql", "host", NULL},
    {"MYSQL_PORT", "mysql", "port", NULL},
};

enum { CLASSIC_COUNT = sizeof classics / sizeof classics[0], CREDENTIALS = 2 };

static bool classic_set(struct config *config, const struct classic *classic, const char *value,
                        enum config_strength strength, struct error *error)
{
    if (strcmp(classic->key, "log") == 0 && strcmp(value, "/dev/null") == 0)
        value = "none";
    /* The classic check went on without an option file that it could not read. */
    if (strcmp(classic->key, "defaults_file") == 0 && access(value, R_OK) != 0)
        value = "";
    /* An empty port meant the default one; the other keys may be empty. */
    if (strcmp(classic->key, "port") == 0 && value[0] == '\0')
        return true;
    return config_set(config, classic->section, classic->key, value, strength, error);
}

bool compat_arguments(struct config *config, int count, char **arguments, struct error *error)
{
    const char *values[CLASSIC_ARGUMENTS] = {NULL};
    char *password = NULL;
    bool option_file_only = count > 0 && strcmp(arguments[0], "-") == 0;
    int most = option_file_only ? CLASSIC_ARGUMENTS - 1 : CLASSIC_ARGUMENTS;

    if (count > most)
        return error_set(error, EXIT_USAGE, "at most %d classic arguments are possible, not %d", most, count);
    for (int i = option_file_only ? 1 : 0; i < count; i++)
        values[option_file_only ? i + 1 : i] = arguments[i];
    if (!option_file_only && count > 1)
        password = arguments[1];

    bool done = true;
    for (int i = 0; i < CLASSIC_ARGUMENTS && done; i++) {
        bool credential = i < CREDENTIALS;
        const char *fallback = credential && option_file_only ? "" : classics[i].fallback;
        if (values[i] != NULL)
            done = classic_set(config, &classics[i], values[i], CONFIG_FROM_COMMAND, error);
        else
            done = classic_set(config, &classics[i], fallback, CONFIG_FROM_LEGACY, error);
        if (!done)
            error_context(error, "classic argument %s", classics[i].variable);
    }
    if (password != NULL)
        secret_wipe(password);
    return done;
}

bool compat_environment(struct config *config, struct error *error)
{
    for (int i = 0; i < CLASSIC_COUNT; i++) {
        const char *value = getenv(classics[i].variable);
        if (value != NULL && !classic_set(config, &classics[i], value, CONFIG_FROM_ENVIRONMENT, error))
            return error_context(error, "environment variable %s", classics[i].variable);
    }
    return true;
}

/*
 * Takes one shell word, quoted or not, out of `text` in place; NULL when a shell would have to compute it or when
 * something follows.
 */
static char *shell_word(char *text)
{
    char *out = text;
    char *in = text;

    while (*in != '\0' && !isspace((unsigned char)*in) && *in != '#' && *in != ';') {
        char quote = *in == '"' || *in == '\'' ? *in++ : '\0';
        for (; *in != '\0' && (quote != '\0' ? *in != quote : strchr(" \t\r\n\"'#;", *in) == NULL); in++) {
            if (quote != '\'' && strchr("$`", *in) != NULL)
                return NULL;
            if (quote != '\'' && *in == '\\' && in[1] != '\0')
                in++;
            *out++ = *in;
        }
        if (quote != '\0' && *in++ != quote)
            return NULL;
        if (quote == '\0' && *in == '#' && in > text) /* inside a word it is an ordinary letter */
            *out++ = *in++;
    }
    in += strspn(in, " \t\r\n;");
    bool ends = *in == '\0' || *in == '#';
    *out = '\0';
    return ends ? text : NULL;
}

static const struct classic *classic_named(const char *name, size_t length)
{
    for (int i = 0; i < CLASSIC_COUNT; i++) {
        if (strlen(classics[i].variable) == length && memcmp(classics[i].variable, name, length) == 0)
            return &classics[i];
    }
    return NULL;
}

/* One line; those that do not assign one of our variables are somebody else's and ignored. */
static bool take_line(struct config *config, char *line, struct error *error)
{
    line += strspn(line, " \t");
    if (strncmp(line, "export", 6) == 0 && isblank((unsigned char)line[6]))
        line += 6 + strspn(line + 6, " \t");
    size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    const struct classic *classic = line[length] == '=' ? classic_named(line, length) : NULL;
    if (classic == NULL)
        return true;
    const char *value = shell_word(line + length + 1);
    if (value == NULL)
        return error_set(error, EXIT_CONFIG, "the value of %s is not a plain or quoted word", classic->variable);
    return classic_set(config, classic, value, CONFIG_FROM_LEGACY, error);
}

bool compat_file(struct config *config, const char *path, struct error *error)
{
    char line[LINE_MOST];
    bool done = true;
    FILE *stream = fopen(path, "re");

    if (stream == NULL)
        return errno == ENOENT || error_set(error, EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    for (int number = 1; done && fgets(line, sizeof line, stream) != NULL; number++) {
        done = take_line(config, line, error);
        if (!done)
            error_context(error, "%s:%d", path, number);
    }
    fclose(stream);
    return done;
}
