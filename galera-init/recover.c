#include "recover.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

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
