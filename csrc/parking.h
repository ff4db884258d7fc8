/* The helper thread of a parked server: it waits on the loop's descriptor and wakes the owner of
 * the other end of a socketpair with one octet. It touches nothing else of the server. */
#ifndef PARKING_H
#define PARKING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct parking {
  pthread_t thread;
  bool running;
  int watched;        /* the loop's descriptor */
  int wake[2];        /* [0] is the caller's, [1] is written to */
  int control[2];     /* [0] interrupts the thread's wait */
  atomic_int timeout; /* of the next wait in milliseconds, -1: none */
  atomic_bool armed;
  atomic_bool stopping;
} parking;

/* Starts the thread. Returns 0, or -1 with the reason in `error`. */
int parking_start(parking *p, int watched, char *error);

/* Wakes once, when the watched descriptor is readable or after `timeout` milliseconds. */
void parking_arm(parking *p, int timeout);

/* Ends and joins the thread. Safe to call twice. */
void parking_stop(parking *p);

#endif
