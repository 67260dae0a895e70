#include "resident.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clients.h"
#include "deadline.h"
#include "log.h"
#include "log_thread.h"
#include "notify.h"
#include "signals.h"
#include "truth.h"

/* How long the server is asked on after the last client: load balancers ask every few seconds. */
static const int64_t follow_ns = INT64_C(3000000000);

enum {
    BACKLOG = 4096, /* xinetd's own is 64 */
    EVENTS_MOST = 128,
    STOP_WAIT_MS = 250,
    NS_PER_MS = 1000000,
};

/* What an event is about, when it is not about a client. */
#define ID_LISTENER (CLIENTS_IDS + 1)
#define ID_TRUTH    (CLIENTS_IDS + 2)
#define ID_SIGNALS  (CLIENTS_IDS + 3)

/* Settings with the strings that they point into. */
struct setup {
    struct config *config;
    struct settings *settings;
};

static struct {
    const struct sources *sources;
    struct setup setup;
    struct setup next; /* read again, to be used when the refresh that runs has ended */
    struct figures figures;
    int epoll;
    int signals;
    bool ending;
    int64_t end_ns;
    int64_t asked_ns; /* when a client was last there */
    uint64_t connections;
    uint64_t answers;
    int64_t watchdog_ns;
} resident;

/* --- configuration -------------------------------------------------------------------------------------------- */

static void setup_free(struct setup *setup, bool own)
{
    if (setup->config == NULL)
        return;
    config_free(setup->config);
    if (own) {
        free(setup->config);
        free(setup->settings);
    }
    *setup = (struct setup){NULL, NULL};
}

static bool setup_read(struct setup *setup, struct error *error)
{
    struct sources once = *resident.sources;

    *setup = (struct setup){calloc(1, sizeof *setup->config), calloc(1, sizeof *setup->settings)};
    if (setup->config == NULL || setup->settings == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    if (!sources_keep(&once, error))
        return false;
    bool done = configure(&once, setup->config, setup->settings, error);
    sources_free(&once);
    return done;
}

static void use_new_setup(void)
{
    static bool own;

    if (resident.next.config == NULL || !truth_reconfigure(resident.next.settings))
        return;
    clients_configure(resident.next.settings);
    setup_free(&resident.setup, own);
    resident.setup = resident.next;
    resident.next = (struct setup){NULL, NULL};
    own = true;
    log_notice("configuration read again");
    notify_send("READY=1");
}

/*
 * The listening socket is shared with whoever started us, and so is O_NONBLOCK: systemd takes it away whenever it runs
 * a command of a unit with StandardInput=socket, such as ExecReload=. accept() must not wait then, either
 * (SO_RCVTIMEO).
 */
static bool listener_never_waits(void)
{
    static const struct timeval least = {.tv_usec = 1000};
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    return flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0 &&
           setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &least, sizeof least) == 0;
}

static void reload(void)
{
    struct setup fresh;
    struct error error = {.code = EXIT_YES};

    if (!listener_never_waits())
        log_warning("cannot use the listening socket without waiting: %s", strerror(errno));
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(monotonic_ns() / 1000));
    if (!setup_read(&fresh, &error)) {
        log_err("the configuration stays as it was: %s", error.text);
        setup_free(&fresh, true);
        notify_send("READY=1");
        return;
    }
    setup_free(&resident.next, true);
    resident.next = fresh;
    use_new_setup();
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

static bool add(int fd, uint64_t id)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = id};

    return epoll_ctl(resident.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Those who are answered already get their answer; whoever connects now stands in the queue for the next process. */
static void begin_end(int64_t now_ns)
{
    if (resident.ending)
        return;
    notify_send("STOPPING=1");
    resident.ending = true;
    resident.end_ns = now_ns + resident.setup.settings->timeout_ms * NS_PER_MS + NS_PER_MS;
    epoll_ctl(resident.epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    clients_drain();
}

static void take_signals(int64_t now_ns)
{
    for (int number; (number = signals_next(resident.signals)) != 0;) {
        if (number == SIGHUP)
            reload();
        else
            begin_end(now_ns);
    }
}

static void take_event(uint64_t id, int64_t now_ns)
{
    if (id <= CLIENTS_IDS) {
        clients_event(id, now_ns);
    } else if (id == ID_LISTENER) {
        clients_accept(STDIN_FILENO, now_ns);
    } else if (id == ID_SIGNALS) {
        take_signals(now_ns);
    } else if (truth_learn()) {
        clients_answer_waiting(now_ns);
        use_new_setup();
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void beat(int64_t now_ns)
{
    int64_t every_ms = notify_watchdog_ms();

    if (every_ms == 0)
        return;
    if (now_ns >= resident.watchdog_ns) {
        notify_send("WATCHDOG=1");
        resident.watchdog_ns = now_ns + every_ms * NS_PER_MS;
    }
}

static void note_activity(int64_t now_ns)
{
    uint64_t answers = 0;

    for (int i = 0; i < CODE_COUNT; i++)
        answers += resident.figures.answers[i];
    if (answers != resident.answers || resident.figures.connections != resident.connections)
        resident.asked_ns = now_ns;
    resident.answers = answers;
    resident.connections = resident.figures.connections;
}

/* Does what is due at `now_ns` and returns when there will be something to do again. */
static int64_t tend(int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;

    note_activity(now_ns);
    if (clients_waiting() > 0) {
        int64_t patience_ns = truth_patience_end();
        if (patience_ns != 0 && now_ns >= patience_ns) {
            truth_declare_late();
            clients_answer_waiting(now_ns);
        }
        next_ns = earlier(next_ns, truth_patience_end());
    }
    if (now_ns - resident.asked_ns < follow_ns || clients_waiting() > 0)
        next_ns = earlier(next_ns, truth_tick(now_ns));
    next_ns = earlier(next_ns, clients_expire(now_ns));
    if (resident.setup.settings->idle_exit_ms > 0 && resident.figures.clients == 0)
        next_ns = earlier(next_ns, resident.asked_ns + resident.setup.settings->idle_exit_ms * NS_PER_MS);
    if (notify_watchdog_ms() > 0)
        next_ns = earlier(next_ns, resident.watchdog_ns);
    return resident.ending ? earlier(next_ns, resident.end_ns) : next_ns;
}

static bool is_over(int64_t now_ns)
{
    if (resident.ending)
        return resident.figures.clients == 0 || now_ns >= resident.end_ns;
    return resident.setup.settings->idle_exit_ms > 0 && resident.figures.clients == 0 &&
           now_ns - resident.asked_ns >= resident.setup.settings->idle_exit_ms * NS_PER_MS;
}

static void serve(void)
{
    struct epoll_event events[EVENTS_MOST];

    resident.asked_ns = monotonic_ns();
    for (;;) {
        int64_t now_ns = monotonic_ns();
        beat(now_ns);
        struct deadline next = {tend(now_ns)};
        if (is_over(now_ns))
            return;
        int count = epoll_wait(resident.epoll, events, EVENTS_MOST, deadline_left_ms(next));
        now_ns = monotonic_ns();
        for (int i = 0; i < count; i++)
            take_event(events[i].data.u64, now_ns);
    }
}

/* --- beginning and end ---------------------------------------------------------------------------------------- */

static bool open_all(bool agent, struct error *error)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, 0};

    mallopt(M_ARENA_MAX, 1); /* a second heap would cost memory and serve one idle thread */
    if (!listener_never_waits())
        return error_set(error, EXIT_INTERNAL, "cannot use the listening socket: %s", strerror(errno));
    listen(STDIN_FILENO, BACKLOG);
    resident.signals = signals_open(wanted, error);
    if (resident.signals < 0)
        return false;
    resident.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (resident.epoll < 0)
        return error_set(error, EXIT_INTERNAL, "cannot make an epoll set: %s", strerror(errno));
    if (!clients_open(resident.epoll, resident.setup.settings, agent, &resident.figures, error) ||
        !truth_open(resident.setup.settings, &resident.figures, error))
        return false;
    if (!add(STDIN_FILENO, ID_LISTENER) || !add(truth_fd(), ID_TRUTH) || !add(resident.signals, ID_SIGNALS))
        return error_set(error, EXIT_INTERNAL, "cannot watch the listening socket: %s", strerror(errno));
    return log_thread_start(error);
}

int resident_run(const struct sources *sources, struct config *config, struct settings *settings, bool agent,
                 struct error *error)
{
    resident.sources = sources;
    resident.setup = (struct setup){config, settings};
    notify_open();
    if (!open_all(agent, error))
        return (int)error->code;
    notify_send("READY=1");
    serve();
    clients_close();
    /* A thread that hangs in the client library or at the log cannot be waited for, and must not meet exit handlers. */
    bool asked = truth_close(STOP_WAIT_MS);
    if (!log_thread_stop(STOP_WAIT_MS) || !asked)
        _exit(EXIT_YES);
    return EXIT_YES;
}
