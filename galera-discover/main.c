/* galera-discover: print, wait for or watch the nodes that are registered in etcd. */
#include "discover.h"
#include "num.h"
#include "program.h"
#include "registry.h"

enum { OPTION_PREFIX = 257, OPTION_API, OPTION_STATES };

static const struct option_row options[] = {
    {'f', "format", "FORMAT", "table, gcomm, hosts, haproxy, json or env (default table)", "discover", "format", NULL},
    {'w', "wait", "N", "wait until N usable entries are there", NULL, NULL, NULL},
    {'t', "timeout", "TIME", "how long the answer, or --wait, may take (default 10s)", "discover", "timeout", NULL},
    {'W', "watch", NULL, "print again on every change", NULL, NULL, NULL},
    {'x', "exec", "CMD", "run CMD on every change, the list on its stdin", NULL, NULL, NULL},
    {'X', "exclude", "ID,ID", "leave these ids out", "discover", "exclude", NULL},
    {OPTION_STATES, "states", "WORD,WORD", "list only entries in these states", "discover", "states", NULL},
    {OPTION_PREFIX, "prefix", "PATH", "where the registry is (default " REGISTRY_DEFAULT_PREFIX ")", "discover",
     "prefix", NULL},
    {'e', "endpoints", "URL,URL", "etcd members (default http://127.0.0.1:2379)", "etcd", "endpoints", NULL},
    {OPTION_API, "api", "auto|v3|v2", "which API of etcd to use", "etcd", "api", NULL},
};

struct invocation {
    struct settings settings;
    struct job job;
};

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    enum { WAIT_MOST = 100000 };
    struct job *job = &((struct invocation *)context)->job;

    switch (id) {
    case 'w':
        if (!num_parse(argument, 1, WAIT_MOST, &job->wait_for))
            return error_set(error, EXIT_USAGE, "--wait takes a number from 1 to %d, not '%s'", WAIT_MOST, argument);
        return true;
    case 'W':
        job->watch = true;
        return true;
    case 'x':
        job->command = argument;
        job->watch = true;
        return argument[0] != '\0' || error_set(error, EXIT_USAGE, "--exec needs a command");
    default:
        return error_set(error, EXIT_INTERNAL, "option %d is not known", id);
    }
}

static bool configure(struct program *program, struct config *config, void *into, struct error *error)
{
    struct settings *settings = into;

    return config_add(config, settings_keys, settings_key_count, settings, error) &&
           config_add(config, etcd_keys, etcd_key_count, &settings->etcd, error) &&
           program_configure(program, config, error) && etcd_check(&settings->etcd, error) &&
           settings_check(settings, error);
}

static int run(struct program *program, struct error *error)
{
    struct invocation *invocation = program->context;

    return (int)discover(&invocation->settings, &invocation->job, error);
}

int main(int argc, char **argv)
{
    struct invocation invocation = {.job = {.wait_for = 0}};
    struct program program = {
        .name = "galera-discover",
        .synopsis = "[OPTION]...",
        .summary = "Print, wait for or watch the nodes that are registered in etcd.",
        .footer = "Exit: 0 printed, or stopped by a signal; 1 no entry, or not enough of them in time; 2 interrupted;\n"
                  "64 wrong usage; 69 etcd cannot be reached; 77 etcd refuses us; 78 wrong configuration.\n"
                  "See galera-discover(8).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .handle = take_option,
        .context = &invocation,
        .configure = configure,
        .run = run,
        .settings = &invocation.settings,
    };

    return program_main(&program, argc, argv);
}
