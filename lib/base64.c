#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text *text, const void *bytes, size_t length)
{
    const unsigned char *in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        char out[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], left > 1 ? alphabet[group >> 6 & 63] : '=',
                       left > 2 ? alphabet[group & 63] : '='};
        text_add_bytes(text, out, sizeof out);
    }
}

static int digit_of(char letter)
{
    const char *found = letter == '\0' ? NULL : strchr(alphabet, letter);

    return found == NULL ? -1 : (int)(found - alphabet);
}

/* One group of four letters into up to three bytes; how many, or 0 when it is not base64. */
static size_t group_decode(const char *in, bool last, unsigned char *out)
{
    size_t padding = !last ? 0 : in[2] == '=' && in[3] == '=' ? 2 : in[3] == '=' ? 1 : 0;
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i >= 4 - padding ? 0 : digit_of(in[i]);
        if (digit < 0)
            return 0;
        group = group << 6 | (uint32_t)digit;
    }
    if ((group & ((1U << (8 * padding)) - 1)) != 0)
        return 0;
    out[0] = (unsigned char)(group >> 16);
    out[1] = (unsigned char)(group >> 8);
    out[2] = (unsigned char)group;
    return 3 - padding;
}

char *base64_decode(const char *words, size_t *length)
{
    size_t letters = strlen(words);
    size_t used = 0;

    if (letters % 4 != 0)
        return NULL;
    unsigned char *bytes = malloc(letters / 4 * 3 + 1);
    for (size_t i = 0; bytes != NULL && i < letters; i += 4) {
        size_t count = group_decode(words + i, i + 4 == letters, bytes + used);
        if (count == 0) {
            free(bytes);
            return NULL;
        }
        used += count;
    }
    if (bytes != NULL) {
        bytes[used] = '\0';
        *length = used;
    }
    return (char *)bytes;
}
