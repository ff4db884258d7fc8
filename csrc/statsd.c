#include "statsd.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"
#include "socket.h"

#define DATAGRAM 1432 /* bytes that fit an Ethernet frame with the IPv6 and UDP headers */

/* In the order of enum bj_counter. */
static const char *const names[BJ_STATSD_COUNTERS] = {
  "conn.accept.error",   "conn.accept.success", "req.error.client_disconnected",
  "req.error.read",      "req.error.parse",     "req.error.internal",
  "req.success.read",    "req.active",          "req.done",
  "req.aborted",         "resp.active",         "resp.done",
  "resp.done.keepalive", "resp.conn.close",     "resp.aborted",
};

/* ECONNREFUSED is about the datagram before, and this one was not sent: try again. False if the
 * socket is full: the counts go with the next ones. Any other failure loses them. */
static bool send_datagram(const statsd *d, const char *text, size_t size)
{
  struct iovec span = {(char *)(uintptr_t)text, size};
  ssize_t sent = size == 0 ? 0 : socket_send(d->fd, &span, 1, false);
  if (sent < 0 && errno == ECONNREFUSED) sent = socket_send(d->fd, &span, 1, false);
  return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS);
}

/* Writes counts from `at` on, as many as a datagram holds; returns the first that is left. */
static int write_lines(const statsd *d, int at, char *text, size_t *size)
{
  *size = 0;
  for (; at < (int)BJ_STATSD_COUNTERS; at++) {
    uint64_t count = d->counters[at] - d->told[at];
    if (count == 0) continue;
    size_t room = DATAGRAM - *size;
    int length = snprintf(text + *size, room, "%s%s%s:%llu|c%s", *size > 0 ? "\n" : "", d->prefix,
                          names[at], (unsigned long long)count, d->suffix);
    if (length < 0 || (size_t)length >= room) break;
    *size += (size_t)length;
  }
  return at;
}

static void tell(statsd *d)
{
  char text[DATAGRAM];
  size_t size;
  for (int at = 0, next; at < (int)BJ_STATSD_COUNTERS; at = next) {
    next = write_lines(d, at, text, &size);
    if (!send_datagram(d, text, size)) return;
    if (next == at) next++; /* too long for any datagram */
    for (int i = at; i < next; i++) d->told[i] = d->counters[i];
  }
}

static void on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)loop;
  (void)events;
  tell(timer->data);
}

void statsd_init(statsd *d, const uint64_t *counters)
{
  *d = (statsd){.fd = -1, .counters = counters};
  ev_init(&d->timer, on_time);
  d->timer.data = d;
}

/* The first address of the name that this system has a route to. */
static int connect_name(const char *host, uint32_t port, char *error)
{
  char service[16];
  struct addrinfo *list, hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
  snprintf(service, sizeof service, "%u", port);
  int refused = getaddrinfo(host, service, &hints, &list);
  if (refused != 0) {
    snprintf(error, BJ_ERROR_SIZE, "getaddrinfo: %s", gai_strerror(refused));
    return -ENOENT;
  }
  int result = -ENOENT;
  for (struct addrinfo *a = list; a != NULL && result < 0; a = a->ai_next) {
    int fd = socket_open(a->ai_family, SOCK_DGRAM);
    result = fd < 0 ? failure(error, "socket", errno) : fd;
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
      result = failure(error, "connect", errno);
      close(fd);
    }
  }
  freeaddrinfo(list);
  return result;
}

static void forget_names(statsd *d)
{
  free(d->prefix);
  free(d->suffix);
  d->prefix = d->suffix = NULL;
}

int statsd_open(statsd *d, const char *host, uint32_t port, const char *prefix, const char *suffix,
                uint32_t interval, char *error)
{
  if (d->fd >= 0) return failure(error, "connect: one server is told already", EALREADY);
  int fd = connect_name(host, port, error);
  if (fd < 0) return fd;
  d->prefix = strdup(prefix);
  d->suffix = strdup(suffix);
  if (d->prefix == NULL || d->suffix == NULL) {
    close(fd);
    forget_names(d);
    return failure(error, "strdup", ENOMEM);
  }
  d->fd = fd;
  d->interval = interval / 1e3;
  return 0;
}

void statsd_update(statsd *d, struct ev_loop *loop)
{
  if (d->fd >= 0 && !d->timer.active && memcmp(d->told, d->counters, sizeof d->told) != 0) {
    ev_timer_set(&d->timer, d->interval, 0.); /* else it might fire at once */
    ev_timer_start(loop, &d->timer);
  }
}

void statsd_close(statsd *d, struct ev_loop *loop)
{
  ev_timer_stop(loop, &d->timer);
  if (d->fd >= 0) {
    tell(d);
    close(d->fd);
    d->fd = -1;
  }
  forget_names(d);
}
