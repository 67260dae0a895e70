#include "seed_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "worker.h"

enum { HEAD_SIZE = 4096 };

struct format {
    const char *name; /* what people call it */
    const char *magic;
    size_t length;
    const char *decompressor; /* NULL: we do not read it */
};

/* RFC 1952, 2.3.1; RFC 8878, 3.1.1; the file formats of xz, bzip2, zip and of mariadb-backup's stream. */
static const struct format formats[] = {
    {"gzip", "\x1f\x8b", 2, "gzip"},
    {"zstd", "\x28\xb5\x2f\xfd", 4, "zstd"},
    {"compressed by xz",
     "\xfd"
     "7zXZ",
     5, NULL},
    {"compressed by bzip2", "BZh", 3, NULL},
    {"a zip archive", "PK\x03\x04", 4, NULL},
    {"a backup by mariadb-backup", "XBSTCK01", 8, NULL},
    {"UTF-16 text", "\xff\xfe", 2, NULL},
    {"UTF-16 text", "\xfe\xff", 2, NULL},
};

static bool judge_head(struct dump *dump, const char *head, size_t length, struct error *error)
{
    if (length == 0)
        return error_set(error, EXIT_CONFIG, "%s is empty", dump->path);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const struct format *format = &formats[i];
        if (length < format->length || memcmp(head, format->magic, format->length) != 0)
            continue;
        if (format->decompressor == NULL)
            return error_set(error, EXIT_CONFIG, "%s is %s: make it SQL, plain or compressed by gzip or zstd",
                             dump->path, format->name);
        dump->decompressor = format->decompressor;
        return true;
    }
    if (memchr(head, '\0', length) != NULL)
        return error_set(error, EXIT_CONFIG, "%s is neither SQL nor compressed by gzip or zstd", dump->path);
    return true;
}

bool dump_open(struct dump *dump, const char *path, struct error *error)
{
    char head[HEAD_SIZE];
    struct stat status;

    /* The writer of a FIFO is not waited for. */
    *dump = (struct dump){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (dump->fd < 0)
        return error_set(error, EXIT_CONFIG, "cannot open %s: %s", path, strerror(errno));
    ssize_t length =
        fstat(dump->fd, &status) == 0 && S_ISREG(status.st_mode) ? pread(dump->fd, head, sizeof head, 0) : -1;
    dump->size = length < 0 ? 0 : status.st_size;
    bool usable = length < 0 ? error_set(error, EXIT_CONFIG, "%s cannot be read as a file", path)
                             : judge_head(dump, head, (size_t)length, error);
    if (!usable)
        dump_close(dump);
    return usable;
}

void dump_close(struct dump *dump)
{
    fd_close(&dump->fd);
}

void dump_look(const char *key, const char *path)
{
    struct error error = {.code = EXIT_YES};
    struct dump dump;

    if (path == NULL)
        return;
    if (dump_open(&dump, path, &error))
        dump_close(&dump);
    else
        log_warning("%s: %s", key, error.text);
}

/* Waits for the next bytes of the sum; it takes as long as the file is big. */
static bool wait_for(int fd, int wake_fd)
{
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    while (fds[0].revents == 0 && fds[1].revents == 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
    }
    return fds[0].revents == 0;
}

static bool is_readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) > 0;
}

static bool read_sum(int fd, int wake_fd, char sha256[MARK_SHA256_SIZE])
{
    size_t length = 0;
    ssize_t got = 1;

    while (length < MARK_SHA256_SIZE - 1 && got > 0 && wait_for(fd, wake_fd)) {
        got = read(fd, sha256 + length, MARK_SHA256_SIZE - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    sha256[length] = '\0';
    return length == MARK_SHA256_SIZE - 1 && strspn(sha256, "0123456789abcdef") == length;
}

bool dump_hash(const struct dump *dump, int wake_fd, char sha256[MARK_SHA256_SIZE], struct error *error)
{
    static const char *const argv[] = {"sha256sum", NULL};
    struct worker child;
    int out[2];

    if (lseek(dump->fd, 0, SEEK_SET) != 0)
        return error_set(error, EXIT_CONFIG, "cannot read %s: %s", dump->path, strerror(errno));
    if (!pipe_make(out, error))
        return false;
    bool started = worker_start(&child, argv, dump->fd, out[1], -1, error);
    fd_close(&out[1]);
    bool summed = started && read_sum(out[0], wake_fd, sha256);
    fd_close(&out[0]);
    if (!started)
        return false;
    if (!summed && is_readable(wake_fd)) {
        worker_end(&child);
        return error_set(error, EXIT_TRY_AGAIN, "told to stop");
    }
    if (!worker_succeeded(&child, worker_wait(&child), error))
        return error_context(error, "cannot read %s", dump->path);
    return summed || error_set(error, EXIT_TRY_AGAIN, "sha256sum does not answer with a sum");
}
