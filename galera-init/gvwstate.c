#include "gvwstate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "num.h"

enum { LINE_SIZE = 160, MEMBERS_MOST = 1024 };

/* gcomm::ViewType of a Primary view, gcomm/view.hpp. */
static const char PRIMARY_VIEW[] = "3";

struct parse {
    struct view view;
    bool has_self, has_begin, has_end, has_id, self_is_member;
};

/* "view_id: TYPE UUID SEQ" without its name. */
static bool parse_view_id(struct parse *parse, char *words)
{
    char *type = strsep(&words, " ");
    char *name = strsep(&words, " ");
    struct uuid uuid;
    int64_t seq;
    char text[UUID_TEXT_SIZE];

    if (parse->has_id || type == NULL || name == NULL || words == NULL || strcmp(type, PRIMARY_VIEW) != 0)
        return false;
    if (strlen(name) != UUID_TEXT_SIZE - 1 || !uuid_parse(name, &uuid) || uuid_is_nil(&uuid))
        return false;
    if (!num_parse(words, 0, UINT32_MAX, &seq))
        return false;
    parse->has_id = true;
    snprintf(parse->view.id, sizeof parse->view.id, "%s:%" PRId64, uuid_format(&uuid, text), seq);
    return true;
}

static bool parse_member(struct parse *parse, char *words)
{
    char *name = strsep(&words, " "); /* the segment follows */
    struct uuid uuid;

    if (strlen(name) != UUID_TEXT_SIZE - 1 || !uuid_parse(name, &uuid) || uuid_is_nil(&uuid))
        return false;
    if (parse->view.members == MEMBERS_MOST)
        return false;
    parse->view.members++;
    /* my_uuid is counted up when a server takes the file; the list of members is not. */
    parse->self_is_member = parse->self_is_member || uuid_same_member(&uuid, &parse->view.self);
    return true;
}

static bool parse_self(struct parse *parse, const char *name)
{
    bool good = !parse->has_self && strlen(name) == UUID_TEXT_SIZE - 1 && uuid_parse(name, &parse->view.self);

    parse->has_self = true;
    return good && !uuid_is_nil(&parse->view.self);
}

/* The rest of a line that begins with `name` and a blank, or NULL. */
static char *after(char *line, const char *name)
{
    size_t length = strlen(name);

    return strncmp(line, name, length) == 0 && line[length] == ' ' ? line + length + 1 : NULL;
}

static bool parse_line(struct parse *parse, char *line)
{
    char *rest;

    if (strcmp(line, "#vwbeg") == 0) {
        parse->has_begin = true;
        return parse->has_self;
    }
    if (strcmp(line, "#vwend") == 0) {
        parse->has_end = parse->has_begin;
        return parse->has_begin;
    }
    if ((rest = after(line, "my_uuid:")) != NULL)
        return parse_self(parse, rest);
    if (!parse->has_begin || parse->has_end)
        return true;
    if ((rest = after(line, "view_id:")) != NULL)
        return parse_view_id(parse, rest);
    if ((rest = after(line, "member:")) != NULL)
        return parse_member(parse, rest);
    return true;
}

static bool next_line(const char **text, char line[LINE_SIZE])
{
    size_t length = strcspn(*text, "\n");
    size_t kept = length < LINE_SIZE ? length : LINE_SIZE - 1;

    if (**text == '\0')
        return false;
    memcpy(line, *text, kept);
    while (kept > 0 && (line[kept - 1] == ' ' || line[kept - 1] == '\r'))
        kept--;
    line[kept] = '\0';
    *text += length + ((*text)[length] == '\n');
    return true;
}

struct gvwstate gvwstate_parse(const char *text)
{
    struct parse parse = {.view = {.members = 0}};
    char line[LINE_SIZE];
    bool good = true;

    if (text == NULL)
        return (struct gvwstate){.condition = GVWSTATE_MISSING};
    while (good && next_line(&text, line))
        good = parse_line(&parse, line);
    if (!good || !parse.has_end || !parse.has_id || !parse.self_is_member)
        return (struct gvwstate){.condition = GVWSTATE_USELESS};
    return (struct gvwstate){.condition = GVWSTATE_GOOD, .view = parse.view};
}

bool view_is_none(const struct view *view)
{
    return view->id[0] == '\0';
}

bool view_equal(const struct view *a, const struct view *b)
{
    return strcmp(a->id, b->id) == 0 && a->members == b->members;
}
