/* Tables of situations and what a node does in them, in the words of words.h. */
#ifndef CASES_H
#define CASES_H

#include "../../row.h"

#include "decide.h"
#include "words.h"

#define UUID_A "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"
#define UUID_B "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"

/* A cluster that was there before: recorded, and its last Primary Component known. */
#define KNOWN "uuid=A boot=primary:n2 "

struct row {
    const char *name;
    const char *situation;
    enum action action;
    const char *text; /* NULL: any */
};

static inline void check_rows(const struct row *rows, size_t count)
{
    static struct situation situation;
    char text[1024];

    for (size_t i = 0; i < count; i++) {
        situation_from_words(rows[i].situation, &situation);
        struct decision decision = decide(&situation);
        decision_text(&situation, &decision, text, sizeof text);
        if (decision.action != rows[i].action)
            fail_msg("row \"%s\": %s (%s: %s) instead of %s", rows[i].name, action_word(decision.action),
                     cause_word(decision.cause), text, action_word(rows[i].action));
        if (rows[i].text != NULL)
            row_text(rows[i].name, text, rows[i].text);
        if (decision.action == ACTION_JOIN || decision.action == ACTION_REMERGE)
            row_true(rows[i].name, (decision.who & ~NODE_BIT(situation.self)) != 0);
    }
}

#endif
