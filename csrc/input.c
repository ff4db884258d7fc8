/* Input: what arrives on a connection, by the connection's state. */
#include "input.h"

#include <errno.h>

#include "body.h"
#include "loop.h"
#include "pull.h"
#include "response.h"
#include "server.h"
#include "socket.h"

#define READ_SIZE 262144u /* at most, for one connection in one turn */
#define READ_ROOM 4096u   /* less than this is not worth a system call */
#define SILENT_LOOKS 5    /* at a client that closed its side, until it counts as gone */

/* Counts a request that was refused. */
static void count_refused(bj_server *s, unsigned status)
{
  if (status == 408) {
    s->counters[BJ_REQ_ABORTED]++;
  } else {
    s->counters[BJ_REQ_ERROR_PARSE]++;
    s->counters[BJ_REQ_DONE]++;
  }
}

/* Counts a client that leaves. Between requests nothing is lost. */
static void count_left(conn *c, enum bj_counter how)
{
  uint64_t *counters = c->server->counters;
  if (c->state == CONN_PROXY && buffer_size(&c->in) > 0) counters[BJ_CONN_PROXY_ERROR]++;
  if (c->state == CONN_BODY || (c->state == CONN_HEAD && buffer_size(&c->in) > 0)) {
    counters[how]++;
    counters[BJ_REQ_ABORTED]++;
  }
}

/* The connection is broken. */
static void lose(conn *c)
{
  count_left(c, BJ_REQ_ERROR_READ);
  conn_close(c, BJ_DISCONNECTED);
}

void input_reject(conn *c, unsigned status, bool is_head)
{
  exchange *x = conn_append(c);
  if (x == NULL) {
    c->failed = true;
    return;
  }
  exchange_release(&c->server->exchanges, x);
  x->is_head = is_head;
  c->state = CONN_LAST;
  deadline_clear(&c->reading_by);
  deadline_clear(&c->whole_by);
  count_refused(c->server, status);
  response_error(x, status);
}

void input_fail(conn *c, unsigned status, enum bj_reason reason)
{
  exchange *x = c->body.taker;
  c->state = CONN_LAST;
  deadline_clear(&c->reading_by);
  if (reason != BJ_DISCONNECTED) count_refused(c->server, status);
  if (x == NULL) return;
  exchange_abort(&c->server->exchanges, x, reason);
  if (x->answer == ANSWER_NONE) {
    x->owes_continue = false;
    response_error(x, status);
  } else {
    response_cut(x);
  }
}

/* Describes a request in an event. A field is two words, for its name and its value: offset from
 * the head's start in the low half, size in the high half. */
static void describe(conn *c, const exchange *x, const request *r)
{
  bj_server *s = c->server;
  bj_event *e = server_event(s);
  *e = (bj_event){.type = BJ_REQUEST,
                  .request = x->slot,
                  .generation = x->generation,
                  .flags = r->flags | (r->framing == FRAMING_NONE ? BJ_EVENT_END : 0),
                  .head_at = (uint32_t)(r->line.base - s->arena),
                  .head_size = (uint32_t)r->line.size,
                  .method = (uint32_t)r->code | (uint32_t)r->method.size << 16,
                  .target_at = (uint32_t)(r->target.base - s->arena),
                  .target_size = (uint32_t)r->target.size,
                  .fields_at = s->fields_used,
                  .fields_count = r->field_count,
                  .peer_port = c->peer.port};
  if (r->authority.size > 0) {
    e->authority_at = (uint32_t)(r->authority.base - s->arena);
    e->authority_size = (uint32_t)r->authority.size;
  }
  memcpy(e->peer, c->peer.address, sizeof e->peer);
  uint32_t *pair = s->fields + 2 * s->fields_used;
  for (uint32_t i = 0; i < r->field_count; i++, pair += 2) {
    const struct phr_header *f = &r->fields[i];
    pair[0] = (uint32_t)(f->name - r->line.base) | (uint32_t)f->name_len << 16;
    pair[1] = (uint32_t)(f->value - r->line.base) | (uint32_t)f->value_len << 16;
  }
  s->fields_used += r->field_count;
}

/* The request's time began with its first byte, before it had an exchange. */
static void time_request(conn *c, exchange *x)
{
  if (c->whole_by.next != NULL) {
    deadline_move(&x->by, &c->whole_by);
  } else {
    x->by.owner = c;
    deadline_set(&c->server->deadlines, &x->by, DEADLINE_REQUEST);
  }
}

static void begin_request(conn *c, const request *r)
{
  bj_server *s = c->server;
  exchange *x = conn_append(c);
  if (x == NULL) {
    c->failed = true;
    return;
  }
  c->requests++;
  c->skipped = c->seen_end = false;
  x->is_head = r->code == BJ_HEAD;
  x->is_http10 = (r->flags & BJ_EVENT_HTTP10) != 0;
  x->keep_alive = r->keep_alive && s->state == SERVER_OPEN &&
                  (s->options.max_requests == 0 || c->requests < s->options.max_requests);
  x->owes_continue = (r->flags & BJ_EVENT_EXPECTS) != 0 && r->framing != FRAMING_NONE;
  x->began = loop_now(s->loop);
  c->is_final = !x->keep_alive;
  deadline_clear(&c->reading_by);
  if (s->options.request_timeout > 0) time_request(c, x);
  describe(c, x, r);
  body_begin(x, r);
}

/* A connection without the header it must have gets no answer: its peer does not speak the
 * protocol, or wants to pass for somebody else. */
static size_t take_proxy(conn *c, const char *data, size_t size)
{
  bj_server *s = c->server;
  proxied p;
  switch (proxy_read(&p, (bytes){data, size})) {
  case PROXY_INCOMPLETE: return 0;
  case PROXY_BAD:
    s->counters[BJ_CONN_PROXY_ERROR]++;
    c->failed = true;
    return size;
  case PROXY_COMPLETE: break;
  }
  c->state = CONN_HEAD;
  c->is_proxied = p.is_named;
  if (p.is_named) {
    c->peer = p.from;
    c->local = p.to;
  }
  return p.size;
}

/* Returns the size of the head, 0 while incomplete. An empty line alone may belong to the request
 * before it (RFC 9112 section 2.2): it begins none. */
static size_t take_head(conn *c, char *data, size_t size)
{
  bj_server *s = c->server;
  request r;
  if (size == 2 && data[0] == '\r' && data[1] == '\n' && !c->skipped) {
    c->skipped = true;
    return size;
  }
  if (c->skipped && data[0] == '\r') { /* a second one: refused as if both had come at once */
    input_reject(c, 400, false);
    return size;
  }
  switch (request_read(&r, (bytes){data, size}, &s->reader)) {
  case REQUEST_INCOMPLETE:
    deadline_keep(&s->deadlines, &c->reading_by, DEADLINE_HEAD);
    deadline_keep(&s->deadlines, &c->whole_by, DEADLINE_REQUEST);
    return 0;
  case REQUEST_REJECTED: {
    size_t skip = size > 1 && data[0] == '\r' && data[1] == '\n' ? 2 : 0;
    bool is_head = size >= skip + 5 && bytes_same((bytes){data + skip, 5}, BYTES("HEAD "));
    input_reject(c, r.status, is_head);
    return size;
  }
  case REQUEST_COMPLETE: break;
  }
  if (r.framing == FRAMING_LENGTH && r.length > s->max_body_size) {
    input_reject(c, 413, r.code == BJ_HEAD);
    return size;
  }
  askers_count(&s->askers, &c->asked_in);
  begin_request(c, &r);
  return (size_t)(r.line.base + r.line.size - data);
}

/* Whether this turn's records have room for one more request of any size. */
static bool has_room(const bj_server *s)
{
  return server_has_room(s) && s->fields_used + s->options.max_fields <= s->options.field_slots;
}

/* Takes what it can of `data`, which is in the arena, and keeps the rest. */
static void process(conn *c, char *data, size_t size)
{
  size_t at = 0;
  c->waits = false;
  while (at < size && !c->failed) {
    if (c->state == CONN_LAST) {
      at = size;
      break;
    }
    if (!conn_may_read(c) || !has_room(c->server)) {
      c->waits = true;
      break;
    }
    size_t used = c->state == CONN_HEAD   ? take_head(c, data + at, size - at)
                  : c->state == CONN_BODY ? body_take(c, data + at, size - at)
                                          : take_proxy(c, data + at, size - at);
    if (used == 0) break;
    at += used;
  }
  if (buffer_replace(&c->in, (bytes){data + at, size - at}) != BUFFERED) c->failed = true;
  if (!c->waits && (at < size || c->state == CONN_BODY)) c->server->counters[BJ_REQ_ACTIVE]++;
  conn_settle(c);
}

static void tell_left(conn *c)
{
  for (exchange *x = c->first; x != NULL; x = x->next)
    if (x->held) exchange_notice(&c->server->exchanges, x, BJ_LEFT);
}

/* The client has closed its side, but may still be reading (RFC 9112 section 9.6). */
static void on_end(conn *c)
{
  c->peer_closed = c->seen_end = true;
  ev_io_stop(c->server->loop, &c->reader);
  deadline_clear(&c->reading_by);
  count_left(c, BJ_REQ_ERROR_CLIENT_DISCONNECTED);
  buffer_free(&c->in);
  if (c->state == CONN_LINGER) {
    conn_close(c, BJ_CLOSED);
    return;
  }
  if (c->state == CONN_BODY) input_fail(c, 400, BJ_DISCONNECTED);
  c->state = CONN_LAST;
  tell_left(c);
  conn_settle(c);
}

void input_missed(conn *c, ssize_t n)
{
  if (n == 0)
    on_end(c);
  else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
    lose(c);
}

/* Whether the client has closed its side before the end of a body whose length is known. */
static bool is_cut(const conn *c, enum socket_peer peer)
{
  return peer == PEER_ENDED && c->state == CONN_BODY && c->body.framing == FRAMING_LENGTH &&
         buffer_size(&c->in) + socket_unread(c->reader.fd) < c->body.left;
}

/* Most clients that close their side have gone, but that shows only when something is sent. An
 * answer that has begun and then says nothing more, as events may for hours, is taken to have no
 * reader left. */
static bool is_forsaken(conn *c)
{
  bool goes_on = c->first == NULL || c->first->answer != ANSWER_STARTED || c->writer.active;
  if (!c->peer_closed || goes_on || c->looked_at != (uint32_t)c->queued) c->silent = 0;
  c->looked_at = (uint32_t)c->queued;
  return c->silent++ == SILENT_LOOKS;
}

void input_look(conn *c)
{
  if (conn_may_read(c) && !c->peer_closed) return;
  enum socket_peer peer = socket_peer(c->reader.fd);
  if (peer == PEER_GONE || is_forsaken(c)) {
    lose(c);
  } else if (is_cut(c, peer)) {
    count_left(c, BJ_REQ_ERROR_CLIENT_DISCONNECTED);
    input_fail(c, 400, BJ_DISCONNECTED);
    conn_settle(c);
  } else {
    if (peer == PEER_ENDED && !c->seen_end) tell_left(c);
    c->seen_end |= peer == PEER_ENDED;
    deadline_keep(&c->server->deadlines, &c->look_at, DEADLINE_LOOK);
  }
}

/* Reads behind what was kept, so that a message is in one piece. If the turn is full, the
 * connection is queued for the next one: libev's order would keep the same ones waiting each
 * time. */
static void receive(conn *c)
{
  bj_server *s = c->server;
  size_t kept = buffer_size(&c->in), free = s->options.arena_size - s->arena_used;
  if (pull_announce(c)) return;
  if (server_has_enough(s) || free < kept + READ_ROOM) {
    conn_queue(c);
    return;
  }
  char *data = s->arena + s->arena_used;
  size_t room = free - kept < READ_SIZE ? free - kept : READ_SIZE;
  ssize_t n = recv(c->reader.fd, data + kept, room, 0);
  if (n <= 0) {
    input_missed(c, n);
    return;
  }
  s->counters[BJ_BYTES_RECEIVED] += (size_t)n;
  if (c->state == CONN_LINGER) return;
  if (kept > 0) memcpy(data, buffer_bytes(&c->in).base, kept);
  s->arena_used += kept + (size_t)n;
  process(c, data, kept + (size_t)n);
}

static void on_readable(struct ev_loop *loop, ev_io *reader, int events)
{
  (void)loop;
  conn *c = reader->data;
  if ((events & EV_ERROR) != 0)
    lose(c); /* the kernel does not watch it: nothing would ever come */
  else if (!c->waits)
    receive(c);
}

void input_resume(conn *c)
{
  bj_server *s = c->server;
  if (!c->waits) {
    if (c->reader.active) receive(c);
    return;
  }
  size_t kept = buffer_size(&c->in);
  if (server_has_enough(s) || s->options.arena_size - s->arena_used < kept) {
    conn_queue(c);
    return;
  }
  char *data = s->arena + s->arena_used;
  if (kept > 0) memcpy(data, buffer_bytes(&c->in).base, kept);
  s->arena_used += kept;
  process(c, data, kept);
}

void input_watch(conn *c, int fd)
{
  ev_io_init(&c->reader, on_readable, fd, EV_READ);
  c->reader.data = c;
}
