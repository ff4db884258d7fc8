/* Accepts new connections while there is room for them. */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "bjoern.h"

void acceptor_init(bj_server *s);

/* Begins to accept from the server's listener. Returns 0, or a negative error number with "call:
 * reason" in `error` and the listener closed. */
int acceptor_start(bj_server *s, char *error);

/* Accepts again, if there is room. */
void acceptor_resume(bj_server *s);

/* Stops accepting and closes the listener. */
void acceptor_stop(bj_server *s);

/* The same, after taking what is in the backlog. */
void acceptor_finish(bj_server *s);

#endif
