/* The thread sleeps at a gate, which is opened from outside (sleep_at_gate, parking_open), or in
 * poll(2), which it has to leave to wait for anything else (follow_orders, parking_arm). */
#include "parking.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "gate.h"
#include "socket.h"

static void write_octet(int fd)
{
  struct iovec octet = {.iov_base = "x", .iov_len = 1};
  /* EAGAIN ends this: what fills the socket wakes already. */
  while (socket_send(fd, &octet, 1, false) < 0 &&
         (errno == EINTR || errno == ENOBUFS || errno == ENOMEM)) {
    if (errno != EINTR) poll(NULL, 0, 1);
  }
}

static void empty(int fd)
{
  char octets[64];
  while (read(fd, octets, sizeof octets) > 0) {
  }
}

/* Disarms. Returns the descriptor that was waited for, or -1. */
static int let_go(parking *p)
{
  pthread_mutex_lock(&p->lock);
  int held = p->held;
  p->held = -1;
  pthread_mutex_unlock(&p->lock);
  return held;
}

/* ---- a gate ------------------------------------------------------------------------------- */

static int64_t now_in_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t after(int timeout)
{
  return timeout < 0 ? INT64_MAX : now_in_ms() + timeout;
}

/* Milliseconds to `until`, which is forgotten once it has passed and nobody is to be woken. */
static int rest_of(parking *p)
{
  int64_t left = p->until == INT64_MAX ? INT64_MAX : p->until - now_in_ms();
  if (left <= 0 && p->held < 0) left = p->until = INT64_MAX;
  return left == INT64_MAX ? -1 : left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

/* How long the thread is to sleep. False: it is to end. */
static bool may_sleep(parking *p, int *timeout)
{
  pthread_mutex_lock(&p->lock);
  *timeout = rest_of(p);
  bool stopping = p->stopping;
  pthread_mutex_unlock(&p->lock);
  return !stopping;
}

/* A byte on `control` means a shorter timeout, or the end. */
static void *sleep_at_gate(void *argument)
{
  parking *p = argument;
  int timeout;
  while (may_sleep(p, &timeout))
    if (gate_wait(p->gate, timeout) == p->control[0])
      empty(p->control[0]);
    else if (let_go(p) >= 0)
      write_octet(p->wake[1]);
  return NULL;
}

bool parking_open(parking *p, int fd, int timeout)
{
  int64_t until = after(timeout);
  pthread_mutex_lock(&p->lock);
  bool opens = p->held == fd || gate_open(p->gate, fd), sooner = opens && until < p->until;
  if (opens) p->held = fd;
  if (sooner) p->until = until;
  pthread_mutex_unlock(&p->lock);
  if (sooner) write_octet(p->control[1]);
  return opens;
}

/* ---- orders ------------------------------------------------------------------------------- */

/* Takes the latest order, if there is a new one. False: the thread is to end. */
static bool take_order(parking *p, order *o)
{
  pthread_mutex_lock(&p->lock);
  if (p->next.fds != NULL) {
    free(o->fds);
    *o = p->next;
    p->next.fds = NULL;
  }
  bool stopping = p->stopping;
  pthread_mutex_unlock(&p->lock);
  return !stopping;
}

/* A byte on `control` means an order, or the end. */
static void *follow_orders(void *argument)
{
  parking *p = argument;
  struct pollfd control = {.fd = p->control[0], .events = POLLIN};
  order o = {0};
  while (take_order(p, &o)) {
    order now = o.fds != NULL ? o : (order){&control, 1, -1};
    if (poll(now.fds, now.count, now.timeout) > 0 && now.fds[0].revents != 0) {
      empty(p->control[0]);
    } else if (o.fds != NULL) {
      free(o.fds);
      o.fds = NULL;
      let_go(p);
      write_octet(p->wake[1]);
    }
  }
  free(o.fds);
  return NULL;
}

bool parking_holds(parking *p, int fd, int timeout)
{
  pthread_mutex_lock(&p->lock);
  bool holds = fd >= 0 && p->held == fd && p->until <= after(timeout);
  pthread_mutex_unlock(&p->lock);
  return holds;
}

void parking_arm(parking *p, struct pollfd *fds, nfds_t count, int timeout)
{
  fds[0] = (struct pollfd){.fd = p->control[0], .events = POLLIN};
  pthread_mutex_lock(&p->lock);
  struct pollfd *old = p->next.fds;
  p->next = (order){fds, count + 1, timeout};
  p->held = count == 1 ? fds[1].fd : -1;
  p->until = after(timeout);
  pthread_mutex_unlock(&p->lock);
  free(old);
  write_octet(p->control[1]);
}

/* ---- both --------------------------------------------------------------------------------- */

/* Signals are for the runtime's own threads. */
static int start_thread(parking *p)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int refused = pthread_create(&p->thread, NULL, p->gate >= 0 ? sleep_at_gate : follow_orders, p);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return refused;
}

static void close_pair(int fds[2])
{
  close(fds[0]);
  close(fds[1]);
}

static void close_all(parking *p)
{
  close_pair(p->control);
  if (p->gate >= 0) close(p->gate);
}

static int start(parking *p, int epoll, char *error)
{
  if (socket_pair(p->control) < 0) return failure(error, "socketpair", errno);
  p->gate = epoll >= 0 ? gate_new(p->control[0], epoll) : -1;
  bool is_shut = epoll >= 0 && p->gate < 0;
  int refused = is_shut ? errno : start_thread(p);
  if (refused == 0) return 0;
  close_all(p);
  return failure(error, is_shut ? "epoll" : "pthread_create", refused);
}

int parking_start(parking *p, int epoll, char *error)
{
  *p = (parking){.lock = PTHREAD_MUTEX_INITIALIZER, .held = -1, .until = INT64_MAX};
  if (socket_pair(p->wake) < 0) return failure(error, "socketpair", errno);
  fstat(p->wake[0], &p->own);
  int result = start(p, epoll, error);
  if (result < 0) close_pair(p->wake);
  p->running = result == 0;
  return result;
}

void parking_stop(parking *p)
{
  if (!p->running) return;
  p->running = false;
  pthread_mutex_lock(&p->lock);
  p->stopping = true;
  pthread_mutex_unlock(&p->lock);
  write_octet(p->control[1]);
  pthread_join(p->thread, NULL);
  free(p->next.fds);
  p->next.fds = NULL;
  close(p->wake[1]);
  close_all(p);
}

/* The descriptor's number may have been reused. */
void parking_abandon(parking *p)
{
  struct stat now;
  parking_stop(p);
  if (fstat(p->wake[0], &now) == 0 && now.st_dev == p->own.st_dev && now.st_ino == p->own.st_ino)
    close(p->wake[0]);
}
