/* Pulling: the caller reads a body straight from the connection into its own memory, which saves
 * copying a large one out of the arena. Only with a known length: chunks have to be decoded
 * first. */
#ifndef PULL_H
#define PULL_H

#include "conn.h"

/* From here on the handler reads the body by itself, if its length is known. */
void pull_begin(exchange *x);

/* Tells the handler that something has come. False if the connection is to be read as usual. */
bool pull_announce(conn *c);

/* Called when DEADLINE_BODY has passed. Whether the connection goes on: the handler is behind, or
 * unread bytes have come, which earn time now. */
bool pull_moves(conn *c);

/* Reads up to `size` bytes. Returns how many. */
uint32_t pull_read(exchange *x, char *to, uint32_t size);

#endif
