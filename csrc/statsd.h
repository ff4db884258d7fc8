/* Sends counters to a statsd server: as much as fits into each UDP datagram, never waiting. */
#ifndef STATSD_H
#define STATSD_H

#include "bjoern.h"
#include "ev_config.h"

typedef struct statsd {
  int fd; /* -1: no server */
  char *prefix, *suffix;
  const uint64_t *counters;
  uint64_t told[BJ_STATSD_COUNTERS];
  ev_timer timer;  /* runs while there is something to send */
  double interval; /* of the timer, in seconds */
} statsd;

void statsd_init(statsd *d, const uint64_t *counters);

/* See bj_server_statsd(). */
int statsd_open(statsd *d, const char *host, uint32_t port, const char *prefix, const char *suffix,
                uint32_t interval, char *error);

/* Starts the timer if anything was counted since it last ran. */
void statsd_update(statsd *d, struct ev_loop *loop);

/* Sends the rest and closes. */
void statsd_close(statsd *d, struct ev_loop *loop);

#endif
