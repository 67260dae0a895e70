#include "state_json.h"

#include <stdio.h>
#include <string.h>

#include "json_write.h"
#include "notation.h"

enum { FORMAT = 1 };

static bool maybe_name(const char *name)
{
    return name[0] == '\0' || name_is_valid(name);
}

static bool maybe_address(const char *address)
{
    return address[0] == '\0' || keys_address_is_valid(address, false);
}

static bool maybe_sql(const char *address)
{
    return address[0] == '\0' || keys_address_is_valid(address, true);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool read_peers(const struct json *root, struct state *state, struct error *error)
{
    const struct json *peers = json_member(root, "peers");
    size_t count = json_count(peers);

    if (!json_is_list(peers) || count > NODES_MOST)
        return error_set(error, EXIT_CONFIG, "its \"peers\" must be an array of at most %d", NODES_MOST);
    for (size_t i = 0; i < count; i++) {
        struct state_peer *peer = &state->peer[i];
        const struct json *item = json_item(peers, i);
        if (!notation_text(item, "name", peer->name, sizeof peer->name, name_is_valid, error) ||
            !notation_text(item, "address", peer->address, sizeof peer->address, maybe_address, error) ||
            !notation_text(item, "sql", peer->sql, sizeof peer->sql, maybe_sql, error))
            return error_context(error, "peer %zu", i);
    }
    state->peer_count = count;
    return true;
}

static bool read_server(const struct json *root, struct state *state, struct error *error)
{
    const struct json *server = json_member(root, "server");

    if (!json_is_map(server))
        return notation_refuse(root, "server", "an object", error);
    return notation_number(server, "pid", 0, INT32_MAX, &state->server_pid, error) &&
           notation_number(server, "start", 0, INT64_MAX, &state->server_start, error);
}

static bool read_state(const struct json *root, struct state *state, struct error *error)
{
    int64_t format;

    return notation_number(root, "format", FORMAT, FORMAT, &format, error) &&
           notation_text(root, "cluster", state->cluster, sizeof state->cluster, maybe_name, error) &&
           notation_text(root, "node", state->node, sizeof state->node, maybe_name, error) &&
           notation_text(root, "datadir", state->datadir, sizeof state->datadir, NULL, error) &&
           notation_number(root, "epoch", 0, EPOCH_MOST, &state->epoch, error) &&
           notation_lineage(root, "lineage", &state->lineage, error) &&
           notation_boolean(root, "pledged", &state->pledged, error) &&
           notation_boolean(root, "installing", &state->installing, error) &&
           notation_boolean(root, "fresh", &state->fresh, error) &&
           notation_boolean(root, "served", &state->served, error) && read_server(root, state, error) &&
           notation_number(root, "lease", 0, INT64_MAX, &state->lease, error) && read_peers(root, state, error);
}

bool state_from_json(const char *text, size_t length, struct state *state, struct error *error)
{
    memset(state, 0, sizeof *state);
    struct json *root = notation_parse(text, length, error);
    bool good = root != NULL && read_state(root, state, error);

    json_free(root);
    return good;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add_peers(struct text *text, const struct state *state)
{
    json_open_array(text, "peers");
    for (size_t i = 0; i < state->peer_count; i++) {
        json_open_object(text, NULL);
        json_add_string(text, "name", state->peer[i].name);
        json_add_string(text, "address", state->peer[i].address);
        json_add_string(text, "sql", state->peer[i].sql);
        json_close_object(text);
    }
    json_close_array(text);
}

static void add_state(struct text *text, const struct state *state)
{
    json_open_object(text, NULL);
    json_add_number(text, "format", FORMAT);
    json_add_string(text, "cluster", state->cluster);
    json_add_string(text, "node", state->node);
    json_add_string(text, "datadir", state->datadir);
    json_add_number(text, "epoch", state->epoch);
    notation_add_lineage(text, "lineage", &state->lineage);
    json_add_boolean(text, "pledged", state->pledged);
    json_add_boolean(text, "installing", state->installing);
    json_add_boolean(text, "fresh", state->fresh);
    json_add_boolean(text, "served", state->served);
    json_open_object(text, "server");
    json_add_number(text, "pid", state->server_pid);
    json_add_number(text, "start", state->server_start);
    json_close_object(text);
    json_add_number(text, "lease", state->lease);
    add_peers(text, state);
    json_close_object(text);
    text_add(text, "\n");
}

bool state_to_json(struct text *text, const struct state *state, struct error *error)
{
    struct state again;

    add_state(text, state);
    if (text->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    if (!state_from_json(text_string(text), text->length, &again, error)) {
        error->code = EXIT_INTERNAL;
        return error_context(error, "the state could not be read again");
    }
    if (strcmp(again.datadir, state->datadir) != 0)
        return error_set(error, EXIT_CONFIG, "the name of the data directory is not UTF-8");
    return true;
}
