#include "notation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "json_write.h"
#include "registry.h"

/* A group has as many members; situation.h has no use for more. */
enum { VIEW_MEMBERS_MOST = 1024, SHOWN_SIZE = 80 };

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct json *notation_parse(const char *text, size_t length, struct error *error)
{
    struct json *root = json_parse(text, length, error);

    if (root != NULL && !json_is_map(root)) {
        json_free(root);
        root = NULL;
        error_set(error, EXIT_CONFIG, "it is no JSON object");
    }
    error->code = root == NULL ? EXIT_CONFIG : error->code;
    return root;
}

bool notation_refuse(const struct json *object, const char *name, const char *wanted, struct error *error)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    char shown[SHOWN_SIZE];
    struct line line = LINE_IN(shown);

    if (value == NULL)
        return error_set(error, EXIT_CONFIG, "it has no \"%s\", which must be %s", name, wanted);
    if (text == NULL)
        return error_set(error, EXIT_CONFIG, "its \"%s\" must be %s", name, wanted);
    line_add_json(&line, text);
    return error_set(error, EXIT_CONFIG, "its \"%s\" is %s and must be %s", name, shown, wanted);
}

static bool refuse_text(const char *name, const char *value, struct error *error)
{
    char shown[SHOWN_SIZE];
    struct line line = LINE_IN(shown);

    line_add_json(&line, value);
    return error_set(error, EXIT_CONFIG, "its \"%s\" cannot be %s", name, shown);
}

bool notation_text(const struct json *object, const char *name, char *text, size_t size, bool (*is_valid)(const char *),
                   struct error *error)
{
    const char *value = json_text(json_member(object, name));

    if (value == NULL)
        return notation_refuse(object, name, "a string", error);
    if (strlen(value) >= size || (is_valid != NULL && !is_valid(value)))
        return refuse_text(name, value, error);
    snprintf(text, size, "%s", value);
    return true;
}

bool notation_number(const struct json *object, const char *name, int64_t min, int64_t max, int64_t *number,
                     struct error *error)
{
    const struct json *value = json_member(object, name);
    char wanted[SHOWN_SIZE];

    /* What is no number is whatever is asked for. */
    *number = json_number(value, min);
    if (*number >= min && *number <= max && (*number != min || json_number(value, INT64_MIN) == min))
        return true;
    snprintf(wanted, sizeof wanted, "a whole number from %" PRId64 " to %" PRId64, min, max);
    return notation_refuse(object, name, wanted, error);
}

bool notation_boolean(const struct json *object, const char *name, bool *truth, struct error *error)
{
    return json_flag(json_member(object, name), truth) || notation_refuse(object, name, "true or false", error);
}

bool notation_word(const struct json *object, const char *name, const char *const *words, int first, int count,
                   int *index, struct error *error)
{
    const char *value = json_text(json_member(object, name));
    char wanted[2 * SHOWN_SIZE];
    struct line line = LINE_IN(wanted);

    wanted[0] = '\0';
    for (int i = first; i < count; i++) {
        if (value != NULL && strcmp(value, words[i]) == 0) {
            *index = i;
            return true;
        }
        line_add(&line, i == first ? "" : i == count - 1 ? " or " : ", ");
        line_add(&line, words[i]);
    }
    return notation_refuse(object, name, wanted, error);
}

static bool uuid_is_text(const char *text, struct uuid *uuid)
{
    return strlen(text) == UUID_TEXT_SIZE - 1 && uuid_parse(text, uuid);
}

bool notation_uuid(const struct json *object, const char *name, struct uuid *uuid, struct error *error)
{
    const char *value = json_text(json_member(object, name));

    return (value != NULL && uuid_is_text(value, uuid)) || notation_refuse(object, name, "a UUID", error);
}

bool notation_position(const struct json *object, const char *name, struct position *position, struct error *error)
{
    const char *value = json_text(json_member(object, name));

    return (value != NULL && position_parse(value, position)) || notation_refuse(object, name, "UUID:SEQNO", error);
}

static bool read_generation(const struct json *object, int64_t least, struct generation *generation,
                            struct error *error)
{
    int64_t mark;

    if (!notation_number(object, "generation", least, EPOCH_MOST, &generation->number, error) ||
        !notation_number(object, "mark", 0, UINT32_MAX, &mark, error))
        return false;
    generation->mark = (uint32_t)mark;
    return true;
}

bool notation_place(const struct json *object, const char *name, struct place *place, struct error *error)
{
    const struct json *value = json_member(object, name);

    if (!json_is_map(value))
        return notation_refuse(object, name, "an object", error);
    return (read_generation(value, GENERATION_FORGOTTEN, &place->generation, error) &&
            notation_number(value, "seqno", SEQNO_UNKNOWN, INT64_MAX, &place->seqno, error)) ||
           error_context(error, "in its \"%s\"", name);
}

/* Numbers and bases rise: what lineage.c takes for granted. */
static bool read_generations(const struct json *array, struct lineage *lineage, struct error *error)
{
    size_t count = json_count(array);

    if (count > LINEAGE_MOST)
        return error_set(error, EXIT_CONFIG, "it has more than %d generations", LINEAGE_MOST);
    for (size_t i = 0; i < count; i++) {
        const struct json *value = json_item(array, i);
        if (!read_generation(value, GENERATION_NONE + 1, &lineage->entry[i].generation, error) ||
            !notation_number(value, "base", SEQNO_UNKNOWN, INT64_MAX, &lineage->entry[i].base, error))
            return error_context(error, "generation %zu", i);
        if (i > 0 && (lineage->entry[i].generation.number <= lineage->entry[i - 1].generation.number ||
                      lineage->entry[i].base <= lineage->entry[i - 1].base))
            return error_set(error, EXIT_CONFIG, "generation %zu does not come after the one before it", i);
    }
    lineage->count = count;
    return true;
}

bool notation_lineage(const struct json *object, const char *name, struct lineage *lineage, struct error *error)
{
    const struct json *value = json_member(object, name);
    const struct json *generations = json_member(value, "generations");

    memset(lineage, 0, sizeof *lineage);
    if (!json_is_map(value))
        return notation_refuse(object, name, "an object", error);
    if (!json_is_list(generations)) {
        notation_refuse(value, "generations", "an array", error);
        return error_context(error, "in its \"%s\"", name);
    }
    return (notation_number(value, "root", GENERATION_FORGOTTEN, GENERATION_NONE, &lineage->root, error) &&
            read_generations(generations, lineage, error)) ||
           error_context(error, "in its \"%s\"", name);
}

static bool view_id_is_valid(const char *id)
{
    struct position position;

    return position_parse(id, &position) && position.seqno >= 0 && position.seqno <= UINT32_MAX;
}

bool notation_view(const struct json *object, const char *name, struct view *view, struct error *error)
{
    const struct json *value = json_member(object, name);
    int64_t members = 0;

    memset(view, 0, sizeof *view);
    if (value == NULL)
        return true;
    if (!json_is_map(value))
        return notation_refuse(object, name, "an object", error);
    if (!notation_text(value, "id", view->id, sizeof view->id, view_id_is_valid, error) ||
        !notation_number(value, "members", 1, VIEW_MEMBERS_MOST, &members, error) ||
        !notation_uuid(value, "self", &view->self, error))
        return error_context(error, "in its \"%s\"", name);
    view->members = (int)members;
    return true;
}

bool name_is_valid(const char *name)
{
    return registry_id_is_valid(name);
}

bool boot_is_valid(const char *boot)
{
    return registry_id_is_valid(boot);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

void notation_add_uuid(struct text *text, const char *name, const struct uuid *uuid)
{
    char words[UUID_TEXT_SIZE];

    json_add_string(text, name, uuid_format(uuid, words));
}

void notation_add_position(struct text *text, const char *name, const struct position *position)
{
    char words[POSITION_TEXT_SIZE];

    json_add_string(text, name, position_format(position, words));
}

static void add_generation(struct text *text, struct generation generation)
{
    json_add_number(text, "generation", generation.number);
    json_add_number(text, "mark", generation.mark);
}

void notation_add_place(struct text *text, const char *name, struct place place)
{
    json_open_object(text, name);
    add_generation(text, place.generation);
    json_add_number(text, "seqno", place.seqno);
    json_close_object(text);
}

void notation_add_lineage(struct text *text, const char *name, const struct lineage *lineage)
{
    json_open_object(text, name);
    json_add_number(text, "root", lineage->root);
    json_open_array(text, "generations");
    for (size_t i = 0; i < lineage->count; i++) {
        json_open_object(text, NULL);
        add_generation(text, lineage->entry[i].generation);
        json_add_number(text, "base", lineage->entry[i].base);
        json_close_object(text);
    }
    json_close_array(text);
    json_close_object(text);
}

void notation_add_view(struct text *text, const char *name, const struct view *view)
{
    if (view_is_none(view))
        return;
    json_open_object(text, name);
    json_add_string(text, "id", view->id);
    json_add_number(text, "members", view->members);
    notation_add_uuid(text, "self", &view->self);
    json_close_object(text);
}
