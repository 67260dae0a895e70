#include "etcd.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "etcd_client.h"
#include "etcd_request.h"

/* --- opening ------------------------------------------------------------------------------------------------------ */

struct etcd *etcd_open(struct etcd_settings *settings, int wake_fd, struct error *error)
{
    struct etcd *etcd = calloc(1, sizeof *etcd);

    if (etcd == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    etcd->settings = settings;
    etcd->tls = (struct http_tls){.ca = settings->ca, .cert = settings->cert, .key = settings->key};
    if (!etcd_read_password(settings, error) || !etcd_add_servers(etcd, error) ||
        (etcd->http = http_open(&etcd->tls, wake_fd, error)) == NULL) {
        etcd_close(etcd);
        return NULL;
    }
    return etcd;
}

static void forget_token(struct etcd *etcd)
{
    if (etcd->token_header != NULL)
        explicit_bzero(etcd->token_header, strlen(etcd->token_header));
    free(etcd->token_header);
    etcd->token_header = NULL;
}

void etcd_close(struct etcd *etcd)
{
    if (etcd == NULL)
        return;
    forget_token(etcd);
    http_close(etcd->http);
    etcd_free_servers(etcd);
    free(etcd);
}

void etcd_ignore_wake(struct etcd *etcd)
{
    http_ignore_wake(etcd->http);
}

const char *etcd_endpoint(const struct etcd *etcd)
{
    return etcd->server[etcd->current].url;
}

int64_t etcd_patience_ms(const struct etcd *etcd, int64_t most_ms)
{
    int64_t all_ms = etcd->settings->timeout_ms * (int64_t)etcd->server_count;

    return all_ms < most_ms ? all_ms : most_ms;
}

void etcd_rotate(struct etcd *etcd)
{
    etcd->current = (etcd->current + 1) % etcd->server_count;
}

const char *etcd_local_address(const struct etcd *etcd)
{
    return etcd->local_address;
}

/* --- one attempt -------------------------------------------------------------------------------------------------- */

bool etcd_address(const struct etcd *etcd, const struct etcd_call *call, struct text *url, struct http_request *request,
                  struct error *error)
{
    const struct etcd_server *server = &etcd->server[etcd->current];
    size_t headers = 0;

    text_add(url, server->url);
    text_add(url, call->api == ETCD_V3 ? server->gateway : "");
    text_add(url, call->path);
    if (url->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    request->url = text_string(url);
    request->method = call->api == ETCD_V3 ? HTTP_POST : call->method;
    request->body = call->body;
    request->once = !call->repeatable;
    if (call->api == ETCD_V3)
        request->header[headers++] = "Content-Type: application/json";
    else
        request->wanted = "X-Etcd-Index";
    if (etcd->token_header != NULL)
        request->header[headers++] = etcd->token_header;
    return true;
}

static enum etcd_failure failure_of(enum http_result result, bool repeatable)
{
    switch (result) {
    case HTTP_ANSWERED:
        return ETCD_OK;
    case HTTP_NOT_SENT:
        return ETCD_UNREACHABLE;
    case HTTP_NO_ANSWER:
        return repeatable ? ETCD_UNREACHABLE : ETCD_UNCERTAIN;
    case HTTP_INTERRUPTED:
        return ETCD_INTERRUPTED;
    }
    return ETCD_UNREACHABLE;
}

/* One request to the current endpoint. */
static enum etcd_failure send_once(struct etcd *etcd, const struct etcd_call *call, struct deadline deadline,
                                   struct http_reply *reply, struct etcd_problem *problem, struct error *error)
{
    struct text url = {0};
    struct http_request request = {.method = HTTP_POST};
    enum etcd_failure failure = ETCD_REFUSED;

    *reply = (struct http_reply){0};
    *problem = (struct etcd_problem){.failure = ETCD_OK, .remedy = REMEDY_NONE};
    if (etcd_address(etcd, call, &url, &request, error)) {
        failure = failure_of(http_perform(etcd->http, &request, deadline, reply, error), call->repeatable);
        problem->remedy = failure == ETCD_UNREACHABLE ? REMEDY_NEXT : REMEDY_NONE;
    }
    text_free(&url);
    if (failure != ETCD_OK)
        return failure;
    if (reply->local_address[0] != '\0')
        memcpy(etcd->local_address, reply->local_address, sizeof etcd->local_address);
    if (reply->status >= 200 && reply->status < 300)
        return ETCD_OK;
    *problem = call->api == ETCD_V2 ? etcd_v2_read_problem(reply->status, reply->body.bytes, reply->body.length, error)
                                    : etcd_read_problem(reply->status, reply->body.bytes, reply->body.length, error);
    if (problem->remedy == REMEDY_NEXT && !call->repeatable)
        return ETCD_UNCERTAIN;
    return problem->failure;
}

/* --- what has to be known before a request ------------------------------------------------------------------------ */

static enum etcd_failure probe(struct etcd *etcd, struct deadline deadline, struct error *error)
{
    struct etcd_server *server = &etcd->server[etcd->current];
    struct etcd_call call = {.api = ETCD_AUTO, .method = HTTP_GET, .path = "/version", .repeatable = true};
    struct http_reply reply;
    struct etcd_problem problem;
    struct etcd_version version;

    if (server->probed)
        return ETCD_OK;
    enum etcd_failure failure = send_once(etcd, &call, deadline, &reply, &problem, error);
    if (failure == ETCD_OK && !etcd_read_version(reply.body.bytes, reply.body.length, &version, error))
        failure = ETCD_UNREACHABLE;
    http_reply_free(&reply);
    if (failure != ETCD_OK)
        return failure;
    const char *gateway = etcd_gateway_prefix(&version);
    server->api = etcd->settings->api != ETCD_AUTO ? (enum etcd_api)etcd->settings->api
                  : gateway != NULL                ? ETCD_V3
                                                   : ETCD_V2;
    server->gateway = gateway;
    if (server->api == ETCD_V3 && gateway == NULL) {
        error_set(error, EXIT_UNAVAILABLE, "etcd %d.%d has no v3 API", version.server_major, version.server_minor);
        return ETCD_REFUSED;
    }
    server->probed = true;
    return ETCD_OK;
}

static bool set_token(struct etcd *etcd, const char *kind, const char *token, struct error *error)
{
    struct text header = {0};

    forget_token(etcd);
    text_format(&header, "Authorization: %s%s", kind, token);
    if (header.failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    etcd->token_header = header.bytes;
    return true;
}

static bool set_basic_token(struct etcd *etcd, struct error *error)
{
    struct text pair = {0};
    struct text encoded = {0};

    text_format(&pair, "%s:%s", etcd->settings->user, etcd->settings->password);
    base64_encode(&encoded, text_string(&pair), pair.length);
    bool done = set_token(etcd, "Basic ", text_string(&encoded), error);
    text_free(&pair);
    text_free(&encoded);
    return done;
}

static enum etcd_failure log_in(struct etcd *etcd, struct deadline deadline, struct error *error)
{
    struct etcd_call call = {.api = ETCD_V3, .path = "/auth/authenticate", .repeatable = true};
    struct text body = {0};
    struct http_reply reply;
    struct etcd_problem problem;

    if (etcd->server[etcd->current].api == ETCD_V2)
        return set_basic_token(etcd, error) ? ETCD_OK : ETCD_REFUSED;
    forget_token(etcd);
    etcd_write_login(&body, etcd->settings->user, etcd->settings->password);
    call.body = text_string(&body);
    enum etcd_failure failure = send_once(etcd, &call, deadline, &reply, &problem, error);
    text_free(&body);
    etcd->auth_disabled = problem.auth_disabled;
    if (failure == ETCD_OK) {
        char *token = etcd_read_token(reply.body.bytes, reply.body.length, error);
        if (token == NULL || !set_token(etcd, "", token, error))
            failure = ETCD_REFUSED;
        free(token);
    } else if (problem.auth_disabled) {
        failure = ETCD_OK;
    } else if (failure == ETCD_DENIED) {
        error_context(error, "etcd refuses user %s", etcd->settings->user);
    }
    http_reply_free(&reply);
    return failure;
}

enum etcd_failure etcd_prepare(struct etcd *etcd, struct deadline deadline, struct error *error)
{
    enum etcd_failure failure = probe(etcd, deadline, error);

    if (failure == ETCD_OK && etcd->settings->user != NULL && etcd->token_header == NULL && !etcd->auth_disabled)
        failure = log_in(etcd, deadline, error);
    return failure;
}

/* --- from endpoint to endpoint ------------------------------------------------------------------------------------ */

/* The current endpoint, with a second try when its token or its version has become stale. */
static enum etcd_failure ask_current(struct etcd *etcd, const struct etcd_call *call, struct deadline deadline,
                                     struct http_reply *reply, struct error *error)
{
    struct etcd_problem problem;

    *reply = (struct http_reply){0};
    for (int attempt = 0;; attempt++) {
        enum etcd_failure failure = etcd_prepare(etcd, deadline, error);
        if (failure != ETCD_OK)
            return failure;
        failure = send_once(etcd, call, deadline, reply, &problem, error);
        bool stale_token = problem.remedy == REMEDY_AUTHENTICATE && etcd->settings->user != NULL;
        if (problem.remedy == REMEDY_AUTHENTICATE && !stale_token)
            error_context(error, "etcd wants a user: set user and password_file in [etcd]");
        if (attempt > 0 || (!stale_token && problem.remedy != REMEDY_PROBE))
            return failure;
        http_reply_free(reply);
        forget_token(etcd);
        etcd->auth_disabled = false;
        etcd->server[etcd->current].probed = false;
    }
}

static struct deadline share_of(const struct etcd *etcd, struct deadline deadline, size_t endpoints_left)
{
    int64_t share_ms = deadline_left_ms(deadline) / (int64_t)endpoints_left;

    return deadline_in_ms(share_ms < etcd->settings->timeout_ms ? share_ms : etcd->settings->timeout_ms);
}

enum etcd_failure etcd_call(struct etcd *etcd, const struct etcd_call *call, struct deadline deadline,
                            struct http_reply *reply, struct error *error)
{
    enum etcd_failure failure = ETCD_UNREACHABLE;
    struct text reasons = {.most = ERROR_TEXT_SIZE};

    *reply = (struct http_reply){0};
    for (size_t left = etcd->server_count; left > 0; left--) {
        http_reply_free(reply);
        failure = ask_current(etcd, call, share_of(etcd, deadline, left), reply, error);
        if (failure == ETCD_OK)
            break;
        error_context(error, "etcd %s", etcd_endpoint(etcd));
        text_format(&reasons, "%s%s", reasons.length == 0 ? "" : "; ", error->text);
        if (failure == ETCD_UNREACHABLE || failure == ETCD_UNCERTAIN)
            etcd_rotate(etcd);
        if (failure != ETCD_UNREACHABLE)
            break;
    }
    if (failure == ETCD_UNREACHABLE && reasons.length > 0)
        error_set(error, error->code, "%s", text_string(&reasons));
    text_free(&reasons);
    return failure;
}

enum etcd_failure etcd_find_api(struct etcd *etcd, struct deadline deadline, enum etcd_api *api, struct error *error)
{
    enum etcd_failure failure = ETCD_UNREACHABLE;

    for (size_t left = etcd->server_count; left > 0; left--) {
        failure = etcd_prepare(etcd, share_of(etcd, deadline, left), error);
        *api = etcd->server[etcd->current].api;
        if (failure == ETCD_OK)
            break;
        error_context(error, "etcd %s", etcd_endpoint(etcd));
        if (failure != ETCD_UNREACHABLE)
            break;
        etcd_rotate(etcd);
    }
    return failure;
}
