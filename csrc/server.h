/* A server: the loop and everything that hangs from it. Created and freed in server.c, the calls in
 * between are in turn.c; other units use the members that are theirs. */
#ifndef SERVER_H
#define SERVER_H

#include <time.h>

#include "askers.h"
#include "conn.h"
#include "listener.h"
#include "networks.h"
#include "parking.h"
#include "registry.h"
#include "statsd.h"

enum server_state {
  SERVER_OPEN,
  SERVER_DRAINING, /* no new connections, and no requests after the current ones */
  SERVER_STOPPED,  /* the last connection is gone, and the caller knows */
};

struct bj_server {
  registered entry; /* first member: the registry's view of a server */
  struct ev_loop *loop;
  bj_options options;
  uint64_t max_body_size;
  enum server_state state;

  /* the caller's memory, and how much of it this turn has used */
  char *arena;
  uint32_t *fields;
  bj_event *events;
  const char *output;
  bj_command *commands;
  size_t arena_used;
  uint32_t fields_used;
  uint32_t event_count;
  double asked_at; /* when the kernel was last polled: seconds of loop_now() */

  bool expects_proxy; /* connections begin with a header of the PROXY protocol */
  networks proxies;   /* peers that may send one; none: everybody */
  listener listener;
  ev_io acceptor;
  ev_timer accept_again;
  unsigned pauses;   /* in accepting, in a row, for lack of descriptors */
  ev_timer patience; /* while it runs, draining leaves idle connections open */
  parking parking;
  bool wake_taken; /* the caller owns its descriptor */
  deadlines deadlines;
  exchanges exchanges;
  request_reader reader;
  askers askers;

  conn *conns; /* all of them */
  conn *queue; /* those that have their turn next, first come first served */
  conn **queue_end;
  conn *resuming; /* the rest of the queue that this turn works off */
  conn *dead;     /* to be freed when the call ends */
  conn *aside;    /* those set aside: their output leaves at the end of the flush */
  conn *staged;   /* the one whose output is in `staging`, or NULL */
  bool is_busy;   /* a file stopped at its share of the turn, not at a full socket */
  buffer staging;
  spares spares; /* memory for conn.out */

  uint64_t counters[BJ_COUNTERS];
  statsd statsd;
  char date[128];
  time_t date_of;
  size_t persistence_size;
  char persistence[64]; /* Connection and Keep-Alive where the connection persists */
  bool tells_idle;      /* with a timeout, so that not only HTTP/1.0 gets them */
};

/* The next event record. The caller has checked that there is room. */
static inline bj_event *server_event(bj_server *s)
{
  return &s->events[s->event_count++];
}

/* Whether there is room for an event, and for one that continues it. */
static inline bool server_has_room(const bj_server *s)
{
  return s->event_count + 1 < s->options.event_slots;
}

/* Whether the turn has as much as stays in the CPU's cache until it is answered. */
enum { TURN_SIZE = 131072 };
static inline bool server_has_enough(const bj_server *s)
{
  return s->arena_used >= TURN_SIZE;
}

/* The Date field's line (RFC 9110 section 6.6.1), DATE_SIZE bytes, made once a second. */
enum { DATE_SIZE = sizeof "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" - 1 };
const char *server_date(bj_server *s);

#endif
