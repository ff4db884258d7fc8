/* What libev does not tell about its loop. */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ev_config.h"

/* A loop with the backend of an enum bj_backend, or NULL. */
struct ev_loop *loop_new(uint32_t backend);

/* The backend that loop_new() would use, or 0. */
uint32_t loop_backend(uint32_t wanted);

/* Allocates what watching `fd` will take, since libev ends the process when it finds no memory.
 * False without memory. */
bool loop_reserve(struct ev_loop *loop, int fd);

/* Its own descriptor (epoll, kqueue), or -1. */
int loop_fd(struct ev_loop *loop);

/* What to poll(2) for in place of the loop: its own descriptor, or else every one that it watches.
 * `count` entries after `first` free ones, by malloc(); NULL without memory. */
struct pollfd *loop_watched(struct ev_loop *loop, nfds_t first, nfds_t *count);

/* Whether the kernel knows of every watcher. Changes reach it only in the next pass: whoever waits
 * before that waits for ever. */
bool loop_settled(struct ev_loop *loop);

/* The monotonic time of the last pass, in seconds: setting the clock does not change it. */
ev_tstamp loop_now(struct ev_loop *loop);

#endif
