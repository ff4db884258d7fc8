/* The helper thread of a parked server: it waits for what the loop watches and wakes the owner of
 * the other end of a socketpair with one octet. It touches nothing else of the server. */
#ifndef PARKING_H
#define PARKING_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What a thread without a gate waits for. */
typedef struct order {
  struct pollfd *fds; /* the first is `control`; NULL: nothing else */
  nfds_t count;
  int timeout; /* in milliseconds, -1: none */
} order;

typedef struct parking {
  pthread_t thread;
  bool running;
  int wake[2];          /* [0] is the caller's, [1] is written to */
  struct stat own;      /* of wake[0], by which it is known again */
  int control[2];       /* [0] interrupts the thread's wait */
  int gate;             /* what the thread sleeps by if the loop has an epoll; or -1 */
  pthread_mutex_t lock; /* of what follows */
  bool stopping;
  order next;    /* until the thread takes it */
  int held;      /* the only descriptor that it waits for, -1 when it does not or there are more */
  int64_t until; /* when it wakes all the same, in milliseconds of the clock; INT64_MAX: never */
} parking;

/* Starts the thread, with a gate if `epoll` is one and not -1. Returns 0, or a negative error
 * number with the reason in `error`. */
int parking_start(parking *p, int epoll, char *error);

/* With a gate: wakes once, when `fd`, which is that epoll, is ready or after `timeout` milliseconds
 * at the latest. The thread sleeps on, unless that is sooner than it would wake anyway. False when
 * the system refuses. */
bool parking_open(parking *p, int fd, int timeout);

/* Without one: whether it is still going to wake when `fd` is ready or `timeout` is over at the
 * latest. Then it need not be armed again, which wakes the thread itself. */
bool parking_holds(parking *p, int fd, int timeout);

/* Without one: wakes once, when one of `count` descriptors is ready or after `timeout`
 * milliseconds. `fds` has one more entry, the first, is of malloc() and is taken over. */
void parking_arm(parking *p, struct pollfd *fds, nfds_t count, int timeout);

/* Ends and joins the thread. Safe to call twice. */
void parking_stop(parking *p);

/* The same when the caller is gone, who may have closed its end or not. */
void parking_abandon(parking *p);

#endif
