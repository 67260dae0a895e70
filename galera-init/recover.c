#include "recover.h"

#include <string.h>
#include <strings.h>

#include "explain.h"

/* Wording of sql/mysqld.cc and sql/wsrep_mysqld.cc; MySQL's and Percona's builds write "Recovered position: " as well.
 */
static const char MARK[] = "WSREP: Recovered position:";

/* "Found 2 prepared transaction(s) in InnoDB" (sql/log.cc, storage/innobase/trx/trx0trx.cc); none at all is not worth a
 * word. */
static bool names_prepared(const char *line, size_t length)
{
    static const char found[] = "found ", rest[] = " prepared ";

    for (size_t i = 0; i + sizeof found < length; i++) {
        if (strncasecmp(line + i, found, sizeof found - 1) != 0)
            continue;
        const char *number = line + i + sizeof found - 1;
        size_t digits = strspn(number, "0123456789");
        if (digits > 0 && strspn(number, "0") < digits && strncasecmp(number + digits, rest, sizeof rest - 1) == 0)
            return true;
    }
    return false;
}

static void take_position(struct recovered *recovered, const char *text)
{
    char word[POSITION_TEXT_SIZE];
    struct position position;

    /* A position that cannot be read must not let that of an earlier run count. */
    *recovered =
        (struct recovered){.outcome = RECOVER_FAILED, .position = position_none(), .prepared = recovered->prepared};
    text += strspn(text, " \t");
    size_t length = strcspn(text, " \t\r\n,");
    if (length >= sizeof word)
        return;
    memcpy(word, text, length);
    word[length] = '\0';
    if (!position_parse(word, &position))
        return;
    recovered->outcome =
        uuid_is_nil(&position.uuid) || position.seqno == SEQNO_UNKNOWN ? RECOVER_NOTHING : RECOVER_POSITION;
    recovered->position = recovered->outcome == RECOVER_POSITION ? position : position_none();
}

struct recovered recover_parse(const char *log)
{
    struct recovered recovered = {.outcome = RECOVER_FAILED, .position = position_none()};

    if (log == NULL)
        return (struct recovered){.outcome = RECOVER_NOT_RUN, .position = position_none()};
    while (*log != '\0') {
        size_t length = strcspn(log, "\n");
        const char *mark = memmem(log, length, MARK, sizeof MARK - 1);
        /* A line that was cut off (a full disk) has a number that was cut off. */
        if (mark != NULL)
            take_position(&recovered, log[length] == '\n' ? mark + sizeof MARK - 1 : "");
        recovered.prepared = recovered.prepared || names_prepared(log, length);
        log += length + (log[length] == '\n');
    }
    return recovered;
}

/* --- whose fault it is -------------------------------------------------------------------------------------------- */

/* Words of lib/explain_rows_server.c. These pass. */
static const char *const passing[] = {"disk-full", "out-of-memory", "too-many-files", "datadir-in-use"};

/* What makes sound data look damaged, or as if they were none. */
static const char *const masking[] = {"data-encrypted", "data-misplaced", "innodb-forced", "permission"};

/* InnoDB counts prepared transactions after every crash; these ask for an end of them. */
static const char *const undecided[] = {"prepared-transactions", "commit-log-damaged"};

static const char *const damaged[] = {"data-corrupt", "prepared-transactions"};

#define FINDS_ANY(log, words) finds_any(log, words, sizeof(words) / sizeof(words)[0])

static bool finds_any(const char *log, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (explain_finds(log, words[i]))
            return true;
    }
    return false;
}

bool recover_may_heal(const char *log)
{
    return FINDS_ANY(log, passing);
}

bool recover_wants_decision(const struct recovered *recovered, const char *log)
{
    return recovered->outcome == RECOVER_FAILED && recovered->prepared && FINDS_ANY(log, undecided);
}

bool recover_tells(const struct recovered *recovered, const char *log)
{
    if (recovered->outcome == RECOVER_POSITION)
        return true;
    if (FINDS_ANY(log, passing) || FINDS_ANY(log, masking))
        return false;
    return recovered->outcome == RECOVER_NOTHING || FINDS_ANY(log, damaged);
}
