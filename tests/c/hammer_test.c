/* Many clients and a handler that act at random, by a seed. Only this is checked of the answers:
 * who gets which, in which order. Includes the units that allocate, so that their malloc() can
 * fail. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static uint32_t random_state;
static uint32_t failing; /* one in so many allocations fails; 0: none */

static uint32_t chance(uint32_t below);

static void *fallible(void *old, size_t size)
{
  return failing > 0 && chance(failing) == 0 ? NULL : realloc(old, size);
}

#define malloc(size) fallible(NULL, size)
#define realloc(old, size) fallible(old, size)
#include "buffer.c"
#include "conn.c"
#include "exchange.c"
#undef malloc
#undef realloc

#include "driver.h"

enum { CLIENTS = 24, LIVE = 4096, STEPS = 4000, ROUNDS = 8 };

#define CHUNKED "POST /%u/%u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static driver d;
static char filler[40000];
static int sendable;    /* a file: `filler` twice */
static bool is_proxied; /* connections begin with a header that names the client by its serial */

static struct player {
  int fd;            /* -1: not connected */
  uint32_t serial;   /* of this connection */
  uint32_t requests; /* sent so far */
  uint32_t answers;  /* seen so far */
  char out[2048];    /* what it still has to send */
  size_t out_size;
  char tail[32]; /* the end of what it got: may hold half a mark */
  size_t tail_size;
  bool done; /* it has sent something bad, or closed its side */
} players[CLIENTS];

static struct live {
  bj_event e;
  enum { NOT_HERE, ASKED, STREAMING, DIRECT, ANSWERED, TOLD } state;
  uint32_t serial, number, unread;
  uint32_t left; /* of a direct answer */
} live[LIVE];    /* by slot */

static uint32_t chance(uint32_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % below;
}

/* ---- clients ------------------------------------------------------------------------------ */

/* Sends a header whose port is the serial; one in eight is bad or missing. */
static void introduce(struct player *p)
{
  char binary[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\1\2\3\4\5\6\7\10..\0\1";
  uint16_t port = (uint16_t)p->serial, wire_port = htons(port);
  uint32_t which = chance(16);
  if (which < 7) {
    memcpy(binary + 24, &wire_port, sizeof wire_port);
    p->out_size = sizeof binary - 1;
    memcpy(p->out, binary, p->out_size);
  } else if (which < 15) {
    const char *form =
      which == 7 ? "PROXY TCP6 1::2 3::4 %u 65536\r\n" : "PROXY TCP6 1::2 3::4 %u 1\r\n";
    p->out_size = (size_t)snprintf(p->out, sizeof p->out, form, port);
  }
}

static void appear(struct player *p)
{
  static uint32_t serial;
  *p = (struct player){.fd = client_open(&d), .serial = ++serial};
  if (is_proxied) introduce(p);
}

static void ask(struct player *p)
{
  static const char *const forms[] = {
    "GET /%u/%u HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /%u/%u HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n",
    "POST /%u/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
    CHUNKED "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nE: f\r\n\r\n",
    "POST /%u/%u HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET /%u/%u HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /%u/%u HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /%u/%u HTTP/1.0\r\n\r\n",
    CHUNKED "xyz",
    "GET /%u/%u\r\n\r\n",
  };
  size_t rare = chance(8) == 0 ? 10 : 6, which = chance((uint32_t)rare);
  size_t room = sizeof p->out - p->out_size;
  if (room > 256 && !p->done) {
    char text[256];
    snprintf(text, sizeof text, forms[which], p->serial, p->requests++);
    memcpy(p->out + p->out_size, text, strlen(text));
    p->out_size += strlen(text);
    p->done = which >= 6;
  }
}

static void send_some_of(struct player *p)
{
  size_t size = chance(4) == 0 ? p->out_size : chance((uint32_t)p->out_size + 1);
  ssize_t n = send(p->fd, p->out, size, MSG_NOSIGNAL);
  if (n > 0) {
    p->out_size -= (size_t)n;
    memmove(p->out, p->out + n, p->out_size);
  }
}

/* Every answer has a mark in its fields: it must be for this connection's own requests, in
 * order. */
static void take_answers(struct player *p)
{
  char got[8192 + sizeof p->tail + 1];
  memcpy(got, p->tail, p->tail_size);
  ssize_t n = recv(p->fd, got + p->tail_size, chance(2) == 0 ? 8192 : 100, 0);
  if (n <= 0) return;
  size_t size = p->tail_size + (size_t)n;
  got[size] = '\0';
  char *at = got, *mark, *end;
  while ((mark = strchr(at, '[')) != NULL && (end = strchr(mark, ']')) != NULL) {
    uint32_t serial = 0, number = 0;
    CHECK_EQ(sscanf(mark, "[%u/%u]", &serial, &number), 2);
    CHECK_EQ(serial, p->serial);
    CHECK(number == p->answers && number < p->requests);
    p->answers = number + 1;
    at = end + 1;
  }
  mark = strchr(at, '[');
  p->tail_size = mark == NULL ? 0 : strlen(mark);
  CHECK(p->tail_size < sizeof p->tail);
  memcpy(p->tail, mark == NULL ? "" : mark, p->tail_size);
}

static void play_client(struct player *p)
{
  if (p->fd < 0) {
    appear(p);
    return;
  }
  switch (chance(24)) {
  case 0:
    close(p->fd);
    p->fd = -1;
    return;
  case 1:
    shutdown(p->fd, SHUT_WR);
    p->done = true;
    return;
  case 2:
  case 3:
  case 4:
  case 5:
  case 6:
  case 7: ask(p); return;
  case 8:
  case 9:
  case 10:
  case 11:
  case 12:
  case 13: send_some_of(p); return;
  default: take_answers(p); return;
  }
}

/* ---- the handler -------------------------------------------------------------------------- */

static void make_room(void)
{
  if (chance(2) == 0)
    driver_collect(&d);
  else
    driver_flush(&d);
}

static void write_part(struct live *x, uint32_t flags, const char *mark)
{
  size_t size = chance(8) == 0 ? chance(sizeof filler) : chance(40);
  if (d.output_used + size + 64 > DRIVER_OUTPUT || d.command_count + 8 > DRIVER_COMMANDS)
    make_room();
  bj_command *command = driver_write(&d, &x->e, flags, "");
  command->body_size = (uint32_t)size;
  driver_put(&d, filler, size);
  command->fields_size = (uint32_t)strlen(mark);
  command->fields_at = driver_put(&d, mark, strlen(mark));
  if (chance(4) == 0) command->flags |= BJ_WRITE_NOTIFY;
  if ((flags & BJ_WRITE_HEAD) != 0 && chance(16) == 0) command->flags |= BJ_WRITE_CLOSE;
}

/* Flushes first: the head of a direct answer has to be there. */
static void write_direct(struct live *x)
{
  uint32_t size = 1 + chance(x->left < sizeof filler ? x->left : sizeof filler);
  driver_flush(&d);
  uint32_t taken = bj_server_write(d.server, x->e.request, x->e.generation, filler, size);
  CHECK(taken <= size);
  x->left -= taken;
  if (x->left == 0) x->state = ANSWERED;
}

static void begin_direct(struct live *x, const char *mark)
{
  bj_command *command =
    driver_write(&d, &x->e, BJ_WRITE_HEAD | BJ_WRITE_LENGTH | BJ_WRITE_DIRECT, "");
  command->length_low = x->left = 1 + chance(4 * sizeof filler);
  command->fields_size = (uint32_t)strlen(mark);
  command->fields_at = driver_put(&d, mark, strlen(mark));
  x->state = DIRECT;
}

/* A file without a "[" in it, now and then shorter than announced. */
static void write_file(struct live *x, const char *mark)
{
  const uint32_t flags = BJ_WRITE_HEAD | BJ_WRITE_LENGTH | BJ_WRITE_END | BJ_WRITE_FILE;
  bj_command *command = driver_write(&d, &x->e, flags, "");
  command->body_at = (uint32_t)dup(sendable);
  command->length_low = chance(3 * sizeof filler);
  command->fields_size = (uint32_t)strlen(mark);
  command->fields_at = driver_put(&d, mark, strlen(mark));
  x->state = ANSWERED;
}

static void play_handler(struct live *x)
{
  char mark[40];
  if (x->state == NOT_HERE || x->state == TOLD) return;
  if (d.command_count + 8 > DRIVER_COMMANDS) make_room();
  snprintf(mark, sizeof mark, "Mark: [%u/%u]\r\n", x->serial, x->number);
  uint32_t what = chance(32);
  if (what < 8) {
    driver_consume(&d, &x->e, x->unread)->flags = chance(4) == 0 ? BJ_CONSUME_REST : 0;
    x->unread = 0;
  } else if (what == 8) {
    driver_command(&d, BJ_ABORT, &x->e);
    x->state = ANSWERED;
  } else if (x->state == DIRECT) {
    write_direct(x);
  } else if (x->state == ASKED && what == 9) {
    begin_direct(x, mark);
  } else if (x->state == ASKED && what == 10) {
    write_file(x, mark);
  } else if (x->state == STREAMING || x->state == ANSWERED) {
    bool ends = chance(3) == 0;
    write_part(x, ends ? BJ_WRITE_END : 0, "");
    x->state = ends ? ANSWERED : x->state;
  } else {
    bool whole = chance(3) > 0;
    write_part(x, BJ_WRITE_HEAD | (whole ? BJ_WRITE_END : 0), mark);
    x->state = whole ? ANSWERED : STREAMING;
  }
}

/* Events must make sense to a handler that knows only the earlier ones. */
static void hear(const bj_event *e)
{
  CHECK(e->request < LIVE);
  struct live *x = &live[e->request % LIVE];
  if (e->type == BJ_REQUEST) {
    CHECK(x->state == NOT_HERE || x->state == ANSWERED || x->state == TOLD);
    CHECK(x->e.generation != e->generation);
    *x = (struct live){.e = *e, .state = ASKED, .unread = e->body_size};
    CHECK_EQ(sscanf(d.arena + e->target_at, "/%u/%u ", &x->serial, &x->number), 2);
    CHECK_EQ(e->peer_port, is_proxied ? (uint16_t)x->serial : 0);
    return;
  }
  if (x->state == TOLD || x->state == NOT_HERE)
    test_fault(__FILE__, __LINE__, "event %u for an exchange in state %d", e->type, (int)x->state);
  CHECK_EQ(x->e.generation, e->generation);
  CHECK(e->type != BJ_BODY || x->state != ANSWERED || e->body_size > 0);
  if (e->type == BJ_READABLE) {
    char rest[64];
    uint32_t size = chance(2) == 0 ? sizeof rest : chance(sizeof rest);
    CHECK(bj_server_read(d.server, e->request, e->generation, rest, size) <= e->body_size);
    return;
  }
  x->unread += e->body_size;
  if (e->type == BJ_ABORTED || e->type == BJ_SENT) x->state = TOLD;
}

static void turn(void)
{
  driver_turn(&d);
  for (uint32_t i = 0; i < d.count; i++) hear(&d.events[i]);
}

/* ---- rounds ------------------------------------------------------------------------------- */

static bj_options choose_options(void)
{
  bj_options options = driver_defaults();
  bool tiny = chance(2) == 0;
  is_proxied = chance(4) == 0;
  options.max_fields = 8;
  options.max_head_size = 512;
  options.arena_size = tiny ? (is_proxied ? 8192 : 4096 + 1024) : 1 << 18;
  options.event_slots = tiny ? 3 + chance(8) : 256;
  options.field_slots = tiny ? 8 + chance(8) : 1024;
  options.max_pipelined = 1 + chance(6);
  options.max_requests = chance(2) == 0 ? 0 : 1 + chance(20);
  options.max_connections = chance(2) == 0 ? 0 : 1 + chance(CLIENTS);
  options.max_body_low = chance(2) == 0 ? 1024 : 3;
  options.head_timeout = options.body_timeout = chance(2) == 0 ? 0 : 1;
  options.idle_timeout = options.write_timeout = chance(2) == 0 ? 0 : 1;
  options.request_timeout = chance(4) == 0 ? 1 + chance(5) : 0;
  options.max_buffered = chance(2) == 0 ? 0 : 1024u << chance(8);
  return options;
}

static int make_file(void)
{
  FILE *made = tmpfile();
  int fd = made == NULL ? -1 : dup(fileno(made));
  for (int i = 0; i < 2; i++) CHECK_EQ(write(fd, filler, sizeof filler), sizeof filler);
  if (made != NULL) fclose(made);
  return fd;
}

static void play(uint32_t seed)
{
  char error[BJ_ERROR_SIZE];
  bj_options options;
  int faults = test_faults;
  random_state = seed;
  options = choose_options();
  memset(filler, '.', sizeof filler);
  sendable = make_file();
  uint32_t fails = failing;
  failing = 0;
  driver_open(&d, &options);
  if (is_proxied) CHECK_EQ(bj_server_proxied(d.server, "127.0.0.0/8", error), 0);
  failing = fails;
  memset(live, 0, sizeof live);
  for (int i = 0; i < CLIENTS; i++) players[i].fd = -1;
  for (int step = 0; step < STEPS; step++) {
    play_client(&players[chance(CLIENTS)]);
    play_handler(&live[chance(CLIENTS * 6)]);
    if (chance(3) == 0) {
      driver_flush(&d);
      turn();
    }
    if (step == STEPS - 200 && seed % 2 == 0) {
      bj_server_drain(d.server, 0);
      break;
    }
  }
  failing = 0;
  for (int i = 0; i < CLIENTS; i++) close(players[i].fd);
  int idle = 0; /* turns in a row without an event or a new connection */
  long long accepted = 0;
  for (int i = 0; i < 2000 && idle < 4; i++) {
    driver_flush(&d);
    driver_turn(&d);
    for (uint32_t k = 0; k < d.count; k++)
      if (d.events[k].type != BJ_STOPPED) hear(&d.events[k]);
    for (int k = 0; k < LIVE; k++) {
      if (live[k].state >= ASKED && live[k].state < ANSWERED) {
        driver_command(&d, BJ_ABORT, &live[k].e);
        live[k].state = ANSWERED;
      }
    }
    long long before = accepted;
    accepted = driver_counter(&d, BJ_CONN_ACCEPT_SUCCESS);
    bool is_idle = driver_counter(&d, BJ_CONNECTIONS_OPEN) == 0 && accepted == before &&
                   d.count + d.command_count == 0;
    idle = is_idle ? idle + 1 : 0;
  }
  if (idle < 4 || test_faults > faults)
    test_fault(__FILE__, __LINE__, "seed %u%s", seed, idle == 4 ? "" : " does not come to an end");
  driver_close(&d);
  close(sendable);
}

TEST("whatever clients and handlers do, answers reach their clients, in order")
{
  failing = 0;
  for (uint32_t seed = 1; seed <= ROUNDS; seed++) play(seed * 2654435761u);
}

TEST("the same when memory runs out now and then")
{
  for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
    failing = 10 + 20 * seed;
    play(seed * 2246822519u);
  }
}
