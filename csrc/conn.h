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
  CONN_LAST,   /* no request comes after the ones in flight; what the client sends is dropped */
  CONN_LINGER, /* we have closed our side; the client may finish what it sends */
  CONN_CLOSED, /* fd gone; freed at the end of the turn or flush */
};

typedef struct conn {
  struct bj_server *server;
  struct conn *prev, *next; /* of all connections */
  struct conn *next_queued; /* in the server's queue of those that can go on, or of the dead */
  struct conn *next_aside;  /* of those whose output leaves at the end of the flush */
  ev_io reader, writer;
  deadline reading_by, writing_by, look_at;
  deadline whole_by; /* for the request whose head is not complete */
  enum conn_state state;
  exchange *first, *last; /* requests in flight, oldest first */
  exchange *unsent;       /* answered, and the last octet is waited for; oldest first */
  uint32_t in_flight;
  uint32_t requests;  /* so far */
  uint32_t asked_in;  /* which period of the server's askers */
  uint32_t looked_at; /* `queued`, modulo 2^32, when somebody looked at the client last */
  buffer in;          /* octets received and not used up */
  buffer out;         /* octets that the socket did not take */
  uint64_t queued;    /* octets of output so far, and how many of them the socket took */
  uint64_t sent;
  uint64_t taken; /* by the client, when that was looked at last */
  struct {
    exchange *taker; /* NULL: its answer is complete, the rest of the body is dropped */
    enum request_framing framing;
    uint64_t left;     /* with FRAMING_LENGTH */
    uint64_t received; /* octets of content so far */
    uint64_t limit;    /* and how many there may be */
    uint32_t dropped;  /* octets read for nobody */
    chunked decoder;
    bool pulled;    /* the taker reads the rest by itself */
    bool told;      /* and knows that there is some */
    uint32_t ahead; /* octets that it has not read and that have given back time */
  } body;
  endpoint peer;    /* whose connection it is */
  endpoint local;   /* where the client connected to, if `is_proxied` */
  bool is_proxied;  /* the ends are those that the PROXY protocol told */
  bool waits;       /* stopped reading before all of `in` was looked at */
  bool is_queued;   /* in the server's queue */
  bool is_aside;    /* its output leaves at the end of the flush */
  bool is_final;    /* the latest request is the last one */
  bool skipped;     /* an empty line before the next head */
  bool peer_closed; /* its side is closed: nothing more to read */
  uint8_t silent;   /* looks at it since then between which there was nothing to send */
  bool seen_end;    /* it is known that its side will be closed, behind what is not read yet */
  bool failed;      /* to be closed: the socket refused a write, memory ran out, no PROXY header */
  bool resets;      /* a cut answer can be told from a complete one only by a reset */
} conn;

/* Takes over a fresh socket. On failure it is closed. */
void conn_open(struct bj_server *s, int fd, const struct sockaddr *peer);

/* Closes now; the caller is told of requests in flight. */
void conn_close(conn *c, enum bj_reason reason);

/* Frees those that are closed. */
void conn_free_dead(struct bj_server *s);

/* Adds a request behind those in flight; NULL without memory. */
exchange *conn_append(conn *c);

/* Whether more of what the client sends may be read: not while it has too many requests in flight
 * or takes too little output, nor while a handler is behind with the body. */
bool conn_may_read(const conn *c);

/* Has input_resume() called in the next turn. */
void conn_queue(conn *c);

/* After an answer was completed or given up: lets the next one out. */
void conn_advance(conn *c);

/* To be called after whatever may have changed what the connection waits for: closes it, lingers,
 * begins to wait for the next request, or reads on. */
void conn_settle(conn *c);

/* The last part of that: watches and times the client as conn_may_read() says. */
void conn_update(conn *c);

/* A deadline of the connection has passed. */
void conn_time_out(void *connection, enum deadline_kind kind);

/* Whether the client waits for nothing: no request, no output, no half of a head. */
bool conn_is_idle(const conn *c);

#endif
