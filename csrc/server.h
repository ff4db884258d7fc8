/* A server: the loop and everything that hangs from it. Its beginning and its end are in server.c,
 * the calls in between in turn.c; the other units use the members that are theirs to use. */
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
  SERVER_DRAINING, /* no new connections, no request after the current ones */
  SERVER_STOPPED,  /* and the last one is gone; the caller knows */
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
  double asked_at; /* when the kernel was asked who has something to say: seconds of loop_now() */

  bool expects_proxy; /* connections begin with a header of the PROXY protocol */
  networks proxies;   /* who may send one; none: everybody */
  listener listener;
  ev_io acceptor;
  ev_timer accept_again;
  unsigned pauses;   /* of accepting, in a row, since there was no descriptor left */
  ev_timer patience; /* while it runs, draining leaves idle connections open */
  parking parking;
  bool wake_taken; /* its descriptor is the caller's */
  deadlines deadlines;
  exchanges exchanges;
  request_reader reader;
  askers askers;

  conn *conns; /* all of them */
  conn *queue; /* those that can go on at once, in the order in which they came to wait */
  conn **queue_end;
  conn *resuming; /* the rest of those that this turn goes on with */
  conn *dead;     /* to be freed when the call ends */
  conn *aside;    /* those whose output leaves at the end of the flush */
  conn *staged;   /* whose output `staging` is, or NULL */
  bool is_busy;   /* a file goes on in the next turn: the socket would have taken more of it */
  buffer staging;
  spares spares; /* for what connections keep back */

  uint64_t counters[BJ_COUNTERS];
  statsd statsd;
  char date[128];
  time_t date_of;
  size_t persistence_size;
  char persistence[64]; /* the fields of an answer after which the connection goes on */
  bool tells_idle;      /* they tell for how long: not only HTTP/1.0 needs to know */
};

/* The next event record. The caller has seen to it that there is room. */
static inline bj_event *server_event(bj_server *s)
{
  return &s->events[s->event_count++];
}

/* Whether there is room for an event, and for one that says how it goes on. */
static inline bool server_has_room(const bj_server *s)
{
  return s->event_count + 1 < s->options.event_slots;
}

/* Whether the turn has as many octets as stay in the processor's cache until they are answered. */
enum { TURN_SIZE = 131072 };
static inline bool server_has_enough(const bj_server *s)
{
  return s->arena_used >= TURN_SIZE;
}

/* The Date field's line (RFC 9110 section 6.6.1) of DATE_SIZE octets, made once a second. */
enum { DATE_SIZE = sizeof "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" - 1 };
const char *server_date(bj_server *s);

#endif
