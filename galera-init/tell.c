/* What people and systemd are told. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"
#include "init.h"
#include "log.h"
#include "notify.h"
#include "output.h"

enum {
    NS_PER_MS = 1000000,
    REPEAT_FIRST_MS = 10000,
    REPEAT_MOST_MS = 300000,
    EXTEND_EVERY_MS = 10000,
    EXTEND_BY_US = 60000000,
    LOG_TAIL = 64 * 1024,
    LAST_WORDS_MS = 1000
};

/* --- decisions ---------------------------------------------------------------------------------------------------- */

static enum log_level level_of(const struct init *init)
{
    switch (init->decision.action) {
    case ACTION_REFUSE:
        return LOG_LEVEL_ERR;
    case ACTION_STOP:
        return LOG_LEVEL_WARNING;
    case ACTION_RUN:
    case ACTION_RECORD:
        return init->decision.cause == CAUSE_ETCD_UNREACHABLE ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO;
    case ACTION_ATTEST:
        return LOG_LEVEL_INFO;
    case ACTION_CLAIM:
    case ACTION_BOOTSTRAP:
    case ACTION_JOIN:
    case ACTION_REMERGE:
    case ACTION_PC_BOOTSTRAP:
    case ACTION_WAIT:
        break;
    }
    return LOG_LEVEL_NOTICE;
}

void tell_decision(struct init *init)
{
    struct telling *telling = &init->telling;
    const struct decision *decision = &init->decision;
    char text[sizeof telling->text];
    int64_t now = monotonic_ns();
    const struct log_field fields[] = {
        {"action", action_word(decision->action)}, {"cause", cause_word(decision->cause)}, {NULL, NULL}};

    decision_text(&init->situation, decision, text, sizeof text);
    bool same = telling->began && telling->action == decision->action && telling->cause == decision->cause &&
                strcmp(telling->text, text) == 0;
    if (!same) {
        telling->interval_ms = REPEAT_FIRST_MS;
    } else {
        if (decision->action != ACTION_WAIT || now < telling->next_ns)
            return;
        telling->interval_ms = telling->interval_ms * 2 > REPEAT_MOST_MS ? REPEAT_MOST_MS : telling->interval_ms * 2;
    }
    telling->began = true;
    telling->action = decision->action;
    telling->cause = decision->cause;
    telling->next_ns = now + telling->interval_ms * NS_PER_MS;
    memcpy(telling->text, text, sizeof text);
    log_event(level_of(init), fields, "%s", text);
}

/* --- systemd ------------------------------------------------------------------------------------------------------ */

void tell_alive(void *context)
{
    struct init *init = context;
    struct telling *telling = &init->telling;
    int64_t now = monotonic_ns();

    if (notify_watchdog_ms() != 0 && now - telling->watchdog_ns > notify_watchdog_ms() / 2 * NS_PER_MS) {
        notify_send("WATCHDOG=1");
        telling->watchdog_ns = now;
    }
    /* Waiting for others, a recovery, a transfer and a clean stop take as long as they take. */
    if ((!telling->ready || init->stopping) && now - telling->extended_ns > EXTEND_EVERY_MS * (int64_t)NS_PER_MS) {
        notify_send("EXTEND_TIMEOUT_USEC=%d", EXTEND_BY_US);
        telling->extended_ns = now;
    }
}

void tell_systemd(struct init *init)
{
    struct telling *telling = &init->telling;
    enum member_phase phase = init_phase(init);
    char status[sizeof telling->status];

    tell_alive(init);
    if (phase == MEMBER_SYNCED || phase == MEMBER_DONOR)
        snprintf(status, sizeof status, "%s in cluster %s", phase == MEMBER_DONOR ? "donor" : "synced",
                 init->settings->cluster);
    else if (telling->transfer[0] != '\0')
        snprintf(status, sizeof status, "joining: %.200s", telling->transfer);
    else
        snprintf(status, sizeof status, "%s: %.200s", member_phase_word(phase), telling->text);
    if (strcmp(status, telling->status) != 0) {
        memcpy(telling->status, status, sizeof status);
        notify_send("STATUS=%s", status);
    }
    if (!telling->ready && phase == MEMBER_SYNCED) {
        telling->ready = true;
        notify_send("READY=1");
    }
}

/* --- the server's log --------------------------------------------------------------------------------------------- */

/* What the server has written since it was started, the last of it; the caller frees it. NULL: nothing is known. */
static char *read_log(const struct init *init)
{
    const char *path = init->info.log_error;
    struct stat status;
    char *text = NULL;

    if (path[0] == '\0')
        return output_kept();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && (text = malloc(LOG_TAIL + 1)) != NULL) {
        off_t from = init->telling.log_offset > status.st_size ? 0 : init->telling.log_offset;
        if (status.st_size - from > LOG_TAIL)
            from = status.st_size - LOG_TAIL;
        ssize_t length = pread(fd, text, LOG_TAIL, from);
        text[length > 0 ? length : 0] = '\0';
    }
    close(fd);
    return text;
}

void tell_end(struct init *init)
{
    if (init->info.log_error[0] == '\0')
        output_settle(LAST_WORDS_MS);
    char *log = read_log(init);
    const char *where = init->info.log_error[0] == '\0' ? "above" : init->info.log_error;
    struct explanation explanation = {.word = "", .line = ""};
    bool known = log != NULL && explain(log, &explanation);
    char how[64];

    child_status_text(init->process.status, how, sizeof how);
    if (known)
        log_err("the server has ended by itself (%s): %s; %s. Its log (%s) says: %s", how, explanation.cause,
                explanation.remedy, where, explanation.line);
    else
        log_err("the server has ended by itself (%s); its log (%s) %s%s", how, where,
                explanation.line[0] == '\0' ? "has no error" : "says: ", explanation.line);
    free(log);
}

static void describe(const struct transfer *transfer, char *text, size_t size)
{
    const char *from = transfer->donor[0] == '\0' ? "another node" : transfer->donor;

    switch (transfer->stage) {
    case TRANSFER_NONE:
    case TRANSFER_DONE:
    case TRANSFER_FAILED:
        snprintf(text, size, "%s", "");
        return;
    case TRANSFER_REQUESTED:
        snprintf(text, size, "a state transfer is requested from %s", from);
        return;
    case TRANSFER_IST:
        if (transfer->percent >= 0)
            snprintf(text, size, "an incremental state transfer from %s is under way: %d%%", from, transfer->percent);
        else
            snprintf(text, size, "an incremental state transfer from %s is under way", from);
        return;
    case TRANSFER_SST_RECEIVING:
        snprintf(text, size, "a full state transfer (%s) from %s is under way", transfer->method, from);
        return;
    case TRANSFER_SST_PREPARING:
        snprintf(text, size, "a full state transfer (%s) from %s has arrived and is being prepared", transfer->method,
                 from);
        return;
    }
}

void tell_transfer(struct init *init)
{
    char text[sizeof init->telling.transfer] = "";
    bool joining = init->process.child.pid != 0 && init->process.joins && !init->process.was_primary;
    char *log = joining ? read_log(init) : NULL;

    if (log != NULL) {
        struct transfer transfer = transfer_read(log);
        describe(&transfer, text, sizeof text);
    }
    free(log);
    if (text[0] != '\0' && strcmp(text, init->telling.transfer) != 0)
        log_notice("%s", text);
    memcpy(init->telling.transfer, text, sizeof text);
}
