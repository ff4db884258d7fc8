/* The body of the request that a connection reads: framing, its limit, who takes it. */
#ifndef BODY_H
#define BODY_H

#include "conn.h"

/* Behind the head of the latest request. Without a body the next request may begin. */
void body_begin(exchange *x, const request *r);

/* Takes what arrived. Returns how many octets belonged to the body. */
size_t body_take(conn *c, char *data, size_t size);

/* So many octets have come. Behind the last of them the next request may begin. */
void body_advance(conn *c, size_t size, bool ended);

/* Whether the connection can go on when the taker's answer is complete before the body: little
 * enough is left to read it for nobody. */
bool body_may_drop(const conn *c);

/* Nobody takes the rest. */
void body_drop(conn *c);

/* The body of this request may have `limit` octets: it is refused if it has more, or says so. */
void body_limit(exchange *x, uint64_t limit);

#endif
