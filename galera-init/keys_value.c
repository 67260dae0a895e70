/* The values of the keys, one by one. */
#include <stdio.h>
#include <string.h>

#include "json_write.h"
#include "keys_internal.h"
#include "notation.h"
#include "num.h"
#include "registry.h"

static const char *const record_words[RECORD_WORDS] = {
    [RECORD_NONE] = "none",         [RECORD_RUNNING] = "running", [RECORD_IDLE] = "idle",
    [RECORD_ATTESTED] = "attested", [RECORD_LOST] = "lost",
};

static const char *const phase_words[PHASE_WORDS] = {
    [BOOTSTRAP_NONE] = "none",
    [BOOTSTRAP_CLAIMED] = "claimed",
    [BOOTSTRAP_STARTING] = "starting",
    [BOOTSTRAP_PRIMARY] = "primary",
};

static const char *const kind_words[KIND_WORDS] = {
    [KIND_NEW] = "new", [KIND_SURVIVOR] = "survivor", [KIND_REMERGE] = "remerge"};

static const char *const member_words[MEMBER_WORDS] = {
    [MEMBER_NONE] = "none",       [MEMBER_PROBING] = "probing",   [MEMBER_ATTESTED] = "attested",
    [MEMBER_WAITING] = "waiting", [MEMBER_STARTING] = "starting", [MEMBER_JOINING] = "joining",
    [MEMBER_DONOR] = "donor",     [MEMBER_SYNCED] = "synced",     [MEMBER_NONPRIMARY] = "nonprimary",
    [MEMBER_LEAVING] = "leaving",
};

static const char *const seed_words[SEED_WORDS] = {
    [SEED_KEY_NONE] = "none", [SEED_KEY_LOADING] = "loading", [SEED_KEY_DONE] = "done", [SEED_KEY_FAILED] = "failed"};

const char *record_state_word(enum record_state state)
{
    return record_words[state];
}

const char *bootstrap_phase_word(enum bootstrap_phase phase)
{
    return phase_words[phase];
}

const char *bootstrap_kind_word(enum bootstrap_kind kind)
{
    return kind_words[kind];
}

const char *member_phase_word(enum member_phase phase)
{
    return member_words[phase];
}

const char *seed_key_state_word(enum seed_key_state state)
{
    return seed_words[state];
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

static bool host_is_valid(const char *host, bool in_brackets)
{
    char ip[REGISTRY_IP_SIZE];
    bool ipv6;

    if (registry_ip_normalize(host, ip, sizeof ip, &ipv6))
        return !in_brackets || ipv6;
    return !in_brackets && registry_host_is_valid(host);
}

static bool port_is_valid(const char *port)
{
    int64_t number;

    return num_parse(port, 1, UINT16_MAX, &number);
}

bool keys_address_is_valid(const char *address, bool wants_port)
{
    char host[KEYS_ADDRESS_SIZE];
    bool in_brackets = address[0] == '[';
    size_t skipped = in_brackets ? 1 : 0;
    const char *end = strrchr(address, in_brackets ? ']' : ':');

    if (strlen(address) >= sizeof host)
        return false;
    /* An IPv6 literal without brackets has colons and no port. */
    if (!in_brackets && end != NULL && strchr(address, ':') != end)
        return !wants_port && host_is_valid(address, false);
    if (end == NULL)
        return !wants_port && !in_brackets && host_is_valid(address, false);
    snprintf(host, sizeof host, "%.*s", (int)(end - address - (ptrdiff_t)skipped), address + skipped);
    const char *rest = in_brackets ? end + 1 : end;
    if (!host_is_valid(host, in_brackets))
        return false;
    return rest[0] == '\0' ? !wants_port : rest[0] == ':' && port_is_valid(rest + 1);
}

static bool address_is_valid(const char *address)
{
    return keys_address_is_valid(address, false);
}

static bool sql_is_valid(const char *address)
{
    return keys_address_is_valid(address, true);
}

static void add_card(struct text *text, const struct node_card *card)
{
    if (card->address[0] != '\0')
        json_add_string(text, "address", card->address);
    if (card->sql[0] != '\0')
        json_add_string(text, "sql", card->sql);
}

static bool read_card(const struct json *value, struct node_card *card, struct error *error)
{
    if (json_member(value, "address") != NULL &&
        !notation_text(value, "address", card->address, sizeof card->address, address_is_valid, error))
        return false;
    return json_member(value, "sql") == NULL ||
           notation_text(value, "sql", card->sql, sizeof card->sql, sql_is_valid, error);
}

/* --- what is written can be read ---------------------------------------------------------------------------------- */

/*
 * What this program cannot read no other node can: it would keep all of them from deciding. So it is read before
 * anybody gets it.
 */
static bool check_readable(const struct text *text, bool (*read)(const struct json *value, struct error *error),
                           struct error *error)
{
    if (text->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    struct json *value = notation_parse(text_string(text), text->length, error);
    bool good = value != NULL && read(value, error);
    json_free(value);
    if (good)
        return true;
    error->code = EXIT_INTERNAL;
    return error_context(error, "nobody would understand this value");
}

static bool try_uuid(const struct json *value, struct error *error)
{
    struct uuid uuid;

    return uuid_value_read(value, &uuid, error);
}

static bool try_bootstrap(const struct json *value, struct error *error)
{
    struct bootstrap bootstrap = {.phase = BOOTSTRAP_NONE};

    return bootstrap_read(value, &bootstrap, error);
}

static bool try_record(const struct json *value, struct error *error)
{
    struct record record = {.state = RECORD_NONE};
    struct node_card card = {.seqno = SEQNO_UNKNOWN};

    return record_read(value, &record, &card, error);
}

static bool try_member(const struct json *value, struct error *error)
{
    struct member member = {.phase = MEMBER_NONE};
    struct node_card card = {.seqno = SEQNO_UNKNOWN};

    return member_read(value, &member, &card, error);
}

static bool try_seed_key(const struct json *value, struct error *error)
{
    struct seed_key seed = {.state = SEED_KEY_NONE};

    return seed_key_read(value, &seed, error);
}

/* --- uuid and bootstrap ------------------------------------------------------------------------------------------- */

bool uuid_value_format(struct text *text, const struct uuid *uuid, struct error *error)
{
    json_open_object(text, NULL);
    notation_add_uuid(text, "uuid", uuid);
    json_close_object(text);
    return check_readable(text, try_uuid, error);
}

bool uuid_value_read(const struct json *value, struct uuid *uuid, struct error *error)
{
    if (!notation_uuid(value, "uuid", uuid, error))
        return false;
    return !uuid_is_nil(uuid) || notation_refuse(value, "uuid", "that of a history", error);
}

bool bootstrap_format(struct text *text, const struct bootstrap *bootstrap, struct error *error)
{
    json_open_object(text, NULL);
    json_add_string(text, "phase", phase_words[bootstrap->phase]);
    json_add_string(text, "kind", kind_words[bootstrap->kind]);
    json_add_string(text, "node", bootstrap->node);
    json_add_string(text, "boot", bootstrap->boot);
    json_add_number(text, "epoch", bootstrap->epoch);
    notation_add_position(text, "base", &bootstrap->base);
    notation_add_lineage(text, "lineage", &bootstrap->lineage);
    notation_add_view(text, "view", &bootstrap->view);
    json_close_object(text);
    return check_readable(text, try_bootstrap, error);
}

bool bootstrap_read(const struct json *value, struct bootstrap *bootstrap, struct error *error)
{
    int phase = 0;
    int kind = 0;

    if (!notation_word(value, "phase", phase_words, BOOTSTRAP_CLAIMED, PHASE_WORDS, &phase, error) ||
        !notation_word(value, "kind", kind_words, KIND_NEW, KIND_WORDS, &kind, error) ||
        !notation_text(value, "node", bootstrap->node, sizeof bootstrap->node, name_is_valid, error) ||
        !notation_text(value, "boot", bootstrap->boot, sizeof bootstrap->boot, boot_is_valid, error) ||
        !notation_number(value, "epoch", 0, EPOCH_MOST, &bootstrap->epoch, error) ||
        !notation_position(value, "base", &bootstrap->base, error) ||
        !notation_lineage(value, "lineage", &bootstrap->lineage, error) ||
        !notation_view(value, "view", &bootstrap->view, error))
        return false;
    bootstrap->phase = (enum bootstrap_phase)phase;
    bootstrap->kind = (enum bootstrap_kind)kind;
    return true;
}

/* --- position ----------------------------------------------------------------------------------------------------- */

bool record_format(struct text *text, const struct record *record, const struct node_card *card, struct error *error)
{
    json_open_object(text, NULL);
    json_add_string(text, "state", record_words[record->state]);
    json_add_number(text, "epoch", record->epoch);
    json_add_string(text, "boot", record->boot);
    json_add_string(text, "copy", copy_word(record->copy));
    json_add_string(text, "source", source_word(record->source));
    notation_add_position(text, "position", &record->position);
    notation_add_place(text, "place", record->place);
    notation_add_place(text, "held", record->held);
    json_add_boolean(text, "safe_to_bootstrap", record->safe_to_bootstrap);
    json_add_number(text, "nodes", record->size);
    notation_add_view(text, "view", &record->view);
    if (card != NULL)
        add_card(text, card);
    json_close_object(text);
    return check_readable(text, try_record, error);
}

static bool read_copy(const struct json *value, struct record *record, struct error *error)
{
    const char *copies[COPY_WORDS];
    const char *sources[SOURCE_WORDS];
    int copy = 0;
    int source = 0;

    for (int i = 0; i < COPY_WORDS; i++)
        copies[i] = copy_word((enum copy)i);
    for (int i = 0; i < SOURCE_WORDS; i++)
        sources[i] = source_word((enum source)i);
    if (!notation_word(value, "copy", copies, 0, COPY_WORDS, &copy, error) ||
        !notation_word(value, "source", sources, 0, SOURCE_WORDS, &source, error))
        return false;
    record->copy = (enum copy)copy;
    record->source = (enum source)source;
    return true;
}

/* The names of a record's writer. An operator may speak for a node that never had a boot id. */
static bool read_writer(const struct json *value, struct record *record, struct error *error)
{
    const char *boot = json_text(json_member(value, "boot"));
    int state = 0;

    if (!notation_word(value, "state", record_words, RECORD_RUNNING, RECORD_WORDS, &state, error))
        return false;
    record->state = (enum record_state)state;
    if (record->state == RECORD_LOST && boot != NULL && boot[0] == '\0')
        return true;
    return notation_text(value, "boot", record->boot, sizeof record->boot, boot_is_valid, error);
}

static bool read_places(const struct json *value, struct record *record, struct error *error)
{
    record->held = (struct place){.generation = {.number = GENERATION_NONE}, .seqno = SEQNO_UNKNOWN};
    return notation_position(value, "position", &record->position, error) &&
           notation_place(value, "place", &record->place, error) &&
           (json_member(value, "held") == NULL || notation_place(value, "held", &record->held, error));
}

bool record_read(const struct json *value, struct record *record, struct node_card *card, struct error *error)
{
    int64_t size = 0;

    record->safe_to_bootstrap = false;
    if (!read_writer(value, record, error) || !read_copy(value, record, error) || !read_places(value, record, error) ||
        !notation_number(value, "epoch", 0, EPOCH_MOST, &record->epoch, error) ||
        !notation_number(value, "nodes", 0, NODES_MOST, &size, error) ||
        !notation_view(value, "view", &record->view, error))
        return false;
    if (json_member(value, "safe_to_bootstrap") != NULL &&
        !notation_boolean(value, "safe_to_bootstrap", &record->safe_to_bootstrap, error))
        return false;
    record->size = (int)size;
    return read_card(value, card, error);
}

/* --- member ------------------------------------------------------------------------------------------------------- */

bool member_format(struct text *text, enum member_phase phase, const char *boot, const struct node_card *card)
{
    struct error error;

    json_open_object(text, NULL);
    json_add_string(text, "phase", member_words[phase]);
    json_add_string(text, "boot", boot);
    add_card(text, card);
    if (card->seqno != SEQNO_UNKNOWN)
        json_add_number(text, "seqno", card->seqno);
    json_close_object(text);
    return check_readable(text, try_member, &error);
}

bool member_read(const struct json *value, struct member *member, struct node_card *card, struct error *error)
{
    int phase = 0;

    card->seqno = SEQNO_UNKNOWN;
    if (!notation_word(value, "phase", member_words, MEMBER_PROBING, MEMBER_WORDS, &phase, error) ||
        !notation_text(value, "boot", member->boot, sizeof member->boot, boot_is_valid, error) ||
        !read_card(value, card, error))
        return false;
    member->phase = (enum member_phase)phase;
    return json_member(value, "seqno") == NULL ||
           notation_number(value, "seqno", SEQNO_UNKNOWN, INT64_MAX, &card->seqno, error);
}

/* --- seed --------------------------------------------------------------------------------------------------------- */

static bool sha256_is_valid(const char *text)
{
    return strlen(text) == SHA256_TEXT_SIZE - 1 && strspn(text, "0123456789abcdef") == SHA256_TEXT_SIZE - 1;
}

bool seed_key_format(struct text *text, const struct seed_key *seed)
{
    struct error error;

    json_open_object(text, NULL);
    json_add_string(text, "state", seed_words[seed->state]);
    json_add_string(text, "sha256", seed->sha256);
    json_add_string(text, "node", seed->node);
    json_add_number(text, "epoch", seed->epoch);
    json_close_object(text);
    return check_readable(text, try_seed_key, &error);
}

bool seed_key_read(const struct json *value, struct seed_key *seed, struct error *error)
{
    int state = 0;

    if (!notation_word(value, "state", seed_words, SEED_KEY_LOADING, SEED_WORDS, &state, error) ||
        !notation_text(value, "sha256", seed->sha256, sizeof seed->sha256, sha256_is_valid, error) ||
        !notation_text(value, "node", seed->node, sizeof seed->node, name_is_valid, error) ||
        !notation_number(value, "epoch", 0, EPOCH_MOST, &seed->epoch, error))
        return false;
    seed->state = (enum seed_key_state)state;
    return true;
}
