/* What is done to a data directory by running the server's programs: it is made, and asked for its position. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "datadir.h"
#include "explain.h"
#include "fd.h"

/*
 * A log for a run of the server, in a directory of its own that belongs to the server's user: the kernel does not let
 * root write to files of others right below /tmp (fs.protected_regular), and the server opens its log while it is root.
 */
struct run_log {
    char directory[SERVER_PATH_SIZE];
    char path[SERVER_PATH_SIZE + 16];
    int fd; /* -1: none */
};

static bool run_log_open(struct run_log *log, const char *datadir, struct error *error)
{
    const char *base = getenv("TMPDIR");
    struct stat owner;
    bool owned = false;

    log->fd = -1;
    log->path[0] = '\0';
    snprintf(log->directory, sizeof log->directory, "%s/galera-init-XXXXXX",
             base == NULL || base[0] != '/' ? "/tmp" : base);
    if (mkdtemp(log->directory) == NULL)
        return error_set(error, EXIT_TRY_AGAIN, "cannot make a directory for the server's log below %s: %s",
                         base == NULL ? "/tmp" : base, strerror(errno));
    /* A name without an extension would get one from the server. */
    snprintf(log->path, sizeof log->path, "%s/log.err", log->directory);
    log->fd = open(log->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    owned =
        log->fd >= 0 &&
        (geteuid() != 0 || stat(datadir, &owner) != 0 ||
         (fchown(log->fd, owner.st_uid, owner.st_gid) == 0 && chown(log->directory, owner.st_uid, owner.st_gid) == 0));
    return owned || error_set(error, EXIT_TRY_AGAIN, "cannot make %s: %s", log->path, strerror(errno));
}

static void run_log_close(struct run_log *log)
{
    fd_close(&log->fd);
    if (log->path[0] == '\0')
        return;
    unlink(log->path);
    rmdir(log->directory);
}

static char *read_log(const char *path)
{
    FILE *stream = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (stream == NULL || getdelim(&text, &size, '\0', stream) < 0) {
        free(text);
        text = strdup("");
    }
    if (stream != NULL)
        fclose(stream);
    return text;
}

static struct server_arguments *arguments_new(struct error *error)
{
    struct server_arguments *arguments = malloc(sizeof *arguments);

    if (arguments == NULL)
        error_set(error, EXIT_INTERNAL, "out of memory");
    return arguments;
}

static bool judge_run(enum child_end end, const char *what, struct error *error)
{
    if (end == CHILD_INTERRUPTED)
        return error_set(error, EXIT_TRY_AGAIN, "interrupted during %s", what);
    if (end == CHILD_LATE)
        return error_set(error, EXIT_TRY_AGAIN, "%s has not ended in a day", what);
    return end == CHILD_EXITED;
}

enum { DAY_MS = 24 * 60 * 60 * 1000, TAIL_SIZE = 700 };

static const char *tail(const char *text)
{
    size_t length = strlen(text);

    return length > TAIL_SIZE ? text + length - TAIL_SIZE : text;
}

#define INSTALL "mariadb-install-db"

/* The one that came with the server: beside it, or where packages and tarballs have it; else that in PATH. */
static const char *find_install(const char *server, char *path, size_t size)
{
    static const char *const places[] = {"", "../bin/", "../scripts/"};
    const char *base = strrchr(server, '/');

    for (size_t i = 0; base != NULL && i < sizeof places / sizeof places[0]; i++) {
        int length = snprintf(path, size, "%.*s/%s" INSTALL, (int)(base - server), server, places[i]);
        if (length > 0 && (size_t)length < size && access(path, X_OK) == 0)
            return path;
    }
    return INSTALL;
}

bool datadir_install(const struct server_command *command, const char *datadir, const char *admin, int wake_fd,
                     struct error *error)
{
    char program[SERVER_PATH_SIZE];
    char root[320];
    char where[SERVER_PATH_SIZE + 16];
    char words[64];
    struct run_log log;
    int status = 0;

    snprintf(root, sizeof root, "--auth-root-socket-user=%s", admin);
    snprintf(where, sizeof where, "--datadir=%s", datadir);
    const char *const options[] = {where, "--skip-test-db", "--auth-root-authentication-method=socket", root, NULL};
    struct server_arguments *arguments = arguments_new(error);
    bool done = run_log_open(&log, datadir, error) && arguments != NULL &&
                server_run_arguments(command, options, arguments, error);
    if (done) {
        arguments->argv[0] = find_install(command->argv[0], program, sizeof program);
        done = judge_run(child_run(arguments->argv, log.fd, wake_fd, deadline_in_ms(DAY_MS), &status, error), INSTALL,
                         error);
    }
    if (done && status != 0) {
        char *text = read_log(log.path);
        done = error_set(error, EXIT_CONFIG, INSTALL " failed (%s): %s", child_status_text(status, words, sizeof words),
                         text == NULL ? "" : tail(text));
        free(text);
    }
    run_log_close(&log);
    free(arguments);
    return done;
}

/* --- its position ------------------------------------------------------------------------------------------------- */

/*
 * Runs the server with one option that makes it end by itself; what it says goes to the log, and into `*text`. Of its
 * settings it complains on standard error, before it opens a log.
 */
static bool run_to_end(const struct server_command *command, const char *option, const struct run_log *log, int wake_fd,
                       char **text, struct error *error)
{
    char log_option[SERVER_PATH_SIZE + 32];
    char words[64];
    int status = 0;

    snprintf(log_option, sizeof log_option, "--log-error=%s", log->path);
    const char *const options[] = {option, log_option, NULL};
    struct server_arguments *arguments = arguments_new(error);
    bool done = arguments != NULL && server_run_arguments(command, options, arguments, error);
    if (done) {
        done = judge_run(child_run(arguments->argv, log->fd, wake_fd, deadline_in_ms(DAY_MS), &status, error), option,
                         error);
        /* Somebody ended it, or the memory did: that says nothing of the data. */
        if (done && WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM))
            done = error_set(error, EXIT_TRY_AGAIN, "the server with %s was ended by %s", option,
                             child_status_text(status, words, sizeof words));
        free(*text);
        *text = read_log(log->path);
        if (done && *text == NULL)
            done = error_set(error, EXIT_INTERNAL, "out of memory");
    }
    free(arguments);
    return done;
}

/* Where admins look for it afterwards. */
static void keep_log(const char *text, const char *path)
{
    FILE *stream = fopen(path, "we");

    if (stream != NULL) {
        fputs(text, stream);
        fclose(stream);
    }
}

/* The server could not tell, for a reason that is not the data's. */
static bool say_hindrance(const char *text, const char *log_path, struct error *error)
{
    enum exit_code code = recover_may_heal(text) ? EXIT_TRY_AGAIN : EXIT_CONFIG;
    struct explanation explanation;

    if (explain(text, &explanation))
        return error_set(
            error, code,
            "the server cannot tell its position (--wsrep-recover): %s; %s. Nothing shows that the data are "
            "damaged: they are kept, and not started. Its log (%s) says: %s",
            explanation.cause, explanation.remedy, log_path, explanation.line);
    return error_set(error, code,
                     "the server cannot tell its position (--wsrep-recover), and nothing shows that the data are "
                     "damaged: they are kept, and not started. Mend it, or move the data directory away for a full "
                     "transfer. Its log (%s) %s%s",
                     log_path, explanation.line[0] == '\0' ? "has no error" : "says: ", explanation.line);
}

bool datadir_recover(const struct server_command *command, const char *datadir, const char *log_path, int wake_fd,
                     struct recovered *recovered, struct error *error)
{
    char *text = NULL;
    struct run_log log;
    bool done =
        run_log_open(&log, datadir, error) && run_to_end(command, "--wsrep-recover", &log, wake_fd, &text, error);

    *recovered = recover_parse(done ? text : NULL);
    if (done && recover_wants_decision(recovered, text)) {
        done = run_to_end(command, "--tc-heuristic-recover=ROLLBACK", &log, wake_fd, &text, error) &&
               run_to_end(command, "--wsrep-recover", &log, wake_fd, &text, error);
        *recovered = recover_parse(done ? text : NULL);
        recovered->prepared = true;
    }
    if (done)
        keep_log(text, log_path);
    if (done && !recover_tells(recovered, text)) {
        *recovered = recover_parse(NULL);
        done = say_hindrance(text, log_path, error);
    }
    run_log_close(&log);
    free(text);
    return done;
}
