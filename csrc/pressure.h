/* Bounds the memory for waiting bytes: incomplete heads, requests that came too early, output that
 * clients do not take. */
#ifndef PRESSURE_H
#define PRESSURE_H

#include "bjoern.h"

/* Closes connections that hold more than an equal share of max_buffered, until all of them together
 * hold no more than that. */
void pressure_relieve(bj_server *s);

#endif
