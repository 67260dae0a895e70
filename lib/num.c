#include "num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t MS_PER_SECOND = 1000;

bool num_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end;

    /* strtoimax would also take blanks and a '+' in front. */
    if (!isdigit((unsigned char)digits[0]))
        return false;
    errno = 0;
    intmax_t number = strtoimax(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < min || number > max)
        return false;
    *value = number;
    return true;
}

/* The units in which a duration may be written, the largest first. */
static const struct {
    const char *suffix;
    int64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {"", 1000}};

bool duration_parse(const char *text, int64_t *ms)
{
    /* Nine digits of the largest unit stay far inside an int64_t. */
    enum { MOST_DIGITS = 9, FRACTION_DIGITS = 3 };
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    int64_t thousandths = 0;

    if (whole == 0 || whole > MOST_DIGITS)
        return false;
    if (*rest == '.') {
        size_t fraction = strspn(++rest, "0123456789");
        if (fraction == 0 || fraction > FRACTION_DIGITS)
            return false;
        int64_t weight = 100;
        for (size_t i = 0; i < fraction; i++, weight /= 10)
            thousandths += (rest[i] - '0') * weight;
        rest += fraction;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(rest, units[i].suffix) == 0 && thousandths * units[i].ms % MS_PER_SECOND == 0) {
            int64_t number = strtoimax(text, NULL, 10);
            *ms = number * units[i].ms + thousandths * units[i].ms / MS_PER_SECOND;
            return true;
        }
    }
    return false;
}

void duration_format(int64_t ms, char *text, size_t size)
{
    size_t i = 0;

    while (units[i].ms > 1 && (ms == 0 || ms % units[i].ms != 0))
        i++;
    snprintf(text, size, "%" PRId64 "%s", ms / units[i].ms, ms == 0 ? "s" : units[i].suffix);
}

bool boolean_parse(const char *text, bool *value)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},  {"no", false},    {"on", true}, {"off", false},
                 {"true", true}, {"false", false}, {"1", true},  {"0", false}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    return false;
}
