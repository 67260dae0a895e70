#include "server.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "fd.h"
#include "num.h"

enum { HELP_TIMEOUT_MS = 60000, HELP_SIZE_MOST = 1024 * 1024, ERROR_TAIL_SIZE = 600 };

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void make_absolute(char *path, size_t size, const char *directory)
{
    char joined[2 * SERVER_PATH_SIZE + 2];

    if (path[0] == '\0' || path[0] == '/')
        return;
    snprintf(joined, sizeof joined, "%s/%s", directory, strncmp(path, "./", 2) == 0 ? path + 2 : path);
    if (strlen(joined) < size)
        memcpy(path, joined, strlen(joined) + 1);
}

/* "(No default value)" is how an unset string is shown. */
static void take_text(char *field, size_t size, const char *value)
{
    if (strcmp(value, "(No default value)") == 0)
        value = "";
    snprintf(field, size, "%s", value);
}

/* One option of "a=1; b=2". */
static void take_option(char *field, size_t size, const char *options, const char *name)
{
    size_t length = strlen(name);

    while (*options != '\0') {
        options += strspn(options, "; ");
        size_t end = strcspn(options, ";");
        if (strncmp(options, name, length) == 0) {
            const char *value = options + length + strspn(options + length, " ");
            if (*value == '=') {
                value += 1 + strspn(value + 1, " ");
                snprintf(field, size, "%.*s", (int)strcspn(value, "; "), value);
            }
        }
        options += end;
    }
}

static void take_variable(struct server_info *info, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *field;
        size_t size;
    } texts[] = {
        {"datadir", info->datadir, sizeof info->datadir},
        {"socket", info->socket, sizeof info->socket},
        {"log-error", info->log_error, sizeof info->log_error},
        {"wsrep-provider", info->provider, sizeof info->provider},
        {"bind-address", info->bind_address, sizeof info->bind_address},
        {"wsrep-sst-method", info->sst_method, sizeof info->sst_method},
        {"log-ddl-recovery", info->ddl_log, sizeof info->ddl_log},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) == 0)
            take_text(texts[i].field, texts[i].size, value);
    }
    if (strcmp(name, "wsrep-provider-options") == 0) {
        take_option(info->gcache_dir, sizeof info->gcache_dir, value, "gcache.dir");
        take_option(info->gcache_name, sizeof info->gcache_name, value, "gcache.name");
    }
    if (strcmp(name, "wsrep-on") == 0)
        info->wsrep_on = strcasecmp(value, "TRUE") == 0 || strcasecmp(value, "ON") == 0;
    else if (strcmp(name, "port") == 0 && !num_parse(value, 1, 65535, &info->port))
        info->port = 3306;
}

/* Gives a file the extension; one that it has stays unless it is to be replaced. */
static void set_extension(char *path, size_t size, const char *extension, bool replace)
{
    const char *base = strrchr(path, '/');
    const char *dot = base == NULL ? NULL : strrchr(base, '.');
    size_t at = dot == NULL ? strlen(path) : (size_t)(dot - path);

    if (base != NULL && (dot == NULL || replace) && at + strlen(extension) < size)
        memcpy(path + at, extension, strlen(extension) + 1);
}

void server_parse_help(const char *text, struct server_info *info)
{
    char name[64];
    char value[SERVER_PATH_SIZE];

    *info = (struct server_info){.port = 3306};
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        size_t name_length = strcspn(text, " \n");
        size_t gap = strspn(text + name_length, " ");
        if (gap > 0 && name_length < sizeof name && length - name_length - gap < sizeof value) {
            size_t value_length = length - name_length - gap;
            memcpy(name, text, name_length);
            name[name_length] = '\0';
            memcpy(value, text + name_length + gap, value_length);
            while (value_length > 0 && value[value_length - 1] == ' ')
                value_length--;
            value[value_length] = '\0';
            take_variable(info, name, value);
        }
        text += length + (text[length] == '\n');
    }
    for (size_t length = strlen(info->datadir); length > 1 && info->datadir[length - 1] == '/'; length--)
        info->datadir[length - 1] = '\0';
    make_absolute(info->socket, sizeof info->socket, info->datadir);
    make_absolute(info->log_error, sizeof info->log_error, info->datadir);
    make_absolute(info->gcache_dir, sizeof info->gcache_dir, info->datadir);
    make_absolute(info->ddl_log, sizeof info->ddl_log, info->datadir);
    /* As the server does: a name without an extension gets .err (sql/mysqld.cc); another extension becomes .log
     * (sql/ddl_log.cc). */
    set_extension(info->log_error, sizeof info->log_error, ".err", false);
    set_extension(info->ddl_log, sizeof info->ddl_log, ".log", true);
}

/* All of a file that a child has written; the caller frees it. NULL: out of memory, or too much. */
static char *read_back(int fd)
{
    struct stat status;
    char *text = NULL;
    ssize_t length;

    if (fstat(fd, &status) != 0 || status.st_size > HELP_SIZE_MOST ||
        (text = malloc((size_t)status.st_size + 1)) == NULL)
        return NULL;
    length = pread(fd, text, (size_t)status.st_size, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* What a server that failed says of it: its last line with [ERROR], else its last words. */
static void say_why(const char *text, char *why, size_t size)
{
    size_t length = strlen(text);
    const char *line = text + (length > ERROR_TAIL_SIZE ? length - ERROR_TAIL_SIZE : 0);

    for (const char *found = text; (found = strstr(found, "[ERROR]")) != NULL; found++)
        line = found;
    snprintf(why, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static bool judge_info(const struct server_info *info, struct error *error)
{
    if (info->datadir[0] == '\0')
        return error_set(error, EXIT_CONFIG, "the server does not say where its data directory is: set datadir");
    if (!info->wsrep_on || info->provider[0] == '\0' || strcmp(info->provider, "none") == 0)
        return error_set(error, EXIT_CONFIG,
                         "the server is set up without Galera (wsrep_on=%s, wsrep_provider=%s): take conf/galera.cnf "
                         "for a beginning",
                         info->wsrep_on ? "ON" : "OFF", info->provider[0] == '\0' ? "none" : info->provider);
    return true;
}

bool server_ask(const struct server_command *command, int wake_fd, struct server_info *info, struct error *error)
{
    static const char *const options[] = {"--verbose", "--help", NULL};
    struct server_arguments *arguments = malloc(sizeof *arguments);
    int fd = memfd_create("galera-init", MFD_CLOEXEC);
    char words[64];
    char why[ERROR_TAIL_SIZE];
    char *text = NULL;
    bool done = false;
    int status;

    if (arguments == NULL || fd < 0) {
        error_set(error, EXIT_INTERNAL, "out of memory");
    } else if (server_run_arguments(command, options, arguments, error)) {
        enum child_end end = child_run(arguments->argv, fd, wake_fd, deadline_in_ms(HELP_TIMEOUT_MS), &status, error);
        text = read_back(fd);
        if (end == CHILD_FAILED)
            ;
        else if (end == CHILD_INTERRUPTED)
            error_set(error, EXIT_TRY_AGAIN, "interrupted while asking %s for its options", command->argv[0]);
        else if (text == NULL || end == CHILD_LATE)
            error_set(error, EXIT_INTERNAL, "%s --verbose --help did not end, or said too much", command->argv[0]);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            say_why(text, why, sizeof why);
            error_set(error, EXIT_CONFIG, "%s does not accept its options (%s): %s", command->argv[0],
                      child_status_text(status, words, sizeof words), why);
        } else {
            server_parse_help(text, info);
            done = judge_info(info, error);
        }
    }
    fd_close(&fd);
    free(text);
    free(arguments);
    return done;
}

/* --- command lines ------------------------------------------------------------------------------------------------ */

static void add(struct server_arguments *arguments, const char *argument)
{
    if (arguments->count + 1 >= SERVER_ARGUMENTS_MOST) {
        arguments->failed = true;
        return;
    }
    arguments->argv[arguments->count++] = argument;
    arguments->argv[arguments->count] = NULL;
}

static void __attribute__((format(printf, 2, 3)))
add_format(struct server_arguments *arguments, const char *format, ...)
{
    char *begin = arguments->text + arguments->used;
    size_t room = sizeof arguments->text - arguments->used;
    va_list list;

    va_start(list, format);
    int length = vsnprintf(begin, room, format, list);
    va_end(list);
    if (length < 0 || (size_t)length >= room) {
        arguments->failed = true;
        return;
    }
    arguments->used += (size_t)length + 1;
    add(arguments, begin);
}

static void add_command(struct server_arguments *arguments, const struct server_command *command)
{
    arguments->count = arguments->used = 0;
    arguments->failed = false;
    for (size_t i = 0; i < command->count; i++)
        add(arguments, command->argv[i]);
    if (command->datadir != NULL) /* else we would judge one directory and start a server on another one */
        add_format(arguments, "--datadir=%s", command->datadir);
}

static bool judge_arguments(const struct server_arguments *arguments, struct error *error)
{
    return !arguments->failed || error_set(error, EXIT_USAGE, "the server's command line is too long");
}

bool server_run_arguments(const struct server_command *command, const char *const *options,
                          struct server_arguments *arguments, struct error *error)
{
    add_command(arguments, command);
    /* The server insists on an address, even where it connects to nobody; this kind cannot connect anywhere. */
    add(arguments, "--wsrep-cluster-address=dummy://");
    for (; *options != NULL; options++)
        add(arguments, *options);
    return judge_arguments(arguments, error);
}

bool server_start_arguments(const struct server_command *command, const struct server_start *start,
                            struct server_arguments *arguments, struct error *error)
{
    char position[POSITION_TEXT_SIZE];

    /* ", " and " " would be read as empty lists as well (gcomm/src/gmcast.cpp). */
    if (start->members[0] == '\0' || start->members[strspn(start->members, ", ")] == '\0')
        return error_set(error, EXIT_INTERNAL,
                         "no address to join: not starting a server that would make a new cluster");
    add_command(arguments, command);
    add_format(arguments, "--wsrep-cluster-name=%s", start->cluster);
    add_format(arguments, "--wsrep-node-name=%s", start->node);
    add_format(arguments, "--wsrep-node-address=%s", start->address);
    add_format(arguments, "--wsrep-cluster-address=gcomm://%s", start->members);
    if (start->donors != NULL)
        add_format(arguments, "--wsrep-sst-donor=%s", start->donors);
    if (start->from != NULL)
        add_format(arguments, "--wsrep-start-position=%s", position_format(start->from, position));
    if (start->new_cluster)
        add(arguments, "--wsrep-new-cluster");
    return judge_arguments(arguments, error);
}
