/* The HTTP request, from its bytes, as they arrive. */
#include "fuzz.h"
#include "request.h"

static void check_prefix(const char *bytes, size_t length, struct request whole)
{
    struct request part = request_parse(bytes, length);

    /* More bytes never take back what was known. */
    MUST(part.progress <= whole.progress);
    if (part.progress >= REQUEST_LINE) {
        MUST(part.endpoint == whole.endpoint);
        MUST(part.head == whole.head);
    }
    if (part.progress == REQUEST_COMPLETE)
        MUST(part.siblings == whole.siblings);
    if (part.progress <= REQUEST_STARTED)
        MUST(part.endpoint == ENDPOINT_POLICY && !part.head && part.siblings == SIBLINGS_NOT_TOLD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct request whole = request_parse(bytes, size);
    size_t step = size / 64 + 1;

    MUST((unsigned)whole.endpoint < ENDPOINT_COUNT);
    MUST((unsigned)whole.siblings <= SIBLINGS_USABLE);
    MUST((size == 0) == (whole.progress == REQUEST_EMPTY));
    for (size_t length = 0; length <= size; length += step)
        check_prefix(bytes, length, whole);
    MUST((unsigned)siblings_parse(bytes, size) <= SIBLINGS_USABLE);
    MUST((unsigned)endpoint_of_path(bytes, size) < ENDPOINT_COUNT);
    return 0;
}
