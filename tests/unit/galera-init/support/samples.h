/* Records and bootstraps at random, within what their headers allow; and whether two of them say the same. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "situation.h"

/* 0 <= result < n; the same sequence for the same seed. */
uint64_t sample_number(uint64_t *seed, uint64_t n);

struct lineage sample_lineage(uint64_t *seed);
struct record sample_record(uint64_t *seed);
struct bootstrap sample_bootstrap(uint64_t *seed);

/* All fields but the revision, which is etcd's. */
bool same_record(const struct record *a, const struct record *b);
bool same_bootstrap(const struct bootstrap *a, const struct bootstrap *b);
bool same_lineage(const struct lineage *a, const struct lineage *b);

#endif
