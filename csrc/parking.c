#include "parking.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bjoern.h"
#include "socket.h"

static void write_octet(int fd)
{
  struct iovec octet = {.iov_base = "x", .iov_len = 1};
  while (socket_send(fd, &octet, 1) < 0 && errno == EINTR) {
  }
}

/* One wait: an octet on `control` means that `armed`, `timeout` or `stopping` has changed. */
static void *parking_run(void *argument)
{
  parking *p = argument;
  char octets[64];
  while (!atomic_load(&p->stopping)) {
    bool armed = atomic_load(&p->armed);
    struct pollfd fds[2] = {{.fd = p->control[0], .events = POLLIN},
                            {.fd = armed ? p->watched : -1, .events = POLLIN}};
    int ready = poll(fds, 2, armed ? atomic_load(&p->timeout) : -1);
    if (ready > 0 && fds[0].revents != 0) {
      while (read(p->control[0], octets, sizeof octets) > 0) {
      }
    } else if (armed && ready >= 0 && atomic_exchange(&p->armed, false)) {
      write_octet(p->wake[1]);
    }
  }
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

int parking_start(parking *p, int watched, char *error)
{
  *p = (parking){.watched = watched};
  if (socket_pair(p->wake) < 0) {
    snprintf(error, BJ_ERROR_SIZE, "socketpair: %s", strerror(errno));
    return -1;
  }
  if (socket_pair(p->control) < 0) {
    snprintf(error, BJ_ERROR_SIZE, "socketpair: %s", strerror(errno));
    close_pair(p->wake);
    return -1;
  }
  int refused = start_thread(p);
  if (refused != 0) {
    snprintf(error, BJ_ERROR_SIZE, "pthread_create: %s", strerror(refused));
    close_pair(p->wake);
    close_pair(p->control);
    return -1;
  }
  p->running = true;
  return 0;
}

void parking_arm(parking *p, int timeout)
{
  atomic_store(&p->timeout, timeout);
  atomic_store(&p->armed, true);
  write_octet(p->control[1]);
}

void parking_stop(parking *p)
{
  if (!p->running) return;
  p->running = false;
  atomic_store(&p->stopping, true);
  write_octet(p->control[1]);
  pthread_join(p->thread, NULL);
  close(p->wake[1]);
  close_pair(p->control);
}
