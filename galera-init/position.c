#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "num.h"

/* The shape of a UUID: digits and, at these places, hyphens (RFC 4122 section 3). */
static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
    size_t digits = 0;

    memset(uuid, 0, sizeof *uuid);
    for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = hex_value(text[i]);
        if (value < 0)
            return false;
        uuid->bytes[digits / 2] = (unsigned char)(uuid->bytes[digits / 2] << 4 | value);
        digits++;
    }
    return true;
}

const char *uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;

    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (is_hyphen_place(length))
            text[length++] = '-';
        text[length++] = digits[uuid->bytes[i] >> 4];
        text[length++] = digits[uuid->bytes[i] & 0x0F];
    }
    text[length] = '\0';
    return text;
}

bool uuid_is_nil(const struct uuid *uuid)
{
    static const struct uuid nil;

    return uuid_equal(uuid, &nil);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool uuid_same_member(const struct uuid *a, const struct uuid *b)
{
    enum { INCARNATION = 8, INCARNATION_END = 10 };

    return memcmp(a->bytes, b->bytes, INCARNATION) == 0 &&
           memcmp(a->bytes + INCARNATION_END, b->bytes + INCARNATION_END, sizeof a->bytes - INCARNATION_END) == 0;
}

bool position_parse(const char *text, struct position *position)
{
    return uuid_parse(text, &position->uuid) && text[UUID_TEXT_SIZE - 1] == ':' &&
           num_parse(text + UUID_TEXT_SIZE, SEQNO_UNKNOWN, INT64_MAX, &position->seqno);
}

const char *position_format(const struct position *position, char text[POSITION_TEXT_SIZE])
{
    char uuid[UUID_TEXT_SIZE];

    snprintf(text, POSITION_TEXT_SIZE, "%s:%" PRId64, uuid_format(&position->uuid, uuid), position->seqno);
    return text;
}

bool position_equal(const struct position *a, const struct position *b)
{
    return uuid_equal(&a->uuid, &b->uuid) && a->seqno == b->seqno;
}

struct position position_none(void)
{
    return (struct position){.seqno = SEQNO_UNKNOWN};
}
