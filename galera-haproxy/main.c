/* galera-haproxy: keep HAProxy's servers equal to the registry, without reloads. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "balancer.h"
#include "program.h"
#include "settings.h"
#include "single.h"

enum { OPTION_DRY_RUN = 256 + 1, OPTION_STATUS, OPTION_FORMAT, OPTION_SOCKET, OPTION_PREFIX };

static const struct option_row options[] = {
    {'1', "once", NULL, "do what is to be done now, and exit", NULL, NULL, NULL},
    {OPTION_DRY_RUN, "dry-run", NULL, "print what would be done, and exit", NULL, NULL, NULL},
    {OPTION_STATUS, "status", NULL, "print the slots, what is wanted and what is, and exit", NULL, NULL, NULL},
    {OPTION_FORMAT, "format", "table|json", "how --status prints (default table)", NULL, NULL, NULL},
    {'e', "endpoints", "URL,URL", "etcd members (default http://127.0.0.1:2379)", "etcd", "endpoints", NULL},
    {OPTION_PREFIX, "prefix", "PATH", "where the registry is (default " REGISTRY_DEFAULT_PREFIX ")", "haproxy",
     "prefix", NULL},
    {OPTION_SOCKET, "socket", "PATH", "HAProxy's socket (default /run/haproxy/admin.sock)", "haproxy", "socket", NULL},
};

enum mode { MODE_RUN, MODE_ONCE, MODE_DRY_RUN, MODE_STATUS };

/* A configuration that was read; two of them, so that a new one is whole before the old one goes. */
struct reading {
    struct config config;
    struct settings settings;
};

struct invocation {
    struct program *program;
    struct reading reading[2];
    int current;
    enum mode mode;
    bool json;
};

static bool take_mode(struct invocation *invocation, enum mode mode, struct error *error)
{
    if (invocation->mode != MODE_RUN && invocation->mode != mode)
        return error_set(error, EXIT_USAGE, "only one of --once, --dry-run and --status can be done at a time");
    invocation->mode = mode;
    return true;
}

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    struct invocation *invocation = context;

    switch (id) {
    case '1':
        return take_mode(invocation, MODE_ONCE, error);
    case OPTION_DRY_RUN:
        return take_mode(invocation, MODE_DRY_RUN, error);
    case OPTION_STATUS:
        return take_mode(invocation, MODE_STATUS, error);
    case OPTION_FORMAT:
        invocation->json = strcmp(argument, "json") == 0;
        return invocation->json || strcmp(argument, "table") == 0 ||
               error_set(error, EXIT_USAGE, "--format is table or json, not '%s'", argument);
    default:
        return error_set(error, EXIT_INTERNAL, "option %d is not known", id);
    }
}

static bool configure(const struct program *program, struct reading *reading, struct error *error)
{
    struct config *config = &reading->config;
    struct settings *settings = &reading->settings;

    config_init(config);
    return config_add(config, settings_keys, settings_key_count, settings, error) &&
           config_add(config, etcd_keys, etcd_key_count, &settings->etcd, error) &&
           program_configure(program, config, error) && settings_check(settings, error);
}

static struct settings *read_again(void *context, struct error *error)
{
    struct invocation *invocation = context;
    struct reading *next = &invocation->reading[1 - invocation->current];

    config_free(&next->config);
    if (!configure(invocation->program, next, error)) {
        config_free(&next->config);
        return NULL;
    }
    invocation->current = 1 - invocation->current;
    return &next->settings;
}

static void run(struct invocation *invocation, struct error *error)
{
    struct settings *settings = &invocation->reading[invocation->current].settings;
    struct reloading reloading = {.read = read_again, .context = invocation};

    switch (invocation->mode) {
    case MODE_RUN:
        balancer_run(settings, &reloading, error);
        break;
    case MODE_ONCE:
        single_once(settings, error);
        break;
    case MODE_DRY_RUN:
        single_dry_run(settings, error);
        break;
    case MODE_STATUS:
        single_status(settings, invocation->json, error);
        break;
    }
}

int main(int argc, char **argv)
{
    struct invocation invocation = {.mode = MODE_RUN};
    struct program program = {
        .name = "galera-haproxy",
        .synopsis = "[OPTION]...",
        .summary = "Keep HAProxy's servers equal to the registry in etcd, without reloads.",
        .footer = "Exit: 0 stopped, or done; 1 HAProxy does not have all that is wanted (--once, --status), or the\n"
                  "registry is empty; 2 the registry cannot be read (--status); 64 wrong usage; 69 HAProxy or etcd\n"
                  "cannot be reached; 77 not permitted; 78 wrong configuration. See galera-haproxy(8).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .handle = take_option,
        .context = &invocation,
    };
    struct error error = {.code = EXIT_YES};
    int code = EXIT_YES;

    log_open(program.name);
    invocation.program = &program;
    config_init(&invocation.reading[1].config);
    switch (program_options(&program, argc, argv, &error)) {
    case PROGRAM_DONE:
        return EXIT_YES;
    case PROGRAM_WRONG:
        return program_fail(&program, &error);
    case PROGRAM_GO_ON:
        break;
    }
    if (optind < argc)
        error_set(&error, EXIT_USAGE, "unexpected argument '%s'", argv[optind]);
    else if (configure(&program, &invocation.reading[0], &error) && !program.check_config)
        run(&invocation, &error);
    if (error.code != EXIT_YES)
        code = program_fail(&program, &error);
    else if (program.check_config)
        config_print(&invocation.reading[0].config, stdout);
    config_free(&invocation.reading[0].config);
    config_free(&invocation.reading[1].config);
    return code;
}
