#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../row.h"
#include "deadline.h"

enum { PATHS = 8, FTW_FDS = 16, POLL_MS = 5, EVENTUALLY_MS = 20000 };

static char root[64];

int scratch_begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/galera-init.XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

int scratch_end(void **state)
{
    (void)state;
    (void)scratch_read("");
    return nftw(root, remove_one, FTW_FDS, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
    static char paths[PATHS][512];
    static size_t turn;
    char *path = paths[turn = (turn + 1) % PATHS];

    snprintf(path, sizeof paths[0], "%s%s%s", root, name[0] == '\0' ? "" : "/", name);
    return path;
}

static void write_mode(const char *name, mode_t mode, const char *head, const char *text)
{
    int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s%s", head, text) >= 0);
    close(fd);
}

void scratch_write(const char *name, const char *text)
{
    write_mode(name, 0600, "", text);
}

void scratch_directory(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

const char *scratch_script(const char *name, const char *body)
{
    char head[128];

    snprintf(head, sizeof head, "#!/bin/sh\nhere=%s\n", root);
    write_mode(name, 0700, head, body);
    return scratch_path(name);
}

bool scratch_has(const char *name)
{
    struct stat status;

    return lstat(scratch_path(name), &status) == 0;
}

const char *scratch_read(const char *name)
{
    static char *text;
    size_t size = 0;

    free(text);
    text = NULL;
    FILE *file = name[0] == '\0' ? NULL : fopen(scratch_path(name), "re");
    if (file == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

size_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

bool eventually(bool (*condition)(void *context), void *context)
{
    struct deadline end = deadline_in_ms(EVENTUALLY_MS);

    while (!condition(context)) {
        if (deadline_passed(end))
            return false;
        poll(NULL, 0, POLL_MS);
    }
    return true;
}
