/* Memory for octets that wait: heads that are not complete, requests that came too early, output
 * that clients do not take. Its total is bounded. */
#ifndef PRESSURE_H
#define PRESSURE_H

#include "server.h"

/* Closes connections that hold more than an equal share of max_buffered, until all of them hold no
 * more than that. */
void pressure_close_largest(bj_server *s);

/* The same, when it is needed. */
static inline void pressure_relieve(bj_server *s)
{
  if (s->counters[BJ_BYTES_BUFFERED] > s->options.max_buffered && s->options.max_buffered > 0)
    pressure_close_largest(s);
}

#endif
