#include "facts.h"

#include <string.h>
#include <strings.h>

void facts_clear(struct facts *facts)
{
    facts->count = 0;
    facts->text_used = 0;
}

static const char *keep_text(struct facts *facts, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > sizeof facts->text - facts->text_used)
        return NULL;
    char *copy = memcpy(facts->text + facts->text_used, text, size);
    facts->text_used += size;
    return copy;
}

bool facts_add(struct facts *facts, const char *name, const char *value)
{
    size_t i = 0;

    while (i < facts->count && strcasecmp(facts->row[i].name, name) != 0)
        i++;
    if (i == FACTS_MOST)
        return false;
    const char *kept_name = i < facts->count ? facts->row[i].name : keep_text(facts, name);
    const char *kept_value = keep_text(facts, value);
    if (kept_name == NULL || kept_value == NULL)
        return false;
    facts->row[i].name = kept_name;
    facts->row[i].value = kept_value;
    if (i == facts->count)
        facts->count++;
    return true;
}

const char *facts_get(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (strcasecmp(facts->row[i].name, name) == 0)
            return facts->row[i].value;
    }
    return NULL;
}

bool facts_is(const struct facts *facts, const char *name, const char *word)
{
    const char *value = facts_get(facts, name);

    return value != NULL && strcasecmp(value, word) == 0;
}
