/* As much of kqueue as libev needs, made of epoll (kqueue.c). */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD 0x1
#define EV_DELETE 0x2
#define EV_ENABLE 0x4
#define EV_ERROR 0x4000

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void *udata;
};

#define EV_SET(event, fd, what, how, fine, number, pointer)                                        \
  (*(event) = (struct kevent){(uintptr_t)(fd), (what), (how), (fine), (number), (pointer)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events,
           int event_count, const struct timespec *timeout);

#endif
