/* Octets in: heads and bodies are taken from what arrives, as far as they are complete and the
 * records of the turn have room. The rest waits in the connection. */
#ifndef INPUT_H
#define INPUT_H

#include "conn.h"

/* Prepares the watcher of a fresh socket. */
void input_watch(conn *c, int fd);

/* Goes on with what was left when there was no room: octets that were not looked at, or not read.
 */
void input_resume(conn *c);

/* Answers with an error after the requests before it; nothing after it is read. */
void input_reject(conn *c, unsigned status, bool is_head);

/* What a recv(2) that returned `n`, 0 or less, means: nothing, an end or an error. */
void input_missed(conn *c, ssize_t n);

/* Looks, while nothing is read, whether the client has gone. */
void input_look(conn *c);

/* The body cannot be completed: tells the handler, and the client if it has no answer yet. */
void input_fail(conn *c, unsigned status, enum bj_reason reason);

#endif
