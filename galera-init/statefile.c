#include "statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "num.h"
#include "state_json.h"

static const char STATE_NAME[] = "state.json";
static const char NEW_NAME[] = "state.json.new";
static const char LOCK_NAME[] = "lock";

enum { STATE_MOST = 1 << 20 };

/* What a failed call deserves: an administrator's hand, or patience. */
static enum exit_code code_of(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
        return EXIT_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return EXIT_CONFIG;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return EXIT_TRY_AGAIN;
    default:
        return EXIT_INTERNAL;
    }
}

/* errno is looked at. */
static bool fail(struct error *error, const char *directory, const char *name, const char *what)
{
    int number = errno;

    return error_set(error, code_of(number), "%s%s%s: %s: %s", directory, name[0] == '\0' ? "" : "/", name, what,
                     strerror(number));
}

/* --- the directory ------------------------------------------------------------------------------------------------ */

/* A directory that is not on disk keeps nothing in it. */
static bool sync_parent(const char *directory)
{
    char parent[STATE_PATH_SIZE + 3];

    snprintf(parent, sizeof parent, "%s/..", directory);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = fsync(fd) == 0;
    close(fd);
    return done;
}

static bool open_directory(struct statefile *file, struct error *error)
{
    if (mkdir(file->directory, 0700) == 0) {
        if (!sync_parent(file->directory))
            return fail(error, file->directory, "", "cannot be made for good");
    } else if (errno != EEXIST) {
        return fail(error, file->directory, "", "cannot be made");
    }
    file->directory_fd = open(file->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return file->directory_fd >= 0 || fail(error, file->directory, "", "cannot be opened");
}

/* Who has the lock wrote his process id into it. */
static bool fail_locked(const struct statefile *file, struct error *error)
{
    char text[32];
    int64_t pid = 0;
    ssize_t length = pread(file->lock_fd, text, sizeof text - 1, 0);

    text[length < 0 ? 0 : length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (!num_parse(text, 1, INT32_MAX, &pid))
        return error_set(error, EXIT_TRY_AGAIN, "%s is in use by another galera-init", file->directory);
    return error_set(error, EXIT_TRY_AGAIN, "%s is in use by another galera-init, process %d", file->directory,
                     (int)pid);
}

static bool take_lock(struct statefile *file, struct error *error)
{
    file->lock_fd = openat(file->directory_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->lock_fd < 0)
        return fail(error, file->directory, LOCK_NAME, "cannot be opened");
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? fail_locked(file, error)
                                    : fail(error, file->directory, LOCK_NAME, "cannot be locked");
    /* For words only: a full disk shall not matter here. */
    if (ftruncate(file->lock_fd, 0) == 0)
        (void)!dprintf(file->lock_fd, "%ld\n", (long)getpid());
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool read_all(int fd, struct text *text)
{
    char part[4096];
    ssize_t length;

    while ((length = read(fd, part, sizeof part)) != 0) {
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return false;
        text_add_bytes(text, part, (size_t)length);
        if (text->failed) {
            errno = EFBIG;
            return false;
        }
    }
    return true;
}

static bool understand(const char *directory, const struct text *text, struct state *state, struct error *error)
{
    if (state_from_json(text_string(text), text->length, state, error))
        return true;
    error_context(error, "%s/%s cannot be understood", directory, STATE_NAME);
    char what[sizeof error->text];
    memcpy(what, error->text, sizeof what);
    return error_set(error, EXIT_CONFIG,
                     "%s. Put the file back as it was; or, if that cannot be, stop this node's server, move the file "
                     "away and start galera-init: its copy then counts as doubtful until it has joined the others",
                     what);
}

/* A pipe of that name must not hold us up, and is no state. */
static bool read_regular(const char *directory, int fd, struct text *text, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, EXIT_CONFIG, "%s/%s is no regular file", directory, STATE_NAME);
    return read_all(fd, text) || fail(error, directory, STATE_NAME, "cannot be read");
}

static bool read_state(const char *directory, int directory_fd, struct state *state, struct error *error)
{
    struct text text = {.most = STATE_MOST};
    int fd = openat(directory_fd, STATE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    memset(state, 0, sizeof *state);
    if (fd < 0)
        return errno == ENOENT || fail(error, directory, STATE_NAME, "cannot be opened");
    bool good = read_regular(directory, fd, &text, error) && understand(directory, &text, state, error);
    close(fd);
    text_free(&text);
    if (!good)
        memset(state, 0, sizeof *state);
    return good;
}

static bool check_owner(const char *directory, const struct state *state, const char *cluster, const char *node,
                        struct error *error)
{
    bool other_cluster = cluster[0] != '\0' && state->cluster[0] != '\0' && strcmp(cluster, state->cluster) != 0;
    bool other_node = node[0] != '\0' && state->node[0] != '\0' && strcmp(node, state->node) != 0;

    if (!other_cluster && !other_node)
        return true;
    return error_set(error, EXIT_CONFIG,
                     "%s/%s is of node %s of cluster %s, and we are to be node %s of cluster %s. Each node has its own "
                     "state_dir and keeps its name: correct the configuration; or, if the data directory here is to "
                     "join another cluster, move the file away",
                     directory, STATE_NAME, state->node, state->cluster, node, cluster);
}

bool statefile_open(struct statefile *file, const char *directory, const char *cluster, const char *node,
                    struct state *state, struct error *error)
{
    memset(file, 0, sizeof *file);
    memset(state, 0, sizeof *state);
    file->directory_fd = file->lock_fd = -1;
    if (snprintf(file->directory, sizeof file->directory, "%s", directory) >= (int)sizeof file->directory)
        return error_set(error, EXIT_CONFIG, "the name of the state directory is too long");
    return open_directory(file, error) && take_lock(file, error) &&
           read_state(file->directory, file->directory_fd, state, error) &&
           check_owner(file->directory, state, cluster, node, error);
}

bool statefile_read(const char *directory, struct state *state, struct error *error)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    memset(state, 0, sizeof *state);
    if (fd < 0)
        return errno == ENOENT || fail(error, directory, "", "cannot be opened");
    bool good = read_state(directory, fd, state, error);
    close(fd);
    return good;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool write_new(const struct statefile *file, const struct text *text)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(file->directory_fd, NEW_NAME, flags, 0600);

    if (fd < 0)
        return false;
    bool done = fd_write(fd, text_string(text), text->length) && fsync(fd) == 0;
    int number = errno;
    if (close(fd) != 0 && done) {
        number = errno;
        done = false;
    }
    errno = number;
    return done;
}

static bool replace(struct statefile *file, const struct text *text, struct error *error)
{
    if (!write_new(file, text) || renameat(file->directory_fd, NEW_NAME, file->directory_fd, STATE_NAME) != 0) {
        fail(error, file->directory, NEW_NAME, "cannot be written");
        (void)unlinkat(file->directory_fd, NEW_NAME, 0);
        return false;
    }
    return fsync(file->directory_fd) == 0 || fail(error, file->directory, STATE_NAME, "cannot be made to stay");
}

bool statefile_save(struct statefile *file, const struct state *state, struct error *error)
{
    struct text text = {.most = STATE_MOST};
    bool good = state_to_json(&text, state, error) && replace(file, &text, error);

    text_free(&text);
    return good;
}

void statefile_close(struct statefile *file)
{
    fd_close(&file->lock_fd);
    fd_close(&file->directory_fd);
}
