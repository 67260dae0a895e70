/*
 * clustercheck: may this node of a Galera cluster take traffic? An HTTP answer on a socket (xinetd,
 * systemd), the same text and an exit code anywhere else.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "configure.h"
#include "deadline.h"
#include "program.h"
#include "resident.h"
#include "watch.h"

static const struct option_row options[] = {
    {'p', "path", "PATH", "answer as for this path: /, /rw, /ro, /live, /writer, /status, /metrics", NULL, NULL, NULL},
    {'a', "agent", NULL, "answer HAProxy's agent-check with one line instead of HTTP", NULL, NULL, NULL},
    {'w', "watch", NULL, "print a line for every change, until interrupted", NULL, NULL, NULL},
    {'t', "timeout", "TIME", "give the whole answer within TIME (default 1s)", "clustercheck", "timeout", NULL},
};

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    struct check *told = context;

    switch (id) {
    case 'a':
        told->agent = true;
        return true;
    case 'w':
        told->watch = true;
        return true;
    default:
        if (argument[0] != '/')
            return error_set(error, EXIT_USAGE, "--path takes a path that begins with '/', not '%s'", argument);
        told->request.endpoint = endpoint_of_path(argument, strlen(argument));
        return true;
    }
}

/* A client gets a 503 that says why; a shell gets the message. Both get the exit code. */
static int give_up(const struct program *program, const struct error *error)
{
    if (check.input == INPUT_OTHER)
        return program_fail(program, error);
    /* A listening socket: one client is told, and the next one starts us again. */
    if (check.input == INPUT_LISTENER && !connection_accept())
        return (int)error->code;
    check_refuse(error);
    return (int)error->code;
}

/* An option that prints was left in a service's server_args: every client gets to know. */
static int give_up_for_shells(const struct program *program, struct error *error)
{
    error_set(error, EXIT_USAGE,
              "--help, --version and --check-config are for shells, not for a service's server_args");
    return give_up(program, error);
}

static int serve(struct sources *sources, struct config *config)
{
    struct error error;

    check_quick_start();
    int code = resident_run(sources, config, &check.settings, check.agent, &error);
    sources_free(sources);
    return code == EXIT_YES ? EXIT_YES : give_up(sources->program, &error);
}

static int watch(const struct program *program)
{
    struct error error;

    check_quick_start();
    if (!watch_run(&check.settings, &check.verdict, &error))
        return give_up(program, &error);
    return check_exit_code();
}

int main(int argc, char **argv)
{
    struct program program = {
        .name = "clustercheck",
        .synopsis = "[OPTION]... [USER PASSWORD [DONOR [LOG [READONLY [FILE]]]]]",
        .summary = "Say whether the Galera node on this host may take traffic.",
        .footer = "On a socket as standard input (xinetd, systemd) it answers one HTTP request with 200 or 503;\n"
                  "elsewhere it prints the same answer.\n"
                  "Exit: 0 up, 1 down, 2 unknown, 64 wrong usage, 78 wrong configuration. See clustercheck(8).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .handle = take_option,
        .context = &check,
    };
    struct config config = {.count = 0};
    struct error error = {.code = EXIT_YES};

    signal(SIGPIPE, SIG_IGN);
    log_open(program.name);
    check_adopt_input();
    int64_t started_ns = monotonic_ns(); /* a listener's client may have come long after us */
    switch (program_options(&program, argc, argv, &error)) {
    case PROGRAM_DONE:
        return check.input == INPUT_OTHER ? EXIT_YES : give_up_for_shells(&program, &error);
    case PROGRAM_WRONG:
        return give_up(&program, &error);
    case PROGRAM_GO_ON:
        break;
    }
    check.quiet = program.quiet;
    check.classic = argc > optind;
    struct sources sources = {&program, argc - optind, argv + optind};
    struct sources kept = sources;
    if ((check.input == INPUT_LISTENER && !sources_keep(&kept, &error)) ||
        !configure(&sources, &config, &check.settings, &error))
        return give_up(&program, &error);
    if (program.check_config && check.input != INPUT_OTHER)
        return give_up_for_shells(&program, &error);
    if (program.check_config) {
        config_print(&config, stdout);
        return EXIT_YES;
    }
    check_open_log();
    if (check.input == INPUT_LISTENER)
        return serve(&kept, &config);
    if (check.watch)
        return watch(&program);
    if (!check_run(started_ns, &error))
        return give_up(&program, &error);
    return check_exit_code();
}
