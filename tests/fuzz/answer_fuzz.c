/* Output: the input is a list of what clients and handlers do next. A client must get answers to
 * its own requests, in order, each framed as its head says; only the last may be cut short. What
 * handlers are told must be consistent with what they were told before. */
#include "fuzz.h"

#include <sys/stat.h>

#include "answers.h"

enum { CLIENTS = 4, LIVE = 64, FILE_SIZE = 70000, FILLER = 100000 };

#define CHUNKED "POST /%u/%u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct form {
  const char *text;
  enum asked kind;
} forms[] = {
  {"GET /%u/%u HTTP/1.1\r\nHost: a\r\n\r\n", ASKED_GET},
  {"HEAD /%u/%u HTTP/1.1\r\nHost: a\r\n\r\n", ASKED_HEAD},
  {"POST /%u/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789", ASKED_GET},
  {CHUNKED "3\r\nabc\r\n0\r\n\r\n", ASKED_GET},
  {"POST /%u/%u HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
   ASKED_GET},
  {"GET /%u/%u HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ASKED_GET},
  {"GET /%u/%u HTTP/1.0\r\n\r\n", ASKED_GET},
  {"POST /%u/%u HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", ASKED_GET},
  {CHUNKED "xyz", ASKED_GET},
  {"GET /%u/%u\r\n\r\n", ASKED_GET},
};

enum { LAST_GOOD = 5 }; /* the forms after this one are not valid requests */

static driver d;
static char filler[26][FILLER];
static int sample = -1;  /* a file full of 'F' */
static bool is_draining; /* no client can connect any more */

static struct input {
  const uint8_t *at, *end;
} input;

static struct player {
  int fd; /* -1: not connected */
  uint32_t serial;
  answers answers;
  text out; /* what it still has to send */
  bool done;
} players[CLIENTS];

static struct live {
  bj_event e;
  enum { NOT_HERE, ASKED, STREAMING, DIRECT, ANSWERED, TOLD } state;
  uint32_t serial, number, unread;
  uint32_t left; /* with DIRECT */
} live[LIVE];    /* by slot */

static uint32_t take(void)
{
  return input.at < input.end ? *input.at++ : 0;
}

/* ---- clients ------------------------------------------------------------------------------ */

static void appear(struct player *p)
{
  static uint32_t serial;
  *p = (struct player){.fd = client_open(&d), .serial = ++serial};
}

static void leave(struct player *p)
{
  close(p->fd);
  p->fd = -1;
  answers_check(&p->answers);
  answers_free(&p->answers);
  free(p->out.base);
  p->out = (text){0};
}

static void ask(struct player *p, uint32_t which)
{
  const struct form *f = &forms[which % (sizeof forms / sizeof *forms)];
  if (p->done || p->answers.asked_count == ANSWERS_MOST) return;
  text_print(&p->out, f->text, p->serial, p->answers.asked_count);
  p->answers.asked[p->answers.asked_count++] = f->kind;
  p->done = f - forms > LAST_GOOD;
}

static void send_some_of(struct player *p, size_t size)
{
  if (size > p->out.size) size = p->out.size;
  ssize_t n = size == 0 ? 0 : send(p->fd, p->out.base, size, MSG_NOSIGNAL);
  if (n > 0) {
    p->out.size -= (size_t)n;
    memmove(p->out.base, p->out.base + n, p->out.size);
  }
}

static void receive(struct player *p, size_t size)
{
  char octets[65536];
  ssize_t n = recv(p->fd, octets, size < sizeof octets ? size : sizeof octets, 0);
  if (n > 0) text_add(&p->answers.got, octets, (size_t)n);
}

static void play_client(struct player *p, uint32_t what)
{
  if (p->fd < 0 && is_draining) return;
  if (p->fd < 0) appear(p);
  switch (what) {
  case 0: leave(p); return;
  case 1:
    shutdown(p->fd, SHUT_WR);
    p->done = true;
    return;
  case 2: receive(p, 1 + take()); return;
  case 3: receive(p, 65536); return;
  case 4: send_some_of(p, take()); return;
  case 5: ask(p, take()); return;
  default:
    ask(p, take());
    send_some_of(p, p->out.size);
    return;
  }
}

/* ---- the handler -------------------------------------------------------------------------- */

static void flush(void)
{
  driver_flush(&d);
}

static size_t choose_size(void)
{
  static const size_t sizes[] = {0, 1, 5, 100, 16383, 16384, 40000, FILLER};
  return sizes[take() % (sizeof sizes / sizeof *sizes)];
}

/* The fields: a reason of its own if there is one, then the mark by which the client tells whose
 * answer it is. */
static void put_fields(bj_command *command, const struct live *x)
{
  char fields[80];
  snprintf(fields, sizeof fields, "%sMark: %u/%u\r\n",
           (command->flags & BJ_WRITE_REASON) != 0 ? "As You Wish\r\n" : "", x->serial, x->number);
  command->fields_size = (uint32_t)strlen(fields);
  command->fields_at = driver_put(&d, fields, command->fields_size);
}

static bj_command *write_part(struct live *x, uint32_t flags)
{
  static const uint32_t statuses[] = {200, 200, 204, 304, 404, 500};
  size_t size = (flags & BJ_WRITE_FILE) != 0 ? 0 : choose_size();
  if (d.output_used + size + 80 > DRIVER_OUTPUT || d.command_count + 8 > DRIVER_COMMANDS)
    driver_collect(&d);
  bj_command *command = driver_command(&d, BJ_WRITE, &x->e);
  command->flags = flags;
  command->status = statuses[take() % (sizeof statuses / sizeof *statuses)];
  command->body_size = (uint32_t)size;
  command->body_at = driver_put(&d, filler[x->number % 26], size);
  if ((flags & BJ_WRITE_HEAD) != 0) put_fields(command, x);
  return command;
}

static uint32_t choose_flags(void)
{
  return take() & (BJ_WRITE_CLOSE | BJ_WRITE_REASON | BJ_WRITE_NOTIFY);
}

static void answer_whole(struct live *x)
{
  uint32_t flags = BJ_WRITE_HEAD | BJ_WRITE_END | choose_flags();
  bj_command *command = write_part(x, flags);
  if (take() % 4 == 0) {
    command->flags |= BJ_WRITE_LENGTH; /* correct or not */
    command->length_low = command->body_size + take() % 3 - 1;
    if (command->body_size == 0) command->length_low = take() % 2;
  }
  x->state = ANSWERED;
}

static void answer_with_file(struct live *x)
{
  uint32_t flags = BJ_WRITE_HEAD | BJ_WRITE_END | BJ_WRITE_LENGTH | BJ_WRITE_FILE | choose_flags();
  bj_command *command = write_part(x, flags);
  uint32_t from = take() << 8;
  command->body_at = (uint32_t)dup(sample);
  command->offset_low = from;
  command->length_low = take() % 4 == 0 ? take() : FILE_SIZE - from + take() % 2;
  x->state = ANSWERED;
}

static void answer_in_parts(struct live *x)
{
  uint32_t choice = take();
  bool ends = choice % 4 == 0;
  uint32_t flags = ends ? BJ_WRITE_END : 0;
  if (x->state == ASKED) flags |= BJ_WRITE_HEAD | choose_flags();
  bj_command *command = write_part(x, flags);
  if (x->state == ASKED && !ends && choice % 4 == 1) {
    command->flags |= BJ_WRITE_LENGTH;
    command->length_low = 40005;
  }
  x->state = ends ? ANSWERED : STREAMING;
}

/* The head by a command, the body directly. */
static void answer_directly(struct live *x)
{
  if (x->state == ASKED && (x->e.method & 0xffff) != BJ_HEAD) {
    bj_command *command = write_part(x, BJ_WRITE_HEAD | choose_flags());
    command->flags |= BJ_WRITE_LENGTH | BJ_WRITE_DIRECT;
    command->status = 200;
    command->body_size = 0;
    command->length_low = x->left = FILLER;
    x->state = DIRECT;
  }
  if (x->state != DIRECT) return;
  size_t size = choose_size();
  if (size > x->left) size = x->left;
  driver_collect(&d);
  x->left -= bj_server_write(d.server, x->e.request, x->e.generation, filler[x->number % 26],
                             (uint32_t)size);
  if (x->left == 0) x->state = ANSWERED;
}

static void play_handler(struct live *x, uint32_t what)
{
  if (d.command_count + 8 > DRIVER_COMMANDS) driver_collect(&d);
  if (x->state == NOT_HERE || x->state == TOLD) return;
  switch (what) {
  case 0:
    driver_consume(&d, &x->e, x->unread)->flags = x->number % 2 == 0 ? BJ_CONSUME_REST : 0;
    x->unread = 0;
    return;
  case 1:
    driver_command(&d, BJ_ABORT, &x->e);
    x->state = ANSWERED;
    return;
  case 2:
    if (x->state == ASKED) answer_whole(x);
    return;
  case 3: answer_directly(x); return;
  case 4:
    if (x->state == ASKED) answer_with_file(x);
    return;
  default:
    if (x->state == ASKED || x->state == STREAMING) answer_in_parts(x);
    return;
  }
}

static void hear(const bj_event *e)
{
  if (e->type == BJ_STOPPED) return;
  if (e->request >= LIVE) abort();
  struct live *x = &live[e->request];
  if (e->type == BJ_REQUEST) {
    CHECK(x->state == NOT_HERE || x->state == ANSWERED || x->state == TOLD);
    CHECK(x->e.generation != e->generation);
    *x = (struct live){.e = *e, .state = ASKED, .unread = e->body_size};
    CHECK_EQ(sscanf(d.arena + e->target_at, "/%u/%u ", &x->serial, &x->number), 2);
    return;
  }
  if (x->state == TOLD || x->state == NOT_HERE)
    test_fault(__FILE__, __LINE__, "event %u for an exchange in state %d", e->type, (int)x->state);
  CHECK_EQ(x->e.generation, e->generation);
  if (e->type == BJ_READABLE) {
    char rest[64];
    bj_server_read(d.server, e->request, e->generation, rest, x->number % 3 == 0 ? 1 : sizeof rest);
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

/* ---- the whole ---------------------------------------------------------------------------- */

static void start(void)
{
  bj_options options = driver_defaults();
  if (sample < 0) {
    FILE *f = tmpfile();
    for (int i = 0; i < FILE_SIZE; i++) fputc('F', f);
    fflush(f);
    sample = dup(fileno(f));
    fclose(f);
    for (int i = 0; i < 26; i++) memset(filler[i], 'a' + i, FILLER);
  }
  options.arena_size = 1 << 16;
  options.field_slots = 128;
  options.event_slots = 3 + take() % 30;
  options.max_pipelined = 1 + take() % 4;
  options.max_body_low = 1 << 20;
  driver_open(&d, &options);
  is_draining = false;
  memset(live, 0, sizeof live);
  for (int i = 0; i < CLIENTS; i++) players[i] = (struct player){.fd = -1};
}

static void step(void)
{
  uint32_t what = take(), who = what >> 4;
  switch (what & 15) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
  case 5:
  case 6: play_client(&players[who % CLIENTS], what & 15); return;
  case 7: turn(); return;
  case 8: flush(); return;
  case 15:
    if (who == 15) {
      bj_server_drain(d.server, 0);
      is_draining = true;
    }
    flush();
    turn();
    return;
  default: play_handler(&live[who], (what & 15) - 9); return;
  }
}

/* The handler gives up on what it has not answered. */
static void give_up(void)
{
  for (int i = 0; i < LIVE; i++) {
    if (live[i].state < ASKED || live[i].state > DIRECT) continue;
    driver_command(&d, BJ_ABORT, &live[i].e);
    live[i].state = ANSWERED;
  }
}

/* Clients still connected read what there is; then all leave, and nothing may be left. */
static void finish(void)
{
  for (int round = 0; round < 12; round++) {
    flush();
    turn();
    for (int i = 0; i < CLIENTS; i++)
      if (players[i].fd >= 0) receive(&players[i], 65536);
  }
  for (int i = 0; i < CLIENTS; i++)
    if (players[i].fd >= 0) leave(&players[i]);
  for (int round = 0; round < 8; round++) {
    turn();
    give_up();
    flush();
  }
  driver_close(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  input = (struct input){data, data + (size < 512 ? size : 512)};
  start();
  while (input.at < input.end) step();
  finish();
  return fuzz_verdict();
}
