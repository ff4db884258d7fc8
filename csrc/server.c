/* From bj_server_new() to bj_server_free(), and what may be asked in between. */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acceptor.h"
#include "failure.h"
#include "loop.h"

#define LINGER_TIMEOUT 2000 /* milliseconds for the client to close after us */
#define LOOK_TIME 1000      /* milliseconds between looks whether a client has gone */

const char *server_date(bj_server *s)
{
  static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t now = (time_t)ev_now(s->loop);
  if (now != s->date_of) {
    struct tm t;
    gmtime_r(&now, &t);
    s->date_of = now;
    snprintf(s->date, sizeof s->date, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
             days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
             t.tm_sec);
  }
  return s->date;
}

/* Keep-Alive is for this hop only, so Connection has to name it (RFC 9110 section 7.6.1); to
 * HTTP/1.0 that says that the connection persists. */
static void tell_persistence(bj_server *s)
{
  static const char told[] = "Connection: keep-alive\r\nKeep-Alive: timeout=%u\r\n";
  uint32_t seconds = s->options.idle_timeout / 1000;
  int size = snprintf(s->persistence, sizeof s->persistence, told, seconds);
  s->tells_idle = seconds > 0;
  s->persistence_size = s->tells_idle ? (size_t)size : sizeof "Connection: keep-alive\r\n" - 1;
}

/* ---- beginning and end ------------------------------------------------------------------ */

/* The library or its thread goes away: nothing may run or stay open after this. */
static void on_halt(registered *entry)
{
  bj_server *s = (bj_server *)(void *)entry;
  parking_abandon(&s->parking);
  listener_close(&s->listener);
  if (s->statsd.fd >= 0) close(s->statsd.fd);
  for (conn *c = s->conns; c != NULL; c = c->next) {
    close(c->reader.fd);
    for (exchange *x = c->first; x != NULL; x = x->next) file_close(&x->file);
  }
  if (loop_fd(s->loop) >= 0) close(loop_fd(s->loop));
}

/* sendfile(2) raises SIGPIPE when the client has gone. Only the default action is fatal. */
static void survive_sigpipe(void)
{
  struct sigaction now;
  if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

/* Nothing to do: drain() asks only whether the timer still runs. */
static void on_patience_over(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)loop;
  (void)timer;
  (void)events;
}

static bj_server *set_up(bj_server *s, char *error)
{
  survive_sigpipe();
  tell_persistence(s);
  s->queue_end = &s->queue;
  s->exchanges.buffered = &s->counters[BJ_BYTES_BUFFERED];
  statsd_init(&s->statsd, s->counters);
  int epoll = ev_backend(s->loop) == EVBACKEND_EPOLL ? loop_fd(s->loop) : -1;
  if (parking_start(&s->parking, epoll, error) < 0) return NULL;
  s->entry.halt = on_halt;
  int refused = registry_add(&s->entry);
  if (refused != 0) {
    failure(error, "pthread_key_create", refused);
    parking_stop(&s->parking);
    close(s->parking.wake[0]);
    return NULL;
  }
  const bj_options *o = &s->options;
  const deadline_time times[DEADLINE_KINDS] = {
    [DEADLINE_IDLE] = {o->idle_timeout, 0},
    [DEADLINE_HEAD] = {o->head_timeout, 0},
    [DEADLINE_BODY] = {o->body_timeout, o->min_body_rate},
    [DEADLINE_WRITE] = {o->write_timeout, o->min_write_rate},
    [DEADLINE_LINGER] = {LINGER_TIMEOUT, 0},
    [DEADLINE_REQUEST] = {o->request_timeout, 0},
    [DEADLINE_LOOK] = {LOOK_TIME, 0},
  };
  deadlines_start(&s->deadlines, s->loop, times, conn_time_out);
  acceptor_init(s);
  ev_init(&s->patience, on_patience_over);
  return s;
}

static void free_memory(bj_server *s)
{
  exchanges_free(&s->exchanges);
  buffer_free(&s->staging);
  spares_free(&s->spares);
  if (s->loop != NULL) ev_loop_destroy(s->loop);
  networks_free(&s->proxies);
  free(s->reader.fields);
  free(s);
}

bj_server *bj_server_new(const bj_options *options, char *arena, uint32_t *fields, bj_event *events,
                         const char *output, bj_command *commands, char *error)
{
  bj_server *s = malloc(sizeof *s);
  if (s == NULL) {
    failure(error, "malloc", errno);
    return NULL;
  }
  *s = (bj_server){.options = *options,
                   .max_body_size = (uint64_t)options->max_body_high << 32 | options->max_body_low,
                   .arena = arena,
                   .fields = fields,
                   .events = events,
                   .output = output,
                   .commands = commands,
                   .listener = {.fd = -1, .reserve = -1},
                   .loop = loop_new(options->backend)};
  s->reader.options = &s->options;
  s->askers.period = 1;
  s->reader.fields = calloc(options->max_fields + 1, sizeof *s->reader.fields);
  if (loop_backend(options->backend) == 0)
    snprintf(error, BJ_ERROR_SIZE, "libev has no such backend here (option, or LIBEV_FLAGS)");
  else if (s->loop == NULL || s->reader.fields == NULL)
    failure(error, s->loop == NULL ? "ev_loop_new" : "calloc", errno);
  else if (set_up(s, error) != NULL)
    return s;
  free_memory(s);
  return NULL;
}

/* A second listener would replace the first, which nobody could close any more. */
static int check_unlistening(const bj_server *s, char *error)
{
  bool may_listen = s->state == SERVER_OPEN && s->listener.fd < 0;
  return may_listen ? 0 : failure(error, "listen: a server does so once", EALREADY);
}

int32_t bj_server_listen(bj_server *s, const char *host, uint32_t port, uint32_t backlog,
                         uint32_t reuse_port, uint32_t mode, char *error)
{
  int refused = check_unlistening(s, error);
  if (refused == 0)
    refused = listener_open(&s->listener, host, port, backlog, reuse_port != 0, mode, error);
  return refused != 0 ? refused : acceptor_start(s, error);
}

int32_t bj_server_adopt(bj_server *s, int32_t fd, char *error)
{
  int refused = check_unlistening(s, error);
  if (refused == 0) refused = listener_adopt(&s->listener, fd, error);
  return refused != 0 ? refused : acceptor_start(s, error);
}

int32_t bj_server_proxied(bj_server *s, const char *networks, char *error)
{
  struct networks proxies;
  int refused = networks_read(&proxies, networks, error);
  if (refused != 0) return refused;
  networks_free(&s->proxies);
  s->proxies = proxies;
  s->expects_proxy = true;
  return 0;
}

uint32_t bj_server_address(bj_server *s, char *address)
{
  int32_t port = bj_address(s->listener.fd, address);
  return port < 0 ? 0 : (uint32_t)port;
}

int32_t bj_server_statsd(bj_server *s, const char *host, uint32_t port, const char *prefix,
                         const char *suffix, uint32_t interval, char *error)
{
  return statsd_open(&s->statsd, host, port, prefix, suffix, interval, error);
}

int32_t bj_server_local(bj_server *s, uint32_t slot, uint32_t generation, char *address)
{
  exchange *x = exchange_find(&s->exchanges, slot, generation);
  if (x == NULL) return -1;
  const conn *c = x->conn;
  if (!c->is_proxied) return bj_address(c->reader.fd, address);
  listener_write_ip(c->local.address, address);
  return (int32_t)c->local.port;
}

void bj_server_counters(bj_server *s, double *counters)
{
  s->counters[BJ_REQUESTS_IN_FLIGHT] = s->exchanges.held;
  for (int i = 0; i < BJ_COUNTERS; i++) counters[i] = (double)s->counters[i];
}

void bj_server_drain(bj_server *s, uint32_t patience)
{
  ev_timer_stop(s->loop, &s->patience);
  if (patience > 0) {
    ev_now_update(s->loop);
    ev_timer_set(&s->patience, patience / 1e3, 0.);
    ev_timer_start(s->loop, &s->patience);
  }
  if (s->state == SERVER_OPEN) {
    s->state = SERVER_DRAINING;
    acceptor_finish(s);
  }
}

void bj_server_close(bj_server *s)
{
  s->state = SERVER_STOPPED;
  acceptor_stop(s);
  ev_timer_stop(s->loop, &s->patience);
  while (s->conns != NULL) conn_close(s->conns, BJ_CLOSED);
  statsd_close(&s->statsd, s->loop);
  conn_free_dead(s);
}

void bj_server_free(bj_server *s)
{
  registry_remove(&s->entry);
  parking_stop(&s->parking);
  if (!s->wake_taken) close(s->parking.wake[0]);
  bj_server_close(s);
  deadlines_stop(&s->deadlines);
  free_memory(s);
}
