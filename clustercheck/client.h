/*
 * One connection of the resident service, and the table of them: shared by the files that make up clients.h, and by no
 * others.
 *
 * Functions that answer or drop a client may free its entry: `state` is STATE_FREE then, and `serial` changes when the
 * entry is used again.
 */
#ifndef CLUSTERCHECK_CLIENT_H
#define CLUSTERCHECK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"
#include "request.h"
#include "settings.h"

enum { LINGER_MS = 1000 }; /* for a client that does not close, or does not read */

#define NS_PER_MS INT64_C(1000000)
#define NO_ENTRY  UINT32_MAX

enum state {
    STATE_FREE,
    STATE_READING,
    STATE_WAITING,   /* for the server */
    STATE_WRITING,   /* an answer that did not fit into the socket's buffer */
    STATE_LINGERING, /* answered and shut down; until the client has closed, what it sends is thrown away */
};

struct client {
    int fd;
    uint32_t serial; /* tells this client from an earlier one of the same entry */
    uint32_t next_free;
    enum state state;
    bool watched; /* by epoll */
    bool missed;  /* an event came while nobody was reading */
    bool ended;   /* the client has closed its direction */
    bool kept;    /* it has been answered before */
    bool unread;  /* the socket may hold more than was read */
    struct request request;
    int64_t began_ns; /* accepted, or the first byte of a further request */
    int64_t until_ns; /* end of the patience with this state */
    char *bytes;      /* of a request that is not complete, or of the next one */
    size_t length;
    char *rest; /* of an answer */
    size_t rest_length;
    size_t rest_done;
};

struct clients {
    int epoll;
    const struct settings *settings;
    bool agent;
    bool draining;
    struct figures *figures;
    struct client *table;
    uint32_t size;
    uint32_t used; /* entries that have ever been in use */
    uint32_t free;
    uint32_t hand; /* where the search for a client to give up goes on */
    size_t waiting;
    int64_t next_ns; /* no patience ends before this */
    int reserve;     /* a file descriptor kept for the case that there are no more */
    char bytes[REQUEST_SIZE_MOST];
};

extern struct clients clients;

/* --- client_table.c --- */

/* NULL when the table is full. */
struct client *client_new(int fd, int64_t now_ns);
bool client_table_is_full(void);

/* Closes the connection and frees the entry. */
void client_drop(struct client *client);

void client_be_patient(struct client *client, enum state state, int64_t until_ns);

/* Has epoll watch for these events from now on, edge-triggered. Those that are there already are told once more. */
bool client_watch(struct client *client, uint32_t events);

/* Replaces what is kept of the client's bytes; false without memory. */
bool client_keep_bytes(struct client *client, const char *bytes, size_t length);

/* --- client_answer.c --- */

/* Answers, or waits for the server when what is known of it is too old. */
void client_answer_or_wait(struct client *client, int64_t now_ns);

/* Answers with what is known now. */
void client_answer(struct client *client, int64_t now_ns);

/* Goes on with an answer that did not fit. */
void client_write_rest(struct client *client, int64_t now_ns);

/* --- client_read.c --- */

void client_read(struct client *client, int64_t now_ns);

/* A kept connection after an answer that took time: what has come meanwhile is the next request. */
void client_resume(struct client *client, int64_t now_ns);

/* Reads from a client that has been answered, so that its connection can end without a reset. */
void client_throw_away(struct client *client);

/* --- client_accept.c --- */

/* Keeps a file descriptor for the case that there are no more. */
void clients_hold_reserve(void);

#endif
