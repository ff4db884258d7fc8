/* The body of the request that a connection reads: framing, limit, and who takes it. */
#ifndef BODY_H
#define BODY_H

#include "conn.h"

/* Called after a request's head. If it has no body, the next head may follow. */
void body_begin(exchange *x, const request *r);

/* Takes received bytes. Returns how many belong to the body. */
size_t body_take(conn *c, char *data, size_t size);

/* Accounts for `size` received bytes; if the body has `ended`, the next head may follow. */
void body_advance(conn *c, size_t size, bool ended);

/* Whether the connection can be kept if the answer is complete before the body: little enough is
 * left to read and drop. */
bool body_may_drop(const conn *c);

/* From here on the rest is read and dropped. */
void body_drop(conn *c);

/* Limits this request's body to `limit` bytes: refused if it has more, or announces more. */
void body_limit(exchange *x, uint64_t limit);

#endif
