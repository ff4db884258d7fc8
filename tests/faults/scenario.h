/* One run of a server through everything it does: requests whole and in pieces, bodies, streams,
 * files, clients that leave, statsd, parking, draining. Whatever fails, it must end with nothing
 * left over; what each client got is kept for comparison. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#include "../c/driver.h"
#include "shim.h"

enum { PIECES = 5, GOT = 1 << 20, LARGE = 300000, SMALL = 1000, PART = 100000, SLOTS = 256 };
enum { PATIENCE = 1500 }; /* milliseconds for an answer; accepting pauses for 100 */

#define REQUEST(line) line "\r\nHost: a\r\n\r\n"

static const struct script {
  const char *name;
  const char *pieces[PIECES];
} scripts[] = {
  {"pipelined",
   {REQUEST("GET /late HTTP/1.1") REQUEST("GET /now HTTP/1.1") REQUEST("HEAD /now HTTP/1.1")}},
  {"length",
   {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", "01234", "56789",
    REQUEST("GET /now HTTP/1.1")}},
  {"chunked",
   {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nab", "cde\r\n", "0\r\n\r\n"}},
  {"cut head", {"GET /now HT", "TP/1.1\r\nHo", "st: a\r\n", "\r\n"}},
  {"stream", {REQUEST("GET /stream HTTP/1.1") REQUEST("GET /now HTTP/1.1")}},
  {"until close", {"GET /stream HTTP/1.0\r\n\r\n"}},
  {"files",
   {REQUEST("GET /small HTTP/1.1") REQUEST("GET /large HTTP/1.1") REQUEST("GET /now HTTP/1.1")}},
  {"direct", {REQUEST("GET /direct HTTP/1.1") REQUEST("GET /now HTTP/1.1")}},
  {"malformed", {REQUEST("GET /now HTTP/1.1") "GET / HTTP/1.1\r\n\r\n"}},
  {"close", {"GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}},
  {"leaves", {REQUEST("GET /late HTTP/1.1") "GET /now"}},
  {"keep-alive", {REQUEST("GET /now HTTP/1.1"), "", "", "", REQUEST("GET /now HTTP/1.1")}},
};

enum { SCRIPTS = sizeof scripts / sizeof *scripts };

/* What a client got. */
typedef struct result {
  char *got;
  size_t size;
  size_t least; /* size as received: with Date, without 100 (Continue) */
  bool has_ended;
} result;

enum work { WORK_NONE, WORK_LATE, WORK_ECHO, WORK_STREAM, WORK_DIRECT };

typedef struct scenario {
  driver d;
  const struct scenario *expected; /* tells a client when it has everything; NULL: nothing does */
  result results[SCRIPTS];
  int fds[SCRIPTS];
  int file, statsd;
  bool is_set_up, is_stopped, hangs;
  struct {
    bj_event e;
    enum work work;
    uint32_t received, parts; /* octets of the body; sent, with WORK_DIRECT */
    bool waits;
  } live[SLOTS]; /* by slot */
} scenario;

static char scenario_part[PART];
static enum bj_backend scenario_backend = BJ_BACKEND_AUTO;

/* ---- the handler -------------------------------------------------------------------------- */

static void send_file(scenario *s, const bj_event *e, uint32_t size)
{
  bj_command *command = driver_write(&s->d, e, 0, "");
  command->flags = BJ_WRITE_HEAD | BJ_WRITE_END | BJ_WRITE_LENGTH | BJ_WRITE_FILE | BJ_WRITE_NOTIFY;
  command->body_at = (uint32_t)dup(s->file);
  command->length_low = size;
}

static void begin_work(scenario *s, const bj_event *e)
{
  const char *path = s->d.arena + e->target_at;
  enum work work = WORK_NONE;
  if (path[1] == 'n') driver_answer(&s->d, e, "now");
  if (path[1] == 'l' && path[3] == 't') work = WORK_LATE;
  if (path[1] == 'l' && path[3] == 'r') send_file(s, e, LARGE);
  if (path[1] == 's' && path[2] == 'm') send_file(s, e, SMALL);
  if (path[1] == 's' && path[2] == 't') {
    driver_write(&s->d, e, BJ_WRITE_HEAD, "begin");
    work = WORK_STREAM;
  }
  if (path[1] == 'd') {
    bj_command *command =
      driver_write(&s->d, e, BJ_WRITE_HEAD | BJ_WRITE_LENGTH | BJ_WRITE_DIRECT, "");
    command->length_low = LARGE;
    work = WORK_DIRECT;
  }
  if (path[1] == 'e') work = WORK_ECHO;
  s->live[e->request].e = *e;
  s->live[e->request].work = work;
  s->live[e->request].received = 0;
  s->live[e->request].parts = 0;
  s->live[e->request].waits = false;
}

static void take_body(scenario *s, const bj_event *e)
{
  uint32_t slot = e->request;
  if (s->live[slot].work != WORK_ECHO) return;
  s->live[slot].received += e->body_size;
  driver_consume(&s->d, e, e->body_size);
  if ((e->flags & BJ_EVENT_END) == 0) return;
  char text[32];
  snprintf(text, sizeof text, "%u octets", s->live[slot].received);
  driver_answer(&s->d, e, text);
  s->live[slot].work = WORK_NONE;
}

static void hear(scenario *s, const bj_event *e)
{
  if (e->type == BJ_STOPPED) {
    s->is_stopped = true;
    return;
  }
  CHECK(e->request < SLOTS);
  if (e->type == BJ_REQUEST) begin_work(s, e);
  CHECK_EQ(s->live[e->request].e.generation, e->generation);
  if (e->type == BJ_REQUEST || e->type == BJ_BODY) take_body(s, e);
  if (e->type == BJ_DRAINED) s->live[e->request].waits = false;
  if (e->type == BJ_ABORTED) s->live[e->request].work = WORK_NONE;
}

/* Writes as much as the socket takes. */
static void go_on_directly(scenario *s, uint32_t slot)
{
  const bj_event *e = &s->live[slot].e;
  uint32_t left = LARGE - s->live[slot].received, size = left < PART ? left : PART;
  uint32_t taken = bj_server_write(s->d.server, e->request, e->generation, scenario_part, size);
  s->live[slot].received += taken;
  s->live[slot].waits = taken < size;
  if (taken == left) s->live[slot].work = WORK_NONE;
}

static void go_on(scenario *s, uint32_t slot)
{
  const bj_event *e = &s->live[slot].e;
  if (s->live[slot].work == WORK_LATE) {
    driver_answer(&s->d, e, "late");
    s->live[slot].work = WORK_NONE;
  }
  if (s->live[slot].work == WORK_DIRECT && !s->live[slot].waits) go_on_directly(s, slot);
  if (s->live[slot].work == WORK_STREAM && !s->live[slot].waits) {
    bool ends = ++s->live[slot].parts == 4;
    bj_command *command = driver_write(&s->d, e, ends ? BJ_WRITE_END : 0, "");
    command->body_at = driver_put(&s->d, scenario_part, PART);
    command->body_size = PART;
    if (ends) s->live[slot].work = WORK_NONE;
  }
}

static void flush(scenario *s)
{
  uint32_t count = s->d.command_count;
  driver_flush(&s->d);
  for (uint32_t i = 0; i < count; i++) {
    const bj_command *c = &s->d.commands[i];
    if (c->type == BJ_WRITE && (c->flags & BJ_WRITE_END) == 0 && c->backlog > BJ_HIGH_WATER)
      s->live[c->request].waits = true;
  }
}

/* ---- the clients -------------------------------------------------------------------------- */

static size_t receive(scenario *s, int which)
{
  result *r = &s->results[which];
  size_t before = r->size;
  ssize_t n = 1;
  while (!r->has_ended && r->size < GOT && n > 0) {
    n = recv(s->fds[which], r->got + r->size, GOT - r->size, 0);
    if (n > 0) r->size += (size_t)n;
    r->has_ended = n == 0 || (n < 0 && errno != EAGAIN);
  }
  return r->size - before;
}

/* Returns how many things have happened. */
static size_t turn(scenario *s)
{
  size_t happened = driver_turn(&s->d);
  for (uint32_t i = 0; i < s->d.count; i++) hear(s, &s->d.events[i]);
  happened += s->d.command_count;
  flush(s);
  for (uint32_t slot = 0; slot < SLOTS; slot++) go_on(s, slot);
  happened += s->d.command_count;
  flush(s);
  for (int i = 0; i < SCRIPTS; i++)
    if (s->fds[i] >= 0) happened += receive(s, i);
  return happened;
}

/* Whether this client leaves once it has sent everything. */
static bool leaves(int which)
{
  return strcmp(scripts[which].name, "leaves") == 0;
}

static void send_piece(scenario *s, int which, int piece)
{
  const char *text = scripts[which].pieces[piece];
  if (text != NULL && s->fds[which] >= 0) send(s->fds[which], text, strlen(text), MSG_NOSIGNAL);
  bool is_last = piece + 1 == PIECES || scripts[which].pieces[piece + 1] == NULL;
  if (is_last && leaves(which) && s->fds[which] >= 0) {
    close(s->fds[which]);
    s->fds[which] = -1;
  }
}

static bool is_content(const scenario *s)
{
  for (int i = 0; i < SCRIPTS && s->expected != NULL; i++)
    if (s->fds[i] >= 0 && !s->results[i].has_ended &&
        s->results[i].size < s->expected->results[i].least) {
      return false;
    }
  return true;
}

static void wait_a_little(void)
{
  nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Turns until nothing more happens; with `all`, until every client also has everything. */
static void settle(scenario *s, bool all)
{
  int quiet = 0;
  for (int waited = 0;;) {
    quiet = turn(s) == 0 ? quiet + 1 : 0;
    if (quiet < 4) continue;
    if (!all || is_content(s)) return;
    if (waited++ > PATIENCE) {
      s->hangs = true;
      return;
    }
    wait_a_little();
  }
}

/* Waits in the helper thread for a client's octets. */
static void park(scenario *s, int which, int piece)
{
  struct pollfd wake = {.fd = s->d.wake, .events = POLLIN};
  char octet;
  bool is_parked = bj_server_park(s->d.server) == 0;
  send_piece(s, which, piece);
  if (is_parked && !s->results[which].has_ended)
    CHECK(poll(&wake, 1, PATIENCE) == 1 && read(s->d.wake, &octet, 1) == 1);
}

static void play_clients(scenario *s)
{
  for (int i = 0; i < SCRIPTS; i++) s->fds[i] = client_open(&s->d);
  for (int piece = 0; piece < PIECES - 1; piece++) {
    for (int i = 0; i < SCRIPTS; i++) send_piece(s, i, piece);
    turn(s);
    turn(s);
  }
  settle(s, false);
  park(s, SCRIPTS - 1, PIECES - 1);
  settle(s, true);
}

/* ---- beginning and end -------------------------------------------------------------------- */

/* A statsd address that nobody reads from. */
static uint32_t open_statsd(scenario *s)
{
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof where;
  s->statsd = socket(AF_INET, SOCK_DGRAM, 0);
  bind(s->statsd, (struct sockaddr *)&where, size);
  getsockname(s->statsd, (struct sockaddr *)&where, &size);
  return ntohs(where.sin_port);
}

static void open_file(scenario *s)
{
  FILE *f = tmpfile();
  for (int i = 0; i < LARGE; i++) fputc('F', f);
  fflush(f);
  s->file = dup(fileno(f));
  fclose(f);
  memset(scenario_part, 'p', PART);
}

/* Starts the server. If that fails, there must be a reason. */
static bool set_up(scenario *s, const fault *f)
{
  static int number;
  char error[BJ_ERROR_SIZE] = "";
  driver *d = &s->d;
  uint32_t port = open_statsd(s);
  snprintf(d->host, sizeof d->host, "unix:/tmp/bjoern-fault-%d-%d", (int)getpid(), number++);
  shim_start(f);
  d->server =
    bj_server_new(&d->options, d->arena, d->fields, d->events, d->output, d->commands, error);
  CHECK(d->server != NULL || error[0] != '\0');
  if (d->server == NULL) return false;
  d->wake = bj_server_wake_fd(d->server);
  if (bj_server_listen(d->server, d->host, 0, 64, 0, 0, error) != 0 ||
      bj_server_statsd(d->server, "127.0.0.1", port, "p.", "", 60000, error) != 0) {
    CHECK(error[0] != '\0');
    return false;
  }
  return true;
}

static void make_memory(driver *d)
{
  *d = (driver){.options = driver_defaults(), .descriptors = count_descriptors(), .wake = -1};
  d->options.backend = scenario_backend;
  d->options.arena_size = 1 << 18;
  d->options.max_fields = 16;
  d->options.field_slots = 256;
  d->options.event_slots = 64;
  d->arena = malloc(d->options.arena_size);
  d->fields = malloc(d->options.field_slots * 2 * sizeof *d->fields);
  d->events = malloc(d->options.event_slots * sizeof *d->events);
  d->output = malloc(DRIVER_OUTPUT);
  d->commands = malloc(DRIVER_COMMANDS * sizeof *d->commands);
}

static void free_memory(driver *d)
{
  free(d->arena);
  free(d->fields);
  free(d->events);
  free(d->output);
  free(d->commands);
}

static void drain(scenario *s)
{
  for (int i = 0; i < SCRIPTS; i++)
    if (s->fds[i] >= 0) close(s->fds[i]);
  for (int i = 0; i < SCRIPTS; i++) s->fds[i] = -1;
  bj_server_drain(s->d.server, 0);
  for (int waited = 0; !s->is_stopped && waited < PATIENCE; waited++)
    if (turn(s) == 0) wait_a_little();
  CHECK(s->is_stopped);
  CHECK_EQ(driver_counter(&s->d, BJ_CONNECTIONS_OPEN), 0);
  CHECK_EQ(driver_counter(&s->d, BJ_REQUESTS_IN_FLIGHT), 0);
}

/* Removes Date, and the 100 (Continue) that is not sent if the body arrives first. */
static void normalise(result *r)
{
  static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
  const size_t size = sizeof line - 1;
  if (r->size >= size && memcmp(r->got, line, size) == 0) {
    memmove(r->got, r->got + size, r->size - size);
    r->size -= size;
  }
  r->least = r->size;
  r->size = client_undated(r->got, r->size);
}

static void begin(scenario *s, const scenario *expected)
{
  *s = (scenario){.expected = expected};
  make_memory(&s->d);
  open_file(s);
  for (int i = 0; i < SCRIPTS; i++) {
    s->fds[i] = -1;
    s->results[i].got = malloc(GOT);
  }
}

/* Ends the server, and checks that nothing is left. */
static void end(scenario *s)
{
  if (s->d.server != NULL) bj_server_free(s->d.server);
  if (s->d.wake >= 0) close(s->d.wake);
  close(s->file);
  close(s->statsd);
  CHECK_EQ(count_descriptors(), s->d.descriptors);
  CHECK(access(s->d.host + 5, F_OK) < 0);
  unlink(s->d.host + 5);
  free_memory(&s->d);
  for (int i = 0; i < SCRIPTS; i++) normalise(&s->results[i]);
}

/* Plays it all, with a fault or without. */
static void scenario_play(scenario *s, const fault *f, const scenario *expected)
{
  begin(s, expected);
  s->is_set_up = set_up(s, f);
  if (s->is_set_up) {
    play_clients(s);
    drain(s);
  }
  end(s);
}

static void scenario_free(scenario *s)
{
  for (int i = 0; i < SCRIPTS; i++) free(s->results[i].got);
}

#endif
