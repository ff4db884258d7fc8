/* A request in flight and its answer, and the table of slots by which the caller names it.
 *
 * An exchange is over when three have let go of it: the caller (`held`), the connection (`conn`),
 * the notices. exchange_release(), exchange_leave() and exchange_tell() are these three in turn. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "bjoern.h"
#include "buffer.h"
#include "deadlines.h"
#include "file.h"

struct conn;

enum answer_state {
  ANSWER_NONE,
  ANSWER_STARTED, /* head written, body still to come */
  ANSWER_DONE,    /* complete, or given up */
};

enum answer_framing {
  ANSWER_EMPTY,  /* no body, by status or method */
  ANSWER_LENGTH, /* Content-Length */
  ANSWER_CHUNKED,
  ANSWER_UNTIL_CLOSE, /* HTTP/1.0: the end of the connection ends it */
};

typedef struct exchange {
  struct exchange *next;        /* in the connection's order, or in the free list */
  struct exchange *next_notice; /* among those with notices */
  struct conn *conn;            /* NULL once it has left the connection */
  uint32_t slot, generation;
  enum answer_state answer;
  enum answer_framing framing;
  uint64_t left;    /* with ANSWER_LENGTH: bytes of the body still to come */
  file file;        /* with ANSWER_LENGTH: a file with these, or none */
  uint64_t end;     /* what `sent` of the connection must reach: the answer's end */
  buffer out;       /* the answer while an earlier one is incomplete */
  uint64_t absent;  /* and what of a direct one the caller keeps until then: counts too */
  deadline by;      /* DEADLINE_REQUEST */
  double began;     /* when its head was read: seconds of loop_now() */
  uint32_t unread;  /* bytes of the request's body that the handler has not taken */
  uint32_t notices; /* bits by enum bj_event_type: what the caller is still to be told */
  enum bj_reason reason;
  bool held;    /* the caller may still answer */
  bool is_head; /* HEAD: the answer has no body */
  bool is_http10;
  bool keep_alive;    /* the connection may persist */
  bool owes_continue; /* the client waits for 100 (Continue) */
  bool wanted;        /* the caller has asked for the body */
  bool wants_drain;   /* the caller waits for BJ_DRAINED */
  bool direct;        /* BJ_WRITE_DIRECT: the body comes by bj_server_write(). Not OUTPUT_DIRECT */
  bool notify;        /* the caller waits for BJ_SENT */
  bool close;         /* the connection ends after this answer */
  bool cut;           /* the answer is incomplete, and the client must be able to see it */
} exchange;

typedef struct exchanges {
  exchange **slots;
  uint32_t count, capacity;
  exchange *free;
  exchange *first_notice, *last_notice;
  uint32_t held;
  uint64_t *buffered; /* bytes that answers hold until it is their turn; or NULL */
} exchanges;

/* A fresh exchange of `c`, or NULL without memory. */
exchange *exchange_open(exchanges *all, struct conn *c);

/* The exchange that the caller means, or NULL when it is over. */
exchange *exchange_find(const exchanges *all, uint32_t slot, uint32_t generation);

/* Tells the caller in the next turn. */
void exchange_notice(exchanges *all, exchange *x, enum bj_event_type type);

/* The caller may not answer any more. */
void exchange_release(exchanges *all, exchange *x);

/* Releases it. Tells why, if the caller still held it or waits for BJ_SENT. */
void exchange_abort(exchanges *all, exchange *x, enum bj_reason reason);

/* Sets `absent`, and counts it in `buffered`. */
void exchange_count_absent(exchanges *all, exchange *x, uint64_t size);

/* Takes it off its connection. The slot is free once the caller has been told everything. */
void exchange_leave(exchanges *all, exchange *x);

/* Moves notices into event records. Returns how many. */
uint32_t exchange_tell(exchanges *all, bj_event *events, uint32_t room);

void exchanges_free(exchanges *all);

#endif
