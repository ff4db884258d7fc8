#include "conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "acceptor.h"
#include "input.h"
#include "loop.h"
#include "output.h"
#include "pull.h"
#include "response.h"
#include "server.h"

#define BODY_WINDOW 524288u /* bytes that a handler may leave unread before reading pauses */

bool conn_is_idle(const conn *c)
{
  return c->state <= CONN_HEAD && c->first == NULL && buffer_size(&c->in) == 0 &&
         buffer_size(&c->out) == 0 && c->server->staged != c;
}

/* ---- ends ------------------------------------------------------------------------------- */

static void unqueue(conn **list, const conn *c)
{
  while (*list != NULL && *list != c) list = &(*list)->next_queued;
  if (*list != NULL) *list = c->next_queued;
}

static void leave_queue(bj_server *s, const conn *c)
{
  unqueue(&s->resuming, c);
  unqueue(&s->queue, c);
  s->queue_end = &s->queue;
  while (*s->queue_end != NULL) s->queue_end = &(*s->queue_end)->next_queued;
}

static void unlink_conn(conn *c)
{
  bj_server *s = c->server;
  *(c->prev != NULL ? &c->prev->next : &s->conns) = c->next;
  if (c->next != NULL) c->next->prev = c->prev;
  if (c->is_queued) leave_queue(s, c);
  c->next_queued = s->dead;
  s->dead = c;
}

static void abort_exchanges(bj_server *s, exchange *x, enum bj_reason reason)
{
  exchanges *all = &s->exchanges;
  while (x != NULL) {
    exchange *next = x->next;
    if (x->answer != ANSWER_DONE) s->counters[BJ_RESP_ABORTED]++;
    exchange_abort(all, x, reason);
    exchange_leave(all, x);
    x = next;
  }
}

/* The client must not take the end of the connection for the end of the answer. */
static void reset_if_cut(const conn *c)
{
  const exchange *x = c->first;
  struct linger now = {.l_onoff = 1};
  if (c->resets || buffer_size(&c->out) > 0 ||
      (x != NULL && x->answer == ANSWER_STARTED && x->framing == ANSWER_UNTIL_CLOSE)) {
    setsockopt(c->reader.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
}

void conn_close(conn *c, enum bj_reason reason)
{
  bj_server *s = c->server;
  if (c->state == CONN_CLOSED) return;
  reset_if_cut(c);
  c->state = CONN_CLOSED;
  abort_exchanges(s, c->first, reason);
  abort_exchanges(s, c->unsent, reason);
  c->first = c->last = c->unsent = NULL;
  output_drop(c);
  deadline_clear(&c->reading_by);
  deadline_clear(&c->whole_by);
  deadline_clear(&c->look_at);
  ev_io_stop(s->loop, &c->reader);
  close(c->reader.fd);
  buffer_free(&c->in);
  unlink_conn(c);
  s->counters[BJ_CONNECTIONS_OPEN]--;
  acceptor_resume(s);
}

void conn_free_dead(bj_server *s)
{
  while (s->dead != NULL) {
    conn *c = s->dead;
    s->dead = c->next_queued;
    free(c);
  }
}

/* RFC 9112 section 9.6: closing at once could reset the connection and destroy what the client has
 * not read yet. So shut our side, and drop what it sends until it closes its own. */
static void linger(conn *c)
{
  if (c->peer_closed || shutdown(c->reader.fd, SHUT_WR) < 0) {
    conn_close(c, BJ_CLOSED);
    return;
  }
  c->state = CONN_LINGER;
  c->waits = false; /* else on_readable() would not read to the end */
  buffer_free(&c->in);
  ev_io_start(c->server->loop, &c->reader);
  deadline_set(&c->server->deadlines, &c->reading_by, DEADLINE_LINGER);
}

/* ---- order of answers ------------------------------------------------------------------- */

exchange *conn_append(conn *c)
{
  exchange *x = exchange_open(&c->server->exchanges, c);
  if (x != NULL) {
    *(c->last != NULL ? &c->last->next : &c->first) = x;
    c->last = x;
    c->in_flight++;
  }
  return x;
}

static void remove_first(conn *c)
{
  exchange *x = c->first;
  c->first = x->next;
  c->last = c->first == NULL ? NULL : c->last;
  c->in_flight--;
  x->next = NULL;
  if (!x->notify && x->by.next == NULL) {
    exchange_leave(&c->server->exchanges, x);
    return;
  }
  x->end = c->queued;
  exchange **at = &c->unsent;
  while (*at != NULL) at = &(*at)->next;
  *at = x;
  output_tell_sent(c);
}

/* Nothing can follow an answer that closes the connection. */
static void give_up_rest(conn *c)
{
  abort_exchanges(c->server, c->first, BJ_CLOSED);
  c->first = c->last = NULL;
  c->in_flight = 0;
  c->state = CONN_LAST;
  c->body.taker = NULL;
  deadline_clear(&c->reading_by);
}

void conn_advance(conn *c)
{
  while (c->first != NULL && c->first->answer == ANSWER_DONE) {
    bool close = c->first->close;
    c->resets = c->first->cut && c->first->framing == ANSWER_UNTIL_CLOSE;
    remove_first(c);
    if (close)
      give_up_rest(c);
    else if (c->first != NULL)
      output_promote(c->first);
  }
}

void conn_settle(conn *c)
{
  bj_server *s = c->server;
  if (c->failed) {
    conn_close(c, BJ_DISCONNECTED);
    return;
  }
  if (s->staged == c || c->state >= CONN_LINGER) return;
  if (c->first == NULL && buffer_size(&c->out) == 0 && c->state != CONN_BODY) {
    if (c->resets) {
      conn_close(c, BJ_CLOSED);
      return;
    }
    if (c->state == CONN_LAST) {
      linger(c);
      return;
    }
    if (buffer_size(&c->in) == 0 && c->requests > 0)
      deadline_set(&s->deadlines, &c->reading_by, DEADLINE_IDLE);
  }
  conn_update(c);
}

/* ---- reading ---------------------------------------------------------------------------- */

bool conn_may_read(const conn *c)
{
  switch (c->state) {
  case CONN_HEAD:
    return c->in_flight < c->server->options.max_pipelined && buffer_size(&c->out) < BJ_HIGH_WATER;
  case CONN_BODY:
    return c->body.taker == NULL || (c->body.taker->unread < BODY_WINDOW && !c->body.told);
  default: return c->state != CONN_CLOSED;
  }
}

void conn_queue(conn *c)
{
  if (!c->is_queued) {
    c->is_queued = true;
    c->next_queued = NULL;
    *c->server->queue_end = c;
    c->server->queue_end = &c->next_queued;
  }
}

/* Whether the client waits for 100 (Continue), which may itself wait for earlier answers. Once the
 * answer has begun no 100 is sent: a body that is still wanted then is timed like any other. */
static bool awaits_leave(const conn *c)
{
  const exchange *x = c->body.taker;
  if (x == NULL) return false;
  return x->answer == ANSWER_NONE ? x->owes_continue || buffer_size(&x->out) > 0
                                  : x->owes_continue && !x->wanted;
}

/* The clock runs only for what the client could send, not while we do not read. */
static void time_reading(conn *c)
{
  deadlines *all = &c->server->deadlines;
  if (c->state == CONN_BODY && !awaits_leave(c))
    deadline_keep(all, &c->reading_by, DEADLINE_BODY);
  else if (c->state <= CONN_HEAD && buffer_size(&c->in) > 0)
    deadline_keep(all, &c->reading_by, DEADLINE_HEAD);
  else if (c->state > CONN_HEAD)
    deadline_clear(&c->reading_by);
}

void conn_update(conn *c)
{
  if (!conn_may_read(c)) {
    ev_io_stop(c->server->loop, &c->reader);
    if (c->state != CONN_BODY || !c->body.told)
      deadline_pause(&c->server->deadlines, &c->reading_by);
    if (c->state != CONN_CLOSED) deadline_keep(&c->server->deadlines, &c->look_at, DEADLINE_LOOK);
  } else if (c->waits) {
    conn_queue(c);
  } else if (c->peer_closed) {
    deadline_keep(&c->server->deadlines, &c->look_at, DEADLINE_LOOK);
  } else {
    ev_io_start(c->server->loop, &c->reader);
    time_reading(c);
  }
}

/* Without a reset the kernel would keep the rest of the answer for as long as the client likes. */
static void give_up(conn *c, enum bj_reason reason)
{
  c->resets = true;
  conn_close(c, reason);
}

/* What happens depends on who is late. It is about the oldest request: the others have as much
 * time, and began later. */
static void expire(conn *c)
{
  exchange *x = c->first;
  bool has_begun = c->unsent != NULL || (x != NULL && x->answer != ANSWER_NONE);
  bool is_waited_for = x != NULL && c->body.taker == x && conn_may_read(c) && !awaits_leave(c);
  if (has_begun) {
    give_up(c, BJ_EXPIRED);
  } else if (x == NULL) {
    if (c->state == CONN_HEAD) input_reject(c, 408, false);
  } else if (is_waited_for) {
    input_fail(c, 408, BJ_TIMED_OUT);
  } else {
    c->server->counters[BJ_REQ_ERROR_INTERNAL]++;
    exchange_abort(&c->server->exchanges, x, BJ_EXPIRED);
    response_error(x, 503);
  }
}

/* It has spoken in time, but no turn had room for it yet. */
static bool is_heard(const conn *c, enum deadline_kind kind)
{
  return c->is_queued && (kind == DEADLINE_IDLE || kind == DEADLINE_HEAD || kind == DEADLINE_BODY);
}

void conn_time_out(void *connection, enum deadline_kind kind)
{
  conn *c = connection;
  if (is_heard(c, kind)) {
    deadline_retry(&c->server->deadlines, &c->reading_by);
    return;
  }
  if (kind == DEADLINE_WRITE && output_moves(c)) return;
  if (kind == DEADLINE_BODY && pull_moves(c)) return;
  if (kind != DEADLINE_LOOK && kind != DEADLINE_IDLE && kind != DEADLINE_LINGER)
    c->server->counters[BJ_TIMEOUTS]++;
  switch (kind) {
  case DEADLINE_HEAD:
    if (buffer_size(&c->in) > 0 && c->state == CONN_HEAD) {
      input_reject(c, 408, false);
      break;
    }
    conn_close(c, BJ_TIMED_OUT);
    return;
  case DEADLINE_BODY: input_fail(c, 408, BJ_TIMED_OUT); break;
  case DEADLINE_WRITE: give_up(c, BJ_TIMED_OUT); return;
  case DEADLINE_REQUEST: expire(c); break;
  case DEADLINE_LOOK: input_look(c); return;
  default: conn_close(c, BJ_TIMED_OUT); return;
  }
  conn_settle(c);
}

/* ---- beginning -------------------------------------------------------------------------- */

static endpoint endpoint_of(const struct sockaddr *peer)
{
  endpoint e = {0};
  if (peer->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;
    e.address[2] = htonl(0xffff);
    e.address[3] = in->sin_addr.s_addr;
    e.port = ntohs(in->sin_port);
  } else if (peer->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)peer;
    memcpy(e.address, &in6->sin6_addr, sizeof e.address);
    e.port = ntohs(in6->sin6_port);
  }
  return e;
}

void conn_open(struct bj_server *s, int fd, const struct sockaddr *peer)
{
  endpoint from = endpoint_of(peer);
  bool is_welcome = s->proxies.count == 0 || networks_have(&s->proxies, from.address);
  if (!is_welcome) s->counters[BJ_CONN_PROXY_ERROR]++;
  conn *c = is_welcome && loop_reserve(s->loop, fd) ? malloc(sizeof *c) : NULL;
  if (c == NULL) {
    close(fd);
    return;
  }
  uint64_t *buffered = &s->counters[BJ_BYTES_BUFFERED];
  *c = (conn){.server = s,
              .next = s->conns,
              .state = s->expects_proxy ? CONN_PROXY : CONN_HEAD,
              .in = {.total = buffered},
              .out = {.total = buffered},
              .peer = from};
  c->reading_by.owner = c->writing_by.owner = c->whole_by.owner = c->look_at.owner = c;
  if (s->conns != NULL) s->conns->prev = c;
  s->conns = c;
  s->counters[BJ_CONNECTIONS_OPEN]++;
  input_watch(c, fd);
  output_watch(c, fd);
  ev_io_start(s->loop, &c->reader);
  deadline_set(&s->deadlines, &c->reading_by, DEADLINE_HEAD);
}
