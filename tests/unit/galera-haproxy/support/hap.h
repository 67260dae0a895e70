/*
 * A HAProxy in memory: slots in two sections, the commands of a plan, checks. What it does is what 2.6.12 was seen to
 * do: maintenance cuts sessions, leaving it puts a server UP with its health at `rise`, a passed check lifts the
 * health, a table entry leads to its server unless that is down, else the first usable one in order is taken and noted.
 */
#ifndef TEST_HAP_H
#define TEST_HAP_H

#include "plan.h"

struct hap {
    struct view view;
    /* The address that a slot's last passed check was made of, while it is out of maintenance. */
    char checked[SECTION_COUNT][SLOTS_MOST][REGISTRY_IP_SIZE];
};

void hap_begin(struct hap *hap, size_t slots);

/* As loaded again from a file that has what is admitted: those are UP at once, all others free. */
void hap_restart(struct hap *hap);

/* A command line, which must be a right one. */
void hap_do(struct hap *hap, const char *command);

enum hap_verdict { HAP_NOT_YET, HAP_PASSES, HAP_FAILS };

/* At most one check of every server that is checked. */
void hap_check(struct hap *hap, enum hap_verdict (*check)(void *context, const char *ip), void *context);

/* Whatever takes new sessions has passed a check of its own address (or was started from the file). */
void hap_expect_checked(const struct hap *hap);

bool hap_serves(const struct hap *hap, enum section section, const char *ip);

/* Where a new session of the writer's listener goes, "" when nowhere. */
const char *hap_writer(const struct hap *hap);

/* Where it would go if that one failed. */
const char *hap_next_writer(const struct hap *hap);

/* Servers that take sessions in the section for any node. */
size_t hap_count_serving(const struct hap *hap);

#endif
