/*
 * Our own server, as its administrator: through the Unix socket, by the operating system's word for who we are
 * (unix_socket authentication), over a connection that is kept.
 */
#ifndef INIT_LOCAL_H
#define INIT_LOCAL_H

#include "admin.h"
#include "lineage.h"
#include "node.h"
#include "settings.h"

struct local_server {
    char user[ADMIN_USER_SIZE];
    struct node_settings settings; /* `user` points to the one above: it must stay where it is */
    const char *check_user;        /* of [mysql]: the sessions of the check are not clients' */
    int64_t timeout_ms;
    struct node *node;    /* NULL: not connected */
    char noted_view[128]; /* the view that our row is of */
    bool complained;
};

/* `socket` must outlive it. EXIT_INTERNAL when we do not know who we are. */
bool local_open(struct local_server *local, const struct settings *settings, const char *socket, struct error *error);

/* Forgets the connection: the server has ended. */
void local_close(struct local_server *local);

/* Everything that the server says of itself; NODE_ANSWERED or why not. */
enum node_failure local_ask(struct local_server *local, struct facts *facts, struct error *error);

/*
 * Notes the generation that our server's transactions belong to, in the suite's schema and together with the view that
 * `facts` are of (decide.h, rule 9); once in every view. What goes wrong is logged once: it is needed without etcd
 * only.
 */
void local_note_view(struct local_server *local, const char *name, const struct facts *facts,
                     struct generation generation);

/* Makes the Primary Component of our server and the ones that it is connected to. */
bool local_pc_bootstrap(struct local_server *local, struct error *error);

/* How many sessions of clients there are; -1: nobody knows. */
int64_t local_sessions(struct local_server *local);

#endif
