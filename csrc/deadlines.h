/* Timeouts of connections. All deadlines of a kind last equally long, so appending keeps the kind's
 * list sorted, and one libev timer serves them all. */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "ev_config.h"

enum deadline_kind {
  DEADLINE_IDLE,    /* between requests */
  DEADLINE_HEAD,    /* for a complete head */
  DEADLINE_BODY,    /* for more of a body */
  DEADLINE_WRITE,   /* for the socket to take some of an answer */
  DEADLINE_LINGER,  /* for the client to close after us */
  DEADLINE_REQUEST, /* from a request's first byte to its answer's last */
  DEADLINE_LOOK,    /* between looks at a client that is not being read from */
  DEADLINE_KINDS,
};

/* `owner` has run out of time. */
typedef void deadline_passed(void *owner, enum deadline_kind kind);

typedef struct deadline {
  struct deadline *prev, *next; /* NULL: not running */
  ev_tstamp at;                 /* when it passes if nothing comes; while paused, since when */
  ev_tstamp due;                /* see deadline_extend(); 0: cleared */
  enum deadline_kind kind;
  void *owner;
} deadline;

typedef struct deadline_time {
  uint32_t milliseconds; /* 0: for ever */
  uint32_t rate;         /* bytes a second: see deadline_extend(); 0: any byte resets it */
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

/* `times` has one entry a kind. `passed` is called once a deadline has stopped running. */
void deadlines_start(deadlines *d, struct ev_loop *loop, const deadline_time *times,
                     deadline_passed *passed);

void deadlines_stop(deadlines *d);

/* Starts `one` with the whole time of its kind. */
void deadline_set(deadlines *d, deadline *one, enum deadline_kind kind);

/* Starts `one` unless it runs as this kind already. After a pause `at` is whole again, but `due`
 * goes on from where it was. */
void deadline_keep(deadlines *d, deadline *one, enum deadline_kind kind);

/* Starts `one` again for bytes that have come. Every byte earns 1/rate seconds, up to the whole
 * time. `at` is when nothing at all has come for the whole time; `due` is when what was earned is
 * spent. Bytes that leave `due` in the past make it pass at once: steady trickling runs out sooner
 * than one pause. After deadline_clear() the time is whole. */
void deadline_extend(deadlines *d, deadline *one, enum deadline_kind kind, size_t octets);

/* Hands the place and times of `one` to `heir`, and clears `one`. */
void deadline_move(deadline *heir, deadline *one);

/* Has `one`, which has just passed, pass again soon. */
void deadline_retry(deadlines *d, deadline *one);

/* Stops `one` while its owner is not the one waited for. deadline_keep() resumes it. */
void deadline_pause(deadlines *d, deadline *one);

void deadline_clear(deadline *one);

#endif
