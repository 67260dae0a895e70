/* Having the database loaded, once the cluster is complete: when it is due, and by whom. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "log.h"
#include "seed_plan.h"

enum { NS_PER_MS = 1000000, RETRY_FIRST_MS = 2000, RETRY_MOST_MS = 60000, OPERANDS_MOST = SERVER_ARGUMENTS_MOST };

/* Who comes too early or too late loses the claim in etcd. */
static bool is_our_turn(struct init *init)
{
    int64_t wait_ms = seed_turn_ms(&init->situation);

    if (wait_ms < 0) {
        init->load_complete_ns = 0;
        return false;
    }
    if (init->load_complete_ns == 0)
        init->load_complete_ns = monotonic_ns();
    return monotonic_ns() - init->load_complete_ns >= wait_ms * NS_PER_MS;
}

/* A process of its own, by our own command line: what blocks or dies in it does not touch the server's supervision. */
static bool start_loader(struct init *init, struct error *error)
{
    const char *argv[OPERANDS_MOST] = {"/proc/self/exe"};
    size_t count = 1;
    struct child child;

    if ((size_t)init->self_count + init->command.count + 8 > OPERANDS_MOST)
        return error_set(error, EXIT_INTERNAL, "the command line is too long");
    for (int i = 1; i < init->self_count; i++) {
        if (strcmp(init->self[i], "--") != 0)
            argv[count++] = init->self[i];
    }
    argv[count++] = "seed";
    argv[count++] = "--of";
    argv[count++] = init->boot;
    argv[count++] = "--";
    for (size_t i = 0; i < init->command.count; i++)
        argv[count++] = init->command.argv[i];
    argv[count] = NULL;
    if (!child_fork(&child, argv, -1, error))
        return false;
    init->loader = child.pid;
    return child_release(&child, argv[0], error);
}

void load_when_due(struct init *init)
{
    const struct settings *settings = init->settings;
    struct error error;

    if (settings->seed == NULL || init->load_over || init->loader != 0 || init->stopping ||
        !init->situation.etcd_reachable || monotonic_ns() < init->load_after_ns ||
        init->situation.local.server != SERVER_PRIMARY || !is_our_turn(init))
        return;
    if (init->keys.seed.state == SEED_KEY_DONE) {
        init->load_over = true;
        return;
    }
    /* Another node is at it: the key goes with its loader. One of our own is of a loader that has died. */
    if (init->keys.seed.state == SEED_KEY_LOADING && strcmp(init->keys.seed.node, settings->name) != 0)
        return;
    if (init->load_backoff.most_ms == 0)
        init->load_backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .most_ms = RETRY_MOST_MS};
    if (!start_loader(init, &error)) {
        init->loader = 0;
        log_err("cannot load the database: %s", error.text);
        init->load_after_ns = monotonic_ns() + backoff_delay_ms(&init->load_backoff, random_number()) * NS_PER_MS;
    }
}

void load_ended(struct init *init, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TRY_AGAIN;

    init->loader = 0;
    if (code == EXIT_YES || code == EXIT_NO || code == EXIT_CONFIG) {
        init->load_over = true; /* it has said what is so, and why */
        return;
    }
    init->load_after_ns = monotonic_ns() + backoff_delay_ms(&init->load_backoff, random_number()) * NS_PER_MS;
}

void load_stop(struct init *init)
{
    enum { PAUSE_MS = 50, PATIENCE_MS = 10000 };
    struct deadline kill_at = deadline_in_ms(PATIENCE_MS);

    if (init->loader == 0)
        return;
    log_notice("ending the loading of the database; it begins anew when the cluster is complete again");
    kill(init->loader, SIGTERM);
    while (init->loader != 0) {
        if (deadline_passed(kill_at))
            kill(-init->loader, SIGKILL);
        tell_alive(init);
        usleep(PAUSE_MS * 1000);
        process_reap(init);
    }
}
