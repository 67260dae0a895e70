#include "request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A piece of the request, not terminated. */
struct slice {
    const char *start;
    size_t length;
};

static bool slice_is(struct slice slice, const char *word)
{
    return slice.length == strlen(word) && strncasecmp(slice.start, word, slice.length) == 0;
}

static bool slice_starts(struct slice slice, const char *word)
{
    return slice.length >= strlen(word) && strncasecmp(slice.start, word, strlen(word)) == 0;
}

/* Cuts everything up to the first `separator` off the front of `rest` and returns it; the separator is dropped. */
static struct slice slice_cut(struct slice *rest, char separator)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->start, separator, rest->length);
    struct slice piece = {rest->start, end == NULL ? rest->length : (size_t)(end - rest->start)};
    size_t used = end == NULL ? piece.length : piece.length + 1;

    rest->start += used;
    rest->length -= used;
    return piece;
}

static struct slice slice_trim(struct slice slice)
{
    while (slice.length > 0 && isspace((unsigned char)slice.start[0])) {
        slice.start++;
        slice.length--;
    }
    while (slice.length > 0 && isspace((unsigned char)slice.start[slice.length - 1]))
        slice.length--;
    return slice;
}

static const char *const endpoint_paths[ENDPOINT_COUNT] = {
    [ENDPOINT_POLICY] = "/",        [ENDPOINT_RW] = "/rw",         [ENDPOINT_RO] = "/ro",
    [ENDPOINT_LIVE] = "/live",      [ENDPOINT_WRITER] = "/writer", [ENDPOINT_STATUS] = "/status",
    [ENDPOINT_METRICS] = "/metrics"};

const char *endpoint_path(enum endpoint endpoint)
{
    return endpoint_paths[endpoint];
}

enum endpoint endpoint_of_path(const char *path, size_t length)
{
    struct slice rest = {path, length};
    struct slice without_query = slice_cut(&rest, '?');

    if (without_query.length > 1 && without_query.start[without_query.length - 1] == '/')
        without_query.length--;
    for (int i = 0; i < ENDPOINT_COUNT; i++) {
        if (slice_is(without_query, endpoint_paths[i]))
            return (enum endpoint)i;
    }
    return ENDPOINT_POLICY;
}

/* "13/22" -> 13 and 22. */
static bool parse_fraction(struct slice text, unsigned long *part, unsigned long *whole)
{
    unsigned long *number = part;
    size_t digits = 0;

    *part = *whole = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] == '/' && number == part && digits > 0) {
            number = whole;
            digits = 0;
        } else if (isdigit((unsigned char)text.start[i]) && digits < 9) {
            *number = *number * 10 + (unsigned long)(text.start[i] - '0');
            digits++;
        } else {
            return false;
        }
    }
    return number == whole && digits > 0;
}

enum siblings siblings_parse(const char *value, size_t length)
{
    struct slice rest = {value, length};
    struct slice state = slice_trim(slice_cut(&rest, ';'));
    unsigned long own = 0;
    unsigned long total = 0;
    bool told = false;

    while (rest.length > 0) {
        struct slice field = slice_trim(slice_cut(&rest, ';'));
        if (slice_starts(field, "throttle="))
            return SIBLINGS_NOT_TOLD; /* during slowstart the weights do not add up */
        if (slice_starts(field, "weight=") && !told) {
            struct slice fraction = {field.start + strlen("weight="), field.length - strlen("weight=")};
            told = parse_fraction(fraction, &own, &total);
        }
    }
    if (!told)
        return SIBLINGS_NOT_TOLD;
    /* `total` is the weight of all servers that take traffic; ours is in it only while we are up. */
    unsigned long ours = slice_starts(state, "UP") ? own : 0;
    return total > ours ? SIBLINGS_USABLE : SIBLINGS_NONE_USABLE;
}

/* True when the line ends with "HTTP/1.1": only such clients may keep the connection. */
static bool parse_request_line(struct slice line, struct request *request)
{
    struct slice rest = slice_trim(line);
    struct slice method = slice_cut(&rest, ' ');
    struct slice path;

    rest = slice_trim(rest);
    path = slice_cut(&rest, ' ');
    request->head = slice_is(method, "HEAD");
    request->endpoint = endpoint_of_path(path.start, path.length);
    return slice_is(slice_trim(rest), "HTTP/1.1");
}

static void parse_header(struct slice line, struct request *request)
{
    struct slice rest = line;
    struct slice name = slice_trim(slice_cut(&rest, ':'));
    struct slice value = slice_trim(rest);

    if (slice_is(name, "X-Haproxy-Server-State"))
        request->siblings = siblings_parse(rest.start, rest.length);
    else if (slice_is(name, "Connection"))
        request->keep_alive = slice_is(value, "keep-alive");
    else if (slice_is(name, "Transfer-Encoding") || (slice_is(name, "Content-Length") && !slice_is(value, "0")))
        request->has_body = true;
}

struct request request_parse(const char *bytes, size_t length)
{
    struct request request = {.progress = length == 0 ? REQUEST_EMPTY : REQUEST_STARTED, .siblings = SIBLINGS_NOT_TOLD};
    struct slice rest = {bytes, length};
    bool may_keep = false;

    while (rest.length > 0 && memchr(rest.start, '\n', rest.length) != NULL) {
        struct slice line = slice_cut(&rest, '\n');
        bool blank = slice_trim(line).length == 0;
        if (blank && request.progress == REQUEST_STARTED)
            continue; /* RFC 9112 section 2.2: blank lines before the request line are ignored */
        if (blank) {
            request.progress = REQUEST_COMPLETE;
            request.length = length - rest.length;
            break;
        }
        if (request.progress == REQUEST_STARTED)
            may_keep = parse_request_line(line, &request);
        else
            parse_header(line, &request);
        request.progress = REQUEST_LINE;
    }
    request.keep_alive = request.keep_alive && may_keep && !request.has_body && request.progress == REQUEST_COMPLETE;
    return request;
}
