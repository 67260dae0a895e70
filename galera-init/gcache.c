#include "gcache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char page[] = "gcache.page.";

static bool is_part(const struct server_info *info, const char *name)
{
    const char *ring = info->gcache_name[0] == '\0' ? "galera.cache" : info->gcache_name;

    return strcmp(name, ring) == 0 || strncmp(name, page, sizeof page - 1) == 0;
}

static bool drop_in(const struct server_info *info, DIR *directory)
{
    struct dirent *entry;

    while ((errno = 0, entry = readdir(directory)) != NULL) {
        if (is_part(info, entry->d_name) && unlinkat(dirfd(directory), entry->d_name, 0) != 0 && errno != ENOENT)
            return false;
    }
    return errno == 0 && fsync(dirfd(directory)) == 0;
}

bool gcache_drop(const struct server_info *info, struct error *error)
{
    const char *path = info->gcache_dir[0] == '\0' ? info->datadir : info->gcache_dir;
    bool done;

    if (info->gcache_name[0] == '/' && unlink(info->gcache_name) != 0 && errno != ENOENT)
        return error_set(error, EXIT_TRY_AGAIN, "cannot remove %s: %s", info->gcache_name, strerror(errno));
    DIR *directory = opendir(path);
    if (directory == NULL && errno == ENOENT)
        return true;
    done = directory != NULL && drop_in(info, directory);
    int number = errno;
    if (directory != NULL)
        closedir(directory);
    return done || error_set(error, EXIT_TRY_AGAIN,
                             "cannot remove Galera's cache in %s: %s; what is left in it may be of another history",
                             path, strerror(number));
}
