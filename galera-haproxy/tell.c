#include "tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "num.h"

enum { TITLE_SIZE = 160 };

void tell_roster(struct told *told, struct roster *roster, const struct settings *settings)
{
    char title[TITLE_SIZE];
    char time[32];

    if (roster->emptied && !told->emptied && roster->known)
        log_warning("the registry below %s is empty, or another one than before: HAProxy keeps the nodes that it has",
                    settings->prefix);
    told->emptied = roster->emptied;
    if (roster->refused > told->refused)
        log_warning("%zu entries have the address of an older entry: one of each is used, the others wait",
                    roster->refused);
    told->refused = roster->refused;
    duration_format(settings->expired_grace_ms, time, sizeof time);
    for (size_t i = 0; i < roster->count; i++) {
        struct member *member = &roster->member[i];
        if (member->presence == member->told)
            continue;
        member->told = member->presence;
        member_title(member, title, sizeof title);
        if (member->presence == PRESENCE_EXPIRED && member->id[0] == '\0')
            log_notice("HAProxy has a server at %s that is not in the registry: it is kept while its check passes, at "
                       "most %s",
                       title, time);
        else if (member->presence == PRESENCE_EXPIRED)
            log_warning("%s: its entry has expired or is not usable; it is kept while its check passes, at most %s: is "
                        "galera-register running there?",
                        title, time);
        else if (member->presence == PRESENCE_REMOVED)
            log_info("%s: its entry was removed", title);
    }
}

static void tell_sections(struct told *told, const struct view *view, const struct settings *settings)
{
    const struct view_section *any = &view->section[SECTION_ANY];
    bool complete = any->present && (settings->writer_bind == NULL || view->section[SECTION_WRITER].present) &&
                    (settings->reader_bind == NULL || view->section[SECTION_READERS].present);

    if (!any->present)
        log_err("HAProxy runs without the section galera-any, so nothing can be done: start it with '-f %s -f %s'",
                settings->main_config, settings->config);
    else if (!complete)
        log_warning("HAProxy lacks a section of %s: restart or reload it to have the listener", settings->config);
    else if ((int64_t)any->slots != settings->slots)
        log_warning("HAProxy has %zu slots and %s has %" PRId64 ": restart or reload it", any->slots, settings->config,
                    settings->slots);
    told->sections = true;
}

void tell_view(struct told *told, const struct view *view, const struct settings *settings)
{
    bool another = view_is_another(view, told->pid, told->uptime_s);

    if (told->pid == 0)
        log_notice("HAProxy %s is there, pid %" PRId64, view->version, view->pid);
    else if (another)
        log_notice("HAProxy was restarted: %s, pid %" PRId64 " after %" PRId64 "; its servers are compared anew",
                   view->version, view->pid, told->pid);
    else if (told->silent[0] != '\0')
        log_notice("HAProxy answers again");
    if (another || !told->sections)
        tell_sections(told, view, settings);
    told->pid = view->pid;
    told->uptime_s = view->uptime_s;
    told->silent[0] = '\0';
}

void tell_no_view(struct told *told, const struct error *error)
{
    char words[sizeof told->silent];

    snprintf(words, sizeof words, "%.*s", (int)sizeof words - 1, error->text);
    if (strcmp(words, told->silent) != 0)
        log_warning("%s; trying again until it answers, its sessions go on meanwhile", error->text);
    memcpy(told->silent, words, sizeof words);
}

void tell_plan(struct told *told, const struct plan *plan, const struct roster *roster, const struct settings *settings)
{
    char title[TITLE_SIZE];

    if (plan->kept > told->kept)
        log_warning("%zu nodes that have left the registry are kept: fewer than min_servers = %" PRId64 " would remain",
                    plan->kept, settings->min_servers);
    told->kept = plan->kept;
    if (plan->unplaced > told->unplaced && plan->first_unplaced >= 0)
        log_warning("no slot is free for %s (%zu nodes wait): raise slots in [haproxy] and restart HAProxy",
                    member_title(&roster->member[plan->first_unplaced], title, sizeof title), plan->unplaced);
    told->unplaced = plan->unplaced;
    if (plan->confirm && !told->confirm)
        log_notice("%zu nodes are to leave at once, more than max_removals = %" PRId64 ": reading the registry again "
                   "first",
                   plan->removals, settings->max_removals);
    told->confirm = plan->confirm;
}
