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

/* The time for more octets is over. Whether it is not the client who is waited for, or it has sent
 * some since, which then give back time although nobody has read them. */
bool pull_moves(conn *c);

/* Reads up to `size` octets. Returns how many. */
uint32_t pull_read(exchange *x, char *to, uint32_t size);

#endif
