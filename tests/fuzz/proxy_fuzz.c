/* A connection that begins with a PROXY header: the parser alone, on every prefix of an input, and
 * a server behind it, which must see the same requests of the same client whether it gets them
 * whole or octet by octet. */
#include "fuzz.h"

#include "proxy.h"

enum { MOST = 4200, REQUESTS = 8 };

static driver d;

/* The result of one connection. */
typedef struct story {
  text told;                       /* for each request: the client, and its target */
  char local[BJ_ADDRESS_SIZE + 8]; /* the local address, unless the connection has failed by then */
  long long refused;
  bool has_answers; /* octets came back */
} story;

static void start(void)
{
  static bool has_started;
  char error[BJ_ERROR_SIZE];
  if (has_started) return;
  has_started = true;
  bj_options options = driver_defaults();
  options.max_requests = REQUESTS;
  driver_open(&d, &options);
  CHECK_EQ(bj_server_proxied(d.server, "127.0.0.1", error), 0);
}

/* ---- the reader --------------------------------------------------------------------------- */

/* Parses a copy that ends exactly where the sanitizer looks. */
static enum proxy_read read_copy(proxied *p, const uint8_t *data, size_t size)
{
  char *copy = malloc(size);
  memcpy(copy, data, size);
  enum proxy_read read = proxy_read(p, (bytes){copy, size});
  free(copy);
  return read;
}

/* A header is complete at its last octet, never earlier, whatever comes after it. */
static void check_reader(const uint8_t *data, size_t size)
{
  enum proxy_read before = PROXY_INCOMPLETE;
  proxied first = {0};
  size_t most = fuzz_thorough || size < 600 ? size : 600;
  for (size_t i = 1; i <= most; i++) {
    proxied p;
    enum proxy_read now = read_copy(&p, data, i);
    if (before != PROXY_INCOMPLETE) {
      CHECK_EQ(now, before);
      if (now == PROXY_COMPLETE) CHECK(memcmp(&p, &first, sizeof p) == 0);
    } else if (now == PROXY_COMPLETE) {
      CHECK_EQ(p.size, i);
      CHECK(p.size <= PROXY_MOST && p.from.port <= 65535 && p.to.port <= 65535);
      first = p;
    }
    before = now;
  }
  if (size >= PROXY_MOST) CHECK(read_copy(&first, data, size) != PROXY_INCOMPLETE);
}

/* ---- the server --------------------------------------------------------------------------- */

static void hear(story *s, const bj_event *e)
{
  char local[BJ_ADDRESS_SIZE];
  if (e->type != BJ_REQUEST) return;
  int port = bj_server_local(d.server, e->request, e->generation, local);
  if (port >= 0) snprintf(s->local, sizeof s->local, "%s %d", local, port);
  text_print(&s->told, "%08x%08x%08x%08x %u: ", e->peer[0], e->peer[1], e->peer[2], e->peer[3],
             e->peer_port);
  text_add(&s->told, d.arena + e->target_at, e->target_size);
  text_add(&s->told, "\n", 1);
  if ((e->flags & BJ_EVENT_END) == 0) driver_consume(&d, e, 0);
  driver_answer(&d, e, "a");
}

static void pump(story *s, int fd)
{
  char octets[4096];
  for (int i = 0; i < 3; i++) {
    driver_turn(&d);
    for (uint32_t k = 0; k < d.count; k++) hear(s, &d.events[k]);
    driver_flush(&d);
    while (recv(fd, octets, sizeof octets, 0) > 0) s->has_answers = true;
  }
}

static story play(const uint8_t *data, size_t size, size_t piece)
{
  story s = {0};
  long long before = driver_counter(&d, BJ_CONN_PROXY_ERROR);
  int fd = client_open(&d);
  for (size_t at = 0; at < size; at += piece) {
    size_t here = piece < size - at ? piece : size - at;
    if (send(fd, data + at, here, MSG_NOSIGNAL) < 0) break;
    pump(&s, fd);
  }
  shutdown(fd, SHUT_WR);
  pump(&s, fd);
  close(fd);
  pump(&s, fd);
  s.refused = driver_counter(&d, BJ_CONN_PROXY_ERROR) - before;
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 0);
  CHECK_EQ(driver_counter(&d, BJ_REQUESTS_IN_FLIGHT), 0);
  return s;
}

static void check_server(const uint8_t *data, size_t size)
{
  proxied p;
  enum proxy_read read = size > 0 ? read_copy(&p, data, size) : PROXY_INCOMPLETE;
  story whole = play(data, size, size > 0 ? size : 1);
  CHECK_EQ(whole.refused, size > 0 && read != PROXY_COMPLETE);
  if (read != PROXY_COMPLETE) CHECK(!whole.has_answers && whole.told.size == 0);
  story cut = play(data, size, size < 200 || fuzz_thorough ? 1 : 97);
  CHECK_EQ(cut.refused, whole.refused);
  CHECK(text_same(&cut.told, &whole.told));
  if (whole.local[0] != 0) CHECK(strcmp(cut.local, whole.local) == 0);
  CHECK_EQ(cut.has_answers, whole.has_answers);
  free(whole.told.base);
  free(cut.told.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  start();
  if (size > MOST) size = MOST;
  check_reader(data, size);
  check_server(data, size);
  return fuzz_verdict();
}
