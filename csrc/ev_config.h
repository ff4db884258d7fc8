/* libev's configuration. Include it before ev.h: units that disagree about it disagree about the
 * size of a watcher.
 *
 * libev detects epoll only under glibc, and kqueue never: both are named here. */
#ifndef EV_CONFIG_H
#define EV_CONFIG_H

#define EV_STANDALONE 1
#define EV_MULTIPLICITY 1
#define EV_COMPAT3 0
#define EV_VERIFY 0
#define EV_FEATURES 0
#define EV_MINPRI -1
#define EV_MAXPRI 0
#define EV_USE_MONOTONIC 1
#define EV_USE_REALTIME 1
#define EV_USE_CLOCK_SYSCALL 0
#define EV_USE_SELECT 1
#define EV_SELECT_USE_FD_SET 0 /* an fd_set ends at descriptor 1023 */
#define EV_USE_POLL 1
#define EV_USE_LINUXAIO 0
#define EV_USE_IOURING 0
#define EV_USE_INOTIFY 0
#define EV_USE_SIGNALFD 0
#define EV_USE_TIMERFD 0
#define EV_USE_EVENTFD 0
#if defined(__linux__)
#define EV_USE_EPOLL 1
#define EV_USE_KQUEUE 0
#else
#define EV_USE_EPOLL 0
#define EV_USE_KQUEUE 1
#endif

#include "ev.h"

#endif
