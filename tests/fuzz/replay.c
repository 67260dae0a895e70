/* Runs every file of the directories that are given through a fuzz target. Exits with 1 when there was none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static void fail(const char *directory, const char *name)
{
    fprintf(stderr, "%s/%s: %s\n", directory, name, strerror(errno));
    exit(1);
}

/* The target gets memory of exactly the file's size, so that a byte too far is found. */
static void replay_file(int fd, size_t size)
{
    uint8_t *data = malloc(size == 0 ? 1 : size);

    if (data == NULL || pread(fd, data, size, 0) != (ssize_t)size)
        abort();
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned long replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    unsigned long count = 0;

    if (directory == NULL)
        fail(path, "");
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat status;
        int fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) != 0)
            fail(path, entry->d_name);
        if (S_ISREG(status.st_mode)) {
            replay_file(fd, (size_t)status.st_size);
            count++;
        }
        close(fd);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    unsigned long count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_directory(argv[i]);
    printf("%lu inputs\n", count);
    return count == 0 ? 1 : 0;
}
