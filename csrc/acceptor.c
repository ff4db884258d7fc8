#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "failure.h"
#include "loop.h"
#include "server.h"
#include "socket.h"

#define ACCEPT_BATCH 64    /* connections taken in one turn, so that others are not kept waiting */
#define MOST_BACKLOG 65536 /* no backlog is longer: what comes after these is new */
#define ACCEPT_PAUSE 0.1   /* seconds, when the system has no descriptors or memory left */
#define MOST_PAUSES 50     /* in a row; then clients are turned away rather than left waiting */

static bool is_full(const bj_server *s)
{
  return s->options.max_connections != 0 &&
         s->counters[BJ_CONNECTIONS_OPEN] >= s->options.max_connections;
}

void acceptor_resume(bj_server *s)
{
  if (s->listener.fd >= 0 && !is_full(s) && !s->accept_again.active)
    ev_io_start(s->loop, &s->acceptor);
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)loop;
  (void)events;
  acceptor_resume(timer->data);
}

/* The listener stays readable: watching it would spin until there is room. */
static void pause_accepting(bj_server *s)
{
  s->counters[BJ_CONN_ACCEPT_ERROR]++;
  ev_io_stop(s->loop, &s->acceptor);
  ev_io_set(&s->acceptor, s->listener.fd, EV_READ); /* makes libev tell the kernel again */
  ev_timer_set(&s->accept_again, ACCEPT_PAUSE, 0.);
  ev_timer_start(s->loop, &s->accept_again);
}

/* Whether the backlog is empty. EAGAIN alone does not say so: after shutdown(2), a Unix listener
 * returns it for ever. */
static bool is_empty(int fd)
{
  int reason = errno;
  struct pollfd one = {.fd = fd};
  bool empty = (reason == EAGAIN || reason == EWOULDBLOCK) && poll(&one, 1, 0) < 1;
  errno = reason;
  return empty;
}

/* Accepts and closes what waits, with the reserved descriptor: these clients can go elsewhere. An
 * adopted listener has no reserve, since another process may have room. */
static void turn_away(bj_server *s)
{
  struct sockaddr_storage peer;
  int fd = 0;
  listener_spend_reserve(&s->listener);
  for (unsigned i = 0; i < ACCEPT_BATCH && fd >= 0; i++) {
    fd = socket_accept(s->listener.fd, &peer);
    if (fd >= 0) close(fd);
  }
  listener_reserve(&s->listener);
}

/* Clients wait in the backlog until there is room; out of descriptors for too long, they are turned
 * away. */
static void give_up(bj_server *s)
{
  bool starves = errno == EMFILE || errno == ENFILE;
  s->pauses = starves ? s->pauses + 1 : 0;
  if (s->pauses > MOST_PAUSES) turn_away(s);
  pause_accepting(s);
}

/* Accepts up to `most` connections. */
static void take(bj_server *s, unsigned most)
{
  struct sockaddr_storage peer;
  listener_unblock(&s->listener);
  for (unsigned i = 0; i < most && !is_full(s); i++) {
    int fd = socket_accept(s->listener.fd, &peer);
    if (fd >= 0) {
      s->counters[BJ_CONN_ACCEPT_SUCCESS]++;
      s->pauses = 0;
      conn_open(s, fd, (const struct sockaddr *)&peer);
    } else if (errno != ECONNABORTED && errno != EINTR) {
      if (!is_empty(s->listener.fd)) give_up(s);
      return;
    }
  }
  if (is_full(s)) ev_io_stop(s->loop, &s->acceptor);
}

static void on_acceptable(struct ev_loop *loop, ev_io *acceptor, int events)
{
  (void)loop;
  if ((events & EV_ERROR) != 0)
    pause_accepting(acceptor->data);
  else
    take(acceptor->data, ACCEPT_BATCH);
}

void acceptor_init(bj_server *s)
{
  ev_init(&s->accept_again, on_accept_again);
  s->accept_again.data = s;
}

int acceptor_start(bj_server *s, char *error)
{
  if (!loop_reserve(s->loop, s->listener.fd)) {
    listener_close(&s->listener);
    return failure(error, "realloc", ENOMEM);
  }
  ev_io_init(&s->acceptor, on_acceptable, s->listener.fd, EV_READ);
  s->acceptor.data = s;
  listener_reserve(&s->listener);
  acceptor_resume(s);
  return 0;
}

void acceptor_stop(bj_server *s)
{
  ev_io_stop(s->loop, &s->acceptor);
  ev_timer_stop(s->loop, &s->accept_again);
  listener_close(&s->listener);
}

void acceptor_finish(bj_server *s)
{
  if (s->listener.fd >= 0) take(s, MOST_BACKLOG);
  acceptor_stop(s);
}
