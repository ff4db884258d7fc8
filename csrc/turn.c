/* The calls in which a server works: what has happened goes out as events, commands come in, and in
 * between it may be parked. */
#include <stdlib.h>

#include "command.h"
#include "input.h"
#include "loop.h"
#include "output.h"
#include "pressure.h"
#include "pull.h"
#include "response.h"
#include "server.h"
#include "socket.h"

#define MOST_UNASKED 0.002 /* seconds that the kernel is not polled for */

/* At the end of each call. */
static void finish(bj_server *s)
{
  pressure_relieve(s);
  conn_free_dead(s);
}

/* At the end of a call that sends. */
static void finish_sent(bj_server *s)
{
  statsd_update(&s->statsd, s->loop);
  finish(s);
}

static void resume_queued(bj_server *s)
{
  s->resuming = s->queue;
  s->queue = NULL;
  s->queue_end = &s->queue;
  while (s->resuming != NULL) {
    conn *c = s->resuming;
    s->resuming = c->next_queued;
    c->is_queued = false;
    input_resume(c);
  }
}

/* Lingers rather than closes: the client may just have asked again, and closing with that unread
 * would reset the connection and lose answers on their way. */
static void close_idle(bj_server *s)
{
  for (conn *c = s->conns, *next; c != NULL; c = next) {
    next = c->next;
    if (conn_is_idle(c)) {
      c->state = CONN_LAST;
      conn_settle(c);
    }
  }
}

/* Whether no client has sent anything. A pass that tells kqueue of closed descriptors reports
 * nothing else, so only one with nothing to tell counts. */
static bool is_quiet(bj_server *s)
{
  bool settled = false;
  while (!settled && s->event_count == 0) {
    settled = loop_settled(s->loop);
    ev_run(s->loop, EVRUN_NOWAIT);
  }
  return s->event_count == 0 && s->queue == NULL;
}

/* Idle connections go once nothing more is readable: what was sent before counts. */
static void drain(bj_server *s)
{
  if (!s->patience.active && is_quiet(s)) close_idle(s);
  output_flush(s);
  if (s->conns == NULL && s->event_count == 0 && s->exchanges.first_notice == NULL) {
    s->state = SERVER_STOPPED;
    *server_event(s) = (bj_event){.type = BJ_STOPPED};
  }
}

/* While queued connections fill the turn, the kernel is not polled: it would report all the others
 * each time. But not for long, since handlers may be slow. */
static void ask(bj_server *s)
{
  if (server_has_enough(s)) {
    ev_now_update(s->loop);
    if (loop_now(s->loop) - s->asked_at < MOST_UNASKED) return;
  }
  ev_run(s->loop, EVRUN_NOWAIT);
  s->asked_at = loop_now(s->loop);
}

uint32_t bj_server_turn(bj_server *s)
{
  s->arena_used = s->fields_used = 0;
  s->is_busy = false;
  s->event_count = exchange_tell(&s->exchanges, s->events, s->options.event_slots - 2);
  resume_queued(s);
  ask(s);
  if (s->event_count == 0 && !loop_settled(s->loop)) ev_run(s->loop, EVRUN_NOWAIT);
  if (s->state == SERVER_DRAINING) drain(s);
  output_flush(s);
  finish_sent(s);
  return s->event_count;
}

void bj_server_collect(bj_server *s, uint32_t count)
{
  commands_run(s, count);
  commands_report(s, count);
  finish(s);
}

void bj_server_flush(bj_server *s, uint32_t count)
{
  commands_run(s, count);
  output_flush(s);
  commands_report(s, count);
  finish_sent(s);
}

uint32_t bj_server_write(bj_server *s, uint32_t slot, uint32_t generation, const char *body,
                         uint32_t size)
{
  ev_now_update(s->loop);
  exchange *x = exchange_find(&s->exchanges, slot, generation);
  uint32_t taken = size; /* all, if it is over */
  if (x != NULL && x->direct && x->answer == ANSWER_STARTED) {
    conn *c = x->conn;
    taken = (uint32_t)output_direct(x, (bytes){body, size < x->left ? size : (size_t)x->left});
    x->left -= taken;
    if (x->left == 0) response_end(x);
    conn_settle(c);
  }
  output_flush(s);
  finish_sent(s);
  return taken;
}

uint32_t bj_server_read(bj_server *s, uint32_t slot, uint32_t generation, char *to, uint32_t size)
{
  ev_now_update(s->loop);
  exchange *x = exchange_find(&s->exchanges, slot, generation);
  uint32_t taken = x == NULL ? 0 : pull_read(x, to, size);
  finish(s);
  return taken;
}

/* ---- waiting ---------------------------------------------------------------------------- */

int32_t bj_server_wake_fd(bj_server *s)
{
  s->wake_taken = true;
  return s->parking.wake[0];
}

/* Milliseconds until the first of the timers, rounded up; -1 without any. */
static int next_timer(bj_server *s)
{
  ev_timer *timers[] = {&s->deadlines.timer, &s->accept_again, &s->patience, &s->statsd.timer};
  double next = -1;
  for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
    if (timers[i]->active) {
      ev_tstamp left = ev_timer_remaining(s->loop, timers[i]);
      left = left > 0 ? left : 0;
      next = next < 0 || left < next ? left : next;
    }
  }
  return next < 0 ? -1 : next > 1e6 ? 1000000000 : (int)(next * 1000) + 1;
}

static bool has_work(bj_server *s)
{
  return s->queue != NULL || s->exchanges.first_notice != NULL || s->is_busy ||
         !loop_settled(s->loop);
}

/* Spins for few: they ask again sooner than a sleeping thread is back. Sleeps for many: what they
 * ask meanwhile is taken together, and costs less. */
uint32_t bj_server_wait(bj_server *s, uint32_t micros)
{
  nfds_t count;
  struct pollfd *fds = has_work(s) ? NULL : loop_watched(s->loop, 0, &count);
  if (fds == NULL) return micros;
  ev_now_update(s->loop);
  double end = loop_now(s->loop) + micros / 1e6;
  uint32_t left = micros;
  bool ready, sleeps = !askers_are_few(&s->askers);
  do {
    ready = socket_wait(fds, count, sleeps ? left : 0);
    ev_now_update(s->loop);
    double rest = (end - loop_now(s->loop)) * 1e6;
    left = rest <= 0 ? 0 : rest < micros ? (uint32_t)rest : micros;
  } while (!ready && left > 0);
  free(fds);
  return ready && left == 0 ? 1 : left;
}

uint32_t bj_server_park(bj_server *s)
{
  if (has_work(s)) return 1;
  spares_free(&s->spares);
  int timeout = next_timer(s);
  int fd = loop_fd(s->loop);
  if (s->parking.gate >= 0) return parking_open(&s->parking, fd, timeout) ? 0 : 1;
  if (parking_holds(&s->parking, fd, timeout)) return 0;
  nfds_t count;
  struct pollfd *fds = loop_watched(s->loop, 1, &count);
  if (fds == NULL) return 1;
  parking_arm(&s->parking, fds, count, timeout);
  return 0;
}
