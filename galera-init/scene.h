/* The facts as a command sees them from outside of a running galera-init: read, and nothing changed. */
#ifndef INIT_SCENE_H
#define INIT_SCENE_H

#include "init.h"

struct scene {
    const struct settings *settings;
    char prefix[SETTINGS_PREFIX_SIZE];
    struct state state;
    struct server_info info; /* all "" unless the server was asked */
    struct etcd *etcd;
    struct situation situation;
    struct keys keys;
    struct member_question question[NODES_MOST];
    pid_t server_pid;                   /* who uses the data directory; 0: nobody */
    bool position_unknown;              /* only --wsrep-recover, which changes things, would tell it */
    char etcd_problem[ERROR_TEXT_SIZE]; /* "": etcd was read */
};

/*
 * `command`: whose data directory is to be looked at; NULL: this host's node is known by its records alone. False with
 * the error set; without etcd it is no error yet. Free with scene_free whatever the result.
 */
bool scene_read(struct scene *scene, const struct settings *settings, const struct server_command *command,
                struct error *error);
void scene_free(struct scene *scene);

/* For one request of a command. */
struct deadline scene_etcd_deadline(const struct scene *scene);

#endif
