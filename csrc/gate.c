#include "gate.h"

#include <errno.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>

int gate_new(int control)
{
  int gate = epoll_create1(EPOLL_CLOEXEC);
  if (gate < 0 || gate_open(gate, control)) return gate;
  int reason = errno;
  close(gate);
  errno = reason;
  return -1;
}

bool gate_open(int gate, int fd)
{
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(gate, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

void gate_shut(int gate, int fd)
{
  epoll_ctl(gate, EPOLL_CTL_DEL, fd, NULL);
}

int gate_wait(int gate, int timeout)
{
  struct epoll_event event;
  return epoll_wait(gate, &event, 1, timeout) > 0 ? event.data.fd : -1;
}
#else
int gate_new(int control)
{
  (void)control;
  errno = ENOTSUP;
  return -1;
}

bool gate_open(int gate, int fd)
{
  (void)gate;
  (void)fd;
  return false;
}

void gate_shut(int gate, int fd)
{
  (void)gate;
  (void)fd;
}

int gate_wait(int gate, int timeout)
{
  (void)gate;
  (void)timeout;
  return -1;
}
#endif
