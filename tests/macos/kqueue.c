/* kqueue(2) by epoll(7): reading and writing of sockets, by level. What is closed is forgotten by
 * both alike. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/event.h>

enum { DESCRIPTORS = 1024, EVENTS = 256 };

/* What each queue watches of each descriptor, as epoll has it. */
static uint8_t watched[DESCRIPTORS][DESCRIPTORS];

int kqueue(void)
{
  int queue = epoll_create1(0);
  for (int fd = 0; queue >= 0 && fd < DESCRIPTORS; fd++) watched[queue][fd] = 0;
  return queue;
}

static uint8_t interest(int16_t filter)
{
  return filter == EVFILT_READ ? EPOLLIN : EPOLLOUT;
}

/* Returns an error number, or 0. */
static int apply(int queue, const struct kevent *change)
{
  int fd = (int)change->ident;
  if (queue >= DESCRIPTORS || fd >= DESCRIPTORS) abort();
  uint8_t *now = &watched[queue][fd], one = interest(change->filter);
  bool adds = (change->flags & EV_ADD) != 0;
  uint8_t wanted = adds ? *now | one : *now & (uint8_t)~one;
  if (!adds && (*now & one) == 0) return ENOENT;
  struct epoll_event event = {.events = wanted, .data.fd = fd};
  *now = wanted;
  if (epoll_ctl(queue, wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  *now = event.events = adds ? one : 0; /* it is new, or another one of this number */
  return adds && errno == ENOENT && epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static int report(struct kevent *to, int fd, uint32_t ready, uint8_t wanted)
{
  int count = 0;
  bool over = (ready & (EPOLLERR | EPOLLHUP)) != 0;
  if ((wanted & EPOLLIN) != 0 && (over || (ready & EPOLLIN) != 0))
    EV_SET(&to[count++], fd, EVFILT_READ, 0, 0, 0, NULL);
  if ((wanted & EPOLLOUT) != 0 && (over || (ready & EPOLLOUT) != 0))
    EV_SET(&to[count++], fd, EVFILT_WRITE, 0, 0, 0, NULL);
  return count;
}

int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events,
           int event_count, const struct timespec *timeout)
{
  int count = 0;
  for (int i = 0; i < change_count; i++) {
    int reason = apply(queue, &changes[i]);
    if (reason != 0 && count < event_count)
      EV_SET(&events[count++], changes[i].ident, changes[i].filter, EV_ERROR, 0, reason, NULL);
  }
  if (count > 0) return count; /* errors do not wait */
  struct epoll_event ready[EVENTS];
  int most = event_count / 2 < EVENTS ? event_count / 2 : EVENTS;
  int wait = (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
  int found = epoll_wait(queue, ready, most, wait);
  for (int i = 0; i < found; i++) {
    int fd = ready[i].data.fd;
    count += report(&events[count], fd, ready[i].events, watched[queue][fd]);
  }
  return found < 0 ? -1 : count;
}
