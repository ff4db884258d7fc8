/* When connections run out of time. All deadlines of one kind last equally long, so each kind is a
 * list that appending keeps sorted, and one libev timer serves them all. */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "ev_config.h"

enum deadline_kind {
  DEADLINE_IDLE,    /* between requests */
  DEADLINE_HEAD,    /* for a complete head */
  DEADLINE_BODY,    /* for the next octets of a body */
  DEADLINE_WRITE,   /* for the socket to take some of an answer */
  DEADLINE_LINGER,  /* for the client to close after us */
  DEADLINE_REQUEST, /* from the first octet of a request to the last one of its answer */
  DEADLINE_LOOK,    /* between looks at who is not read from just now */
  DEADLINE_KINDS,
};

/* `owner` has run out of time. */
typedef void deadline_passed(void *owner, enum deadline_kind kind);

typedef struct deadline {
  struct deadline *prev, *next; /* NULL: not running */
  ev_tstamp at;  /* it passes then, if nothing comes; while it pauses, since when it does */
  ev_tstamp due; /* when the time is used up that octets have given back; 0: it was cleared */
  enum deadline_kind kind;
  void *owner;
} deadline;

typedef struct deadline_time {
  uint32_t milliseconds; /* 0: for ever */
  uint32_t rate;         /* octets a second by which it can be extended; 0: any octet is enough */
} deadline_time;

typedef struct deadlines {
  struct ev_loop *loop;
  ev_timer timer;
  deadline_passed *passed;
  struct {
    deadline list; /* the ring's anchor */
    ev_tstamp after;
    uint32_t rate;
  } kinds[DEADLINE_KINDS];
} deadlines;

/* `times` has one entry a kind. `passed` is called with a deadline's owner once it has run out and
 * is no longer running. */
void deadlines_start(deadlines *d, struct ev_loop *loop, const deadline_time *times,
                     deadline_passed *passed);

void deadlines_stop(deadlines *d);

/* Starts `one` anew as of this kind. */
void deadline_set(deadlines *d, deadline *one, enum deadline_kind kind);

/* Starts `one` unless it is running as of this kind already. After a pause the time is whole again,
 * but not what octets have to give back. */
void deadline_keep(deadlines *d, deadline *one, enum deadline_kind kind);

/* Starts `one` anew, of this kind, for octets that have passed: they give back as much of the time
 * as they are worth by the kind's rate, so that it is over sooner for who is slow on the whole than
 * for who pauses. Starts it in full if it was cleared. */
void deadline_extend(deadlines *d, deadline *one, enum deadline_kind kind, size_t octets);

/* Clears `one`, and has `heir` run out when it would have. */
void deadline_move(deadline *heir, deadline *one);

/* Has `one`, which has just passed, pass again soon. */
void deadline_retry(deadlines *d, deadline *one);

/* Stops `one` while it is not its owner who is waited for. */
void deadline_pause(deadlines *d, deadline *one);

void deadline_clear(deadline *one);

#endif
