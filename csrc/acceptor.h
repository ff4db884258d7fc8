/* New connections: taken while there is room for them. */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "bjoern.h"

void acceptor_init(bj_server *s);

/* Begins to accept from the server's listener. Returns 0, or a negative error number with "call:
 * reason" in `error` and the listener closed. */
int acceptor_start(bj_server *s, char *error);

/* Goes on if there is room again. */
void acceptor_resume(bj_server *s);

/* Accepts no more and closes the listener. */
void acceptor_stop(bj_server *s);

/* The same, once what the kernel has accepted is taken. */
void acceptor_finish(bj_server *s);

#endif
