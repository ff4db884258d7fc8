/* Bodies that the caller reads: it is told that there is something, and reads as much as it
 * likes. */
#include "pull.h"

#include "body.h"
#include "input.h"
#include "server.h"
#include "socket.h"

/* With so many bytes unread the caller is behind, whatever the client still has to send. */
#define ENOUGH 4096u

/* Not before `in` has been handed out. */
static bool is_pulled(const conn *c)
{
  return c->body.pulled && c->state == CONN_BODY && c->body.taker != NULL &&
         buffer_size(&c->in) == 0;
}

void pull_begin(exchange *x)
{
  conn *c = x->conn;
  if (c->body.taker == x && c->body.framing == FRAMING_LENGTH) c->body.pulled = true;
}

bool pull_announce(conn *c)
{
  bj_server *s = c->server;
  if (!is_pulled(c)) return false;
  if (c->body.told) { /* not told twice before it reads */
    conn_update(c);
    return true;
  }
  /* Readable but empty is an end or an error, which receive() will see. */
  size_t available = socket_unread(c->reader.fd);
  if (available == 0) return false;
  if (!server_has_room(s)) {
    conn_queue(c);
    return true;
  }
  bool ends = available >= c->body.left;
  *server_event(s) = (bj_event){.type = BJ_READABLE,
                                .request = c->body.taker->slot,
                                .generation = c->body.taker->generation,
                                .flags = ends ? BJ_EVENT_END : 0,
                                .body_size = ends ? (uint32_t)c->body.left : (uint32_t)available};
  c->body.told = true;
  return true;
}

bool pull_moves(conn *c)
{
  if (!is_pulled(c) || !c->body.told) return false;
  uint32_t size = (uint32_t)socket_unread(c->reader.fd);
  if (size >= ENOUGH || size >= c->body.left) return true;
  if (size <= c->body.ahead) return false;
  deadline_extend(&c->server->deadlines, &c->reading_by, DEADLINE_BODY, size - c->body.ahead);
  c->body.ahead = size;
  return true;
}

/* Returns how many of `size` bytes have not earned time yet. */
static size_t count_fresh(conn *c, size_t size)
{
  size_t before = size < c->body.ahead ? size : c->body.ahead;
  c->body.ahead -= (uint32_t)before;
  return size - before;
}

uint32_t pull_read(exchange *x, char *to, uint32_t size)
{
  conn *c = x->conn;
  if (c->body.taker != x || !is_pulled(c)) return 0;
  c->body.told = false;
  size_t most = size < c->body.left ? size : (size_t)c->body.left;
  ssize_t n = most == 0 ? 0 : recv(c->reader.fd, to, most, 0);
  if (n > 0) {
    c->server->counters[BJ_BYTES_RECEIVED] += (size_t)n;
    c->body.received += (size_t)n;
    c->body.left -= (size_t)n;
    body_advance(c, count_fresh(c, (size_t)n), c->body.left == 0);
  } else if (most > 0) { /* a recv(2) that was not called saw no end */
    input_missed(c, n);
  }
  conn_settle(c);
  return n < 0 ? 0 : (uint32_t)n;
}
