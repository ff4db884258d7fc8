/* Input: heads and bodies are taken from what arrives, as far as they are complete and the turn's
 * records have room. The rest waits in the connection. */
#ifndef INPUT_H
#define INPUT_H

#include "conn.h"

/* Prepares the watcher of a fresh socket. */
void input_watch(conn *c, int fd);

/* Goes on where there was no room before: with bytes in `in`, or in the socket. */
void input_resume(conn *c);

/* Adds an error as the connection's last answer; nothing more is read. */
void input_reject(conn *c, unsigned status, bool is_head);

/* Handles a recv(2) that returned `n` <= 0: an end, an error, or nothing. */
void input_missed(conn *c, ssize_t n);

/* While nothing is read: looks whether the client has gone. */
void input_look(conn *c);

/* The body cannot be completed: tells the handler, and answers the client or cuts the answer. */
void input_fail(conn *c, unsigned status, enum bj_reason reason);

#endif
