#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_SIZE = 1024 };

/* The value of "key=value", or NULL. */
static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool is(const char *word, const char *name)
{
    return strcmp(word, name) == 0;
}

static void unknown(const char *word)
{
    fprintf(stderr, "a situation says \"%s\", which means nothing\n", word);
    abort();
}

static struct uuid uuid_of(char letter)
{
    struct uuid uuid;

    memset(uuid.bytes, letter - 'A' + 0xA0, sizeof uuid.bytes);
    return uuid;
}

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* "empty", "A:90", "A:90?" */
static bool take_copy(struct holding *holding, const char *word)
{
    static const char *const names[] = {"empty", "plain", "broken"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is(word, names[i])) {
            *holding = (struct holding){.copy = (enum copy)i, .position = position_none()};
            return true;
        }
    }
    if (word[0] < 'A' || word[0] > 'Z' || word[1] != ':')
        return false;
    bool doubtful = word[strlen(word) - 1] == '?';
    *holding = (struct holding){.copy = doubtful ? COPY_DOUBTFUL : COPY_TRUSTED, .source = SOURCE_RECOVER};
    holding->flaw = doubtful ? FLAW_GRASTATE_CORRUPT : FLAW_NONE;
    holding->position = (struct position){uuid_of(word[0]), number_of(word + 2)};
    return true;
}

static struct view view_of(const char *text, size_t node)
{
    struct view view = {.members = (int)number_of(text + 2)};

    view.id[0] = text[0];
    view.self.bytes[0] = (unsigned char)(node + 1);
    return view;
}

static void boot_of(char boot[BOOT_ID_SIZE], const char *node, const char *which)
{
    char text[BOOT_ID_SIZE];

    snprintf(text, sizeof text, "%s-%.20s", which, node);
    memcpy(boot, text, sizeof text);
}

/* --- of a node
 * --------------------------------------------------------------------------------------------------------- */

static bool take_record_word(struct node_facts *node, const char *word, int64_t epoch)
{
    static const char *const states[] = {"none", "running", "idle", "attested", "lost"};
    struct record *record = &node->record;
    const char *value;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (is(word, states[i])) {
            record->state = (enum record_state)i;
            record->revision = record->state == RECORD_LOST ? 100 : 50;
            record->epoch = epoch;
            boot_of(record->boot, node->name, "boot");
            return true;
        }
    }
    if (is(word, "late"))
        record->revision = 10;
    else if (is(word, "old"))
        record->epoch = epoch - 1;
    else if (is(word, "safe"))
        record->safe_to_bootstrap = true;
    else if (is(word, "unheard"))
        boot_of(record->boot, node->name, "earlier");
    else if ((value = value_of(word, "g")) != NULL)
        record->place.generation = generation_of(number_of(value), "other");
    else if ((value = value_of(word, "held")) != NULL)
        record->held = (struct place){.generation = {.number = epoch}, .seqno = number_of(value)};
    else if ((value = value_of(word, "size")) != NULL)
        record->size = (int)number_of(value);
    else
        return false;
    return true;
}

static bool take_answer_word(struct situation *situation, struct node_facts *node, const char *word)
{
    struct sighting *seen = &node->sighting;
    const char *value = value_of(word, "primary");

    if (is(word, "primary") || value != NULL) {
        seen->sight = SIGHT_PRIMARY;
        seen->uuid = value == NULL ? situation->uuid : uuid_of(value[0]);
        seen->generation.number = GENERATION_FORGOTTEN;
    } else if (is(word, "nonprimary")) {
        seen->sight = SIGHT_NON_PRIMARY;
    } else if (is(word, "synced")) {
        seen->synced = true;
    } else if (is(word, "donor")) {
        seen->synced = seen->donor = true;
    } else if (is(word, "tells")) {
        seen->generation = lineage_newest(&situation->local.lineage);
    } else if (is(word, "alive") || is(word, "joining") || is(word, "twin")) {
        node->member.phase = is(word, "joining") ? MEMBER_JOINING : MEMBER_WAITING;
        boot_of(node->member.boot, node->name, is(word, "twin") ? "other" : "boot");
    } else if (is(word, "cached")) {
        node->cached = true;
    } else {
        return false;
    }
    return true;
}

static bool take_local_word(struct local *local, const char *word)
{
    static const char *const servers[] = {"stopped", "stranger", "starting", "serving", "idling"};
    const char *value = value_of(word, "has");

    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        if (is(word, servers[i])) {
            local->server = (enum server_state)i;
            return true;
        }
    }
    if (value != NULL)
        return take_copy(&local->holding, value);
    if (is(word, "pledged"))
        local->pledged = true;
    else if (is(word, "patience"))
        local->patience_over = true;
    else if (is(word, "disconnected"))
        local->disconnected = true;
    else
        return false;
    return true;
}

static void take_node(struct situation *situation, char *words, int64_t epoch)
{
    size_t i = situation->count++;
    struct node_facts *node = &situation->nodes[i];
    struct holding holding = {.copy = COPY_EMPTY, .position = position_none()};
    struct view view = {.members = 0};
    bool own = false;

    for (char *word; (word = strsep(&words, " ")) != NULL;) {
        const char *value;
        if (word[0] == '\0')
            continue;
        if (node->name[0] == '\0') {
            snprintf(node->name, sizeof node->name, "%s", word);
            own = strstr(situation->boot, word) != NULL;
            node->record.size = situation->size;
            node->record.held.seqno = SEQNO_UNKNOWN;
        } else if (take_copy(&holding, word)) {
            if (own)
                situation->local.holding = holding;
        } else if ((value = value_of(word, "view")) != NULL) {
            view = view_of(value, i);
        } else if (!take_record_word(node, word, epoch) && !take_answer_word(situation, node, word) &&
                   !(own && take_local_word(&situation->local, word))) {
            unknown(word);
        }
    }
    if (own) {
        situation->self = i;
        situation->local.view = view;
        situation->local.holding.safe_to_bootstrap = node->record.safe_to_bootstrap;
    }
    node->record.copy = holding.copy;
    node->record.source = holding.source;
    node->record.position = holding.position;
    node->record.view = view;
    node->record.place.seqno = holding.position.seqno;
    if (node->record.place.generation.number == 0)
        node->record.place.generation = lineage_generation(&situation->local.lineage, holding.position.seqno);
    if (situation_is_ours(situation, holding.copy, &holding.position) &&
        place_compare(node->record.held, node->record.place) < 0)
        node->record.held = node->record.place;
}

/* --- of all
 * ------------------------------------------------------------------------------------------------------------ */

static void take_bootstrap(struct situation *situation, const char *value, int64_t epoch)
{
    static const char *const phases[] = {"none", "claimed", "starting", "primary"};
    struct bootstrap *bootstrap = &situation->bootstrap;
    const char *node = strchr(value, ':');

    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        if (strncmp(value, phases[i], strlen(phases[i])) == 0)
            bootstrap->phase = (enum bootstrap_phase)i;
    }
    if (node == NULL)
        unknown(value);
    snprintf(bootstrap->node, sizeof bootstrap->node, "%s", node + 1);
    boot_of(bootstrap->boot, node + 1, "boot");
    bootstrap->epoch = bootstrap->phase == BOOTSTRAP_CLAIMED ? epoch + 1 : epoch;
}

static void take_common(struct situation *situation, char *words, int64_t *epoch)
{
    struct generation first = generation_of(1, "boot-n1");
    const char *claim = NULL;
    bool has_state = true, earlier = false;

    for (char *word; (word = strsep(&words, " ")) != NULL;) {
        const char *value;
        if (word[0] == '\0')
            continue;
        if ((value = value_of(word, "me")) != NULL)
            boot_of(situation->boot, value, "boot");
        else if ((value = value_of(word, "size")) != NULL)
            situation->size = (int)number_of(value);
        else if ((value = value_of(word, "uuid")) != NULL) {
            situation->has_uuid = true;
            situation->uuid = uuid_of(value[0]);
        } else if ((value = value_of(word, "epoch")) != NULL)
            *epoch = number_of(value);
        else if ((value = value_of(word, "boot")) != NULL)
            claim = value;
        else if ((value = value_of(word, "kind")) != NULL)
            situation->bootstrap.kind = is(value, "new")        ? KIND_NEW
                                        : is(value, "survivor") ? KIND_SURVIVOR
                                                                : KIND_REMERGE;
        else if ((value = value_of(word, "base")) != NULL)
            situation->bootstrap.base = (struct position){uuid_of(value[0]), number_of(value + 2)};
        else if ((value = value_of(word, "view")) != NULL)
            situation->bootstrap.view = view_of(value, 0);
        else if ((value = value_of(word, "fork")) != NULL)
            lineage_append(&situation->bootstrap.lineage, generation_of(number_of(value), "boot-n2"),
                           number_of(strchr(value, ':') + 1));
        else if (is(word, "earlier"))
            earlier = true;
        else if (is(word, "manual"))
            situation->recovery = RECOVERY_MANUAL;
        else if (is(word, "discard"))
            situation->foreign_data = FOREIGN_DISCARD;
        else if (is(word, "etcd=down"))
            situation->etcd_reachable = false;
        else if (is(word, "forgot"))
            situation->local.epoch = *epoch;
        else if (is(word, "nostate"))
            has_state = false;
        else
            unknown(word);
    }
    if (claim != NULL)
        take_bootstrap(situation, claim, *epoch);
    if (earlier)
        memcpy(situation->bootstrap.boot, "earlier", sizeof "earlier");
    if (has_state &&
        (situation->has_uuid || situation->local.epoch != 0 || situation->bootstrap.phase > BOOTSTRAP_CLAIMED)) {
        situation->local.epoch = *epoch;
        lineage_append(&situation->local.lineage, first, -1);
    }
    /* The cluster's lineage is ours, and perhaps a generation more. */
    struct lineage more = situation->bootstrap.lineage;
    situation->bootstrap.lineage = (struct lineage){.root = GENERATION_NONE};
    lineage_append(&situation->bootstrap.lineage, first, -1);
    if (more.count != 0)
        lineage_append(&situation->bootstrap.lineage, more.entry[0].generation, more.entry[0].base);
}

void situation_from_words(const char *words, struct situation *situation)
{
    char copy[WORDS_SIZE];
    char *rest = copy;
    int64_t epoch = 1;

    memset(situation, 0, sizeof *situation);
    situation->size = 3;
    situation->self = NODES_MOST;
    situation->etcd_reachable = true;
    situation->local.holding.position = position_none();
    situation->bootstrap.base = position_none();
    if ((size_t)snprintf(copy, sizeof copy, "%s", words) >= sizeof copy)
        unknown(words);
    take_common(situation, strsep(&rest, "|"), &epoch);
    while (rest != NULL)
        take_node(situation, strsep(&rest, "|"), epoch);
}
