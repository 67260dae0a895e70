/*
 * State transfers in the log of a joiner: replicator_str.cpp and ist.cpp of galera for the request and the IST,
 * wsrep_sst_mariabackup, wsrep_sst_xtrabackup-v2 and wsrep_sst_rsync for the rest.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "explain_internal.h"

struct reading {
    struct transfer transfer;
    char selected[sizeof((struct transfer *)NULL)->donor]; /* the donor of the last request, whoever made it */
    long index;                                            /* its number in the view */
    bool needs_all;                                        /* our request cannot be met by an IST */
};

static bool is_under_way(const struct transfer *transfer)
{
    return transfer->stage != TRANSFER_NONE && transfer->stage != TRANSFER_DONE && transfer->stage != TRANSFER_FAILED;
}

static const char *end_of(const struct log_line *line)
{
    return line->start + line->length;
}

/* Copies up to the first byte that is in `stop`, or the line's end; what does not fit whole is not taken. */
static bool copy_until(const struct log_line *line, const char *from, const char *stop, char *text, size_t size)
{
    size_t length = 0;

    while (from + length < end_of(line) && strchr(stop, from[length]) == NULL)
        length++;
    if (length == 0 || length >= size)
        return false;
    memcpy(text, from, length);
    text[length] = '\0';
    return true;
}

/* A line is followed by a line end or the text's end, so strtol stops there. */
static long number_at(const char *from)
{
    return isdigit((unsigned char)*from) ? strtol(from, NULL, 10) : -1;
}

/* "Running: 'wsrep_sst_mariabackup --role 'joiner' ..." */
static void read_method(struct transfer *transfer, const struct log_line *line)
{
    if (transfer->method[0] == '\0' && log_line_has(line, "wsrep_sst_* --role 'joiner'"))
        copy_until(line, log_line_after(line, "wsrep_sst_"), " '\t", transfer->method, sizeof transfer->method);
}

/* "Member 1.0 (n2) requested state transfer from '*any*'. Selected 0.0 (n1)(SYNCED) as donor." */
static void read_selection(struct reading *reading, const struct log_line *line)
{
    const char *index = log_line_after(line, ". Selected ");

    if (index == NULL || !log_line_has(line, "requested state transfer from *. Selected *(*) as donor"))
        return;
    const char *name = memchr(index, '(', (size_t)(end_of(line) - index));
    reading->index = number_at(index);
    if (name == NULL || !copy_until(line, name + 1, ")", reading->selected, sizeof reading->selected))
        reading->selected[0] = '\0';
}

/* "Requesting state transfer: success, donor: 0" is about this node; the line with the name was everybody's. */
static void read_success(struct reading *reading, const struct log_line *line)
{
    const char *index = log_line_after(line, "Requesting state transfer: success, donor: ");

    if (index == NULL)
        return;
    if (number_at(index) == reading->index)
        memcpy(reading->transfer.donor, reading->selected, sizeof reading->transfer.donor);
    if (reading->needs_all)
        reading->transfer.stage = TRANSFER_SST_RECEIVING;
}

/* "Receiving IST: 2002 writesets, seqnos 3-2005", then "Receiving IST...  9.9% ( 199/2002 events) complete." */
static void read_progress(struct transfer *transfer, const struct log_line *line)
{
    const char *percent = log_line_after(line, "Receiving IST...");

    if (log_line_has(line, "Receiving IST: "))
        transfer->percent = 0;
    if (percent == NULL)
        return;
    while (percent < end_of(line) && *percent == ' ')
        percent++;
    long number = number_at(percent);
    if (number >= 0 && number <= 100)
        transfer->percent = (int)number;
}

static void read_stage(struct transfer *transfer, const struct log_line *line)
{
    static const struct {
        enum transfer_stage stage;
        const char *pattern;
    } signs[] = {
        {TRANSFER_FAILED, "Process completed with error: wsrep_sst_* --role 'joiner'"},
        {TRANSFER_FAILED, "Will never receive state"},
        {TRANSFER_FAILED, "is no longer in the group. State transfer cannot"},
        {TRANSFER_FAILED, "State transfer request failed unrecoverably"},
        {TRANSFER_FAILED, "Failed to prepare for *SST. Unrecoverable"},
        {TRANSFER_FAILED, "Receiving IST failed"},
        {TRANSFER_FAILED, "WSREP: SST failed"},
        {TRANSFER_FAILED, "Cleanup after exit with status"},
        {TRANSFER_IST, "Receiving IST"},
        {TRANSFER_IST, "received from donor: Running IST"},
        {TRANSFER_SST_PREPARING, "Preparing the backup at"},
        {TRANSFER_SST_PREPARING, "Moving the backup to"},
        {TRANSFER_SST_PREPARING, "SST completed on joiner"},
        {TRANSFER_SST_RECEIVING, "Proceeding with SST"},
        {TRANSFER_SST_RECEIVING, "Waiting for SST streaming to complete"},
        {TRANSFER_DONE, "synchronized with group, ready for connections"},
    };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (log_line_has(line, signs[i].pattern)) {
            transfer->stage = signs[i].stage;
            return;
        }
    }
}

static void read_line(struct reading *reading, const struct log_line *line)
{
    struct transfer *transfer = &reading->transfer;

    read_selection(reading, line);
    if (log_line_has(line, "State transfer required:")) {
        transfer->stage = TRANSFER_REQUESTED;
        transfer->donor[0] = '\0';
        transfer->method[0] = '\0';
        transfer->percent = -1;
        reading->needs_all = false;
    }
    /* "####### IST uuid:00000000-0000-0000-0000-000000000000 f: 0, l: 13, STRv: 3", just before the request */
    if (log_line_has(line, " IST uuid:00000000-0000-0000-0000-000000000000 "))
        reading->needs_all = true;
    if (!is_under_way(transfer))
        return;
    read_method(transfer, line);
    read_success(reading, line);
    read_progress(transfer, line);
    read_stage(transfer, line);
}

struct transfer transfer_read(const char *log)
{
    struct reading reading = {.transfer = {.percent = -1}, .index = -1};
    struct log_line line;
    const char *rest = log_last_start(log);

    while (log_line_next(&rest, &line))
        read_line(&reading, &line);
    return reading.transfer;
}

const char *transfer_stage_word(enum transfer_stage stage)
{
    static const char *const words[] = {
        [TRANSFER_NONE] = "none",
        [TRANSFER_REQUESTED] = "requested",
        [TRANSFER_IST] = "ist",
        [TRANSFER_SST_RECEIVING] = "sst-receiving",
        [TRANSFER_SST_PREPARING] = "sst-preparing",
        [TRANSFER_DONE] = "done",
        [TRANSFER_FAILED] = "failed",
    };

    return words[stage];
}
