/* Bodies that the caller reads straight from the connection into memory of its own: large ones
 * would otherwise be copied once more, out of the arena. Only such whose length is known: chunks
 * have to be decoded first. */
#ifndef PULL_H
#define PULL_H

#include "conn.h"

/* The taker of the body reads what is still to come, if it can. */
void pull_begin(exchange *x);

/* Tells the taker that octets have come, if it is the one to read them. */
bool pull_announce(conn *c);

/* Asked when the time for more octets is over: whether the connection goes on all the same, since
 * the reader is behind, or since octets have come that nobody has read yet, which give back time
 * now. */
bool pull_moves(conn *c);

/* Reads up to `size` octets. Returns how many. */
uint32_t pull_read(exchange *x, char *to, uint32_t size);

#endif
