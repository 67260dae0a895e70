/*
 * Telling systemd how a service is doing (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names, without its
 * library. Where the variable is not set, nothing happens.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads NOTIFY_SOCKET and WATCHDOG_USEC and removes them from the environment, so that children do not speak for us. A
 * socket that cannot be used is mentioned in the log.
 */
void notify_open(void);
void notify_close(void);

/* One message: "READY=1", "STATUS=registered as db1". */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often WATCHDOG=1 is to be sent, half of what systemd waits for; 0: no watchdog. */
int64_t notify_watchdog_ms(void);

/* How long to wait for something without feeding it: `most_ms`, or a quarter of that time when it is less. */
int64_t notify_patience_ms(int64_t most_ms);

#endif
