#include "seed_whole.h"

#include <string.h>

static const char end_line[] = "-- Dump completed";

_Static_assert(sizeof end_line - 2 == WHOLE_OVERLAP, "all but one of the characters may be in the bytes before");

static bool has(const char *bytes, size_t length, const char *words)
{
    return memmem(bytes, length, words, strlen(words)) != NULL;
}

static void keep_end(struct whole *whole, const char *bytes, size_t length)
{
    size_t kept = length < WHOLE_OVERLAP ? length : WHOLE_OVERLAP;
    size_t old = whole->overlap_length < WHOLE_OVERLAP - kept ? whole->overlap_length : WHOLE_OVERLAP - kept;

    memmove(whole->overlap, whole->overlap + whole->overlap_length - old, old);
    memcpy(whole->overlap + old, bytes + length - kept, kept);
    whole->overlap_length = old + kept;
}

void whole_look(struct whole *whole, const char *bytes, size_t length)
{
    char seam[2 * WHOLE_OVERLAP];
    size_t begin = length < WHOLE_OVERLAP ? length : WHOLE_OVERLAP;

    if (whole->seen == 0)
        whole->begun = has(bytes, length < 1024 ? length : 1024, "-- MariaDB dump ") ||
                       has(bytes, length < 1024 ? length : 1024, "-- MySQL dump ");
    whole->seen += length;
    memcpy(seam, whole->overlap, whole->overlap_length);
    memcpy(seam + whole->overlap_length, bytes, begin);
    if (has(seam, whole->overlap_length + begin, end_line) || has(bytes, length, end_line))
        whole->ended = true;
    keep_end(whole, bytes, length);
}

bool whole_is(const struct whole *whole)
{
    return !whole->begun || whole->ended;
}
