/* galera-init: start this node's server the right way (bootstrap, join, recover or refuse, and say why) and supervise
 * it. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "init.h"
#include "program.h"
#include "seed_dump.h"

enum { OPTION_CLUSTER = 256, OPTION_ADDRESS, OPTION_DATADIR, OPTION_STATE_DIR };

static const struct option_row options[] = {
    {'N', "node", "NAME", "name of this node (default: the host name)", "init", "node", NULL},
    {OPTION_CLUSTER, "cluster", "NAME", "name of the cluster (default galera)", "init", "cluster", NULL},
    {'a', "address", "ADDRESS", "where others reach this node (default: that of the route to etcd)", "init", "address",
     NULL},
    {OPTION_DATADIR, "datadir", "PATH", "data directory (default: the server is asked)", "init", "datadir", NULL},
    {OPTION_STATE_DIR, "state-dir", "PATH", "our own memory (default /var/lib/galera-init)", "init", "state_dir", NULL},
    {'e', "endpoints", "URL,URL", "etcd members (default http://127.0.0.1:2379)", "etcd", "endpoints", NULL},
};

enum verb_word { WORD_RUN, WORD_PLAN, WORD_ATTEST_LOST, WORD_FORGET, WORD_BOOTSTRAP, WORD_SEED };

struct invocation {
    struct settings settings;
    enum verb_word word;
    const char *node;
    const char *typed; /* --yes-cluster */
    const char *boot;  /* --of */
    bool force;
    bool as_json;
    const char *server[SERVER_ARGUMENTS_MOST];
    struct server_command command;
    char **argv;
    int self_count;
};

/* What may stand behind a word, up to "--". */
static const struct {
    const char *name;
    enum verb_word word;
} words[] = {
    {"plan", WORD_PLAN}, {"attest-lost", WORD_ATTEST_LOST}, {"forget", WORD_FORGET}, {"bootstrap", WORD_BOOTSTRAP},
    {"seed", WORD_SEED},
};

static bool takes_node(enum verb_word word)
{
    return word == WORD_ATTEST_LOST || word == WORD_FORGET;
}

static bool take_server(struct invocation *invocation, char *const *operands, int count, struct error *error)
{
    if (count >= SERVER_ARGUMENTS_MOST)
        return error_set(error, EXIT_USAGE, "the server's command line has more than %d words", SERVER_ARGUMENTS_MOST);
    invocation->command = (struct server_command){.argv = invocation->server};
    for (int i = 0; i < count; i++)
        invocation->server[invocation->command.count++] = operands[i];
    if (count == 0)
        invocation->server[invocation->command.count++] = "mariadbd";
    return true;
}

/* One operand of a word, or an option with its argument; returns how many operands that were, 0 with the error set. */
static int take_operand(struct invocation *invocation, char *const *operand, int left, struct error *error)
{
    bool has_argument = left > 1;

    if (invocation->word == WORD_BOOTSTRAP && strcmp(operand[0], "--force") == 0) {
        invocation->force = true;
        return 1;
    }
    if (invocation->word == WORD_BOOTSTRAP && strcmp(operand[0], "--yes-cluster") == 0 && has_argument) {
        invocation->typed = operand[1];
        return 2;
    }
    if (invocation->word == WORD_SEED && strcmp(operand[0], "--of") == 0 && has_argument) {
        invocation->boot = operand[1];
        return 2;
    }
    if (invocation->word == WORD_PLAN && strcmp(operand[0], "--format") == 0 && has_argument) {
        invocation->as_json = strcmp(operand[1], "json") == 0;
        if (invocation->as_json || strcmp(operand[1], "text") == 0)
            return 2;
        error_set(error, EXIT_USAGE, "--format is text or json, not '%s'", operand[1]);
        return 0;
    }
    if (takes_node(invocation->word) && invocation->node == NULL && operand[0][0] != '-') {
        invocation->node = operand[0];
        return 1;
    }
    error_set(error, EXIT_USAGE, "unexpected argument '%s'", operand[0]);
    return 0;
}

static bool judge_word(const struct invocation *invocation, struct error *error)
{
    if (takes_node(invocation->word) && invocation->node == NULL)
        return error_set(error, EXIT_USAGE, "name the node");
    if (takes_node(invocation->word) && !registry_id_is_valid(invocation->node))
        return error_set(error, EXIT_USAGE, "'%s' cannot be a node's name (up to 64 of A-Z a-z 0-9 _ . -)",
                         invocation->node);
    if (invocation->word == WORD_BOOTSTRAP && !invocation->force)
        return error_set(
            error, EXIT_USAGE,
            "galera-init bootstraps by itself when that is safe; to go on from this node's copy although it "
            "is not, say bootstrap --force");
    return true;
}

static bool operate(struct program *program, struct error *error)
{
    struct invocation *invocation = program->context;
    char **operands = program->operands;
    int count = program->operand_count;
    int i = 1;

    invocation->self_count = (int)(operands - invocation->argv);
    if (program->dashes || count == 0)
        return take_server(invocation, operands, count, error);
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (strcmp(operands[0], words[k].name) == 0)
            invocation->word = words[k].word;
    }
    if (invocation->word == WORD_RUN)
        return error_set(error, EXIT_USAGE,
                         "'%s' is none of plan, attest-lost, forget, bootstrap, seed; write -- before the "
                         "server's command line",
                         operands[0]);
    while (i < count && strcmp(operands[i], "--") != 0) {
        int taken = take_operand(invocation, operands + i, count - i, error);
        if (taken == 0)
            return false;
        i += taken;
    }
    i += i < count; /* the "--" */
    return take_server(invocation, operands + i, count - i, error) && judge_word(invocation, error);
}

static bool configure(struct program *program, struct config *config, void *into, struct error *error)
{
    struct settings *settings = into;
    bool complete = config_add(config, settings_keys, settings_key_count, settings, error) &&
                    config_add(config, etcd_keys, etcd_key_count, &settings->etcd, error) &&
                    config_add(config, node_keys, node_key_count, &settings->node, error) &&
                    config_borrow(config, settings_borrowed_keys, settings_borrowed_key_count, settings, error) &&
                    program_configure(program, config, error) && node_read_password(config, &settings->node, error) &&
                    etcd_check(&settings->etcd, error) && settings_complete(settings, error);

    if (complete && program->check_config) {
        dump_look("seed", settings->seed);
        dump_look("users_sql", settings->users_sql);
    }
    return complete;
}

static int run(struct program *program, struct error *error)
{
    struct invocation *invocation = program->context;
    const struct settings *settings = &invocation->settings;

    switch (invocation->word) {
    case WORD_PLAN:
        return command_plan(settings, &invocation->command, invocation->as_json, error);
    case WORD_ATTEST_LOST:
        return command_attest_lost(settings, invocation->node, error);
    case WORD_FORGET:
        return command_forget(settings, invocation->node, error);
    case WORD_BOOTSTRAP:
        return command_force(settings, invocation->typed, error);
    case WORD_SEED:
        return command_seed(settings, &invocation->command, invocation->boot, error);
    case WORD_RUN:
        break;
    }
    return supervise(settings, &invocation->command, invocation->argv, invocation->self_count, error);
}

int main(int argc, char **argv)
{
    static struct invocation invocation;
    struct program program = {
        .name = "galera-init",
        .synopsis = "[OPTION]... [WORD] [-- SERVER [ARGUMENT]...]",
        .summary = "Start this node's server the right way (bootstrap, join, recover or refuse, and say why) and "
                   "supervise it.",
        .footer =
            "Words, in place of running the node:\n"
            "  plan [--format json]     print the facts, the decision and the reason; change nothing\n"
            "  attest-lost NODE         its server is stopped, and nobody is to wait for its data\n"
            "  forget NODE              it will not come back\n"
            "  bootstrap --force [--yes-cluster NAME]\n"
            "                           go on from this node's copy, whatever the others have; the cluster's NAME is\n"
            "                           asked for, or given here\n"
            "  seed                     load the database now\n"
            "SERVER is mariadbd unless it is named.\n\n"
            "Exit: 0 stopped, done; that of the server when it ends by itself; 1 not allowed now; 64 wrong usage;\n"
            "69 etcd cannot be reached; 75 try again; 77 refused to start; 78 wrong configuration. See galera-init(8).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .context = &invocation,
        .operate = operate,
        .configure = configure,
        .run = run,
        .settings = &invocation.settings,
    };

    invocation.argv = argv;
    return program_main(&program, argc, argv);
}
