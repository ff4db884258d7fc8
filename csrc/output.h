/* Output. Where the bytes of an answer wait:
 *
 *   oldest answer   -> server.staging  while its connection is the one being written: all of it
 *                                      leaves in one system call
 *                   -> conn.out        once another connection came between (aside), or the
 *                                      socket was full
 *   later answers   -> exchange.out    until output_promote()
 *
 * "Direct" means two things. OUTPUT_DIRECT: a large body is sent from output memory, uncopied.
 * exchange.direct: the body comes by bj_server_write(), which is output_direct() here. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "conn.h"

/* A body of at least this size is sent uncopied; the second one, if nothing follows it. */
#define OUTPUT_DIRECT 16384u
#define OUTPUT_DIRECT_END 4096u

/* Room for `size` more bytes of an answer, to be written and counted by output_commit(). NULL
 * without memory: the connection has failed. */
char *output_room(exchange *x, size_t size);
void output_commit(exchange *x, size_t size);

/* Adds copies of `body` and `tail`, or sends them at once if the body is large. */
void output_add(exchange *x, bytes body, bytes tail);

/* Sends more of an answer with exchange.direct, after what is collected, as far as the socket takes
 * it. Returns how many bytes it took; if not all, BJ_DRAINED will follow. */
size_t output_direct(exchange *x, bytes body);

/* Moves what waited in `x`, now the oldest, to the connection's output. */
void output_promote(exchange *x);

/* Sends what is collected. */
void output_flush(struct bj_server *s);

/* Tells the caller of answers whose last byte the kernel has. */
void output_tell_sent(conn *c);

/* Whether the client has acknowledged bytes since the last look; they extend its time. Being
 * writable says too little: the kernel waits until much of the buffer is free. */
bool output_moves(conn *c);

/* Bytes that wait: the connection's for its oldest request, else the answer's. */
size_t output_backlog(const exchange *x);

/* Prepares the watcher of a fresh socket, which runs while output waits. */
void output_watch(conn *c, int fd);

/* Forgets all output: the connection is gone. */
void output_drop(conn *c);

#endif
