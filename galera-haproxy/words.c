#include "words.h"

#include <string.h>

#include "num.h"

enum { WORD_SIZE = 64, COUNT_MOST = 1000000 };

enum check_kind { CHECK_TIME, CHECK_COUNT };

static const struct check_word {
    const char *name;
    enum check_kind kind;
    int64_t least;
    int64_t most;
} check_table[] = {
    {"inter", CHECK_TIME, 10, 86400000},     {"fastinter", CHECK_TIME, 10, 86400000},
    {"downinter", CHECK_TIME, 10, 86400000}, {"rise", CHECK_COUNT, 1, 100},
    {"fall", CHECK_COUNT, 2, 100},           {"slowstart", CHECK_TIME, 0, 86400000},
    {"weight", CHECK_COUNT, 1, 256},         {"maxconn", CHECK_COUNT, 0, COUNT_MOST},
    {"minconn", CHECK_COUNT, 0, COUNT_MOST}, {"maxqueue", CHECK_COUNT, 0, COUNT_MOST},
};

enum { CHECK_WORDS = sizeof check_table / sizeof check_table[0] };

static const char *const balance_words[] = {"roundrobin", "static-rr", "leastconn", "first", "source", "random"};

/* Sections of HAProxy's language, and the lines of a section that are ours. */
static const char *const reserved[] = {
    "global",  "defaults",        "frontend", "backend",        "listen",  "peers",       "resolvers",
    "mailers", "userlist",        "cache",    "http-errors",    "program", "ring",        "fcgi-app",
    "bind",    "server",          "mode",     "default-server", "stick",   "stick-table", "balance",
    "id",      "server-template",
};

static bool is_printable(const char *text, const char *forbidden)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7e || strchr(forbidden, *text) != NULL)
            return false;
    }
    return true;
}

/* Takes the next word off `*rest`; false at the end. A word that is too long is cut, and so never a right one. */
static bool next_word(const char **rest, char *word, size_t size)
{
    const char *start = *rest + strspn(*rest, " \t");
    size_t length = strcspn(start, " \t");
    size_t kept = length < size ? length : size - 1;

    memcpy(word, start, kept);
    word[kept] = '\0';
    *rest = start + length;
    return length > 0;
}

/* HAProxy's times: a number of milliseconds, or with a unit. A bare number would mean seconds elsewhere in our file. */
static bool time_parse(const char *text, const struct check_word *row, int64_t *ms)
{
    return strspn(text, "0123456789") < strlen(text) && strchr(text, '.') == NULL && duration_parse(text, ms) &&
           *ms >= row->least && *ms <= row->most;
}

static bool take_time(const struct check_word *row, const char *value, struct check_words *check, struct error *error)
{
    int64_t ms;

    if (!time_parse(value, row, &ms))
        return error_set(error, EXIT_CONFIG, "check: %s needs a time like 300ms or 1s, not '%s'", row->name, value);
    if (strcmp(row->name, "inter") == 0)
        check->inter_ms = ms;
    else if (strcmp(row->name, "slowstart") != 0 && ms > check->other_inter_ms)
        check->other_inter_ms = ms;
    return true;
}

static bool take_pair(const struct check_word *row, const char *value, struct check_words *check, struct error *error)
{
    int64_t number;

    if (row->kind == CHECK_TIME)
        return take_time(row, value, check, error);
    if (!num_parse(value, row->least, row->most, &number)) {
        if (strcmp(row->name, "fall") == 0 && strcmp(value, "1") == 0)
            return error_set(error, EXIT_CONFIG,
                             "check: fall must be 2 or more: with 1 a node's first passed check cannot be seen");
        return error_set(error, EXIT_CONFIG, "check: '%s' is no number that %s may have", value, row->name);
    }
    if (strcmp(row->name, "rise") == 0)
        check->rise = number;
    else if (strcmp(row->name, "fall") == 0)
        check->fall = number;
    return true;
}

bool words_parse_check(const char *text, struct check_words *check, struct error *error)
{
    char name[WORD_SIZE];
    char value[WORD_SIZE];

    *check = (struct check_words){.rise = 2, .fall = 3, .inter_ms = 2000}; /* HAProxy's own defaults */
    while (next_word(&text, name, sizeof name)) {
        const struct check_word *row = NULL;
        for (size_t i = 0; i < CHECK_WORDS; i++) {
            if (strcmp(check_table[i].name, name) == 0)
                row = &check_table[i];
        }
        if (row == NULL)
            return error_set(error, EXIT_CONFIG,
                             "check: '%s' is none of inter, fastinter, downinter, rise, fall, "
                             "slowstart, weight, maxconn, minconn, maxqueue",
                             name);
        if (!next_word(&text, value, sizeof value))
            return error_set(error, EXIT_CONFIG, "check: %s has no value", name);
        if (!take_pair(row, value, check, error))
            return false;
    }
    return true;
}

int64_t words_first_checks_ms(const struct check_words *check)
{
    int64_t inter_ms = check->inter_ms > check->other_inter_ms ? check->inter_ms : check->other_inter_ms;

    return inter_ms * (check->rise + 1); /* the first one is up to one interval late */
}

/* "ADDRESS:PORT", the address may be empty; `length` bytes. */
static bool is_listener(const char *text, size_t length)
{
    size_t digits = 0;

    while (digits < length && strchr("0123456789", text[length - 1 - digits]) != NULL)
        digits++;
    return digits > 0 && digits < length && text[length - 1 - digits] == ':';
}

bool words_check_bind(const char *name, const char *text, struct error *error)
{
    if (text == NULL)
        return true;
    size_t first = strcspn(text, " \t"); /* addresses with commas between them; options of the listener may follow */
    bool right = first > 0 && is_printable(text, "\"'\\#$`{}");
    for (size_t at = 0; right && at < first;) {
        size_t length = strcspn(text + at, ", \t");
        right = is_listener(text + at, length);
        at += length + 1;
    }
    return right || error_set(error, EXIT_CONFIG,
                              "%s = '%s' is no address of a listener such as :33306 or 10.0.0.1:33306", name, text);
}

bool words_check_balance(const char *text, struct error *error)
{
    for (size_t i = 0; i < sizeof balance_words / sizeof balance_words[0]; i++) {
        if (strcmp(balance_words[i], text) == 0)
            return true;
    }
    return error_set(error, EXIT_CONFIG,
                     "balance = '%s' is none of roundrobin, static-rr, leastconn, first, source, random", text);
}

bool words_next_line(const char **rest, const char **line, size_t *length)
{
    while (**rest != '\0') {
        const char *start = *rest + strspn(*rest, " \t|");
        size_t most = strcspn(start, "|");
        *rest = start + most;
        while (most > 0 && strchr(" \t", start[most - 1]) != NULL)
            most--;
        if (most > 0) {
            *line = start;
            *length = most;
            return true;
        }
    }
    return false;
}

bool words_check_extra(const char *text, struct error *error)
{
    const char *rest = text;
    const char *line;
    size_t length;

    if (text == NULL)
        return true;
    if (!is_printable(text, ""))
        return error_set(error, EXIT_CONFIG, "extra may have printable ASCII characters alone");
    while (words_next_line(&rest, &line, &length)) {
        size_t first = strcspn(line, " \t|");
        for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
            if (strlen(reserved[i]) == first && strncmp(reserved[i], line, first) == 0)
                return error_set(error, EXIT_CONFIG, "extra: a line with '%s' belongs into main_config, not here",
                                 reserved[i]);
        }
    }
    return true;
}
