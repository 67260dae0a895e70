#include "agent.h"

#include <stdio.h>

void agent_format(struct line *line, const struct verdict *verdict, int weight)
{
    char text[32];

    if (verdict->state == VERDICT_UP) {
        snprintf(text, sizeof text, "up ready %d%%", weight);
        line_add(line, text);
    } else if (verdict->reason == REASON_DRAINING) {
        line_add(line, "drain");
    } else if (verdict->reason == REASON_DISABLED || verdict->reason == REASON_MAINTENANCE) {
        line_add(line, "maint");
    } else {
        line_add(line, "down #");
        line_add(line, reason_word(verdict->reason));
    }
    line_add(line, "\n");
}
