/* Our server's process: started, stopped, collected. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "init.h"
#include "log.h"
#include "marks.h"
#include "num.h"
#include "output.h"
#include "teststep.h"

enum {
    NS_PER_MS = 1000000,
    STOP_POLL_MS = 100,
    /* mariadbd loses a SIGTERM that comes while it starts, and one that waits for a Primary Component never hears it.
     */
    ASK_AGAIN_MS = 3000,
    DEAF_MS = 3000,          /* ours: so long for one that cannot have committed anything */
    DEAF_STRANGER_MS = 8000, /* of a stranger we do not know how far it has come */
    DRAIN_LEAST_MS = 2000,   /* the load balancer has to notice */
    KILL_MS = 10000
};

/* --- starting ----------------------------------------------------------------------------------------------------- */

bool process_start(struct init *init, const struct server_start *start, struct error *error)
{
    static struct server_arguments arguments;
    struct process *process = &init->process;
    struct stat log;
    bool started;

    if (!server_start_arguments(&init->command, start, &arguments, error))
        return false;
    init->telling.log_offset =
        init->info.log_error[0] != '\0' && stat(init->info.log_error, &log) == 0 ? log.st_size : 0;
    int out_fd = init->info.log_error[0] == '\0' ? output_open(error) : -1;
    if (out_fd < 0 && init->info.log_error[0] == '\0')
        return false;
    started = child_fork(&process->child, arguments.argv, out_fd, error);
    fd_close(&out_fd);
    if (!started)
        return false;
    init->state.server_pid = process->child.pid;
    init->state.server_start = process_start_time(process->child.pid);
    if (!remember_now(init, error)) {
        child_abandon(&process->child);
        return error_context(error, "cannot note the server's process");
    }
    if (!child_release(&process->child, arguments.argv[0], error))
        return false;
    init->disk_known = false;
    process->was_primary = process->ended = false;
    process->idle_ns = process->disconnected_ns = 0;
    process->started_ns = monotonic_ns();
    log_notice("started %s (pid %d)%s gcomm://%s", arguments.argv[0], (int)process->child.pid,
               start->new_cluster ? " as a new cluster at" : " to join", start->members);
    test_step("server-started");
    return true;
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

static void note_end(struct init *init, int status)
{
    struct process *process = &init->process;

    process->child.pid = 0;
    process->ended = true;
    process->status = status;
    process->answers = false;
    process->idle_ns = process->disconnected_ns = 0;
    init->disk_known = false;
    init->state.server_pid = init->state.server_start = 0; /* saved with what comes next */
    local_close(&init->local);
}

void process_reap(struct init *init)
{
    int status;
    pid_t pid;

    /* As PID 1 of a container we inherit orphans as well. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == init->process.child.pid)
            note_end(init, status);
        else if (pid == init->loader)
            load_ended(init, status);
    }
}

/* --- stopping ----------------------------------------------------------------------------------------------------- */

/* Waits until the condition holds or the deadline has passed, with signs of life; false: it passed. */
static bool wait_for(struct init *init, bool (*condition)(struct init *init), struct deadline deadline)
{
    while (!condition(init)) {
        if (deadline_passed(deadline))
            return false;
        tell_alive(init);
        poll(NULL, 0, STOP_POLL_MS);
    }
    return true;
}

static bool has_ended(struct init *init)
{
    process_reap(init);
    return init->process.child.pid == 0;
}

/* In a state transfer, as donor or as joiner. */
static bool in_transfer(struct init *init)
{
    struct error error;
    struct facts *facts = &init->process.facts;

    if (mark_transfer(init->info.datadir))
        return true;
    if (local_ask(&init->local, facts, &error) != NODE_ANSWERED)
        return false;
    bool desynced_by_hand = facts_is(facts, "wsrep_desync", "ON");
    return facts_is(facts, "wsrep_local_state", "2") ? !desynced_by_hand : facts_is(facts, "wsrep_local_state", "1");
}

static bool transfer_is_over(struct init *init)
{
    return has_ended(init) || !in_transfer(init);
}

static void let_transfer_end(struct init *init, struct deadline deadline)
{
    char patience[32];

    if (!in_transfer(init))
        return;
    duration_format(deadline_left_ms(deadline), patience, sizeof patience);
    log_notice(
        "a state transfer is under way; waiting up to %s (stop_timeout) for its end before the server is stopped",
        patience);
    if (!wait_for(init, transfer_is_over, deadline))
        log_warning(
            "the state transfer has not ended: stopping the server nevertheless; the joiner of the transfer has to "
            "begin anew");
}

static bool no_sessions(struct init *init)
{
    return has_ended(init) || local_sessions(&init->local) <= 0;
}

/* What our drain file holds, so that one that we left behind is known for ours. */
static const char drain_words[] = "galera-init\n";

void process_undrain(const struct init *init)
{
    const char *path = init->settings->drain_file;
    char text[sizeof drain_words] = "";
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    bool ours = read(fd, text, sizeof text) == (ssize_t)strlen(drain_words) && strcmp(text, drain_words) == 0;
    close(fd);
    if (ours && unlink(path) == 0)
        log_notice("removed %s, which a galera-init that was killed has left behind", path);
}

/* Lets clients go elsewhere: the check says that we drain, and their sessions may end. True: the file is ours. */
static bool drain(struct init *init, struct deadline deadline)
{
    const char *path = init->settings->drain_file;
    struct deadline until = deadline_earlier(deadline, deadline_in_ms(init->settings->drain_ms));
    int64_t least_ms = init->settings->drain_ms < DRAIN_LEAST_MS ? init->settings->drain_ms : DRAIN_LEAST_MS;
    struct deadline least = deadline_earlier(until, deadline_in_ms(least_ms));

    if (init->settings->drain_ms == 0 || path == NULL || facts_is(&init->process.facts, "wsrep_cluster_size", "1"))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        if (errno != EEXIST)
            log_info("cannot make %s: %s; clients are not told to leave before the server stops", path,
                     strerror(errno));
        return false;
    }
    if (write(fd, drain_words, strlen(drain_words)) != (ssize_t)strlen(drain_words))
        log_info("cannot write %s: %s", path, strerror(errno));
    close(fd);
    log_notice("draining: %" PRId64 " sessions of clients", local_sessions(&init->local));
    while (!deadline_passed(least) && !has_ended(init)) {
        tell_alive(init);
        poll(NULL, 0, STOP_POLL_MS);
    }
    wait_for(init, no_sessions, until);
    return true;
}

/* Asks for the end until it comes. A server that can have nothing to lose is not waited for long. */
static void end_child(struct init *init, struct deadline deadline)
{
    struct process *process = &init->process;
    pid_t pid = process->child.pid;
    int64_t begun_ns = monotonic_ns();
    bool has_something = process->was_primary || process->joins;

    while (!has_ended(init)) {
        kill(pid, SIGTERM);
        if (wait_for(init, has_ended, deadline_earlier(deadline, deadline_in_ms(ASK_AGAIN_MS))))
            return;
        bool deaf = !has_something && monotonic_ns() - begun_ns > DEAF_MS * (int64_t)NS_PER_MS;
        /* One that joins and takes no state: it has no SQL to hear us by, and no transfer to end. */
        deaf = deaf || (!process->was_primary && !in_transfer(init) &&
                        monotonic_ns() - begun_ns > (int64_t)2 * DEAF_MS * NS_PER_MS);
        if (deaf) {
            log_info("the server does not hear SIGTERM and was never Primary: ending it by SIGKILL");
            break;
        }
        if (deadline_passed(deadline)) {
            log_err(
                "the server has not stopped within stop_timeout: killing it; what it had committed is on disk, and the "
                "next start recovers it");
            break;
        }
    }
    if (process->child.pid != 0) {
        kill(pid, SIGKILL);
        wait_for(init, has_ended, deadline_in_ms(KILL_MS));
    }
}

static bool stranger_is_gone(struct init *init)
{
    pid_t pid = init->process.stranger;

    process_reap(init);
    return process_start_time(pid) == 0 && datadir_user(init->info.datadir) != pid;
}

/* A server that another galera-init has left behind, or somebody has started by hand. */
static void end_stranger(struct init *init, struct deadline deadline)
{
    pid_t pid = init->process.stranger;
    int64_t start = process_start_time(pid);
    int64_t begun_ns = monotonic_ns();
    struct error error;
    /* One that has answered hears SIGTERM as well, and may take its time. */
    bool answered = local_ask(&init->local, &init->process.facts, &error) == NODE_ANSWERED;

    local_close(&init->local); /* a session of ours that waits is one more to be ended */
    while (start != 0 && process_start_time(pid) == start && !stranger_is_gone(init)) {
        bool deaf = !answered && monotonic_ns() - begun_ns > DEAF_STRANGER_MS * (int64_t)NS_PER_MS &&
                    local_ask(&init->local, &init->process.facts, &error) != NODE_ANSWERED &&
                    !mark_transfer(init->info.datadir);
        if (deadline_passed(deadline) || deaf) {
            log_warning("the server with pid %d does not end by SIGTERM: killing it", (int)pid);
            kill(pid, SIGKILL);
            wait_for(init, stranger_is_gone, deadline_in_ms(KILL_MS));
            break;
        }
        kill(pid, SIGTERM);
        wait_for(init, stranger_is_gone, deadline_earlier(deadline, deadline_in_ms(ASK_AGAIN_MS)));
    }
    local_close(&init->local);
    init->process.stranger = 0;
    init->state.server_pid = init->state.server_start = 0;
    init->disk_known = false;
}

int process_stop(struct init *init, enum urgency urgency)
{
    struct deadline deadline = deadline_in_ms(init->settings->stop_timeout_ms);
    struct process *process = &init->process;
    bool draining = false;

    if (process->stranger != 0) {
        end_stranger(init, deadline);
        return 0;
    }
    if (process->child.pid == 0)
        return process->status;
    if (urgency == STOP_AT_ONCE) {
        kill(process->child.pid, SIGKILL);
        wait_for(init, has_ended, deadline_in_ms(KILL_MS));
        return process->status;
    }
    if (process->was_primary && process->idle_ns == 0 && init->stopping)
        draining = drain(init, deadline);
    /* The end of the server itself takes time as well. */
    let_transfer_end(init, deadline_in_ms(deadline_left_ms(deadline) - init->settings->stop_timeout_ms / 4));
    if (process->child.pid != 0)
        end_child(init, deadline);
    if (draining && unlink(init->settings->drain_file) != 0)
        log_warning("cannot remove %s: %s; remove it, or this node gets no traffic", init->settings->drain_file,
                    strerror(errno));
    return process->status;
}
