/* state.json, as a crash or an editor may leave it. */
#include <string.h>

#include "fuzz.h"
#include "state_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state state;
    struct state again;
    struct error error = {.text = ""};
    struct text written = {.failed = false};
    struct text second = {.failed = false};

    if (!state_from_json((const char *)data, size, &state, &error)) {
        MUST(error.code == EXIT_CONFIG && error.text[0] != '\0');
        return 0;
    }
    MUST(state.peer_count <= NODES_MOST && state.epoch >= 0 && state.lineage.count <= LINEAGE_MOST);
    MUST(state_to_json(&written, &state, &error));
    MUST(state_from_json(text_string(&written), written.length, &again, &error));
    MUST(state_to_json(&second, &again, &error));
    MUST(strcmp(text_string(&written), text_string(&second)) == 0);
    text_free(&written);
    text_free(&second);
    return 0;
}
