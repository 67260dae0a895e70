#include "explain.h"

#include <string.h>

#include "explain_internal.h"

bool log_line_next(const char **rest, struct log_line *line)
{
    const char *end = strchr(*rest, '\n');

    if (**rest == '\0')
        return false;
    line->start = *rest;
    line->length = end != NULL ? (size_t)(end - *rest) : strlen(*rest);
    *rest += line->length + (end != NULL ? 1 : 0);
    if (line->length > 0 && line->start[line->length - 1] == '\r')
        line->length--;
    return true;
}

/* Of ASCII alone: tolower() depends on the locale, and a whole log is looked at for each of some 200 patterns. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_letters(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

/* The first place of `words` at or after `from`, as an offset; more than the line's length when there is none. */
static size_t find(const struct log_line *line, size_t from, const char *words, size_t length)
{
    const char first = length > 0 ? lower(words[0]) : '\0';

    if (length == 0)
        return from;
    for (size_t i = from; i + length <= line->length; i++) {
        if (lower(line->start[i]) == first && same_letters(line->start + i, words, length))
            return i;
    }
    return line->length + 1;
}

bool log_line_has(const struct log_line *line, const char *pattern)
{
    size_t at = 0;

    for (const char *part = pattern; part != NULL;) {
        const char *star = strchr(part, '*');
        size_t length = star != NULL ? (size_t)(star - part) : strlen(part);
        at = find(line, at, part, length) + length;
        if (at > line->length)
            return false;
        part = star != NULL ? star + 1 : NULL;
    }
    return true;
}

const char *log_line_after(const struct log_line *line, const char *words)
{
    size_t length = strlen(words);
    size_t at = find(line, 0, words, length);

    return at + length <= line->length ? line->start + at + length : NULL;
}

/* MariaDB from 10.11, MariaDB before that and MySQL, and MySQL 8. */
static bool is_start(const struct log_line *line)
{
    return log_line_has(line, "[Note] Starting MariaDB * as process ") || log_line_has(line, ") starting as process ");
}

const char *log_last_start(const char *log)
{
    const char *rest = log;
    const char *start = log;
    struct log_line line;

    while (log_line_next(&rest, &line)) {
        if (is_start(&line))
            start = line.start;
    }
    return start;
}

static enum log_cure cure_of(const struct log_line *line)
{
    if (log_line_has(line, "synchronized with group, ready for connections"))
        return CURE_SYNCED;
    if (log_line_has(line, "component  = PRIMARY,"))
        return CURE_QUORUM;
    if (log_line_has(line, "view(view_id(PRIM,") || log_line_has(line, "New COMPONENT: primary = yes"))
        return CURE_PRIMARY;
    return CURE_NONE;
}

static bool matches(const struct explain_row *row, const struct log_line *line)
{
    for (size_t i = 0; i < EXPLAIN_PATTERNS && row->patterns[i] != NULL; i++) {
        if (log_line_has(line, row->patterns[i]))
            return true;
    }
    return false;
}

static const struct explain_row *row_of(const struct log_line *line)
{
    static const struct explain_row *const tables[] = {explain_group, explain_transfer, explain_server};

    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct explain_row *row = tables[t]; row->word != NULL; row++) {
            if (matches(row, line))
                return row;
        }
    }
    return NULL;
}

bool explain_finds(const char *log, const char *word)
{
    const char *rest = log_last_start(log);
    struct log_line line;

    while (log_line_next(&rest, &line)) {
        const struct explain_row *row = row_of(&line);
        if (row != NULL && strcmp(row->word, word) == 0)
            return true;
    }
    return false;
}

/* The best line of each kind of cure: what is seen later may undo one kind and leave the others. */
struct finding {
    const struct explain_row *row;
    struct log_line line;
};

static void consider(struct finding *best, const struct explain_row *row, const struct log_line *line)
{
    if (best->row == NULL || row->weight >= best->row->weight)
        *best = (struct finding){.row = row, .line = *line};
}

static void keep_line(struct explanation *explanation, const struct log_line *line)
{
    size_t length = line->length < sizeof explanation->line ? line->length : sizeof explanation->line - 1;

    memcpy(explanation->line, line->start, length);
    explanation->line[length] = '\0';
}

static bool is_error(const struct log_line *line)
{
    return log_line_has(line, "[ERROR]") && !log_line_has(line, "[ERROR] Aborting");
}

/* Later of equals: by address, as all lines are of one text. */
static const struct finding *most_telling(const struct finding *findings, size_t count)
{
    const struct finding *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct finding *one = &findings[i];
        if (one->row == NULL)
            continue;
        if (best == NULL || one->row->weight > best->row->weight ||
            (one->row->weight == best->row->weight && one->line.start > best->line.start))
            best = one;
    }
    return best;
}

bool explain(const char *log, struct explanation *explanation)
{
    struct finding findings[CURE_SYNCED + 1] = {0};
    struct log_line last_error = {.start = ""};
    struct log_line line;
    const char *rest = log_last_start(log);

    *explanation = (struct explanation){.word = "", .cause = "", .remedy = ""};
    while (log_line_next(&rest, &line)) {
        const struct explain_row *row = row_of(&line);
        for (enum log_cure cure = cure_of(&line); cure != CURE_NONE; cure--)
            findings[cure].row = NULL;
        if (row != NULL)
            consider(&findings[row->cure], row, &line);
        if (is_error(&line))
            last_error = line;
    }
    const struct finding *best = most_telling(findings, CURE_SYNCED + 1);
    keep_line(explanation, best != NULL ? &best->line : &last_error);
    if (best == NULL)
        return false;
    explanation->word = best->row->word;
    explanation->cause = best->row->cause;
    explanation->remedy = best->row->remedy;
    return true;
}
