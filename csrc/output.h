/* Octets on their way out. The answer of a connection's oldest request is collected in one buffer
 * of the server, so that all of it leaves in one system call; later answers wait in theirs. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "conn.h"

/* A body at least this large is sent from where it is; the second one, if nothing follows it. */
#define OUTPUT_DIRECT 16384u
#define OUTPUT_DIRECT_END 4096u

/* Room for `size` more octets of an answer, to be written and counted with output_commit(). NULL
 * without memory: the connection has failed. */
char *output_room(exchange *x, size_t size);
void output_commit(exchange *x, size_t size);

/* Adds copies of `body` and `tail`, or sends them at once if the body is large. */
void output_add(exchange *x, bytes body, bytes tail);

/* Sends octets of a direct answer, behind what is collected, as far as the socket takes them.
 * Returns how many; if not all, the caller is told when the socket takes more. */
size_t output_direct(exchange *x, bytes body);

/* Makes the answer that waited in `x`, now the oldest, part of the connection's output. */
void output_promote(exchange *x);

/* Sends what is collected. */
void output_flush(struct bj_server *s);

/* Tells the caller of answers whose last octet is with the kernel. */
void output_tell_sent(conn *c);

/* Whether the client has taken octets since the last look: the kernel has its socket writable only
 * when a good part of the buffer is free. They extend its time. */
bool output_moves(conn *c);

/* Octets of this request's connection or answer that wait. */
size_t output_backlog(const exchange *x);

/* Prepares the watcher of a fresh socket, which runs while output waits. */
void output_watch(conn *c, int fd);

/* Forgets everything: the connection is gone. */
void output_drop(conn *c);

#endif
