#include "pressure.h"

#include "server.h"

/* Answers after the oldest hold their own bytes. */
static uint64_t held_by(const conn *c)
{
  uint64_t held = c->in.capacity + c->out.capacity;
  for (const exchange *x = c->first; x != NULL; x = x->next) held += x->out.capacity + x->absent;
  return held;
}

/* Closes rather than pauses: a few clients that hold everything would stop the others. While the
 * sum is too large, somebody holds more than an equal share; once nobody does, it is not. */
void pressure_relieve(bj_server *s)
{
  const uint64_t most = s->options.max_buffered, *counters = s->counters;
  if (most == 0) return;
  for (conn *c = s->conns, *next; c != NULL && counters[BJ_BYTES_BUFFERED] > most; c = next) {
    next = c->next;
    if (held_by(c) > most / counters[BJ_CONNECTIONS_OPEN]) {
      s->counters[BJ_CONN_SHED]++;
      conn_close(c, BJ_SHED);
    }
  }
}
