#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backoff.h"
#include "fd.h"
#include "init.h"
#include "log.h"
#include "notify.h"
#include "signals.h"
#include "teststep.h"

enum {
    NS_PER_MS = 1000000,
    AGAIN_MS = 20,
    AGAIN_MOST = 20, /* so often at once; then whatever keeps changing is given time */
    FAILED_MS = 2000,
    BLIND_MOST_MS = 15000, /* looking may mean to run the server with --wsrep-recover */
    LEAVE_MS = 8000,
    REVOKE_MS = 3000,
    SIGNAL_EXIT = 128,
    SEQNO_EVERY_MS = 3000,
    WAIT_SLICE_MS = 1000
};

/* --- signals ------------------------------------------------------------------------------------------------------ */

/* SIGHUP and the like are the server's: it opens its logs again. */
static void take_signals(struct init *init)
{
    for (int number; (number = signals_next(init->signal_fd)) != 0;) {
        switch (number) {
        case SIGTERM:
        case SIGINT:
        case SIGQUIT:
            init->stopping = true;
            break;
        case SIGHUP:
        case SIGUSR1:
        case SIGUSR2:
            if (init->process.child.pid != 0)
                kill(init->process.child.pid, number);
            break;
        default:
            break;
        }
    }
    process_reap(init);
}

static void wait_ms(struct init *init, int64_t ms)
{
    struct pollfd wake = {.fd = init->signal_fd, .events = POLLIN};
    struct deadline deadline = deadline_in_ms(ms);

    do {
        int left = deadline_left_ms(deadline);
        tell_alive(init);
        if (poll(&wake, 1, left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS) > 0)
            break;
    } while (!deadline_passed(deadline));
    take_signals(init);
}

/* --- telling the others ------------------------------------------------------------------------------------------- */

/* The seqno changes all the time: now and then is enough. */
static void tell_members(struct init *init)
{
    int64_t *told_ns = &init->turning.seqno_told_ns;
    int64_t now = monotonic_ns();

    if (init->holding.position.seqno != init->card.seqno && now - *told_ns > SEQNO_EVERY_MS * (int64_t)NS_PER_MS) {
        init->card.seqno = init->holding.position.seqno;
        *told_ns = now;
    }
    keeper_tell(init->keeper, init_phase(init), init->boot, &init->card);
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

static int exit_code_of(int status)
{
    return WIFSIGNALED(status) ? SIGNAL_EXIT + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool stopped_cleanly(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The server has ended, and nobody told it to, or an admin did by SQL. */
static int end(struct init *init)
{
    int status = init->process.status;

    load_stop(init);
    init->leaving = true;
    tell_members(init);
    if (stopped_cleanly(status) && init->process.was_primary) {
        log_notice("the server was stopped by somebody else");
        init_new_boot(init);
        carry_leave(init, deadline_in_ms(LEAVE_MS));
    } else {
        tell_end(init);
    }
    return exit_code_of(status);
}

/* A server that has become Primary since the last turn has clients to drain and a position to leave behind. */
static bool is_primary_by_now(struct init *init)
{
    struct error error;
    bool was_primary = init->process.was_primary;

    look_at_server(init);
    if (init->process.was_primary && !was_primary && !look(init, &error))
        log_info("%s", error.text);
    return init->process.was_primary;
}

/* We are to end: the server is stopped, and that it is goes into etcd. */
static int stop(struct init *init)
{
    struct error error;

    notify_send("STOPPING=1\nSTATUS=stopping");
    init->stopping = true;
    load_stop(init);
    init->leaving = true;
    tell_members(init);
    if (init->process.ended) /* whoever told us has told it as well, or it could not wait */
        return end(init);
    if (init->process.child.pid == 0)
        return EXIT_YES;
    log_notice("stopping the server");
    bool was_primary = is_primary_by_now(init);
    if (was_primary) { /* noted first: from here on this node is one that others may count on */
        if (!remember_pledge(init, &error))
            log_warning("%s", error.text);
        test_step("stop-noted");
    }
    int status = process_stop(init, STOP_CLEANLY);
    if (init->process.child.pid != 0) {
        log_err("the server (pid %d) cannot be ended, not even by SIGKILL: leaving it behind",
                (int)init->process.child.pid);
        return EXIT_INTERNAL;
    }
    test_step("server-stopped");
    init_new_boot(init);
    if (!stopped_cleanly(status))
        return was_primary ? exit_code_of(status) : EXIT_YES;
    log_notice("the server has stopped");
    if (was_primary)
        carry_leave(init, deadline_in_ms(LEAVE_MS));
    return EXIT_YES;
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static void when_primary(struct init *init)
{
    if (init->situation.local.server != SERVER_PRIMARY || !init->process.answers)
        return;
    local_note_view(&init->local, init->settings->name, &init->process.facts, lineage_newest(&init->state.lineage));
    load_when_due(init);
}

static int64_t pause_of(const struct init *init)
{
    bool settled = init->decision.action == ACTION_RUN && init->situation.local.server == SERVER_PRIMARY;
    int64_t ms = settled ? 2 * init->settings->poll_ms : init->settings->poll_ms;

    return jitter_ms(ms, 20, random_number());
}

/* Whether an error that keeps the facts from being gathered is worth waiting for. */
static bool may_heal(const struct error *error)
{
    return error->code != EXIT_CONFIG && error->code != EXIT_PERMISSION;
}

static void complain(struct init *init, const struct error *error)
{
    if (strcmp(init->turning.complained, error->text) == 0)
        return;
    snprintf(init->turning.complained, sizeof init->turning.complained, "%s", error->text);
    log_err("%s; trying again", error->text);
}

/* One turn. True: the program ends with `*code`. */
static bool turn(struct init *init, int64_t *pause_ms, int *code, struct error *error)
{
    struct turning *turning = &init->turning;
    struct error problem = {.code = EXIT_YES};

    take_signals(init);
    if (init->stopping) {
        *code = stop(init);
        return true;
    }
    if (init->process.ended) {
        *code = end(init);
        return true;
    }
    *pause_ms = FAILED_MS;
    if (!look(init, &problem)) {
        take_signals(init);
        if (init->stopping) { /* which may be what kept us from looking */
            *pause_ms = 0;
            return false;
        }
        if (!may_heal(&problem) && init->process.child.pid == 0) {
            *error = problem;
            return true;
        }
        complain(init, &problem);
        tell_members(init);
        *pause_ms = backoff_delay_ms(&turning->blind, random_number());
        return false;
    }
    backoff_reset(&turning->blind);
    init->decision = decide(&init->situation);
    tell_decision(init);
    tell_members(init);
    tell_transfer(init);
    tell_systemd(init);
    enum carried carried = carry(init, &problem);
    turning->again = carried == CARRY_AGAIN ? turning->again + 1 : 0;
    switch (carried) {
    case CARRIED:
        *pause_ms = pause_of(init);
        turning->complained[0] = '\0';
        break;
    case CARRY_AGAIN:
        *pause_ms = jitter_ms(turning->again > AGAIN_MOST ? init->settings->poll_ms : AGAIN_MS, 50, random_number());
        break;
    case CARRY_LATER:
        complain(init, &problem);
        break;
    case CARRY_REFUSED:
        stop(init); /* it may run without a Primary Component */
        *code = EXIT_PERMISSION;
        return true;
    }
    when_primary(init);
    return false;
}

static int loop(struct init *init, struct error *error)
{
    int code = EXIT_YES;
    int64_t pause_ms;

    while (!turn(init, &pause_ms, &code, error))
        wait_ms(init, pause_ms);
    return code;
}

/* --- beginning and end -------------------------------------------------------------------------------------------- */

static bool begin(struct init *init, struct error *error)
{
    const struct settings *settings = init->settings;
    struct etcd *for_keeper;

    if (!statefile_open(&init->file, settings->state_dir, settings->cluster, settings->name, &init->state, error) ||
        !server_ask(&init->command, init->stop_fd, &init->info, error))
        return false;
    if (init->state.datadir[0] != '\0' && strcmp(init->state.datadir, init->info.datadir) != 0)
        return error_set(error, EXIT_CONFIG,
                         "the state directory %s is of the data directory %s, not %s: each needs one of its own",
                         settings->state_dir, init->state.datadir, init->info.datadir);
    snprintf(init->state.datadir, sizeof init->state.datadir, "%s", init->info.datadir);
    snprintf(init->state.cluster, sizeof init->state.cluster, "%s", settings->cluster);
    snprintf(init->state.node, sizeof init->state.node, "%s", settings->name);
    init->card.seqno = SEQNO_UNKNOWN;
    if (settings->address != NULL)
        snprintf(init->card.address, sizeof init->card.address, "%s", settings->address);
    card_complete(&init->card, init->info.port);
    settings_prefix(settings, init->prefix);
    if (!local_open(&init->local, settings, init->info.socket, error))
        return false;
    init->etcd = etcd_open((struct etcd_settings *)(uintptr_t)&settings->etcd, -1, error);
    if (init->etcd == NULL)
        return false;
    for_keeper = etcd_open((struct etcd_settings *)(uintptr_t)&settings->etcd, -1, error);
    if (for_keeper == NULL)
        return false;
    init->keeper = keeper_open(for_keeper, init->prefix, settings->name, settings->ttl_ms, init->state.lease, error);
    return init->keeper != NULL;
}

static void warn_of_bind_address(const struct init *init)
{
    const char *bind = init->info.bind_address;

    if (strncmp(bind, "127.", 4) == 0 && strncmp(init->card.address, "127.", 4) != 0)
        log_warning(
            "the server's bind-address is %s: the other nodes cannot ask it whether it is Primary, and will not "
            "join it; set bind-address = 0.0.0.0, or this node's address",
            bind);
}

int supervise(const struct settings *settings, const struct server_command *command, char **self_arguments,
              int self_count, struct error *error)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, 0};
    static const int stops[] = {SIGTERM, SIGINT, SIGQUIT, 0};
    struct init *init = calloc(1, sizeof *init);
    int code = EXIT_YES;

    if (init == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return EXIT_INTERNAL;
    }
    init->settings = settings;
    init->command = *command;
    init->command.datadir = settings->datadir;
    init->self = self_arguments;
    init->self_count = self_count;
    init->turning.blind = (struct backoff){.first_ms = FAILED_MS, .most_ms = BLIND_MOST_MS};
    init->file = (struct statefile){.directory_fd = -1, .lock_fd = -1};
    init_new_boot(init);
    init->signal_fd = signals_open(signals, error);
    init->stop_fd = init->signal_fd < 0 ? -1 : signals_open(stops, error);
    child_set_tick(tell_alive, init);
    notify_open();
    if (init->stop_fd >= 0 && begin(init, error)) {
        log_notice("node %s of cluster %s: server %s, data in %s", settings->name, settings->cluster,
                   init->command.argv[0], init->info.datadir);
        warn_of_bind_address(init);
        process_undrain(init);
        code = loop(init, error);
    } else if (init->stop_fd >= 0) {
        take_signals(init);
        if (init->stopping) /* nothing was done yet */
            error->code = EXIT_YES;
    }
    keeper_close(init->keeper, REVOKE_MS);
    etcd_close(init->etcd);
    local_close(&init->local);
    keys_free(&init->keys);
    statefile_close(&init->file);
    notify_close();
    fd_close(&init->stop_fd);
    fd_close(&init->signal_fd);
    free(init);
    return code;
}
