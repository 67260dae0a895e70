/*
 * What the resident service may say at this moment: joins what is known (pages), how new it is (freshness) and the
 * thread that asks the server (refresher). Nothing here waits.
 */
#ifndef CLUSTERCHECK_TRUTH_H
#define CLUSTERCHECK_TRUTH_H

#include "figures.h"
#include "freshness.h"
#include "request.h"
#include "settings.h"

/* Starts asking. `figures` counts the refreshes. */
bool truth_open(const struct settings *settings, struct figures *figures, struct error *error);

/* Readable when a refresh has ended; then truth_learn takes it, and whoever waits is to be judged again. */
int truth_fd(void);
bool truth_learn(void);

/*
 * Whether a request for this endpoint may be answered now. FRESHNESS_WAIT: judge again after truth_learn or at the time
 * that truth_patience_end says; a refresh is under way.
 */
enum freshness_answer truth_judge(enum endpoint endpoint, int64_t now_ns);
int64_t truth_patience_end(void);

/* From here on the server counts as late for whoever asks before the refresh ends. */
void truth_declare_late(void);

/* Begins a refresh when one is due; returns when the next one will be, INT64_MAX while one runs. */
int64_t truth_tick(int64_t now_ns);

/* False while a refresh runs, which still uses the old settings: try again after truth_learn. */
bool truth_reconfigure(const struct settings *settings);

/* As refresher_stop. */
bool truth_close(int64_t wait_ms);

#endif
