#include "compat.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"

enum { CLASSIC_ARGUMENTS = 6 };

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

static bool is_credential(const struct classic *classic)
{
    return classic < classics + CREDENTIALS;
}

static bool classic_set(struct config *config, const struct classic *classic, const char *value,
                        enum config_strength strength, struct error *error)
{
    /* An empty user or password means "take it from the option file"; for the others it meant "not given". */
    if (value[0] == '\0' && !is_credential(classic))
        return true;
    /* Kubernetes sets MYSQL_PORT=tcp://10.0.0.1:3306 for a service named "mysql"; nobody meant us by that. */
    if (strcmp(classic->key, "port") == 0 && strstr(value, "://") != NULL)
        return true;
    if (strcmp(classic->key, "log") == 0 && strcmp(value, "/dev/null") == 0)
        value = "none";
    /* The classic check went on without an option file that it could not read. */
    if (strcmp(classic->key, "defaults_file") == 0 && access(value, R_OK) != 0)
        value = "";
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
        const char *fallback = is_credential(&classics[i]) && option_file_only ? "" : classics[i].fallback;
        done = classic_set(config, &classics[i], fallback, CONFIG_FROM_LEGACY, error) &&
               (values[i] == NULL || classic_set(config, &classics[i], values[i], CONFIG_FROM_COMMAND, error));
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

/* Whether a shell would do something with this character at `in`, where `text` is the beginning of the value. */
static bool is_computed(const char *text, const char *in, char quote)
{
    if (quote == '\'')
        return false;
    if (strchr("$`", *in) != NULL)
        return true;
    return quote == '\0' && (strchr("|&<>()", *in) != NULL || (*in == '~' && (in == text || in[-1] == ':')));
}

/*
 * Takes the value of an assignment, one shell word in any mixture of quotes, out of `text` in place (POSIX, "Shell
 * Command Language", section 2.2); NULL when a shell would have to compute it or when something follows.
 */
static char *shell_word(char *text)
{
    char *out = text;
    char quote = '\0';
    const char *in = text;

    for (; *in != '\0' && (quote != '\0' || strchr(" \t\r\n;", *in) == NULL); in++) {
        if (*in == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*in == '"' || *in == '\'')) {
            quote = *in;
        } else if (*in == '\\' && quote != '\'') {
            if (in[1] == '\0' || in[1] == '\n')
                return NULL;
            if (quote == '"' && strchr("$`\"\\", in[1]) == NULL)
                *out++ = '\\';
            *out++ = *++in;
        } else if (is_computed(text, in, quote)) {
            return NULL;
        } else {
            *out++ = *in;
        }
    }
    in += strspn(in, " \t\r\n;");
    bool ends = quote == '\0' && (*in == '\0' || *in == '#');
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

bool compat_stream(struct config *config, FILE *stream, const char *path, struct error *error)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    bool done = true;

    for (int number = 1; done && (length = getline(&line, &size, stream)) >= 0; number++) {
        if (memchr(line, '\0', (size_t)length) != NULL)
            done = error_set(error, EXIT_CONFIG, "the line has a NUL byte");
        else
            done = take_line(config, line, error);
        if (!done)
            error_context(error, "%s:%d", path, number);
    }
    if (done && ferror(stream))
        done = error_set(error, EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    if (line != NULL)
        explicit_bzero(line, size);
    free(line);
    return done;
}

bool compat_file(struct config *config, const char *path, struct error *error)
{
    FILE *stream = fopen(path, "re");

    if (stream == NULL)
        return errno == ENOENT || errno == ENOTDIR ||
               error_set(error, EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    bool done = compat_stream(config, stream, path, error);
    fclose(stream);
    return done;
}
