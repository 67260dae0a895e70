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

#include "fd.h"
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
    fd_close(&fd);
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
            pid = lock.l_pid > 0 ? lock.l_pid : DATADIR_USER_UNSEEN;
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

/* What mariadb-install-db makes: the directories of the server's own schemas, and files of these names. */
static bool is_installed(const char *name, bool is_directory)
{
    static const char *const directories[] = {"mysql", "performance_schema", "sys", "test", "lost+found"};
    static const char *const files[] = {"aria_log",          "ib",         "undo",        "ddl_recove", "tc.log",
                                        "multi-master.info", "mysql_upgr", "mariadb_upg", "auto.cnf"};

    for (size_t i = 0; is_directory && i < sizeof directories / sizeof directories[0]; i++) {
        if (strcmp(name, directories[i]) == 0)
            return true;
    }
    for (size_t i = 0; !is_directory && i < sizeof files / sizeof files[0]; i++) {
        if (strncmp(name, files[i], strlen(files[i])) == 0)
            return true;
    }
    return false;
}

/* Whether there is nothing but that. */
static bool holds_an_installation(const char *datadir)
{
    DIR *directory = opendir(datadir);
    bool only = directory != NULL;

    for (struct dirent *entry; only && (entry = readdir(directory)) != NULL;) {
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        only = fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
               is_installed(entry->d_name, S_ISDIR(status.st_mode));
    }
    if (directory != NULL)
        closedir(directory);
    return only;
}

enum datadir_clearing datadir_clear(const char *datadir, struct error *error)
{
    if (!holds_an_installation(datadir))
        return DATADIR_USED;
    if (nftw(datadir, remove_one, FTW_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 || errno == ENOENT)
        return DATADIR_CLEARED;
    error_set(error, EXIT_CONFIG, "cannot remove what an interrupted installation left in %s: %s", datadir,
              strerror(errno));
    return DATADIR_NOT_CLEARED;
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool sync_directory(const char *datadir)
{
    int fd = open(datadir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    fd_close(&fd);
    return done;
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
    unlink(fresh); /* of an attempt that was cut short */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
    bool done = fd >= 0 && stat(datadir, &owner) == 0 &&
                (geteuid() != 0 || fchown(fd, owner.st_uid, owner.st_gid) == 0) && fd_write(fd, text, strlen(text)) &&
                fsync(fd) == 0 && rename(fresh, path) == 0 && sync_directory(datadir);
    int number = errno;
    fd_close(&fd);
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

/* Removes a file so that it stays removed. */
static bool drop(const char *path, const char *directory, struct error *error)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(error, EXIT_TRY_AGAIN, "cannot remove %s: %s", path, strerror(errno));
    /* Also when it was gone: that need not be on disk yet. */
    return sync_directory(directory) || errno == ENOENT ||
           error_set(error, EXIT_TRY_AGAIN, "cannot write %s: %s", directory, strerror(errno));
}

bool datadir_drop_view(const char *datadir, struct error *error)
{
    char path[SERVER_PATH_SIZE + 64];

    snprintf(path, sizeof path, "%s/gvwstate.dat", datadir);
    return drop(path, datadir, error);
}

bool datadir_drop_ddl_log(const struct server_info *info, struct error *error)
{
    char directory[SERVER_PATH_SIZE];

    snprintf(directory, sizeof directory, "%s", info->ddl_log);
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        return true; /* the server named none: one that is too old to have such a log */
    *slash = '\0';
    return drop(info->ddl_log, directory[0] == '\0' ? "/" : directory, error);
}
