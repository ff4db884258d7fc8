/* The helper thread of a parked server: it waits for what the loop watches, and then wakes whoever
 * reads the other end of a socketpair with one byte. It touches nothing else of the server. */
#ifndef PARKING_H
#define PARKING_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What a thread without a gate polls. */
typedef struct order {
  struct pollfd *fds; /* the first is `control`; NULL: only that */
  nfds_t count;
  int timeout; /* in milliseconds, -1: none */
} order;

typedef struct parking {
  pthread_t thread;
  bool running;
  int wake[2];          /* [0] is the caller's, [1] is written to */
  struct stat own;      /* of wake[0], to recognise it */
  int control[2];       /* [0] interrupts the thread's wait */
  int gate;             /* where the thread sleeps if the loop has an epoll; else -1 */
  pthread_mutex_t lock; /* guards what follows */
  bool stopping;
  order next;    /* not yet taken by the thread */
  int held;      /* the only descriptor waited for; -1: none, or several */
  int64_t until; /* when it wakes anyway, in milliseconds of CLOCK_MONOTONIC; INT64_MAX: never */
} parking;

/* Starts the thread, with a gate if `epoll` is one and not -1. Returns 0, or a negative error
 * number with the reason in `error`. */
int parking_start(parking *p, int epoll, char *error);

/* With a gate: wakes the owner once, when `fd`, the loop's epoll, is ready or after `timeout`
 * milliseconds. Disturbs the thread only if that is sooner than it would wake anyway. False when
 * the system refuses. */
bool parking_open(parking *p, int fd, int timeout);

/* Without a gate: whether the thread already waits for `fd`, and no longer than `timeout`. Then it
 * need not be armed again, which would wake the thread. */
bool parking_holds(parking *p, int fd, int timeout);

/* Without a gate: wakes the owner once, when one of `count` descriptors is ready or after `timeout`
 * milliseconds. Takes over `fds`, which is by malloc() and has one free entry before these. */
void parking_arm(parking *p, struct pollfd *fds, nfds_t count, int timeout);

/* Ends and joins the thread. Safe to call twice. */
void parking_stop(parking *p);

/* Like parking_stop(), for an owner that is gone and may have closed its end or not. */
void parking_abandon(parking *p);

#endif
