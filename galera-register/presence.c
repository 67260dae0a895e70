#include "presence.h"

void presence_init(struct presence *presence, int64_t up_after_ms, int64_t down_after_ms, int64_t now_ms)
{
    *presence = (struct presence){.up_after_ms = up_after_ms, .down_after_ms = down_after_ms, .since_ms = now_ms};
}

void presence_note(struct presence *presence, bool fit, int64_t now_ms)
{
    if (fit == presence->fit)
        return;
    presence->fit = fit;
    presence->since_ms = now_ms;
}

int64_t presence_change_ms(const struct presence *presence)
{
    if (presence->fit == presence->present)
        return INT64_MAX;
    return presence->since_ms + (presence->fit ? presence->up_after_ms : presence->down_after_ms);
}

bool presence_is(struct presence *presence, int64_t now_ms)
{
    if (now_ms >= presence_change_ms(presence))
        presence->present = presence->fit;
    return presence->present;
}
