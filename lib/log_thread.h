/*
 * Log lines written by a thread of their own, for a program whose loop must not wait for its log: syslog(3) waits for a
 * daemon that hangs, a terminal that is held, a disk.
 */
#ifndef LOG_THREAD_H
#define LOG_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* So many lines may wait. What comes on top of them is lost, and a line says how many were, once there is room again.
 */
enum { LOG_THREAD_LINES = 64 };

/*
 * From now on log_event returns at once, from whatever thread. Signals are to be blocked before; the log's target,
 * level and format stay as they are.
 */
bool log_thread_start(struct error *error);

/*
 * Writes what is waiting and ends the thread; lines are written by those who log them again. False when the log hangs:
 * the thread was left behind, after `wait_ms`, and must not be met by exit handlers. Nothing when none was started.
 */
bool log_thread_stop(int64_t wait_ms);

#endif
