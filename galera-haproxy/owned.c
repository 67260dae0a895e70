#include "owned.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "render.h"
#include "validate.h"

enum { FILE_MODE = 0644, FILE_MOST = 1024 * 1024 };

bool owned_exists(const struct settings *settings)
{
    return access(settings->config, F_OK) == 0;
}

/* False when there is no file, or none that could be ours. */
static bool read_file(const char *path, struct text *text)
{
    char bytes[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t count = -1;

    if (fd < 0)
        return false;
    text->most = FILE_MOST;
    while ((count = read(fd, bytes, sizeof bytes)) > 0)
        text_add_bytes(text, bytes, (size_t)count);
    close(fd);
    return count == 0 && !text->failed;
}

bool owned_read(const struct settings *settings, struct text *text)
{
    return read_file(settings->config, text);
}

static bool failed(const char *what, const char *path, struct error *error)
{
    const char *advice = errno == ENOSPC || errno == EDQUOT ? "; make room there: until then a restart of HAProxy "
                                                              "would come up with an older list of nodes"
                                                            : "";

    return error_set(error, errno == EACCES || errno == EPERM || errno == EROFS ? EXIT_PERMISSION : EXIT_UNAVAILABLE,
                     "cannot %s %s: %s%s", what, path, strerror(errno), advice);
}

static bool write_candidate(const char *path, const char *content, struct error *error)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return failed("write", path, error);
    bool written = fd_write(fd, content, strlen(content)) && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0;
    if (!written)
        failed("write", path, error);
    if (close(fd) != 0 && written)
        written = failed("write", path, error);
    return written;
}

static bool sync_directory(const char *path, struct error *error)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed("open the directory of", path, error);
    bool done = fsync(fd) == 0 || errno == EINVAL || failed("sync the directory of", path, error);
    close(fd);
    return done;
}

/* A link, not a copy: there is no moment without the file, and no second one to fill the disk. */
static bool keep_previous(const char *path, const char *backup, struct error *error)
{
    if (unlink(backup) != 0 && errno != ENOENT)
        return failed("replace", backup, error);
    return link(path, backup) == 0 || failed("keep the previous file as", backup, error);
}

enum owned_result owned_update(const struct settings *settings, const char *content, struct error *error)
{
    struct text present = {0};
    char candidate[PATH_MAX];
    char backup[PATH_MAX];
    enum owned_result result = OWNED_FAILED;

    if (snprintf(candidate, sizeof candidate, "%s.new", settings->config) >= PATH_MAX ||
        snprintf(backup, sizeof backup, "%s.bak", settings->config) >= PATH_MAX) {
        error_set(error, EXIT_CONFIG, "the path of config in [haproxy] is too long");
        return OWNED_FAILED;
    }
    bool exists = read_file(settings->config, &present);
    if (exists && strcmp(text_string(&present), content) == 0) {
        text_free(&present);
        return OWNED_SAME;
    }
    if (write_candidate(candidate, content, error) && validate_config(settings, candidate, error) &&
        (!exists || keep_previous(settings->config, backup, error))) {
        if (rename(candidate, settings->config) != 0)
            failed("put in place", settings->config, error);
        else if (sync_directory(settings->config, error))
            result = exists && !render_same_frame(text_string(&present), content) ? OWNED_REFRAMED : OWNED_WRITTEN;
    }
    if (result == OWNED_FAILED)
        (void)unlink(candidate);
    text_free(&present);
    return result;
}
