/* grastate.dat and gvwstate.dat, as a crash or an editor may leave them. The first byte chooses: 'g' or 'v'. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "grastate.h"
#include "gvwstate.h"

static void try_grastate(const char *text)
{
    struct grastate grastate = grastate_parse(text);

    MUST(grastate.condition == GRASTATE_GOOD || grastate.condition == GRASTATE_CORRUPT);
    if (grastate.condition != GRASTATE_GOOD)
        return;
    char again[256];
    char uuid[UUID_TEXT_SIZE];
    MUST(grastate.position.seqno >= SEQNO_UNKNOWN);
    /* What is told is in the file: written down plainly it tells the same. */
    snprintf(
        again, sizeof again, "# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   %lld\nsafe_to_bootstrap: %d\n",
        uuid_format(&grastate.position.uuid, uuid), (long long)grastate.position.seqno, grastate.safe_to_bootstrap);
    struct grastate second = grastate_parse(again);
    MUST(second.condition == GRASTATE_GOOD && position_equal(&second.position, &grastate.position));
    MUST(second.safe_to_bootstrap == grastate.safe_to_bootstrap);
}

static void try_gvwstate(const char *text)
{
    struct gvwstate gvwstate = gvwstate_parse(text);

    MUST(gvwstate.condition == GVWSTATE_GOOD || gvwstate.condition == GVWSTATE_USELESS);
    MUST(view_is_none(&gvwstate.view) == (gvwstate.condition == GVWSTATE_USELESS));
    if (gvwstate.condition != GVWSTATE_GOOD)
        return;
    struct position id;
    MUST(position_parse(gvwstate.view.id, &id) && id.seqno >= 0 && id.seqno <= UINT32_MAX);
    MUST(gvwstate.view.members > 0 && !uuid_is_nil(&gvwstate.view.self));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = strndup((const char *)data + 1, size - 1);
    MUST(text != NULL);
    if (data[0] == 'v')
        try_gvwstate(text);
    else
        try_grastate(text);
    free(text);
    return 0;
}
