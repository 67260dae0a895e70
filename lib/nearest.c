#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 64 };

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Damerau-Levenshtein (optimal string alignment): a swapped pair of letters counts as one slip. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t cost[LONGEST + 1][LONGEST + 1];

    for (size_t i = 0; i <= a_length; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= b_length; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = cost[i - 1][j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
            if (cost[i - 1][j] + 1 < best)
                best = cost[i - 1][j] + 1;
            if (cost[i][j - 1] + 1 < best)
                best = cost[i][j - 1] + 1;
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]) &&
                cost[i - 2][j - 2] + 1 < best)
                best = cost[i - 2][j - 2] + 1;
            cost[i][j] = best;
        }
    }
    return cost[a_length][b_length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t word_length = strnlen(nearest->word, LONGEST + 1);
    size_t length = strnlen(candidate, LONGEST + 1);

    if (word_length > LONGEST || length > LONGEST)
        return;
    size_t distance = edit_distance(nearest->word, word_length, candidate, length);
    /* More than about a third of the letters wrong is another word, not a slip; so are all of them. */
    size_t longer = length > word_length ? length : word_length;
    if (distance <= longer / 3 + 1 && distance < longer && (nearest->name == NULL || distance < nearest->distance)) {
        nearest->name = candidate;
        nearest->distance = distance;
    }
}

const char *nearest_hint(const struct nearest *nearest, char *text, size_t size)
{
    if (nearest->name == NULL)
        text[0] = '\0';
    else
        snprintf(text, size, " (did you mean '%s'?)", nearest->name);
    return text;
}
