#include "output.h"

#include <errno.h>

#include "response.h"
#include "server.h"
#include "socket.h"

/* Bytes of a file that one connection sends in one turn. */
#define FILE_TURN 1048576u

/* BJ_DRAINED is told when output has shrunk to this. */
#define LOW_WATER (BJ_HIGH_WATER / 4)

#define NOTHING ((bytes){"", 0})

void output_tell_sent(conn *c)
{
  exchanges *all = &c->server->exchanges;
  while (c->unsent != NULL && c->unsent->end <= c->sent) {
    exchange *x = c->unsent;
    c->unsent = x->next;
    if (x->notify) exchange_notice(all, x, BJ_SENT);
    x->notify = false;
    exchange_leave(all, x);
  }
}

static void tell_drained(conn *c)
{
  if (c->first != NULL && c->first->wants_drain && buffer_size(&c->out) <= LOW_WATER) {
    c->first->wants_drain = false;
    exchange_notice(&c->server->exchanges, c->first, BJ_DRAINED);
  }
}

static void count_sent(conn *c, size_t size)
{
  c->sent += size;
  c->server->counters[BJ_BYTES_SENT] += size;
  output_tell_sent(c);
  tell_drained(c);
}

/* Runs of bytes in different places that are sent in one call. */
enum { PARTS = 3 };

/* Whether the rest of the oldest answer is in a file. */
static bool has_file(const conn *c)
{
  return c->first != NULL && c->first->file.fd >= 0;
}

/* What errno means: 0, the socket is full; -1, the connection is broken. */
static ssize_t refused(void)
{
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

/* Returns how many bytes the socket took; -1 when the connection is broken. */
static ssize_t send_some(const conn *c, const bytes *parts, size_t count, bool more)
{
  struct iovec spans[PARTS];
  size_t filled = 0;
  for (size_t i = 0; i < count; i++)
    if (parts[i].size > 0)
      spans[filled++] = (struct iovec){(void *)(uintptr_t)parts[i].base, parts[i].size};
  ssize_t n;
  do {
    n = socket_send(c->reader.fd, spans, filled, more);
  } while (n < 0 && errno == EINTR);
  return n >= 0 ? n : refused();
}

bool output_moves(conn *c)
{
  size_t waits = socket_unsent(c->reader.fd);
  uint64_t before = c->taken, now = c->sent > waits ? c->sent - waits : 0;
  if (now > before) c->taken = now;
  size_t fresh = now > before ? (size_t)(now - before) : 0;
  deadline_extend(&c->server->deadlines, &c->writing_by, DEADLINE_WRITE, fresh);
  return fresh > 0;
}

/* Waits for the socket to take more. */
static void await_socket(conn *c)
{
  ev_io_start(c->server->loop, &c->writer);
  output_moves(c);
}

/* Keeps what is behind the first `sent` bytes. */
static void keep_rest(conn *c, const bytes *parts, size_t sent)
{
  spares_lend(&c->server->spares, &c->out);
  for (size_t i = 0; i < PARTS; i++) {
    size_t gone = sent < parts[i].size ? sent : parts[i].size;
    c->failed |= buffer_append(&c->out, bytes_from(parts[i], gone)) != BUFFERED;
    sent -= gone;
  }
  await_socket(c);
}

/* Sends all parts; what the socket does not take waits in `out`. */
static void transmit(conn *c, const bytes parts[PARTS])
{
  size_t size = parts[0].size + parts[1].size + parts[2].size;
  if (c->failed || size == 0) return; /* what should come before these may be missing */
  ssize_t sent = send_some(c, parts, PARTS, has_file(c));
  if (sent < 0) {
    c->failed = true;
    return;
  }
  if ((size_t)sent < size) keep_rest(c, parts, (size_t)sent);
  count_sent(c, (size_t)sent);
}

/* Sends `staging`, followed by `body` and `tail` of the same connection. */
static void unstage(bj_server *s, bytes body, bytes tail)
{
  conn *c = s->staged;
  s->staged = NULL;
  transmit(c, (const bytes[PARTS]){buffer_bytes(&s->staging), body, tail});
  buffer_clear(&s->staging);
}

/* Sends what waits in `out`. Returns how many bytes the socket took. */
static ssize_t send_out(conn *c)
{
  bytes waiting = buffer_bytes(&c->out);
  ssize_t sent = waiting.size == 0 ? 0 : send_some(c, &waiting, 1, false);
  if (sent < 0) {
    c->failed = true;
  } else if (sent > 0) {
    buffer_consume(&c->out, (size_t)sent);
    if (buffer_size(&c->out) == 0) spares_keep(&c->server->spares, &c->out);
    count_sent(c, (size_t)sent);
  }
  return sent;
}

/* The head of the answer comes first. */
static bool may_send_file(const conn *c)
{
  return has_file(c) && !c->failed && buffer_size(&c->out) == 0 && c->server->staged != c;
}

/* Sends some of the file. If it has shrunk, the client misses bytes: the length is already
 * announced. */
static ssize_t send_file(conn *c)
{
  exchange *x = c->first;
  ssize_t sent;
  size_t budget = FILE_TURN;
  do {
    sent = file_send(&x->file, c->reader.fd, x->left < budget ? (size_t)x->left : budget);
    if (sent > 0) {
      x->left -= (uint64_t)sent;
      budget -= (size_t)sent;
      c->queued += (uint64_t)sent;
      count_sent(c, (size_t)sent);
    }
  } while (sent > 0 && x->left > 0 && budget > 0);
  if (sent < 0 && refused() < 0) {
    c->failed = errno == EPIPE || errno == ECONNRESET;
    if (!c->failed) response_end(x); /* the file cannot be read */
  } else if (sent == 0 || x->left == 0) {
    response_end(x);
  }
  c->server->is_busy |= budget == 0;
  return (ssize_t)(FILE_TURN - budget);
}

/* Sends what waits; the rest goes when the socket is writable again. */
static void send_waiting(conn *c)
{
  ssize_t sent = send_out(c);
  if (may_send_file(c)) sent += send_file(c);
  if (buffer_size(&c->out) == 0 && !has_file(c)) {
    ev_io_stop(c->server->loop, &c->writer);
    deadline_clear(&c->writing_by);
  } else if (sent > 0 || !c->writer.active) {
    await_socket(c);
  }
}

/* Makes way for another connection. If this one has requests in flight, more may follow in the same
 * flush: then all of it leaves at the end. */
static void set_aside(bj_server *s)
{
  conn *c = s->staged;
  if (c == NULL) return;
  if (c->first == NULL) {
    unstage(s, NOTHING, NOTHING);
    conn_settle(c);
    return;
  }
  s->staged = NULL;
  spares_lend(&s->spares, &c->out);
  c->failed |= buffer_append(&c->out, buffer_bytes(&s->staging)) != BUFFERED;
  buffer_clear(&s->staging);
  if (!c->is_aside) {
    c->is_aside = true;
    c->next_aside = s->aside;
    s->aside = c;
  }
}

/* At the end of a file the answers after it move to `staging`, so this loops. */
void output_flush(bj_server *s)
{
  while (s->staged != NULL || s->aside != NULL) {
    conn *c = s->staged;
    if (c != NULL) {
      unstage(s, NOTHING, NOTHING);
      if (has_file(c)) send_waiting(c);
    } else {
      c = s->aside;
      s->aside = c->next_aside;
      c->is_aside = false;
      send_waiting(c);
    }
    conn_settle(c);
  }
}

/* The buffer that this answer is collected in. If it holds much already, that is sent first, but
 * never a file: its head may be what is to be collected. */
static buffer *collector(exchange *x)
{
  conn *c = x->conn;
  bj_server *s = c->server;
  if (c->first != x) return &x->out;
  if (s->staged == c && buffer_size(&s->staging) > BJ_HIGH_WATER) unstage(s, NOTHING, NOTHING);
  if (c->is_aside && buffer_size(&c->out) > BJ_HIGH_WATER) send_out(c);
  if (buffer_size(&c->out) > 0) return &c->out;
  if (s->staged != c) {
    set_aside(s);
    s->staged = c;
  }
  return &s->staging;
}

char *output_room(exchange *x, size_t size)
{
  char *room = buffer_room(collector(x), size);
  x->conn->failed |= room == NULL;
  return room;
}

void output_commit(exchange *x, size_t size)
{
  conn *c = x->conn;
  buffer *to = c->first != x ? &x->out : c->server->staged == c ? &c->server->staging : &c->out;
  buffer_commit(to, size);
  if (c->first == x) c->queued += size;
}

/* Whether nothing follows on this connection for now. */
static bool is_end(const exchange *x)
{
  return x == x->conn->last && x->framing == ANSWER_LENGTH && x->left == 0;
}

void output_add(exchange *x, bytes body, bytes tail)
{
  conn *c = x->conn;
  buffer *to = collector(x);
  if (c->first == x) c->queued += body.size + tail.size;
  if (to == &c->server->staging && body.size >= (is_end(x) ? OUTPUT_DIRECT_END : OUTPUT_DIRECT))
    unstage(c->server, body, tail);
  else if (buffer_append(to, body) != BUFFERED || buffer_append(to, tail) != BUFFERED)
    c->failed = true;
}

static void leave_aside(conn *c)
{
  conn **at = &c->server->aside;
  while (c->is_aside && *at != c) at = &(*at)->next_aside;
  if (c->is_aside) *at = c->next_aside;
  c->is_aside = false;
}

/* The socket took `sent` bytes of what was collected before a direct body: keeps the rest. */
static void settle_collected(conn *c, size_t sent)
{
  bj_server *s = c->server;
  if (s->staged == c) {
    bytes staged = buffer_bytes(&s->staging);
    s->staged = NULL;
    if (sent < staged.size) keep_rest(c, (const bytes[PARTS]){staged, NOTHING, NOTHING}, sent);
    buffer_clear(&s->staging);
  } else {
    buffer_consume(&c->out, sent);
    if (buffer_size(&c->out) == 0) spares_keep(&s->spares, &c->out);
  }
}

/* The head, if it is still collected, leaves in the same call. */
static size_t send_direct(conn *c, bytes body)
{
  leave_aside(c);
  bytes before = buffer_bytes(c->server->staged == c ? &c->server->staging : &c->out);
  ssize_t n = send_some(c, (const bytes[]){before, body}, 2, false);
  c->failed |= n < 0;
  size_t sent = n < 0 ? 0 : (size_t)n;
  size_t ahead = sent < before.size ? sent : before.size;
  settle_collected(c, ahead);
  c->queued += sent - ahead;
  count_sent(c, sent);
  return sent - ahead;
}

size_t output_direct(exchange *x, bytes body)
{
  conn *c = x->conn;
  bool is_next = c->first == x && !c->writer.active && !c->failed;
  size_t taken = is_next ? send_direct(c, body) : 0;
  if (taken == body.size) return taken;
  x->wants_drain = true;
  if (is_next) await_socket(c);
  return taken;
}

void output_promote(exchange *x)
{
  conn *c = x->conn;
  exchange_count_absent(&c->server->exchanges, x, 0);
  if (x->direct && x->wants_drain) await_socket(c);
  if (buffer_size(&x->out) > 0) {
    buffer waited = x->out;
    x->out = (buffer){.total = waited.total};
    output_add(x, buffer_bytes(&waited), NOTHING);
    buffer_free(&waited);
  }
  /* If a large head has left already, nothing else would start what follows it. */
  if (has_file(c) && c->server->staged != c && !c->is_aside) await_socket(c);
}

size_t output_backlog(const exchange *x)
{
  return buffer_size(x->conn->first == x ? &x->conn->out : &x->out);
}

static void on_writable(struct ev_loop *loop, ev_io *writer, int events)
{
  (void)loop;
  conn *c = writer->data;
  c->failed |= (events & EV_ERROR) != 0;
  if (!c->failed) send_waiting(c);
  tell_drained(c);
  conn_settle(c);
}

void output_watch(conn *c, int fd)
{
  ev_io_init(&c->writer, on_writable, fd, EV_WRITE);
  c->writer.data = c;
}

void output_drop(conn *c)
{
  bj_server *s = c->server;
  ev_io_stop(s->loop, &c->writer);
  deadline_clear(&c->writing_by);
  spares_keep(&s->spares, &c->out);
  if (s->staged == c) {
    s->staged = NULL;
    buffer_clear(&s->staging);
  }
  leave_aside(c);
}
