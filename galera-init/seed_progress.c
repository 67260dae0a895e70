#include "seed_progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "escape.h"
#include "log.h"
#include "num.h"

enum {
    BAR_MOST = 30,
    BAR_LEAST = 5,
    COLUMNS_USUAL = 80,
    SIZE_TEXT = 32,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    KIB = 1024
};

static const char *format_size(double bytes, char text[SIZE_TEXT])
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;

    for (; bytes >= KIB && i < sizeof unit / sizeof unit[0] - 1; i++)
        bytes /= KIB;
    snprintf(text, SIZE_TEXT, i == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[i]);
    return text;
}

static int percent(const struct progress *progress)
{
    if (progress->done >= progress->total)
        return 100;
    return (int)(100.0 * (double)progress->done / (double)progress->total);
}

const char *progress_words(const struct progress *progress, char line[PROGRESS_LINE_SIZE])
{
    char done[SIZE_TEXT];
    char total[SIZE_TEXT];
    char rate[SIZE_TEXT];
    char left[SIZE_TEXT] = "";
    double per_ms = progress->spent_ms > 0 ? (double)progress->done / (double)progress->spent_ms : 0;

    if (per_ms > 0 && progress->done < progress->total) {
        int64_t seconds = (int64_t)((double)(progress->total - progress->done) / per_ms / MS_PER_S) + 1;
        snprintf(left, sizeof left, ", %lldm%02llds left", (long long)(seconds / 60), (long long)(seconds % 60));
    }
    snprintf(line, PROGRESS_LINE_SIZE, "%d%%, %s of %s, %s/s%s", percent(progress),
             format_size((double)progress->done, done), format_size((double)progress->total, total),
             format_size(per_ms * MS_PER_S, rate), left);
    return line;
}

/* The last column stays empty: with something in it some terminals go on to the next line. */
const char *progress_bar(const struct progress *progress, int columns, char line[PROGRESS_LINE_SIZE])
{
    char words[PROGRESS_LINE_SIZE];
    char bar[BAR_MOST + 1] = "";
    int room = columns - 1 - (int)strlen(progress_words(progress, words)) - (int)strlen("[] ");
    int width = room < BAR_MOST ? room : BAR_MOST;

    if (width < BAR_LEAST) {
        snprintf(line, PROGRESS_LINE_SIZE, "%.*s", columns > 1 ? columns - 1 : 0, words);
        return line;
    }
    int filled = percent(progress) * width / 100;
    for (int i = 0; i < width; i++)
        bar[i] = i < filled ? '#' : '-';
    snprintf(line, PROGRESS_LINE_SIZE, "[%s] %.120s", bar, words);
    return line;
}

/* Asked each time: a terminal's window may be made smaller meanwhile. */
static int terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_USUAL;
}

void teller_start(struct teller *teller, const char *what)
{
    *teller = (struct teller){.what = what, .start_ns = monotonic_ns(), .terminal = isatty(STDERR_FILENO) == 1};
    teller->next = deadline_in_ms(teller->terminal ? PROGRESS_BAR_MS : PROGRESS_LOG_MS);
}

void teller_tell(struct teller *teller, int64_t done, int64_t total)
{
    struct progress progress = {total, done, (monotonic_ns() - teller->start_ns) / NS_PER_MS};
    char line[PROGRESS_LINE_SIZE];

    if (!deadline_passed(teller->next))
        return;
    teller->next = deadline_in_ms(teller->terminal ? PROGRESS_BAR_MS : PROGRESS_LOG_MS);
    if (teller->terminal) {
        fprintf(stderr, "\r\033[K%s", progress_bar(&progress, terminal_columns(), line));
        teller->drawn = true;
    } else {
        log_notice("%s: %s", teller->what, progress_words(&progress, line));
    }
}

void teller_end(struct teller *teller)
{
    if (teller->drawn)
        fputs("\r\033[K", stderr);
    teller->drawn = false;
}
