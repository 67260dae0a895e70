/* What mariadbd --wsrep-recover, or something in its place, wrote. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "holding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *log = strndup((const char *)data, size);

    MUST(log != NULL);
    struct recovered recovered = recover_parse(log);
    MUST(recovered.outcome != RECOVER_NOT_RUN);
    if (recovered.outcome == RECOVER_POSITION) {
        MUST(!uuid_is_nil(&recovered.position.uuid) && recovered.position.seqno >= 0);
        MUST(strstr(log, "Recovered position") != NULL);
    }
    /* A copy whose grastate.dat has no seqno is trusted only when the log names a place in the same history. */
    struct holding_signs signs = {.has_data = true, .recovered = recovered, .grastate.condition = GRASTATE_GOOD};
    signs.grastate.position = (struct position){.uuid = {{1}}, .seqno = SEQNO_UNKNOWN};
    struct holding holding = holding_judge(&signs);
    if (holding.copy == COPY_TRUSTED || holding.copy == COPY_DOUBTFUL)
        MUST(recovered.outcome == RECOVER_POSITION && position_equal(&holding.position, &recovered.position));
    if (holding.copy == COPY_TRUSTED)
        MUST(uuid_equal(&holding.position.uuid, &signs.grastate.position.uuid) && !recovered.prepared);
    free(log);
    return 0;
}
