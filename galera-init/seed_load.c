#include "seed_load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "seed_failure.h"
#include "seed_progress.h"
#include "seed_whole.h"
#include "teststep.h"
#include "worker.h"

enum { BUFFER_SIZE = 16384, WORDS_SIZE = 4096, TICK_MS = 250, ASK_MS = 1000, OPTION_SIZE = 4200 };

/* The end of what a child says. The client repeats a statement that failed, megabytes of it, before it says why. */
struct words {
    char text[WORDS_SIZE + 1];
    size_t length;
};

struct feed {
    const struct load *load;
    struct worker client;
    struct worker decompressor;
    int source;      /* of statements: the file, or what the decompressor writes; -1: at its end */
    int sink;        /* to the client; -1: closed */
    int client_says; /* -1: the client has ended */
    int packer_says; /* -1: the decompressor has ended, or there is none */
    struct words client_words;
    struct words packer_words;
    struct whole whole;
    struct teller teller;
    struct deadline ask_at;
    bool half;
    size_t from, to; /* what is in `buffer` */
    char buffer[BUFFER_SIZE];
};

/* --- the two programs --------------------------------------------------------------------------------------------- */

/*
 * Says nothing about replication: what is loaded here must be everywhere. An idle session ends, since its client may be
 * frozen and somebody else at it (seed_mark.h).
 */
static void format_init(char *option, size_t size)
{
    snprintf(option, size,
             "--init-command=BEGIN NOT ATOMIC SET SESSION wait_timeout = %d, net_read_timeout = %d, wsrep_OSU_method = "
             "'TOI'; IF COALESCE(GET_LOCK('" LOAD_LOCK
             "', %d), 0) <> 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'galera-init: another session loads "
             "here'; END IF; END",
             SEED_IDLE_S, SEED_IDLE_S, SEED_IDLE_S);
}

/* --binary-mode: a dump may have any bytes, and must not have commands of the client, which can run a shell. */
static bool start_client(struct feed *feed, int in, int err, struct error *error)
{
    char user[ADMIN_USER_SIZE];
    char user_option[ADMIN_USER_SIZE + 16];
    char socket_option[OPTION_SIZE];
    char init_option[OPTION_SIZE];
    char database_option[MARK_DATABASE_SIZE + 16];

    snprintf(user_option, sizeof user_option, "--user=%s", admin_user(feed->load->job->settings, user));
    snprintf(socket_option, sizeof socket_option, "--socket=%s", feed->load->job->socket);
    snprintf(database_option, sizeof database_option, "--database=%s", feed->load->database);
    format_init(init_option, sizeof init_option);
    const char *const argv[] = {"mariadb",
                                "--no-defaults",
                                "--protocol=socket",
                                socket_option,
                                user_option,
                                "--batch",
                                "--skip-reconnect",
                                "--binary-mode",
                                "--comments",
                                "--default-character-set=utf8mb4",
                                "--max-allowed-packet=1G",
                                init_option,
                                feed->load->database[0] == '\0' ? NULL : database_option,
                                NULL};
    return worker_start(&feed->client, argv, in, -1, err, error);
}

static bool open_client(struct feed *feed, struct error *error)
{
    int in[2] = {-1, -1};
    int err[2] = {-1, -1};
    bool started = pipe_make(in, error) && pipe_make(err, error) && start_client(feed, in[0], err[1], error);

    fd_close(&in[0]);
    fd_close(&err[1]);
    feed->sink = in[1];
    feed->client_says = err[0];
    /* What is in the pipe counts as loaded: let it be little. A smaller one is no more than a wish. */
    if (started)
        fcntl(feed->sink, F_SETPIPE_SZ, BUFFER_SIZE);
    return started && (fcntl(feed->sink, F_SETFL, O_NONBLOCK) == 0 ||
                       error_set(error, EXIT_TRY_AGAIN, "cannot use a pipe: %s", strerror(errno)));
}

static bool open_source(struct feed *feed, struct error *error)
{
    const struct dump *dump = feed->load->dump;
    const char *const argv[] = {dump->decompressor, "-dc", NULL};
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};

    if (lseek(dump->fd, 0, SEEK_SET) != 0)
        return error_set(error, EXIT_CONFIG, "cannot read %s: %s", dump->path, strerror(errno));
    if (dump->decompressor == NULL) {
        feed->source = dump->fd;
        return true;
    }
    bool started = pipe_make(out, error) && pipe_make(err, error) &&
                   worker_start(&feed->decompressor, argv, dump->fd, out[1], err[1], error);
    fd_close(&out[1]);
    fd_close(&err[1]);
    feed->source = out[0];
    feed->packer_says = err[0];
    return started;
}

static void close_source(struct feed *feed)
{
    if (feed->source != feed->load->dump->fd)
        fd_close(&feed->source);
    feed->source = -1;
}

/* --- what goes through -------------------------------------------------------------------------------------------- */

/* False at the end. */
static bool listen_to(int fd, struct words *words)
{
    char bytes[WORDS_SIZE];
    ssize_t got = read(fd, bytes, sizeof bytes);
    size_t length = got > 0 ? (size_t)got : 0;

    if (words->length + length > WORDS_SIZE) {
        size_t kept = WORDS_SIZE - length;
        memmove(words->text, words->text + words->length - kept, kept);
        words->length = kept;
    }
    memcpy(words->text + words->length, bytes, length);
    words->length += length;
    words->text[words->length] = '\0';
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Without the empty lines around it. */
static const char *words_trim(struct words *words)
{
    while (words->length > 0 && strchr(" \n", words->text[words->length - 1]) != NULL)
        words->text[--words->length] = '\0';
    return words->text + strspn(words->text, " \n");
}

/*
 * Nothing more comes. That it is all is seen before the client is told so: it would run the half statement that it has.
 */
static bool end_source(struct feed *feed, struct error *error)
{
    const char *path = feed->load->dump->path;

    close_source(feed);
    while (feed->packer_says >= 0) {
        if (!listen_to(feed->packer_says, &feed->packer_words))
            fd_close(&feed->packer_says);
    }
    if (feed->decompressor.pid > 0 && !worker_succeeded(&feed->decompressor, worker_wait(&feed->decompressor), error)) {
        error->code = EXIT_CONFIG;
        return error_context(error, "%s cannot be decompressed: is it whole? %s", path,
                             words_trim(&feed->packer_words));
    }
    if (!whole_is(&feed->whole))
        return error_set(error, EXIT_CONFIG,
                         "%s is cut off: it begins like a dump of mariadb-dump, and '-- Dump completed' is missing",
                         path);
    fd_close(&feed->sink);
    return true;
}

static bool fill(struct feed *feed, struct error *error)
{
    ssize_t got = read(feed->source, feed->buffer, BUFFER_SIZE);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got < 0)
        return error_set(error, EXIT_TRY_AGAIN, "cannot read %s: %s", feed->load->dump->path, strerror(errno));
    if (got == 0)
        return end_source(feed, error);
    feed->from = 0;
    feed->to = (size_t)got;
    whole_look(&feed->whole, feed->buffer, feed->to);
    return true;
}

/* A client that is gone says why on its standard error. */
static void drain(struct feed *feed)
{
    ssize_t written = write(feed->sink, feed->buffer + feed->from, feed->to - feed->from);

    if (written > 0)
        feed->from += (size_t)written;
    else if (errno != EAGAIN && errno != EINTR)
        fd_close(&feed->sink);
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static bool tick(struct feed *feed, struct error *error)
{
    const struct load *load = feed->load;
    int64_t at = lseek(load->dump->fd, 0, SEEK_CUR); /* the decompressor has the same offset */

    if (load->dump->decompressor == NULL)
        at -= (int64_t)(feed->to - feed->from);
    teller_tell(&feed->teller, at, load->dump->size);
    if (!feed->half && at >= load->dump->size / 2) {
        feed->half = true;
        if (load->database[0] != '\0')
            test_step("seed-half");
    }
    if (load->may_go_on == NULL || !deadline_passed(feed->ask_at))
        return true;
    feed->ask_at = deadline_in_ms(ASK_MS);
    return load->may_go_on(load->context, error);
}

/* Waits for what can be done next, and does it. Each end of a pipe that would block is left for the next turn. */
static bool turn(struct feed *feed, struct error *error)
{
    bool full = feed->from < feed->to;
    struct pollfd fds[] = {
        {.fd = feed->load->wake_fd, .events = POLLIN},
        {.fd = feed->client_says, .events = POLLIN},
        {.fd = feed->packer_says, .events = POLLIN},
        {.fd = full || feed->sink < 0 ? -1 : feed->source, .events = POLLIN},
        {.fd = full ? feed->sink : -1, .events = POLLOUT},
    };

    if (poll(fds, sizeof fds / sizeof fds[0], TICK_MS) < 0 && errno != EINTR)
        return error_set(error, EXIT_TRY_AGAIN, "cannot wait for a client: %s", strerror(errno));
    if (fds[0].revents != 0)
        return error_set(error, EXIT_TRY_AGAIN, "told to stop; it is begun anew another time");
    if (fds[1].revents != 0 && !listen_to(feed->client_says, &feed->client_words))
        fd_close(&feed->client_says);
    if (fds[2].revents != 0 && feed->packer_says >= 0 && !listen_to(feed->packer_says, &feed->packer_words))
        fd_close(&feed->packer_says);
    if (fds[4].revents != 0)
        drain(feed);
    if (fds[3].revents != 0 && !fill(feed, error))
        return false;
    return tick(feed, error);
}

static bool judge(struct feed *feed, struct error *error)
{
    bool given_all = feed->source < 0;
    int status = worker_wait(&feed->client);

    if (!worker_succeeded(&feed->client, status, error)) {
        if (feed->client_words.length == 0)
            return error_context(error, "%s", feed->load->dump->path);
        return failure_explain(feed->client_words.text, feed->load->dump->path, error);
    }
    if (!given_all)
        return error_set(error, EXIT_CONFIG, "%s: the client stopped before the end of the file",
                         feed->load->dump->path);
    if (feed->client_words.length > 0)
        log_warning("%s: the client says: %s", feed->load->dump->path, words_trim(&feed->client_words));
    return true;
}

static bool feed_all(struct feed *feed, struct error *error)
{
    if (!open_client(feed, error) || !open_source(feed, error))
        return false;
    while (feed->client_says >= 0) {
        if (!turn(feed, error))
            return false;
    }
    teller_end(&feed->teller); /* what is said now begins a line */
    return judge(feed, error);
}

bool load_run(const struct load *load, struct error *error)
{
    struct feed *feed = calloc(1, sizeof *feed);

    if (feed == NULL)
        return error_set(error, EXIT_TRY_AGAIN, "out of memory");
    feed->load = load;
    feed->source = feed->sink = feed->client_says = feed->packer_says = -1;
    feed->ask_at = deadline_in_ms(ASK_MS);
    teller_start(&feed->teller, load->what);
    bool done = feed_all(feed, error);
    teller_end(&feed->teller);
    worker_end(&feed->client);
    worker_end(&feed->decompressor);
    close_source(feed);
    fd_close(&feed->sink);
    fd_close(&feed->client_says);
    fd_close(&feed->packer_says);
    free(feed);
    return done;
}
