#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "plan.h"
#include "scene.h"
#include "seed.h"
#include "verbs.h"

enum { TEXT_SIZE = 1024 };

static struct scene *scene_new(struct error *error)
{
    struct scene *scene = calloc(1, sizeof *scene);

    if (scene == NULL)
        error_set(error, EXIT_INTERNAL, "out of memory");
    return scene;
}

static int scene_end(struct scene *scene, int code)
{
    scene_free(scene);
    free(scene);
    return code;
}

int command_plan(const struct settings *settings, const struct server_command *command, bool as_json,
                 struct error *error)
{
    struct scene *scene = scene_new(error);
    int code = EXIT_YES;

    if (scene == NULL)
        return EXIT_INTERNAL;
    if (scene_read(scene, settings, command, error))
        code = plan_print(scene, as_json, error);
    return scene_end(scene, code);
}

/* --- operators ---------------------------------------------------------------------------------------------------- */

/* `node`: as it was named. */
static int refuse(const struct scene *scene, const struct verb *verb, const char *node, struct error *error)
{
    char text[TEXT_SIZE];

    verb_text(&scene->situation, verb, scene->settings->ttl_ms, text, sizeof text);
    if (verb->refusal == VERB_UNKNOWN_NODE)
        snprintf(text, sizeof text, "%s is not a node of this cluster; `galera-init plan` lists them", node);
    if (verb->refusal == VERB_ETCD_UNREACHABLE)
        return error_set(error, EXIT_UNAVAILABLE, "%s (%s)", text, scene->etcd_problem), EXIT_UNAVAILABLE;
    error_set(error, EXIT_NO, "%s", text);
    return EXIT_NO;
}

static int commit(struct scene *scene, const struct keys_change *change, struct error *error)
{
    struct keys_txn *txn = calloc(1, sizeof *txn);
    struct etcd_txn_reply reply = {0};
    int code = EXIT_UNAVAILABLE;

    if (txn == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return EXIT_INTERNAL;
    }
    if (keys_compose(txn, scene->prefix, &scene->situation, &scene->keys, change, error) &&
        etcd_commit(scene->etcd, &txn->txn, scene_etcd_deadline(scene), &reply, error) == ETCD_OK) {
        code = reply.succeeded ? EXIT_YES : EXIT_TRY_AGAIN;
        if (!reply.succeeded)
            error_set(error, EXIT_TRY_AGAIN,
                      "the cluster has changed meanwhile: nothing was done; look at `galera-init "
                      "plan` and try again");
    }
    etcd_txn_reply_free(&reply);
    keys_txn_free(txn);
    free(txn);
    return code;
}

static void print_record(const struct node_facts *node)
{
    const struct record *record = &node->record;
    char position[POSITION_TEXT_SIZE] = "";

    if (!uuid_is_nil(&record->position.uuid))
        position_format(&record->position, position);
    printf("  %s: %s%s%s%s%s\n", node->name, record_state_word(record->state),
           record->state == RECORD_NONE ? "" : ", copy ", record->state == RECORD_NONE ? "" : copy_word(record->copy),
           position[0] == '\0' ? "" : " at ", position);
}

/* Whoever gives something up should be told what, and can still start the node instead. */
static void print_given_up(const struct scene *scene, const struct verb *verb)
{
    const struct situation *situation = &scene->situation;
    char text[TEXT_SIZE];

    printf("What is recorded of it:\n");
    print_record(&situation->nodes[verb->node]);
    printf("and of the others:\n");
    for (size_t i = 0; i < situation->count; i++) {
        if (i != verb->node)
            print_record(&situation->nodes[i]);
    }
    verb_text_given_up(situation, verb, text, sizeof text);
    if (text[0] != '\0')
        printf("%s\n", text);
}

int command_attest_lost(const struct settings *settings, const char *node, struct error *error)
{
    struct scene *scene = scene_new(error);
    int code = EXIT_UNKNOWN;

    if (scene == NULL)
        return EXIT_INTERNAL;
    if (scene_read(scene, settings, NULL, error)) {
        struct verb verb = verb_attest_lost(&scene->situation, node);
        const struct keys_change change = {.compare = verb.compare,
                                           .write = WRITE_OWN,
                                           .node = verb.node,
                                           .own = &verb.record,
                                           .card = verb.node < NODES_MOST ? &scene->keys.card[verb.node] : NULL};
        code = verb.refusal != VERB_ALLOWED ? refuse(scene, &verb, node, error) : commit(scene, &change, error);
        if (code == EXIT_YES) {
            printf(
                "%s counts as lost: the others do not wait for its data any more. When it comes back it joins them.\n",
                scene->situation.nodes[verb.node].name);
            print_given_up(scene, &verb);
        }
    }
    return scene_end(scene, code);
}

/* After an outage of all, no cluster is made of fewer nodes than the largest `nodes` (decide.h, rule 3). */
static void warn_too_few_left(const struct situation *situation, size_t forgotten)
{
    int left = 0;
    int size = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if (i == forgotten || record->state == RECORD_NONE)
            continue;
        left++;
        size = record->size > size ? record->size : size;
    }
    if (left < size)
        printf("There are %d nodes left, and nodes in [init] is %d: unless another one is added, lower it on all of "
               "them.\n"
               "After an outage of all they would wait for one that is not there.\n",
               left, size);
}

int command_forget(const struct settings *settings, const char *node, struct error *error)
{
    struct scene *scene = scene_new(error);
    int code = EXIT_UNKNOWN;

    if (scene == NULL)
        return EXIT_INTERNAL;
    if (scene_read(scene, settings, NULL, error)) {
        struct verb verb = verb_forget(&scene->situation, node);
        const struct keys_change change = {.compare = verb.compare, .write = WRITE_OWN, .node = verb.node};
        code = verb.refusal != VERB_ALLOWED ? refuse(scene, &verb, node, error) : commit(scene, &change, error);
        if (code == EXIT_YES) {
            printf("%s is forgotten: nobody waits for it any more.\n", node);
            warn_too_few_left(&scene->situation, verb.node);
        }
    }
    return scene_end(scene, code);
}

/* What the cluster is to go on from, and what the other nodes are known to have. */
static void print_choice(const struct scene *scene)
{
    const struct situation *situation = &scene->situation;

    printf("The cluster %s will go on from the copy of %s:\n", scene->settings->cluster, scene->settings->name);
    print_record(&situation->nodes[situation->self]);
    printf("Whatever other nodes have beyond it is given up. What they have recorded:\n");
    for (size_t i = 0; i < situation->count; i++) {
        if (i != situation->self)
            print_record(&situation->nodes[i]);
    }
    if (situation->count < 2)
        printf("  none has recorded anything\n");
}

/* What is given up has to be said before it is: the name is to be typed by somebody who has read it. */
static bool confirm(const struct scene *scene, const char *typed, struct error *error)
{
    const char *cluster = scene->settings->cluster;
    char line[NODE_NAME_SIZE + 2] = "";

    if (typed == NULL) {
        if (!isatty(STDIN_FILENO))
            return error_set(error, EXIT_USAGE,
                             "bootstrap --force asks for a confirmation: call it on a terminal, or add "
                             "--yes-cluster with the cluster's name");
        print_choice(scene);
        printf("Type the cluster's name to confirm: ");
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL) {
            putchar('\n');
            fflush(stdout);
            return error_set(error, EXIT_NO, "nothing was typed: nothing was done");
        }
        line[strcspn(line, "\n")] = '\0';
        typed = line;
    }
    return strcmp(typed, cluster) == 0 ||
           error_set(error, EXIT_NO, "'%s' is not the cluster's name, which is %s: nothing was done", typed, cluster);
}

int command_force(const struct settings *settings, const char *typed, struct error *error)
{
    struct scene *scene = scene_new(error);
    int code = EXIT_UNKNOWN;

    if (scene == NULL)
        return EXIT_INTERNAL;
    if (scene_read(scene, settings, NULL, error)) {
        struct verb verb = verb_force(&scene->situation);
        const struct keys_change change = {
            .compare = verb.compare, .write = WRITE_BOOTSTRAP, .node = verb.node, .bootstrap = &verb.bootstrap};
        if (verb.refusal != VERB_ALLOWED)
            code = refuse(scene, &verb, settings->name, error);
        else if (!confirm(scene, typed, error))
            code = error->code;
        else
            code = commit(scene, &change, error);
        if (code == EXIT_YES)
            printf("%s has the claim: its galera-init bootstraps the cluster now.\n", settings->name);
    }
    return scene_end(scene, code);
}

int command_seed(const struct settings *settings, const struct server_command *command, const char *boot,
                 struct error *error)
{
    struct server_command with = *command;
    struct server_info *info = calloc(1, sizeof *info);
    struct state *state = calloc(1, sizeof *state);
    int code = EXIT_UNKNOWN;

    with.datadir = settings->datadir;
    if (info == NULL || state == NULL)
        error_set(error, EXIT_INTERNAL, "out of memory");
    else if (settings->seed == NULL)
        error_set(error, EXIT_CONFIG, "there is nothing to load: set seed in [init]");
    else if (server_ask(&with, -1, info, error) && statefile_read(settings->state_dir, state, error)) {
        const struct seed_job job = {
            .settings = settings, .socket = info->socket, .boot = boot, .epoch = state->epoch, .by_hand = boot == NULL};
        code = (int)seed_run(&job, error);
    }
    free(info);
    free(state);
    return code;
}
