/* How etcd says no. The gRPC code decides, not the HTTP status, which differs between versions. */
#include <stdio.h>
#include <string.h>

#include "etcd_reply.h"

/* v2 ("v2 API", error codes). */
enum {
    V2_KEY_NOT_FOUND = 100,
    V2_COMPARE_FAILED = 101,
    V2_NOT_A_FILE = 102,
    V2_NODE_EXIST = 105,
    V2_UNAUTHORIZED = 110,
    V2_RAFT_INTERNAL = 300,
    V2_LEADER_ELECT = 301,
    V2_INDEX_CLEARED = 401,
};

static bool says(const char *message, const char *words)
{
    return message != NULL && strstr(message, words) != NULL;
}

static struct etcd_problem of_code(int64_t code, const char *message)
{
    static const struct etcd_problem next = {ETCD_UNREACHABLE, REMEDY_NEXT, false};
    static const struct etcd_problem authenticate = {ETCD_DENIED, REMEDY_AUTHENTICATE, false};

    switch (code) {
    case GRPC_CANCELLED:
    case GRPC_UNKNOWN:
    case GRPC_DEADLINE_EXCEEDED:
    case GRPC_ABORTED:
    case GRPC_INTERNAL:
    case GRPC_UNAVAILABLE:
        return next;
    case GRPC_NOT_FOUND:
        return (struct etcd_problem){ETCD_NOT_FOUND, REMEDY_NONE, false};
    case GRPC_PERMISSION_DENIED:
        return (struct etcd_problem){ETCD_DENIED, REMEDY_NONE, false};
    case GRPC_RESOURCE_EXHAUSTED:
        return (struct etcd_problem){ETCD_NO_SPACE, REMEDY_NONE, false};
    case GRPC_OUT_OF_RANGE:
        return (struct etcd_problem){ETCD_COMPACTED, REMEDY_NONE, false};
    case GRPC_UNAUTHENTICATED:
        return authenticate;
    case GRPC_INVALID_ARGUMENT:
        /* rpctypes: ErrGRPCUserEmpty, ErrGRPCAuthOldRevision; a token is missing or of before a change of the rights */
        if (says(message, "user name is empty") || says(message, "revision of auth store is old"))
            return authenticate;
        if (says(message, "authentication failed"))
            return (struct etcd_problem){ETCD_DENIED, REMEDY_NONE, false};
        return (struct etcd_problem){ETCD_REFUSED, REMEDY_NONE, false};
    case GRPC_FAILED_PRECONDITION:
        return (struct etcd_problem){ETCD_REFUSED, REMEDY_NONE, says(message, "authentication is not enabled")};
    default:
        return (struct etcd_problem){ETCD_REFUSED, REMEDY_NONE, false};
    }
}

static enum exit_code exit_code_of(enum etcd_failure failure)
{
    return failure == ETCD_DENIED ? EXIT_PERMISSION : EXIT_UNAVAILABLE;
}

struct etcd_problem etcd_read_problem(int status, const char *body, size_t length, struct error *error)
{
    struct error unreadable;
    struct json *root = json_parse(body, length, &unreadable);
    /* A stream's error is an object inside. */
    const struct json *inner = json_member(root, "error");
    const struct json *source = json_is_map(inner) ? inner : root;
    const char *message = json_text(json_member(source, "message"));
    int64_t code = json_number(json_member(source, "code"), json_number(json_member(source, "grpc_code"), -1));
    struct etcd_problem problem;

    if (message == NULL)
        message = json_text(inner);
    if (code >= 0) {
        problem = of_code(code, message);
        error_set(error, exit_code_of(problem.failure), "%s", message == NULL ? "no reason given" : message);
    } else if (status == 404) {
        problem = (struct etcd_problem){ETCD_UNREACHABLE, REMEDY_PROBE, false};
        error_set(error, EXIT_UNAVAILABLE, "HTTP status 404: there is no such etcd API here");
    } else {
        problem = (struct etcd_problem){ETCD_UNREACHABLE, REMEDY_NEXT, false};
        error_set(error, EXIT_UNAVAILABLE, "HTTP status %d instead of an answer of etcd", status);
    }
    json_free(root);
    return problem;
}

struct etcd_problem etcd_v2_read_problem(int status, const char *body, size_t length, struct error *error)
{
    struct error unreadable;
    struct json *root = json_parse(body, length, &unreadable);
    int64_t code = json_number(json_member(root, "errorCode"), -1);
    const char *message = json_text(json_member(root, "message"));
    const char *cause = json_text(json_member(root, "cause"));
    struct etcd_problem problem = {ETCD_REFUSED, REMEDY_NONE, false};

    if (code == V2_KEY_NOT_FOUND)
        problem.failure = ETCD_NOT_FOUND;
    else if (code == V2_COMPARE_FAILED || code == V2_NODE_EXIST || code == V2_NOT_A_FILE)
        problem.failure = ETCD_CHANGED;
    else if (code == V2_UNAUTHORIZED || status == 401 || status == 403)
        problem.failure = ETCD_DENIED;
    else if (code == V2_INDEX_CLEARED)
        problem.failure = ETCD_COMPACTED;
    else if (code == V2_RAFT_INTERNAL || code == V2_LEADER_ELECT || status >= 500)
        problem = (struct etcd_problem){ETCD_UNREACHABLE, REMEDY_NEXT, false};
    if (message != NULL)
        error_set(error, exit_code_of(problem.failure), "%s (%s)", message, cause == NULL ? "no cause given" : cause);
    else if (status == 404)
        error_set(error, EXIT_UNAVAILABLE, "HTTP status 404: v2 is not enabled here (etcd --enable-v2)");
    else
        error_set(error, exit_code_of(problem.failure), "HTTP status %d", status);
    json_free(root);
    return problem;
}

const char *etcd_failure_word(enum etcd_failure failure)
{
    static const char *const words[] = {
        [ETCD_OK] = "ok",
        [ETCD_UNREACHABLE] = "unreachable",
        [ETCD_UNCERTAIN] = "uncertain",
        [ETCD_INTERRUPTED] = "interrupted",
        [ETCD_NOT_FOUND] = "not-found",
        [ETCD_CHANGED] = "changed",
        [ETCD_COMPACTED] = "compacted",
        [ETCD_DENIED] = "denied",
        [ETCD_NO_SPACE] = "no-space",
        [ETCD_REFUSED] = "refused",
    };
    return words[failure];
}
