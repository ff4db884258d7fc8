/* Tells a statsd server what was counted: as much as fits into each UDP datagram, never waiting. */
#ifndef STATSD_H
#define STATSD_H

#include "bjoern.h"
#include "ev_config.h"

typedef struct statsd {
  int fd; /* -1: nobody is told */
  char *prefix, *suffix;
  const uint64_t *counters;
  uint64_t told[BJ_STATSD_COUNTERS];
  ev_timer timer;  /* runs while there is something to tell */
  double interval; /* seconds that it takes */
} statsd;

void statsd_init(statsd *d, const uint64_t *counters);

/* See bj_server_statsd(). */
int statsd_open(statsd *d, const char *host, uint32_t port, const char *prefix, const char *suffix,
                uint32_t interval, char *error);

/* Has what was counted since told when its time comes. */
void statsd_update(statsd *d, struct ev_loop *loop);

/* Tells the last of it and closes. */
void statsd_close(statsd *d, struct ev_loop *loop);

#endif
