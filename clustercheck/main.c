/*
 * clustercheck: may this node of a Galera cluster take traffic? An HTTP answer on a socket (xinetd,
 * systemd), the same text and an exit code anywhere else.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "compat.h"
#include "deadline.h"
#include "program.h"

static const struct option_row options[] = {
    {'p', "path", "PATH", "answer as for this path: /, /rw, /ro or /live", NULL, NULL, NULL},
    {'t', "timeout", "TIME", "give the whole answer within TIME (default 1s)", "clustercheck", "timeout", NULL},
};

static const char *const classic_files[] = {"/etc/sysconfig/clustercheck", "/etc/default/clustercheck"};

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    struct request *request = context;

    if (id != 'p' || argument[0] != '/')
        return error_set(error, EXIT_USAGE, "--path takes a path that begins with '/', not '%s'", argument);
    request->endpoint = endpoint_of_path(argument, strlen(argument));
    return true;
}

/* Every source of settings, old and new. */
static bool configure(const struct program *program, struct config *config, int operands, char **operand,
                      struct error *error)
{
    if (!config_add(config, node_keys, node_key_count, &check.settings.node, error) ||
        !config_add(config, settings_keys, settings_key_count, &check.settings, error))
        return false;
    if (operands > 0 && !compat_arguments(config, operands, operand, error))
        return false;
    if (!compat_environment(config, error))
        return false;
    for (size_t i = 0; i < sizeof classic_files / sizeof classic_files[0]; i++) {
        if (!compat_file(config, classic_files[i], error))
            return false;
    }
    return program_configure(program, config, error) && node_read_password(&check.settings.node, error);
}

/* A client gets a 503 that says why; a shell gets the message. Both get the exit code. */
static int give_up(const struct program *program, const struct error *error)
{
    if (check.input == INPUT_OTHER)
        return program_fail(program, error);
    check_refuse(error);
    return (int)error->code;
}

int main(int argc, char **argv)
{
    int64_t started_ns = monotonic_ns();
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
        .context = &check.request,
    };
    struct config config = {.count = 0};
    struct error error = {.code = EXIT_YES};

    signal(SIGPIPE, SIG_IGN);
    log_open(program.name);
    check_adopt_input();
    switch (program_options(&program, argc, argv, &error)) {
    case PROGRAM_DONE:
        return EXIT_YES;
    case PROGRAM_WRONG:
        return give_up(&program, &error);
    case PROGRAM_GO_ON:
        break;
    }
    check.quiet = program.quiet;
    check.classic = argc > optind;
    if (!configure(&program, &config, argc - optind, argv + optind, &error))
        return give_up(&program, &error);
    if (program.check_config) {
        config_print(&config, stdout);
        return EXIT_YES;
    }
    check_open_log();
    if (!check_run(started_ns, &error))
        return give_up(&program, &error);
    return check_exit_code();
}
