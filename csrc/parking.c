#include "parking.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "socket.h"

static void write_octet(int fd)
{
  struct iovec octet = {.iov_base = "x", .iov_len = 1};
  /* A full socket has octets that wake already. */
  while (socket_send(fd, &octet, 1, false) < 0 &&
         (errno == EINTR || errno == ENOBUFS || errno == ENOMEM)) {
    if (errno != EINTR) poll(NULL, 0, 1);
  }
}

/* What the thread waits for just now; nothing but `control` when `fds` is NULL. */
typedef struct order {
  struct pollfd *fds;
  nfds_t count;
  int timeout;
} order;

/* Takes the latest order, if there is a new one. Returns false when the thread is to end. */
static bool take_order(parking *p, order *o)
{
  pthread_mutex_lock(&p->lock);
  if (p->fds != NULL) {
    free(o->fds);
    *o = (order){p->fds, p->count, p->timeout};
    p->fds = NULL;
  }
  bool stopping = p->stopping;
  pthread_mutex_unlock(&p->lock);
  return !stopping;
}

/* From here on it does not wait for anything that it was armed for. */
static void let_go(parking *p)
{
  pthread_mutex_lock(&p->lock);
  p->held = -1;
  pthread_mutex_unlock(&p->lock);
}

/* An octet on `control` means that there is an order, or the end. */
static void *parking_run(void *argument)
{
  parking *p = argument;
  struct pollfd control = {.fd = p->control[0], .events = POLLIN};
  order o = {0};
  char octets[64];
  while (take_order(p, &o)) {
    struct pollfd *fds = o.fds != NULL ? o.fds : &control;
    int ready = poll(fds, o.fds != NULL ? o.count : 1, o.fds != NULL ? o.timeout : -1);
    if (ready > 0 && fds[0].revents != 0) {
      while (read(p->control[0], octets, sizeof octets) > 0) {
      }
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

/* Signals are for the runtime's own threads. */
static int start_thread(parking *p)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int refused = pthread_create(&p->thread, NULL, parking_run, p);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return refused;
}

static void close_pair(int fds[2])
{
  close(fds[0]);
  close(fds[1]);
}

int parking_start(parking *p, char *error)
{
  *p = (parking){.lock = PTHREAD_MUTEX_INITIALIZER, .held = -1};
  if (socket_pair(p->wake) < 0) return failure(error, "socketpair", errno);
  fstat(p->wake[0], &p->own);
  if (socket_pair(p->control) < 0) {
    int result = failure(error, "socketpair", errno);
    close_pair(p->wake);
    return result;
  }
  int refused = start_thread(p);
  if (refused != 0) {
    close_pair(p->wake);
    close_pair(p->control);
    return failure(error, "pthread_create", refused);
  }
  p->running = true;
  return 0;
}

static int64_t after(int timeout)
{
  struct timespec now;
  if (timeout < 0) return INT64_MAX;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout;
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
  struct pollfd *old = p->fds;
  p->fds = fds;
  p->count = count + 1;
  p->timeout = timeout;
  p->held = count == 1 ? fds[1].fd : -1;
  p->until = after(timeout);
  pthread_mutex_unlock(&p->lock);
  free(old);
  write_octet(p->control[1]);
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
  free(p->fds);
  p->fds = NULL;
  close(p->wake[1]);
  close_pair(p->control);
}

/* The number may be another descriptor's by now. */
void parking_abandon(parking *p)
{
  struct stat now;
  parking_stop(p);
  if (fstat(p->wake[0], &now) == 0 && now.st_dev == p->own.st_dev && now.st_ino == p->own.st_ino)
    close(p->wake[0]);
}
