#include "output.h"

#include <errno.h>

#include "server.h"
#include "socket.h"

/* What the caller waits for once output has shrunk. */
#define LOW_WATER (BJ_HIGH_WATER / 4)

void output_tell_sent(conn *c)
{
  exchanges *all = &c->server->exchanges;
  while (c->unsent != NULL && c->unsent->end <= c->sent) {
    exchange *x = c->unsent;
    c->unsent = x->next;
    x->notify = false;
    exchange_notice(all, x, BJ_SENT);
    exchange_leave(all, x);
  }
}

static void count_sent(conn *c, size_t size)
{
  c->sent += size;
  c->server->counters[BJ_BYTES_SENT] += size;
  output_tell_sent(c);
  if (c->first != NULL && c->first->wants_drain && buffer_size(&c->out) <= LOW_WATER) {
    c->first->wants_drain = false;
    exchange_notice(&c->server->exchanges, c->first, BJ_DRAINED);
  }
}

/* How many octets of the two the socket took; -1 when the connection is broken. */
static ssize_t send_some(conn *c, bytes first, bytes second)
{
  struct iovec parts[2] = {{(void *)(uintptr_t)first.base, first.size},
                           {(void *)(uintptr_t)second.base, second.size}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t n;
  do {
    n = socket_send(c->reader.fd, &message);
  } while (n < 0 && errno == EINTR);
  return n >= 0 ? n : errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

/* Sends both; what the socket does not take waits in `out`. */
static void transmit(conn *c, bytes first, bytes second)
{
  if (c->failed) {
    return; /* octets may be missing before these */
  }
  ssize_t sent = send_some(c, first, second);
  if (sent < 0) {
    c->failed = true;
    return;
  }
  size_t n = (size_t)sent;
  if (n < first.size + second.size) {
    bytes rest = n < first.size ? bytes_from(first, n) : (bytes){0};
    bytes more = n < first.size ? second : bytes_from(second, n - first.size);
    if (buffer_append(&c->out, rest) != BUFFERED || buffer_append(&c->out, more) != BUFFERED) {
      c->failed = true;
      return;
    }
    ev_io_start(c->server->loop, &c->writer);
    deadline_set(&c->server->deadlines, &c->writing_by, DEADLINE_WRITE);
  }
  count_sent(c, n);
}

/* Sends what is collected, followed by `more` of the same connection. */
static void unstage(bj_server *s, bytes more)
{
  conn *c = s->staged;
  s->staged = NULL;
  transmit(c, buffer_bytes(&s->staging), more);
  buffer_clear(&s->staging);
}

void output_flush(bj_server *s)
{
  conn *c = s->staged;
  if (c != NULL) {
    unstage(s, (bytes){0});
    conn_settle(c);
  }
}

/* Where the octets of this answer are collected just now. */
static buffer *collector(exchange *x)
{
  conn *c = x->conn;
  bj_server *s = c->server;
  if (c->first != x) {
    return &x->out;
  }
  if (s->staged == c && buffer_size(&s->staging) > BJ_HIGH_WATER) {
    unstage(s, (bytes){0});
  }
  if (buffer_size(&c->out) > 0) {
    return &c->out;
  }
  if (s->staged != c) {
    output_flush(s);
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
  if (c->first == x) {
    c->queued += size;
  }
}

void output_add(exchange *x, bytes b)
{
  conn *c = x->conn;
  buffer *to = collector(x);
  if (c->first == x) {
    c->queued += b.size;
  }
  if (to == &c->server->staging && b.size >= OUTPUT_DIRECT) {
    unstage(c->server, b);
  } else if (buffer_append(to, b) != BUFFERED) {
    c->failed = true;
  }
}

void output_promote(exchange *x)
{
  if (buffer_size(&x->out) > 0) {
    buffer waited = x->out;
    x->out = (buffer){0};
    output_add(x, buffer_bytes(&waited));
    buffer_free(&waited);
  }
}

size_t output_backlog(const exchange *x)
{
  return buffer_size(x->conn->first == x ? &x->conn->out : &x->out);
}

/* The socket takes octets again. */
static void on_writable(struct ev_loop *loop, ev_io *writer, int events)
{
  (void)events;
  conn *c = writer->data;
  ssize_t sent = send_some(c, buffer_bytes(&c->out), (bytes){0});
  if (sent < 0) {
    c->failed = true;
  } else if (sent > 0) {
    buffer_consume(&c->out, (size_t)sent);
    count_sent(c, (size_t)sent);
    deadline_set(&c->server->deadlines, &c->writing_by, DEADLINE_WRITE);
  }
  if (buffer_size(&c->out) == 0) {
    ev_io_stop(loop, writer);
    deadline_clear(&c->writing_by);
  }
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
  buffer_free(&c->out);
  if (s->staged == c) {
    s->staged = NULL;
    buffer_clear(&s->staging);
  }
}
