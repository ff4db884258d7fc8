/* A connection: its socket, what it is reading, its requests in order, its output. */
#ifndef CONN_H
#define CONN_H

#include <sys/socket.h>

#include "chunked.h"
#include "deadlines.h"
#include "exchange.h"
#include "proxy.h"
#include "request.h"

enum conn_state {
  CONN_PROXY,  /* waiting for the header of the PROXY protocol, before anything else */
  CONN_HEAD,   /* reading a head, or waiting for the next one */
  CONN_BODY,   /* reading the body of the latest request */
  CONN_LAST,   /* takes no more requests; what the client sends is dropped */
  CONN_LINGER, /* our side is shut; what the client sends is dropped until it closes */
  CONN_CLOSED, /* fd gone; freed at the end of the turn or flush */
};

/* Four flags delay reading. `waits`: bytes in `in` that there was no room for, or conn_may_read()
 * said no; `is_queued`: has its turn next; `body.pulled`: the handler reads by itself; `body.told`:
 * it knows that there is something, and until it reads we do not look. */
typedef struct conn {
  struct bj_server *server;
  struct conn *prev, *next; /* of all connections */
  struct conn *next_queued; /* in the server's `queue`, `resuming` or `dead` */
  struct conn *next_aside;  /* in its `aside` */
  ev_io reader, writer;
  deadline reading_by, writing_by, look_at;
  deadline whole_by; /* DEADLINE_REQUEST, while the head is incomplete */
  enum conn_state state;
  exchange *first, *last; /* requests in flight, oldest first */
  exchange *unsent;       /* answered, last byte not yet sent; oldest first */
  uint32_t in_flight;
  uint32_t requests;  /* so far */
  uint32_t asked_in;  /* the period of the server's askers in which it last did */
  uint32_t looked_at; /* low half of `queued` at the last input_look() */
  buffer in;          /* bytes received and not used up */
  buffer out;         /* output: see output.h */
  uint64_t queued;    /* bytes of output so far, and how many the socket took */
  uint64_t sent;
  uint64_t taken; /* and the client acknowledged, when last looked at */
  struct {
    exchange *taker; /* NULL: the answer is complete, the rest is dropped */
    enum request_framing framing;
    uint64_t left;     /* with FRAMING_LENGTH */
    uint64_t received; /* bytes of content so far */
    uint64_t limit;    /* and how many there may be */
    uint32_t dropped;  /* bytes read and dropped */
    chunked decoder;
    bool pulled;    /* the handler reads the rest by itself */
    bool told;      /* and knows that there is something */
    uint32_t ahead; /* unread bytes that have already earned time */
  } body;
  endpoint peer;    /* the client */
  endpoint local;   /* where the client connected to, if `is_proxied` */
  bool is_proxied;  /* both are what the PROXY header said */
  bool waits;       /* with bytes in `in` */
  bool is_queued;   /* has its turn next */
  bool is_aside;    /* its output leaves at the end of the flush */
  bool is_final;    /* the latest request is the last one */
  bool skipped;     /* an empty line before the next head */
  bool peer_closed; /* it closed its side: nothing more to read */
  uint8_t silent;   /* input_look()s in a row that found no new output */
  bool seen_end;    /* it is known to close its side, perhaps behind unread bytes */
  bool failed;      /* to be closed: the socket refused a write, memory ran out, no PROXY header */
  bool resets;      /* to be closed by a reset, which no client takes for an answer's end */
} conn;

/* Takes over a fresh socket. On failure it is closed. */
void conn_open(struct bj_server *s, int fd, const struct sockaddr *peer);

/* Closes now and tells the caller of requests in flight. */
void conn_close(conn *c, enum bj_reason reason);

/* Frees closed connections. */
void conn_free_dead(struct bj_server *s);

/* Adds a request behind those in flight; NULL without memory. */
exchange *conn_append(conn *c);

/* Whether to read more: not while the client has too many requests in flight or takes too little
 * output, nor while the handler is behind with the body. */
bool conn_may_read(const conn *c);

/* Has input_resume() called in the next turn. */
void conn_queue(conn *c);

/* After an answer was completed or given up: lets the next one out. */
void conn_advance(conn *c);

/* Called after anything that may change what the connection waits for: closes it, lingers, begins
 * to wait for the next request, or reads on. */
void conn_settle(conn *c);

/* The last step of conn_settle(): watches and times the client as conn_may_read() says. */
void conn_update(conn *c);

/* A deadline of the connection has passed. */
void conn_time_out(void *connection, enum deadline_kind kind);

/* Whether nothing is going on: no request, no output, no partial head. */
bool conn_is_idle(const conn *c);

#endif
