/* libev is compiled as part of this unit, which gives it access to the loop's members. */
#include "loop.h"

#include "ev.c"

/* libev's own choice knows neither that kqueue is sound for sockets (it takes nothing but select on
 * macOS), nor which backends are compiled in when LIBEV_FLAGS names one. */
uint32_t loop_backend(uint32_t wanted)
{
  const char *flags = getenv("LIBEV_FLAGS");
  uint32_t built = EVBACKEND_SELECT | EVBACKEND_POLL;
  built |= EV_USE_EPOLL ? EVBACKEND_EPOLL : EVBACKEND_KQUEUE;
  if (wanted == 0 && flags != NULL) wanted = (uint32_t)strtoul(flags, NULL, 10) & EVBACKEND_MASK;
  if (wanted == 0) wanted = built;
  wanted &= built;
  return wanted == 0 ? 0 : 1u << (31 - __builtin_clz(wanted));
}

struct ev_loop *loop_new(uint32_t backend)
{
  uint32_t chosen = loop_backend(backend);
  if (chosen == 0) {
    errno = EINVAL;
    return NULL;
  }
  return ev_loop_new(chosen | EVFLAG_NOENV);
}

int loop_fd(struct ev_loop *loop)
{
  return loop->backend_fd;
}

nfds_t loop_watched(struct ev_loop *loop, struct pollfd *fds)
{
  nfds_t count = 0;
  if (loop->backend_fd >= 0) {
    fds[0] = (struct pollfd){.fd = loop->backend_fd, .events = POLLIN};
    return 1;
  }
  for (int fd = 0; fd < loop->anfdmax; fd++) {
    int events = loop->anfds[fd].events;
    if (events != 0)
      fds[count++] = (struct pollfd){
        .fd = fd, .events = (events & EV_READ ? POLLIN : 0) | (events & EV_WRITE ? POLLOUT : 0)};
  }
  return count;
}

nfds_t loop_watched_most(struct ev_loop *loop)
{
  return loop->backend_fd >= 0 ? 1 : (nfds_t)loop->anfdmax;
}

bool loop_settled(struct ev_loop *loop)
{
  return loop->fdchangecnt == 0;
}

ev_tstamp loop_now(struct ev_loop *loop)
{
  return loop->mn_now;
}
