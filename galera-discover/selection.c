#include "selection.h"

#include <stdlib.h>
#include <string.h>

static bool list_has(const char *list, const char *word)
{
    static const char separators[] = ", \t";

    if (list == NULL)
        return false;
    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t length = strcspn(list, separators);
        if (length == strlen(word) && strncmp(list, word, length) == 0)
            return true;
        list += length;
    }
    return false;
}

bool selection_has(const struct selection *selection, const struct registry_entry *entry)
{
    bool any_state = selection->states == NULL || selection->states[0] == '\0';

    return !list_has(selection->exclude, entry->id) && (any_state || list_has(selection->states, entry->state));
}

bool selection_apply(const struct selection *selection, const struct registry *all, struct registry *chosen,
                     struct error *error)
{
    *chosen = (struct registry){.entry = calloc(all->count + 1, sizeof *chosen->entry)};
    if (chosen->entry == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    for (size_t i = 0; i < all->count; i++) {
        if (selection_has(selection, &all->entry[i]))
            chosen->entry[chosen->count++] = all->entry[i];
    }
    return true;
}
