#include "gate.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>

static bool change(int gate, int what, int fd, uint32_t events)
{
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  return epoll_ctl(gate, what, fd, &event) == 0;
}

int gate_new(int control, int epoll)
{
  int gate = epoll_create1(EPOLL_CLOEXEC);
  if (gate < 0) return -1;
  if (change(gate, EPOLL_CTL_ADD, control, EPOLLIN) &&
      change(gate, EPOLL_CTL_ADD, epoll, EPOLLONESHOT))
    return gate;
  int reason = errno;
  close(gate);
  errno = reason;
  return -1;
}

/* It stays in the set: adding an epoll makes the kernel walk all that it watches. */
bool gate_open(int gate, int epoll)
{
  return change(gate, EPOLL_CTL_MOD, epoll, EPOLLIN | EPOLLONESHOT);
}

int gate_wait(int gate, int timeout)
{
  struct epoll_event event;
  return epoll_wait(gate, &event, 1, timeout) > 0 ? event.data.fd : -1;
}
#else
int gate_new(int control, int epoll)
{
  (void)control;
  (void)epoll;
  errno = ENOTSUP;
  return -1;
}

bool gate_open(int gate, int epoll)
{
  (void)gate;
  (void)epoll;
  return false;
}

int gate_wait(int gate, int timeout)
{
  (void)gate;
  (void)timeout;
  return -1;
}
#endif
