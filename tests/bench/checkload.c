/*
 * Asks an HTTP health check again and again, from many clients at once, and is
 * strict about the answers: the status line, the length against
 * Content-Length, and the way the connection ends: a reset after a complete
 * answer is not good either, because whether it is seen is a matter of luck.
 *
 * One thread, one epoll set; every check belongs to one of the categories below.
 */
#include "sample.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 20000,
    HEAD_SIZE = 8192, /* a status line and its headers */
    TICK_MS = 20,     /* how often timeouts are looked for */
    TOTAL_MAX_SECONDS = 3600,
};

static const uint64_t NO_LENGTH = UINT64_MAX;

enum outcome {
    OK,
    WRONG_STATUS,
    RESET,      /* before the answer was complete */
    LATE_RESET, /* after all of it: a client that waits for the end sees it */
    EMPTY,
    SHORT_BODY,
    LONG_BODY,
    MALFORMED,
    CONNECT_ERROR,
    TIMED_OUT,
    OUTCOMES
};

static const char *const outcome_names[OUTCOMES] = {
    [OK] = "ok",
    [WRONG_STATUS] = "wrong_status",
    [RESET] = "resets",
    [LATE_RESET] = "late_resets",
    [EMPTY] = "empty",
    [SHORT_BODY] = "short_body",
    [LONG_BODY] = "long_body",
    [MALFORMED] = "malformed",
    [CONNECT_ERROR] = "connect_errors",
    [TIMED_OUT] = "timeouts",
};

struct options {
    uint64_t clients;
    uint64_t count;
    uint64_t seconds;
    uint64_t timeout_ms;
    uint64_t expected; /* 0: any */
    bool keep_alive;
    bool json;
    const char *method;
    const char *path;
};

struct target {
    struct sockaddr_storage address;
    socklen_t length;
    char request[1024];
    size_t request_length;
    bool body_expected;
};

struct client {
    int fd; /* -1: none */
    bool busy;
    size_t sent;
    uint64_t start;
    char head[HEAD_SIZE];
    size_t head_used;
    bool head_done;
    unsigned status;
    uint64_t length; /* Content-Length, or NO_LENGTH */
    uint64_t body;   /* bytes of it seen */
    bool closing;    /* the answer says Connection: close, or is HTTP/1.0 */
};

struct load {
    struct options o;
    struct target target;
    int epoll;
    struct client *clients;
    uint64_t started;
    uint64_t finished;
    uint64_t connections;
    uint64_t outcomes[OUTCOMES];
    unsigned statuses[1000];
    struct sample latency; /* ns, of every check that reached the server */
    uint64_t begin;
    uint64_t stop_starting; /* no new check from here on */
    int first_errno;
};

static const char usage_text[] =
    "usage: checkload [OPTION]... ADDRESS:PORT\n"
    "Asks an HTTP check repeatedly; good means the right status, an exact length, no reset.\n"
    "  -c, --clients N    checks at a time (default 1)\n"
    "  -n, --count N      checks in all (default 200)\n"
    "  -d, --seconds N    check for N seconds instead\n"
    "  -k, --keep-alive   HTTP/1.1 with connections kept (default: HTTP/1.0, one each)\n"
    "  -m, --method M     default OPTIONS, as HAProxy asks\n"
    "  -p, --path P       default /\n"
    "  -e, --expect CODE  the good status (default 200), or any\n"
    "  -t, --timeout MS   bound of one check (default 5000)\n"
    "  -j, --json         print JSON\n"
    "ADDRESS is a name, an IPv4 address, or an IPv6 address in brackets.\n"
    "Exit: 0 every check good, 1 not so, 64 usage, 69 cannot resolve, 70 internal error.\n";

static bool client_begin(struct load *load, struct client *c);
static void client_pump(struct load *load, struct client *c);

static void client_disconnect(struct client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

/* Books the check; the connection stays only after a good answer that allows it. */
static void client_finish(struct load *load, struct client *c, enum outcome outcome)
{
    load->outcomes[outcome]++;
    load->finished++;
    if (c->head_done && c->status < 1000)
        load->statuses[c->status]++;
    if (outcome != CONNECT_ERROR)
        sample_add(&load->latency, clock_now() - c->start);
    c->busy = false;
    if (!load->o.keep_alive || c->closing || outcome != OK)
        client_disconnect(c);
}

static void client_finish_errno(struct load *load, struct client *c, enum outcome outcome)
{
    if (load->first_errno == 0)
        load->first_errno = errno;
    client_finish(load, c, outcome);
}

/* Where the value of one header line begins, or NULL when it is another header. */
static const char *header_value(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0 || line[length] != ':')
        return NULL;
    line += length + 1;
    return line + strspn(line, " \t");
}

static bool header_read(struct client *c, const char *line)
{
    const char *value = header_value(line, "Content-Length");
    if (value) {
        uint64_t length = 0;
        if (c->length != NO_LENGTH || !number_parse(value, 0, INT64_MAX, &length))
            return false;
        c->length = length;
        return true;
    }
    value = header_value(line, "Connection");
    if (value) {
        c->closing = strcasecmp(value, "keep-alive") == 0 ? false : strcasecmp(value, "close") == 0 ? true : c->closing;
    }
    return !header_value(line, "Transfer-Encoding");
}

/* Takes the head apart; head is a string with its blank line cut off. */
static bool head_parse(struct client *c, char *head)
{
    static const char version[] = "HTTP/1.";
    size_t prefix = sizeof version - 1;
    if (strncmp(head, version, prefix) != 0 || (head[prefix] != '0' && head[prefix] != '1') || head[prefix + 1] != ' ')
        return false;
    c->closing = head[prefix] == '0';
    char *line = head;
    char *end = strstr(line, "\r\n");
    if (end)
        *end = '\0';
    char code[4] = "";
    memcpy(code, head + prefix + 2, strnlen(head + prefix + 2, 3));
    uint64_t status = 0;
    if (!number_parse(code, 100, 999, &status))
        return false;
    char after = head[prefix + 5];
    if (after != ' ' && after != '\0')
        return false;
    c->status = (unsigned)status;
    while (end) {
        line = end + 2;
        end = strstr(line, "\r\n");
        if (end)
            *end = '\0';
        if (!header_read(c, line))
            return false;
    }
    return true;
}

static enum outcome answer_judge(const struct load *load, const struct client *c)
{
    uint64_t wanted = load->target.body_expected ? c->length : 0;
    if (c->length == NO_LENGTH)
        return MALFORMED;
    if (c->body < wanted)
        return SHORT_BODY;
    if (c->body > wanted)
        return LONG_BODY;
    return load->o.expected == 0 || c->status == load->o.expected ? OK : WRONG_STATUS;
}

/* Eats bytes that came; false when the check was booked because of them. */
static bool client_feed(struct load *load, struct client *c, const char *data, size_t size)
{
    if (!c->head_done) {
        size_t room = sizeof c->head - 1 - c->head_used;
        size_t taken = size < room ? size : room;
        size_t from = c->head_used > 3 ? c->head_used - 3 : 0;
        memcpy(c->head + c->head_used, data, taken);
        c->head_used += taken;
        c->head[c->head_used] = '\0';
        char *blank = strstr(c->head + from, "\r\n\r\n");
        if (!blank) {
            if (c->head_used < sizeof c->head - 1)
                return true;
            client_finish(load, c, MALFORMED);
            return false;
        }
        size_t head_length = (size_t)(blank - c->head) + 4;
        *blank = '\0';
        if (!head_parse(c, c->head)) {
            client_finish(load, c, MALFORMED);
            return false;
        }
        c->head_done = true;
        c->body = c->head_used - head_length + (size - taken);
    } else {
        c->body += size;
    }
    /* An answer that ends with its connection is judged when that has ended. */
    if (!load->o.keep_alive || c->closing)
        return true;
    uint64_t wanted = load->target.body_expected ? c->length : 0;
    if (c->length != NO_LENGTH && c->body < wanted)
        return true;
    client_finish(load, c, answer_judge(load, c));
    return false;
}

static void client_closed(struct load *load, struct client *c)
{
    if (c->head_used == 0) {
        client_finish(load, c, EMPTY);
    } else if (!c->head_done) {
        client_finish(load, c, MALFORMED);
    } else {
        client_finish(load, c, answer_judge(load, c));
    }
}

static bool answer_complete(const struct load *load, const struct client *c)
{
    return c->head_done && c->length != NO_LENGTH && c->body >= (load->target.body_expected ? c->length : 0);
}

/* The category of a connection that broke with `error`. */
static enum outcome breakage(const struct load *load, const struct client *c, int error)
{
    if (error != ECONNRESET && error != EPIPE)
        return CONNECT_ERROR;
    return answer_complete(load, c) ? LATE_RESET : RESET;
}

/* Sends what is left of the request; false when the check was booked. */
static bool client_send(struct load *load, struct client *c)
{
    while (c->sent < load->target.request_length) {
        ssize_t n = send(c->fd, load->target.request + c->sent, load->target.request_length - c->sent, MSG_NOSIGNAL);
        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            client_finish_errno(load, c, breakage(load, c, errno));
            return false;
        }
    }
    return true;
}

/* Moves a check as far as it goes without waiting (the epoll set is edge triggered). */
static void client_pump(struct load *load, struct client *c)
{
    char data[16384];
    if (!c->busy) {
        /* Between two checks a kept connection may be closed, not spoken on. */
        client_disconnect(c);
        return;
    }
    if (!client_send(load, c))
        return;
    while (c->busy) {
        ssize_t n = recv(c->fd, data, sizeof data, 0);
        if (n > 0) {
            if (!client_feed(load, c, data, (size_t)n))
                return;
        } else if (n == 0) {
            client_closed(load, c);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            client_finish_errno(load, c, breakage(load, c, errno));
        }
    }
}

/* Opens the connection and registers it; false when that failed and was booked. */
static bool client_connect(struct load *load, struct client *c)
{
    c->fd = socket(load->target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        client_finish_errno(load, c, CONNECT_ERROR);
        return false;
    }
    load->connections++;
    if (connect(c->fd, (const struct sockaddr *)&load->target.address, load->target.length) < 0 &&
        errno != EINPROGRESS) {
        client_finish_errno(load, c, CONNECT_ERROR);
        return false;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        bench_die(70, "epoll_ctl: %s", strerror(errno));
    return true;
}

static bool load_may_start(const struct load *load)
{
    return load->o.seconds ? clock_now() < load->stop_starting
                           : load->started < load->o.count && clock_now() < load->stop_starting;
}

/* Starts one check; false when no further one is to be started. */
static bool client_begin(struct load *load, struct client *c)
{
    if (!load_may_start(load))
        return false;
    load->started++;
    c->busy = true;
    c->sent = 0;
    c->start = clock_now();
    c->head_used = 0;
    c->head_done = false;
    c->status = 0;
    c->length = NO_LENGTH;
    c->body = 0;
    c->closing = false;
    if (c->fd < 0 && !client_connect(load, c))
        return true;
    /* On loopback the connection often stands already: try before waiting. */
    (void)client_send(load, c);
    return true;
}

static void timeouts_book(struct load *load)
{
    uint64_t now = clock_now();
    for (uint64_t i = 0; i < load->o.clients; i++) {
        struct client *c = &load->clients[i];
        if (c->busy && now > c->start && now - c->start > load->o.timeout_ms * 1000000U)
            client_finish(load, c, TIMED_OUT);
    }
}

static void load_run(struct load *load)
{
    struct epoll_event events[256];
    uint64_t last_tick = clock_now();
    load->begin = last_tick;
    load->stop_starting = load->begin + (load->o.seconds ? load->o.seconds : TOTAL_MAX_SECONDS) * 1000000000U;
    for (;;) {
        bool busy = false;
        for (uint64_t i = 0; i < load->o.clients; i++) {
            struct client *c = &load->clients[i];
            if (c->busy || client_begin(load, c))
                busy = true;
        }
        if (!busy)
            return;
        int n = epoll_wait(load->epoll, events, 256, TICK_MS);
        if (n < 0 && errno != EINTR)
            bench_die(70, "epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c->fd >= 0)
                client_pump(load, c);
            if (!c->busy)
                (void)client_begin(load, c);
        }
        if (clock_now() - last_tick > (uint64_t)TICK_MS * 1000000U) {
            timeouts_book(load);
            last_tick = clock_now();
        }
    }
}

static void report(struct load *load)
{
    double seconds = (double)(clock_now() - load->begin) / 1e9;
    double rate = seconds > 0 ? (double)load->finished / seconds : 0;
    double p50 = (double)sample_quantile(&load->latency, 500) / 1e3;
    double p99 = (double)sample_quantile(&load->latency, 990) / 1e3;
    double most = (double)sample_quantile(&load->latency, 1000) / 1e3;
    if (load->o.json) {
        printf("{\"clients\":%llu,\"checks\":%llu,\"connections\":%llu,\"seconds\":%.6f,"
               "\"rate\":%.1f,\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},"
               "\"statuses\":{",
               (unsigned long long)load->o.clients, (unsigned long long)load->finished,
               (unsigned long long)load->connections, seconds, rate, p50, p99, most);
        const char *comma = "";
        for (unsigned i = 0; i < 1000; i++) {
            if (load->statuses[i]) {
                printf("%s\"%u\":%u", comma, i, load->statuses[i]);
                comma = ",";
            }
        }
        putchar('}');
        for (int i = 0; i < OUTCOMES; i++)
            printf(",\"%s\":%llu", outcome_names[i], (unsigned long long)load->outcomes[i]);
        printf("}\n");
        return;
    }
    printf("checks %llu  seconds %.3f  rate %.1f/s  p50 %.0f us  p99 %.0f us  max %.0f us\n",
           (unsigned long long)load->finished, seconds, rate, p50, p99, most);
    for (int i = 0; i < OUTCOMES; i++) {
        if (i == OK || load->outcomes[i])
            printf("%s%s %llu", i == OK ? "" : "  ", outcome_names[i], (unsigned long long)load->outcomes[i]);
    }
    putchar('\n');
    if (load->first_errno)
        printf("first error: %s\n", strerror(load->first_errno));
}

/* Splits ADDRESS:PORT in place and resolves it. */
static void target_resolve(struct load *load, char *text)
{
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon[1] == '\0')
        bench_die(64, "%s: want ADDRESS:PORT", text);
    *colon = '\0';
    const char *host = text;
    size_t length = strlen(text);
    if (text[0] == '[' && length > 2 && text[length - 1] == ']') {
        text[length - 1] = '\0';
        host = text + 1;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, colon + 1, &hints, &found);
    if (rc != 0)
        bench_die(69, "%s: %s", host, gai_strerror(rc));
    memcpy(&load->target.address, found->ai_addr, found->ai_addrlen);
    load->target.length = found->ai_addrlen;
    freeaddrinfo(found);

    const struct options *o = &load->o;
    int n =
        o->keep_alive
            ? snprintf(load->target.request, sizeof load->target.request,
                       "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: keep-alive\r\n\r\n", o->method, o->path, host)
            : snprintf(load->target.request, sizeof load->target.request, "%s %s HTTP/1.0\r\n\r\n", o->method, o->path);
    if (n < 0 || (size_t)n >= sizeof load->target.request)
        bench_die(64, "the request is too long");
    load->target.request_length = (size_t)n;
    load->target.body_expected = strcmp(o->method, "HEAD") != 0;
}

static uint64_t number_option(const char *name, const char *text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    if (!number_parse(text, least, most, &value)) {
        bench_die(64, "--%s %s: want %llu to %llu", name, text, (unsigned long long)least, (unsigned long long)most);
    }
    return value;
}

static void options_read(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"clients", required_argument, NULL, 'c'},
        {"count", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 'd'},
        {"keep-alive", no_argument, NULL, 'k'},
        {"method", required_argument, NULL, 'm'},
        {"path", required_argument, NULL, 'p'},
        {"expect", required_argument, NULL, 'e'},
        {"timeout", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "c:n:d:km:p:e:t:jh", longs, NULL)) != -1) {
        switch (letter) {
        case 'c':
            o->clients = number_option("clients", optarg, 1, CLIENTS_MAX);
            break;
        case 'n':
            o->count = number_option("count", optarg, 1, 100000000);
            break;
        case 'd':
            o->seconds = number_option("seconds", optarg, 1, TOTAL_MAX_SECONDS);
            break;
        case 'k':
            o->keep_alive = true;
            break;
        case 'm':
            o->method = optarg;
            break;
        case 'p':
            o->path = optarg;
            break;
        case 'e':
            o->expected = strcmp(optarg, "any") == 0 ? 0 : number_option("expect", optarg, 100, 999);
            break;
        case 't':
            o->timeout_ms = number_option("timeout", optarg, 1, 600000);
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            (void)fputs(usage_text, stdout);
            exit(0);
        default:
            (void)fputs(usage_text, stderr);
            exit(64);
        }
    }
}

/* Many clients need many descriptors; ask for as many as are allowed. */
static void descriptors_allow(uint64_t clients)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < clients + 16) {
        bench_die(64, "--clients %llu: only %llu descriptors are allowed", (unsigned long long)clients,
                  (unsigned long long)limit.rlim_max);
    }
}

int main(int argc, char **argv)
{
    static struct load load = {
        .o = {.clients = 1, .count = 200, .timeout_ms = 5000, .expected = 200, .method = "OPTIONS", .path = "/"}};
    options_read(argc, argv, &load.o);
    if (optind != argc - 1) {
        (void)fputs(usage_text, stderr);
        return 64;
    }
    target_resolve(&load, argv[optind]);
    descriptors_allow(load.o.clients);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.clients = calloc(load.o.clients, sizeof *load.clients);
    if (load.epoll < 0 || !load.clients)
        bench_die(70, "cannot set up: %s", strerror(errno));
    for (uint64_t i = 0; i < load.o.clients; i++)
        load.clients[i].fd = -1;

    load_run(&load);
    report(&load);

    bool good =
        load.finished > 0 && load.outcomes[OK] == load.finished && (load.o.seconds || load.finished == load.o.count);
    sample_free(&load.latency);
    free(load.clients);
    (void)close(load.epoll);
    if (fflush(stdout) != 0)
        return 70;
    return good ? 0 : 1;
}
