#include "datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "marks.h"

enum { FILE_MOST = 64 * 1024, FTW_FDS = 16 };

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool datadir_is_empty(const char *datadir, struct error *error)
{
    DIR *directory = opendir(datadir);
    bool empty = true;

    if (directory == NULL) {
        if (errno == ENOENT)
            return true;
        return error_set(error, errno == EACCES ? EXIT_PERMISSION : EXIT_CONFIG,
                         "cannot read the data directory %s: %s", datadir, strerror(errno));
    }
    for (struct dirent *entry; empty && (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, "lost+found") != 0)
            empty = false;
    }
    closedir(directory);
    return empty;
}

/* The file's text, NULL when there is none; `*known` is false, and the error set, when nobody can tell. */
static char *read_file(const char *datadir, const char *name, bool *known, struct error *error)
{
    char path[SERVER_PATH_SIZE + 64];
    char *text = NULL;

    snprintf(path, sizeof path, "%s/%s", datadir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return NULL;
    if (fd >= 0 && (text = malloc(FILE_MOST + 1)) != NULL) {
        ssize_t length = read(fd, text, FILE_MOST);
        if (length >= 0) {
            text[length] = '\0';
            close(fd);
            return text;
        }
    }
    error_set(error, EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    *known = false;
    if (fd >= 0)
        close(fd);
    free(text);
    return NULL;
}

bool datadir_read(const char *datadir, bool fresh, struct holding_signs *signs, struct gvwstate *view,
                  struct error *error)
{
    bool known = true;

    *signs = (struct holding_signs){.recovered = recover_parse(NULL)};
    *view = (struct gvwstate){.condition = GVWSTATE_MISSING};
    error->code = EXIT_YES;
    bool empty = datadir_is_empty(datadir, error);
    if (error->code != EXIT_YES)
        return false;
    char *grastate = read_file(datadir, "grastate.dat", &known, error);
    char *gvwstate = read_file(datadir, "gvwstate.dat", &known, error);
    if (known) {
        signs->grastate = grastate_parse(grastate);
        *view = gvwstate_parse(gvwstate);
        signs->transfer_mark = mark_transfer(datadir);
        bool has_history = signs->grastate.condition == GRASTATE_GOOD && !uuid_is_nil(&signs->grastate.position.uuid);
        signs->has_data = !empty && (!fresh || has_history || signs->transfer_mark);
    }
    free(grastate);
    free(gvwstate);
    return known;
}

pid_t datadir_user(const char *datadir)
{
    static const char *const locked[] = {"ibdata1", "aria_log_control"};
    char path[SERVER_PATH_SIZE + 64];
    pid_t pid = 0;

    for (size_t i = 0; pid == 0 && i < sizeof locked / sizeof locked[0]; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        snprintf(path, sizeof path, "%s/%s", datadir, locked[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
            pid = lock.l_pid;
        close(fd);
    }
    return pid;
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    return ftw->level == 0 ? 0 : remove(path);
}

bool datadir_clear(const char *datadir, struct error *error)
{
    if (nftw(datadir, remove_one, FTW_FDS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return error_set(error, EXIT_CONFIG, "cannot remove what an interrupted installation left in %s: %s", datadir,
                         strerror(errno));
    return true;
}

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
    snprintf(log->directory, sizeof log->directory, "%s/galera-init-XXXXXX",
             base == NULL || base[0] != '/' ? "/tmp" : base);
    if (mkdtemp(log->directory) == NULL)
        return error_set(error, EXIT_TRY_AGAIN, "cannot make a directory for the server's log below %s: %s",
                         base == NULL ? "/tmp" : base, strerror(errno));
    /* A name without an extension would get one from the server. */
    snprintf(log->path, sizeof log->path, "%s/log.err", log->directory);
    log->fd = open(log->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    owned =
        log->fd >= 0 &&
        (geteuid() != 0 || stat(datadir, &owner) != 0 ||
         (fchown(log->fd, owner.st_uid, owner.st_gid) == 0 && chown(log->directory, owner.st_uid, owner.st_gid) == 0));
    return owned || error_set(error, EXIT_TRY_AGAIN, "cannot make %s: %s", log->path, strerror(errno));
}

static void run_log_close(struct run_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
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

bool datadir_install(const struct server_command *command, const char *datadir, const char *admin, int wake_fd,
                     struct error *error)
{
    char root[320];
    char where[SERVER_PATH_SIZE + 16];
    char words[64];
    struct run_log log;
    int status = 0;

    snprintf(root, sizeof root, "--auth-root-socket-user=%s", admin);
    snprintf(where, sizeof where, "--datadir=%s", datadir);
    const char *const options[] = {where, "--skip-test-db", "--auth-root-authentication-method=socket", root, NULL};
    struct server_arguments *arguments = malloc(sizeof *arguments);
    bool done = run_log_open(&log, datadir, error) && arguments != NULL &&
                server_run_arguments(command, options, arguments, error);
    if (done) {
        arguments->argv[0] = "mariadb-install-db";
        done = judge_run(child_run(arguments->argv, log.fd, wake_fd, deadline_in_ms(DAY_MS), &status, error),
                         "mariadb-install-db", error);
    }
    if (done && status != 0) {
        char *text = read_log(log.path);
        done = error_set(error, EXIT_CONFIG, "mariadb-install-db failed (%s): %s",
                         child_status_text(status, words, sizeof words), text == NULL ? "" : tail(text));
        free(text);
    }
    run_log_close(&log);
    free(arguments);
    return done;
}

/* --- recovering --------------------------------------------------------------------------------------------------- */

/* Runs the server with one option that makes it end by itself; its log goes to `path` and into `*text`. */
static bool run_to_end(const struct server_command *command, const char *option, const char *path, int wake_fd,
                       char **text, struct error *error)
{
    char log_option[SERVER_PATH_SIZE + 16];
    int status;

    snprintf(log_option, sizeof log_option, "--log-error=%s", path);
    const char *const options[] = {option, log_option, NULL};
    struct server_arguments *arguments = malloc(sizeof *arguments);
    bool done = arguments != NULL && server_run_arguments(command, options, arguments, error);
    if (done) {
        int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        done = judge_run(child_run(arguments->argv, null_fd, wake_fd, deadline_in_ms(DAY_MS), &status, error), option,
                         error);
        close(null_fd);
        free(*text);
        *text = read_log(path);
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

bool datadir_recover(const struct server_command *command, const char *datadir, const char *log_path, int wake_fd,
                     struct recovered *recovered, struct error *error)
{
    char *text = NULL;
    struct run_log log;
    bool done =
        run_log_open(&log, datadir, error) && run_to_end(command, "--wsrep-recover", log.path, wake_fd, &text, error);

    *recovered = recover_parse(done ? text : NULL);
    if (done && recovered->outcome == RECOVER_FAILED && recovered->prepared) {
        done = run_to_end(command, "--tc-heuristic-recover=ROLLBACK", log.path, wake_fd, &text, error) &&
               run_to_end(command, "--wsrep-recover", log.path, wake_fd, &text, error);
        *recovered = recover_parse(done ? text : NULL);
        recovered->prepared = true;
    }
    if (done && text != NULL)
        keep_log(text, log_path);
    run_log_close(&log);
    free(text);
    return done;
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool sync_directory(const char *datadir)
{
    int fd = open(datadir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return done;
}

static bool write_all(int fd, const char *text)
{
    size_t length = strlen(text);

    return write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
}

bool datadir_write_grastate(const char *datadir, const struct position *position, bool safe, struct error *error)
{
    char path[SERVER_PATH_SIZE + 64];
    char fresh[SERVER_PATH_SIZE + 80];
    char text[256];
    char uuid[UUID_TEXT_SIZE];
    struct stat owner;

    snprintf(path, sizeof path, "%s/grastate.dat", datadir);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    snprintf(text, sizeof text,
             "# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   %" PRId64 "\nsafe_to_bootstrap: %d\n",
             uuid_format(&position->uuid, uuid), position->seqno, safe ? 1 : 0);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0660);
    bool done = fd >= 0 && stat(datadir, &owner) == 0 &&
                (geteuid() != 0 || fchown(fd, owner.st_uid, owner.st_gid) == 0) && write_all(fd, text) &&
                rename(fresh, path) == 0 && sync_directory(datadir);
    int number = errno;
    if (fd >= 0)
        close(fd);
    if (!done) {
        unlink(fresh);
        return error_set(error, EXIT_TRY_AGAIN, "cannot write %s: %s", path, strerror(number));
    }
    return true;
}

bool datadir_blank(const char *datadir, struct error *error)
{
    struct position none = position_none();

    return datadir_write_grastate(datadir, &none, false, error);
}

bool datadir_drop_view(const char *datadir, struct error *error)
{
    char path[SERVER_PATH_SIZE + 64];

    snprintf(path, sizeof path, "%s/gvwstate.dat", datadir);
    if (unlink(path) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return true;
        return error_set(error, EXIT_TRY_AGAIN, "cannot remove %s: %s", path, strerror(errno));
    }
    return sync_directory(datadir) || error_set(error, EXIT_TRY_AGAIN, "cannot write %s: %s", datadir, strerror(errno));
}
