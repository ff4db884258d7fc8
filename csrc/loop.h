/* The facts about a libev loop that libev does not tell. */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ev_config.h"

/* A loop with the backend of an enum bj_backend, or NULL. */
struct ev_loop *loop_new(uint32_t backend);

/* The backend that loop_new() tries first, or 0 when there is no such one. */
uint32_t loop_backend(uint32_t wanted);

/* Makes room for watchers of a descriptor, so that the loop needs no memory for them later: libev
 * ends the process when it finds none. False when there is none. */
bool loop_reserve(struct ev_loop *loop, int fd);

/* Its own descriptor (epoll, kqueue), or -1. */
int loop_fd(struct ev_loop *loop);

/* What is readable or writable when the loop has I/O to report: its own descriptor, or else every
 * one that it watches. `count` entries behind `first` free ones, of malloc(); NULL without memory.
 */
struct pollfd *loop_watched(struct ev_loop *loop, nfds_t first, nfds_t *count);

/* Whether the loop has told the kernel of every watcher. Changes since the last pass are told only
 * by the next one: who waits before that waits for ever. */
bool loop_settled(struct ev_loop *loop);

/* The monotonic time of the last pass, in seconds: what timers go by when the clock is set. */
ev_tstamp loop_now(struct ev_loop *loop);

#endif
