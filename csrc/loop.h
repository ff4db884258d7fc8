/* The facts about a libev loop that libev does not tell. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>

#include "ev_config.h"

/* The descriptor (epoll, kqueue) that is readable when the loop has I/O to report. */
int loop_fd(struct ev_loop *loop);

/* Whether the kernel knows every watcher. Changes since the last pass are told only by the next
 * one: who waits on loop_fd() before that waits for ever. */
bool loop_settled(struct ev_loop *loop);

/* The monotonic time of the last pass, in seconds: what timers go by when the clock is set. */
ev_tstamp loop_now(struct ev_loop *loop);

#endif
