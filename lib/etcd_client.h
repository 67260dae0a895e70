/* The inside of lib/etcd*.c: endpoints, and how one request travels from one to the next. For no other file. */
#ifndef ETCD_CLIENT_H
#define ETCD_CLIENT_H

#include "etcd.h"
#include "etcd_reply.h"
#include "http.h"

enum { ETCD_ENDPOINTS_MOST = 16 };

struct etcd_server {
    char *url; /* without a slash at its end */
    bool probed;
    enum etcd_api api;
    const char *gateway; /* "/v3" */
};

struct etcd {
    const struct etcd_settings *settings;
    struct http_tls tls;
    struct http *http;
    struct etcd_server server[ETCD_ENDPOINTS_MOST];
    size_t server_count;
    size_t current;
    char *token_header; /* "Authorization: ...", NULL: none yet */
    bool auth_disabled; /* a user is configured, and etcd does not want to know */
    char local_address[HTTP_ADDRESS_SIZE];
};

struct etcd_call {
    enum etcd_api api;
    enum http_method method; /* v2; v3 is all POST */
    const char *path;        /* after the gateway's prefix, or the whole path */
    const char *body;        /* NULL: none */
    bool repeatable;
};

/* The endpoints of the settings; false with the error set when one cannot be meant, or there is none. */
bool etcd_add_servers(struct etcd *etcd, struct error *error);
void etcd_free_servers(struct etcd *etcd);

/* Reads the password file, where there is one to be read. */
bool etcd_read_password(struct etcd_settings *settings, struct error *error);

/* Sends the call to one endpoint after the other until one has answered. `reply` is freed by the caller whatever the
 * result. */
enum etcd_failure etcd_call(struct etcd *etcd, const struct etcd_call *call, struct deadline deadline,
                            struct http_reply *reply, struct error *error);

/* Knows the version of the current endpoint and, where it is needed, has a token. */
enum etcd_failure etcd_prepare(struct etcd *etcd, struct deadline deadline, struct error *error);

/* Header lines and the URL of a call to the current endpoint. False (memory) with the error set. */
bool etcd_address(const struct etcd *etcd, const struct etcd_call *call, struct text *url, struct http_request *request,
                  struct error *error);

#endif
