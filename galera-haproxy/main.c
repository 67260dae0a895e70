/* galera-haproxy: keep HAProxy's servers equal to the registry, without reloads. */
#include <string.h>

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

/* A configuration that was read again; two of them, so that a new one is whole before the last one goes. */
struct reading {
    struct config config;
    struct settings settings;
};

struct invocation {
    struct settings settings; /* as they were at the start */
    struct program *program;
    struct reading reading[2];
    int next;
    enum mode mode;
    bool json;
    bool formatted; /* --format was given */
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
        invocation->formatted = true;
        invocation->json = strcmp(argument, "json") == 0;
        return invocation->json || strcmp(argument, "table") == 0 ||
               error_set(error, EXIT_USAGE, "--format is table or json, not '%s'", argument);
    default:
        return error_set(error, EXIT_INTERNAL, "option %d is not known", id);
    }
}

/* Who has forgotten --status wants a look, and no second balancer beside the one that runs. */
static bool operate(struct program *program, struct error *error)
{
    const struct invocation *invocation = program->context;

    if (program->operand_count > 0)
        return error_set(error, EXIT_USAGE, "unexpected argument '%s'", program->operands[0]);
    if (invocation->formatted && invocation->mode != MODE_STATUS)
        return error_set(error, EXIT_USAGE, "--format is how --status prints: add --status");
    return true;
}

static bool configure(struct program *program, struct config *config, void *into, struct error *error)
{
    struct settings *settings = into;

    return config_add(config, settings_keys, settings_key_count, settings, error) &&
           config_add(config, etcd_keys, etcd_key_count, &settings->etcd, error) &&
           program_configure(program, config, error) && etcd_check(&settings->etcd, error) &&
           settings_check(settings, error);
}

static struct settings *read_again(void *context, struct error *error)
{
    struct invocation *invocation = context;
    struct reading *next = &invocation->reading[invocation->next];

    config_free(&next->config);
    if (!program_read(invocation->program, &next->config, &next->settings, error))
        return NULL;
    invocation->next = 1 - invocation->next;
    return &next->settings;
}

static int run(struct program *program, struct error *error)
{
    struct invocation *invocation = program->context;
    struct settings *settings = &invocation->settings;
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
    return (int)error->code;
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
        .operate = operate,
        .configure = configure,
        .run = run,
        .settings = &invocation.settings,
    };

    invocation.program = &program;
    config_init(&invocation.reading[0].config);
    config_init(&invocation.reading[1].config);
    int code = program_main(&program, argc, argv);
    config_free(&invocation.reading[0].config);
    config_free(&invocation.reading[1].config);
    return code;
}
