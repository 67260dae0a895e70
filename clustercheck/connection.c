#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(int a, int b)
{
    struct stat first;
    struct stat second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

enum input input_of(int fd)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof peer;
    int flag = 0;
    socklen_t flag_size = sizeof flag;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &flag, &flag_size) != 0)
        return INPUT_OTHER;
    if (flag != 0)
        return INPUT_LISTENER;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        /* A client that has already gone away leaves a socket without a peer; it is still a service's socket. */
        return errno == ENOTCONN ? INPUT_CONNECTION : INPUT_OTHER;
    /* Some programs give their children a socket pair as stdin; a service's socket is stdout as well. */
    if (peer.ss_family == AF_UNIX && !same_file(fd, STDOUT_FILENO))
        return INPUT_OTHER;
    return INPUT_CONNECTION;
}

bool connection_accept(void)
{
    int fd = accept(STDIN_FILENO, NULL, NULL);

    if (fd < 0)
        return false;
    dup2(fd, STDIN_FILENO);
    close(fd);
    return true;
}

void connection_detach(void)
{
    close(STDERR_FILENO);
    int fd = open("/dev/null", O_RDWR);
    if (fd < 0)
        fd = memfd_create("clustercheck", 0); /* in a chroot without devices */
    if (fd >= 0 && fd != STDERR_FILENO) {
        dup2(fd, STDERR_FILENO);
        close(fd);
    }
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

/* One more read; false at the end of the input or of our patience. */
static bool read_more(int fd, char *bytes, size_t *length, struct deadline deadline)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int ready = poll(&waiting, 1, deadline_left_ms(deadline));

    if (ready < 0)
        return errno == EINTR;
    if (ready == 0)
        return false;
    ssize_t count = recv(fd, bytes + *length, REQUEST_SIZE_MOST - *length, MSG_DONTWAIT);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    *length += (size_t)count;
    return count > 0;
}

struct request connection_read(int fd, int64_t wait_ms, struct deadline deadline)
{
    char bytes[REQUEST_SIZE_MOST];
    size_t length = 0;
    struct request request = request_parse("", 0);

    while (request.progress != REQUEST_COMPLETE && length < sizeof bytes) {
        /* Half a request line does not say what is asked; everything else can be answered when nothing more comes. */
        bool patient = request.progress == REQUEST_STARTED;
        struct deadline silence = deadline_earlier(deadline_in_ms(wait_ms), deadline);
        if (!read_more(fd, bytes, &length, patient ? deadline : silence))
            break;
        request = request_parse(bytes, length);
    }
    return request;
}
