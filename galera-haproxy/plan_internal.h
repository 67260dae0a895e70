/* What the files of the plan share; for plan*.c alone. */
#ifndef HAPROXY_PLAN_INTERNAL_H
#define HAPROXY_PLAN_INTERNAL_H

#include "plan.h"

/* Which slot is for whom, and what is wanted of it; sets leaving_ms of the members. plan_assign.c */
void plan_assign(const struct plan_input *input, struct plan *plan);

/* The writer: who it is, who should be, and who is held back. plan_writer.c */
void plan_choose_writer(const struct plan_input *input, struct plan *plan);

/* The steps that lead the writer's section to the writer; after those of the slots. plan_writer.c */
void plan_writer_steps(const struct plan_input *input, struct plan *plan);

/* Adds a step; more than PLAN_STEPS_MOST are left for the next plan. */
void plan_add(struct plan *plan, size_t group, const char *say, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static inline const struct view_slot *slot_in(const struct view *view, enum section section, size_t k)
{
    return &view->section[section].slot[k];
}

/* Sessions on slot k in all sections. */
int64_t plan_sessions(const struct view *view, size_t k);

/* A usable writer, apart from being held back. */
bool plan_can_write(const struct plan *plan, const struct view *view, size_t k);

#endif
