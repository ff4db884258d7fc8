/* A connection from the first octet to the last: wherever the octets are cut, and however little
 * room a turn has, the handler and the client get the same. */
#include "fuzz.h"

enum { MOST = 2048, TARGET_LIMIT = 128, FIELD_LIMIT = 8, REQUESTS = 6 };

/* The result of one connection. */
typedef struct story {
  text told; /* to the handler: each request once it is complete or lost */
  text got;  /* by the client */
  long long counted[BJ_COUNTERS];
  bool has_ended; /* the client saw the end of the stream */
  bj_event open;  /* the request whose body is being received; type 0: none */
  text body;      /* its body so far */
  struct done {
    bj_event e;
    text body;
  } done[REQUESTS]; /* of this turn, answered at its end */
  uint32_t done_count;
} story;

static driver roomy, tight;
static bool backwards; /* answers are given in reverse order */

static void start(void)
{
  static bool has_started;
  if (has_started) return;
  has_started = true;
  bj_options options = driver_defaults();
  options.max_head_size = 512;
  options.max_target_size = TARGET_LIMIT;
  options.max_fields = FIELD_LIMIT;
  options.max_body_low = 256;
  options.max_requests = REQUESTS;
  options.arena_size = 1 << 16;
  driver_open(&roomy, &options);
  options.arena_size = options.max_head_size + 4096;
  options.event_slots = 3;
  options.field_slots = FIELD_LIMIT;
  options.max_pipelined = 1;
  driver_open(&tight, &options);
}

/* ---- the handler -------------------------------------------------------------------------- */

static void tell_request(driver *d, story *s, const bj_event *e)
{
  const char *head = d->arena + e->head_at;
  const uint32_t *pair = d->fields + 2 * e->fields_at;
  text_print(&s->told, "request %u flags %u of %u octets: ", e->method & 0xffff,
             e->flags & ~BJ_EVENT_END, e->head_size);
  text_add(&s->told, head, e->method >> 16);
  text_add(&s->told, " ", 1);
  text_add(&s->told, d->arena + e->target_at, e->target_size);
  text_add(&s->told, " at ", 4);
  text_add(&s->told, d->arena + e->authority_at, e->authority_size);
  for (uint32_t i = 0; i < e->fields_count; i++, pair += 2) {
    text_add(&s->told, "\n[", 2);
    text_add(&s->told, head + (pair[0] & 0xffff), pair[0] >> 16);
    text_add(&s->told, "] [", 3);
    text_add(&s->told, head + (pair[1] & 0xffff), pair[1] >> 16);
    text_add(&s->told, "]", 1);
  }
}

/* The body is sent back, so the client sees what the handler was told. */
static void answer(driver *d, const struct done *request)
{
  bj_command *command = driver_answer(d, &request->e, "");
  command->body_size = (uint32_t)request->body.size;
  command->body_at =
    driver_put(d, request->body.size > 0 ? request->body.base : "", request->body.size);
}

/* Handlers may finish in another order than that of the answers. */
static void answer_all(driver *d, story *s)
{
  for (uint32_t i = 0; i < s->done_count; i++)
    answer(d, &s->done[backwards ? s->done_count - 1 - i : i]);
  for (uint32_t i = 0; i < s->done_count; i++) free(s->done[i].body.base);
  s->done_count = 0;
}

static void finish_request(story *s)
{
  text_add(&s->told, "\nbody: ", 7);
  text_add(&s->told, s->body.base, s->body.size);
  text_add(&s->told, "\n", 1);
  if (s->done_count == REQUESTS) abort();
  s->done[s->done_count++] = (struct done){s->open, s->body};
  s->body = (text){0};
  s->open = (bj_event){0};
}

static void take_body(driver *d, story *s, const bj_event *e)
{
  text_add(&s->body, d->arena + e->body_at, e->body_size);
  if ((e->flags & BJ_EVENT_END) != 0)
    finish_request(s);
  else
    driver_consume(d, e, e->body_size);
}

static void hear(driver *d, story *s, const bj_event *e)
{
  if (e->type == BJ_REQUEST) {
    CHECK_EQ(s->open.type, 0);
    s->open = *e;
    s->body.size = 0;
    tell_request(d, s, e);
    take_body(d, s, e);
    return;
  }
  if (s->open.type == 0 || s->open.request != e->request || s->open.generation != e->generation) {
    test_fault(__FILE__, __LINE__, "event %u for no open request", e->type);
    return;
  }
  if (e->type == BJ_BODY) take_body(d, s, e);
  /* How much of a lost body arrives depends on the cuts. */
  if (e->type == BJ_ABORTED) {
    text_print(&s->told, "\nlost: %u\n", e->flags);
    s->open = (bj_event){0};
  }
}

/* ---- the client --------------------------------------------------------------------------- */

static void collect(story *s, int fd)
{
  char octets[4096];
  ssize_t n;
  while ((n = recv(fd, octets, sizeof octets, 0)) > 0) text_add(&s->got, octets, (size_t)n);
  s->has_ended |= n == 0 || (n < 0 && errno != EAGAIN);
}

/* Turns until nothing more comes of what was sent. */
static void pump(driver *d, story *s, int fd)
{
  for (int quiet = 0, i = 0; quiet < 2 && i < 1000; i++) {
    driver_turn(d);
    for (uint32_t k = 0; k < d->count; k++) hear(d, s, &d->events[k]);
    answer_all(d, s);
    quiet = d->count + d->command_count == 0 ? quiet + 1 : 0;
    driver_flush(d);
    collect(s, fd);
  }
}

/* Sends pieces that end at `cut`, or single octets if `piece` is 1. */
static void play(driver *d, story *s, const uint8_t *data, size_t size, size_t cut, size_t piece)
{
  double before[BJ_COUNTERS], after[BJ_COUNTERS];
  *s = (story){0};
  bj_server_counters(d->server, before);
  int fd = client_open(d);
  pump(d, s, fd);
  for (size_t at = 0, end; at < size; at = end) {
    end = piece == 1 ? at + 1 : at < cut ? cut : size;
    /* The server may be gone: the octets after a refused request belong to nobody. */
    if (send(fd, data + at, end - at, MSG_NOSIGNAL) < 0) break;
    pump(d, s, fd);
  }
  shutdown(fd, SHUT_WR);
  pump(d, s, fd);
  close(fd);
  pump(d, s, fd);
  bj_server_counters(d->server, after);
  CHECK_EQ(s->open.type, 0);
  CHECK(s->has_ended);
  CHECK_EQ(after[BJ_CONNECTIONS_OPEN], 0);
  CHECK_EQ(after[BJ_REQUESTS_IN_FLIGHT], 0);
  for (int i = 0; i < BJ_COUNTERS; i++) s->counted[i] = (long long)(after[i] - before[i]);
}

static void forget(story *s)
{
  free(s->told.base);
  free(s->got.base);
  free(s->body.base);
}

/* ---- comparison --------------------------------------------------------------------------- */

/* Who waits for 100 (Continue) gets it, unless the body has already arrived. */
static void normalise(story *s)
{
  s->got.size = client_undated(s->got.base, s->got.size);
  text_remove(&s->got, "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool passes_limit(const uint8_t *data, size_t size)
{
  size_t lines = 0;
  for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
  return size > TARGET_LIMIT || lines > FIELD_LIMIT;
}

/* Where the last answer begins. */
static size_t last_answer(const text *got)
{
  static const char start[] = "HTTP/1.1 ";
  size_t last = 0;
  for (size_t i = 0; i + sizeof start + 3 <= got->size; i++)
    if (memcmp(got->base + i, start, sizeof start - 1) == 0) last = i;
  return last;
}

static bool is_refusal(const text *got, size_t at)
{
  static const char *const statuses[] = {"400", "414", "421", "431", "501", "505"};
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    if (at + 12 <= got->size && memcmp(got->base + at + 9, statuses[i], 3) == 0) return true;
  return false;
}

/* Input over a limit and malformed after it is refused for whichever is seen first, so the last
 * answers may be different refusals. */
static bool both_refuse(const text *a, const text *b)
{
  size_t at = last_answer(a);
  return at == last_answer(b) && is_refusal(a, at) && is_refusal(b, at) &&
         memcmp(a->base, b->base, at) == 0;
}

static void compare(const story *whole, const story *cut, const uint8_t *data, size_t size,
                    const char *how, size_t at)
{
  static const enum bj_counter steady[] = {BJ_CONN_ACCEPT_SUCCESS, BJ_REQ_ERROR_CLIENT_DISCONNECTED,
                                           BJ_REQ_ERROR_READ,      BJ_REQ_ERROR_PARSE,
                                           BJ_REQ_SUCCESS_READ,    BJ_REQ_DONE,
                                           BJ_REQ_ABORTED,         BJ_RESP_DONE,
                                           BJ_RESP_DONE_KEEPALIVE, BJ_RESP_CONN_CLOSE,
                                           BJ_RESP_ABORTED};
  bool is_told = text_same(&whole->told, &cut->told);
  bool is_got = text_same(&whole->got, &cut->got) ||
                (passes_limit(data, size) && both_refuse(&whole->got, &cut->got));
  for (size_t i = 0; i < sizeof steady / sizeof *steady; i++)
    CHECK_EQ(cut->counted[steady[i]], whole->counted[steady[i]]);
  if (!is_told || !is_got || test_faults > 0) {
    test_fault(__FILE__, __LINE__, "%s at %zu of \"%.*s\"", how, at, (int)size, data);
    printf("---- whole:\n%.*s\n%.*s\n---- cut:\n%.*s\n%.*s\n", (int)whole->told.size,
           whole->told.base, (int)whole->got.size, whole->got.base, (int)cut->told.size,
           cut->told.base, (int)cut->got.size, cut->got.base);
    fuzz_verdict(); /* one place is enough */
  }
}

static void try_cut(const story *whole, driver *d, const uint8_t *data, size_t size, size_t cut,
                    size_t piece)
{
  story other;
  play(d, &other, data, size, cut, piece);
  normalise(&other);
  compare(whole, &other, data, size,
          backwards     ? "answered in reverse, cut"
          : piece == 1  ? "octet by octet"
          : d == &tight ? "with little room, cut"
                        : "cut",
          cut);
  forget(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  start();
  if (size > MOST) size = MOST;
  story whole;
  play(&roomy, &whole, data, size, size, size);
  normalise(&whole);
  try_cut(&whole, &tight, data, size, size, size);
  backwards = true;
  try_cut(&whole, &roomy, data, size, size, size);
  backwards = false;
  if (size < 400 || fuzz_thorough) try_cut(&whole, &roomy, data, size, 0, 1);
  size_t cuts = fuzz_thorough ? size : 3;
  for (size_t i = 0; i < cuts && size > 1; i++) {
    size_t cut = fuzz_thorough ? i : fuzz_hash(data, size, (uint32_t)i) % size;
    try_cut(&whole, i % 2 == 0 ? &roomy : &tight, data, size, cut, size);
  }
  forget(&whole);
  return fuzz_verdict();
}
