/* galera-register: keep this node's entry in etcd alive while it runs, and remove it on a clean stop. */
#include "agent.h"
#include "program.h"

static const struct option_row options[] = {
    {'i', "id", "ID", "name in the registry (default: host name and port)", "register", "id", NULL},
    {'a', "ip", "ADDRESS", "address to register (default: that of the route to etcd)", "register", "ip", NULL},
    {'p', "port", "PORT", "port to register (default 3306)", "register", "port", NULL},
    {256 + 1, "host", "NAME", "host name to register (default: that of this host)", "register", "host", NULL},
    {256 + 2, "instance", "UNIT", "unit to register as service_instance_name", "register", "instance", NULL},
    {256 + 3, "check-port", "PORT", "port of clustercheck (default 9200, 0: none)", "register", "check_port", NULL},
    {'t', "ttl", "TIME", "how long the entry outlives a dead node (default 10s)", "register", "ttl", NULL},
    {'w', "when", "always|synced", "register always, or while the server is fit", "register", "when", NULL},
    {256 + 4, "prefix", "PATH", "where the registry is (default " REGISTRY_DEFAULT_PREFIX ")", "register", "prefix",
     NULL},
    {'e', "endpoints", "URL,URL", "etcd members (default http://127.0.0.1:2379)", "etcd", "endpoints", NULL},
    {256 + 5, "api", "auto|v3|v2", "which API of etcd to use", "etcd", "api", NULL},
    {256 + 6, "check-interval", "TIME", "how often to ask the server (0s: never)", "register", "check_interval", NULL},
    {'1', "once", NULL, "register, leave the entry to its TTL, and exit", NULL, NULL, NULL},
};

struct invocation {
    struct settings settings;
    struct registry_entry entry;
    bool once;
};

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    struct invocation *invocation = context;

    (void)argument;
    if (id != '1')
        return error_set(error, EXIT_INTERNAL, "option %d is not known", id);
    invocation->once = true;
    return true;
}

static bool configure(struct program *program, struct config *config, void *into, struct error *error)
{
    struct invocation *invocation = program->context;
    struct settings *settings = into;

    return config_add(config, settings_keys, settings_key_count, settings, error) &&
           config_add(config, etcd_keys, etcd_key_count, &settings->etcd, error) &&
           config_add(config, node_keys, node_key_count, &settings->node, error) &&
           config_borrow(config, settings_borrowed_keys, settings_borrowed_key_count, settings, error) &&
           program_configure(program, config, error) && node_read_password(config, &settings->node, error) &&
           etcd_check(&settings->etcd, error) && settings_make_entry(settings, &invocation->entry, error);
}

static int run(struct program *program, struct error *error)
{
    struct invocation *invocation = program->context;

    return (int)agent_run(&invocation->settings, &invocation->entry, invocation->once, error);
}

int main(int argc, char **argv)
{
    struct invocation invocation = {.once = false};
    struct program program = {
        .name = "galera-register",
        .synopsis = "[OPTION]...",
        .summary = "Keep this node's entry in etcd alive, and remove it on SIGTERM.",
        .footer =
            "Exit: 0 stopped, or registered with --once; 1 the id belongs to another node; 64 wrong usage;\n"
            "69 etcd cannot be reached (--once); 77 etcd refuses us; 78 wrong configuration. See galera-register(8).",
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
