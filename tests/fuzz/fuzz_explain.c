/* Error logs: what they mean, and how far a state transfer is. The seeds are excerpts of real ones (test_explain.c). */
#include <string.h>

#include "explain.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *log = malloc(size + 1);
    struct explanation explanation;

    MUST(log != NULL);
    memcpy(log, data, size);
    log[size] = '\0';
    bool known = explain(log, &explanation);
    MUST(known == (explanation.word[0] != '\0'));
    MUST(known == (explanation.cause[0] != '\0' && explanation.remedy[0] != '\0'));
    MUST(strlen(explanation.line) < sizeof explanation.line);
    MUST(strchr(explanation.line, '\n') == NULL);
    MUST(strstr(log, explanation.line) != NULL);
    struct transfer transfer = transfer_read(log);
    MUST(transfer_stage_word(transfer.stage) != NULL);
    MUST(transfer.percent >= -1 && transfer.percent <= 100);
    MUST(strlen(transfer.donor) < sizeof transfer.donor && strlen(transfer.method) < sizeof transfer.method);
    free(log);
    return 0;
}
