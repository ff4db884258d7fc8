/* The floor: what the kernel, libev and picohttpparser cost by themselves. It answers every request
 * with the body given on its command line, under the head that the other contestants send, and
 * leaves out all that makes a server: rules, limits, timeouts, handlers. It uses the library's
 * libev configuration and compiler flags, so any difference in figures is due to the library and
 * JavaScript. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ev_config.h"
#include "picohttpparser.h"

enum { BACKLOG = 1024, INPUT_SIZE = 64 * 1024, MAX_FIELDS = 64, MAX_PIPELINED = 64 };

typedef struct {
  const char *type;
  const char *body;
  char *answer; /* head and body, renewed when the Date changes */
  size_t size;
  time_t made;
  char *output; /* shared: sent before the next connection is looked at */
  char input[INPUT_SIZE];
} floor_server;

typedef struct {
  ev_io io;
  size_t kept; /* octets of an incomplete request */
  char *rest;
} conn;

static void fail(const char *what)
{
  perror(what);
  exit(1);
}

static void conn_close(struct ev_loop *loop, conn *c)
{
  ev_io_stop(loop, &c->io);
  close(c->io.fd);
  free(c->rest);
  free(c);
}

/* Writes the answer with the current Date. */
static void floor_date(floor_server *s, time_t now)
{
  char date[32];
  if (now == s->made)
    return;
  s->made = now;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
  s->size = (size_t)sprintf(s->answer,
                            "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nDate: %s\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            s->type, date, strlen(s->body), s->body);
}

/* Answers the complete requests in `size` octets into `s->output`. Returns how many octets they
 * took, or -1 for a bad request. */
static ssize_t floor_answer(floor_server *s, size_t size, size_t *written)
{
  size_t at = 0;
  for (int i = 0; at < size && i < MAX_PIPELINED; i++) {
    const char *method, *target;
    size_t method_size, target_size, count = MAX_FIELDS;
    struct phr_header fields[MAX_FIELDS];
    int minor;
    int n = phr_parse_request(s->input + at, size - at, &method, &method_size, &target,
                              &target_size, &minor, fields, &count, 0);
    if (n == -2)
      break;
    if (n < 0)
      return -1;
    memcpy(s->output + *written, s->answer, s->size);
    *written += s->size;
    at += (size_t)n;
  }
  return (ssize_t)at;
}

/* Keeps an incomplete request for the next read; usually there is none. */
static void conn_keep(conn *c, const char *rest, size_t size)
{
  free(c->rest);
  *c = (conn){.io = c->io, .kept = size, .rest = size > 0 ? malloc(size) : NULL};
  if (size > 0)
    memcpy(c->rest, rest, size);
}

static void conn_read(struct ev_loop *loop, ev_io *io, int events)
{
  (void)events;
  conn *c = (conn *)io;
  floor_server *s = io->data;
  size_t written = 0;
  memcpy(s->input, c->rest ? c->rest : "", c->kept);
  ssize_t got = recv(io->fd, s->input + c->kept, INPUT_SIZE - c->kept, 0);
  if (got < 0 && errno == EAGAIN)
    return;
  if (got <= 0) {
    conn_close(loop, c);
    return;
  }
  size_t size = c->kept + (size_t)got;
  floor_date(s, (time_t)ev_now(loop));
  ssize_t used = floor_answer(s, size, &written);
  /* Answers are small and the client reads: if one does not fit at once, the case is wrong. */
  if (used < 0 || send(io->fd, s->output, written, MSG_NOSIGNAL) != (ssize_t)written) {
    conn_close(loop, c);
    return;
  }
  if (c->kept > 0 || (size_t)used < size)
    conn_keep(c, s->input + used, size - (size_t)used);
}

static void floor_accept(struct ev_loop *loop, ev_io *io, int events)
{
  (void)events;
  for (;;) {
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    conn *c = calloc(1, sizeof *c);
    if (c == NULL)
      fail("calloc");
    ev_io_init(&c->io, conn_read, fd, EV_READ);
    c->io.data = io->data;
    ev_io_start(loop, &c->io);
  }
}

/* Listens on a free port and prints it. */
static int floor_listen(void)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
    fail("listen");
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

/* Usage: floor TYPE BODY */
int main(int argc, char **argv)
{
  floor_server server = {0};
  ev_io io;
  if (argc != 3) {
    fprintf(stderr, "usage: floor TYPE BODY\n");
    return 2;
  }
  size_t room = strlen(argv[1]) + strlen(argv[2]) + 256;
  server.type = argv[1];
  server.body = argv[2];
  server.answer = malloc(room);
  server.output = malloc(room * MAX_PIPELINED);
  if (server.answer == NULL || server.output == NULL)
    fail("malloc");
  struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
  if (loop == NULL)
    fail("ev_loop_new");
  ev_io_init(&io, floor_accept, floor_listen(), EV_READ);
  io.data = &server;
  ev_io_start(loop, &io);
  return !ev_run(loop, 0);
}
