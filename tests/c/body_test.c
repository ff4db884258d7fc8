/* Bodies of requests: the window, dropping, limits, bad framing. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body
#define LAST_OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n" body
#define ERROR(status, length, text)                                                                \
  "HTTP/1.1 " status "\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: " length       \
  "\r\nConnection: close\r\n\r\n" text

enum { PART = 32768, WINDOW = 524288 };

static driver d;
static int client;
static bj_event e;
static char part[PART + 1], sink[1 << 16];
static uint32_t poured;

static void begin_with(bj_options options, const char *text)
{
  memset(part, 'x', PART);
  poured = 0;
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, text, strlen(text));
  e = driver_event(&d, BJ_REQUEST);
}

static void begin(const char *text)
{
  begin_with(driver_defaults(), text);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

/* Sends parts of `whole` bytes until nothing moves any more. Returns how many of them the server
 * has handed over meanwhile. */
static uint32_t pour(uint32_t whole)
{
  uint32_t got = 0;
  for (int idle = 0; idle < 4; idle++) {
    ssize_t n = send(client, part, PART < whole - poured ? PART : whole - poured, MSG_NOSIGNAL);
    poured += n > 0 ? (uint32_t)n : 0;
    driver_turn(&d);
    for (uint32_t i = 0; i < d.count; i++, idle = 0) {
      CHECK_EQ(d.events[i].type, BJ_BODY);
      got += d.events[i].body_size;
    }
  }
  return got;
}

TEST("reading pauses when a handler leaves a window unread, and goes on when it has taken some")
{
  begin(POST("1048576"));
  uint32_t got = pour(1048576);
  CHECK(got >= WINDOW && got < 2 * WINDOW);
  CHECK_EQ(bj_server_park(d.server), 0); /* nothing to do, although there is more to read */
  while (got < 1048576) {
    uint32_t before = got;
    driver_consume(&d, &e, got);
    driver_flush(&d);
    got += pour(1048576);
    if (got == before) break;
  }
  CHECK_EQ(got, 1048576);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
  end();
}

TEST("a body that is left when the answer is out is dropped, and the connection goes on")
{
  begin(CHUNKED "5\r\nhello\r\n");
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_send(client, "5\r\nworld\r\n0\r\n\r\n" GET);
  e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "b");
  driver_flush(&d);
  client_expect(client, OK("a") OK("b"));
  end();
}

TEST("a body too long to be dropped closes the connection")
{
  begin(POST("1000000"));
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  client_expect_end(client);
  CHECK_EQ(pour(WINDOW), 0);
  end();
}

TEST("a body without end that nobody reads is cut off")
{
  begin(CHUNKED);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
  client_send(client, "fffffff\r\n");
  for (int i = 0; i < 64 && client_read(client, sink, 1) == 0; i++)
    CHECK_EQ(pour(poured + PART), 0);
  client_expect_end(client);
  end();
}

#define BAD ERROR("400 Bad Request", "11", "Bad Request")
#define LARGE ERROR("413 Content Too Large", "17", "Content Too Large")

static const struct {
  const char *more;
  enum bj_reason reason;
  const char *answer;
} broken[] = {
  {"x", BJ_MALFORMED, BAD},
  {"1\r\na\n", BJ_MALFORMED, BAD},
  {"fffffffffx", BJ_MALFORMED, BAD},
  {"10000000000000000\r\n", BJ_MALFORMED, BAD},
  {"ff;=\r\n", BJ_MALFORMED, BAD},
  {"b\r\n", BJ_TOO_LARGE, LARGE},
  {"b\r\n0123456789abad", BJ_TOO_LARGE, LARGE},
  {"9\r\n123456789\r\n2\r\n", BJ_TOO_LARGE, LARGE},
  {"ffffffffffffffff\r\n", BJ_TOO_LARGE, LARGE},
};

/* Sends it whole or byte by byte, until the handler is told of the end. */
static void check_broken(size_t row, bool is_started, bool is_single)
{
  static const char started[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
  bj_options options = driver_defaults();
  options.max_body_low = 10;
  begin_with(options, CHUNKED);
  if (is_started) {
    driver_write(&d, &e, BJ_WRITE_HEAD, "a");
    driver_flush(&d);
  }
  const char *more = broken[row].more, *stop = more + strlen(more);
  bj_event told = {0};
  while (more < stop && told.type != BJ_ABORTED) {
    size_t size = is_single ? 1 : (size_t)(stop - more);
    client_send_bytes(client, more, size);
    more += size;
    driver_turn(&d);
    for (int i = 0; i < 2 && told.type != BJ_ABORTED; i++)
      told = driver_turn(&d) > 0 ? d.events[d.count - 1] : told;
  }
  long size = client_read(client, sink, sizeof sink);
  const char *expected = is_started ? started : broken[row].answer;
  if (told.type != BJ_ABORTED || told.flags != broken[row].reason || size < 0 ||
      client_undated(sink, (size_t)size) != strlen(expected) ||
      memcmp(sink, expected, strlen(expected)) != 0) {
    test_fault(__FILE__, __LINE__, "\"%s\": reason %u, \"%.*s\"", broken[row].more, told.flags,
               (int)size, sink);
  }
  client_expect_end(client);
  end();
}

TEST("bad framing or a body over its limit ends the request, however it is segmented")
{
  for (size_t row = 0; row < sizeof broken / sizeof *broken; row++)
    for (int how = 0; how < 4; how++) check_broken(row, how & 1, how & 2);
}

TEST("a body of exactly the limit is taken, one announced as larger is refused")
{
  bj_options options = driver_defaults();
  options.max_body_low = 10;
  begin_with(options, CHUNKED "a\r\n0123456789\r\n0\r\n\r\n");
  CHECK_EQ(e.body_size, 10);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
  client_send(client, POST("11") "0123456789x");
  CHECK_EQ(driver_turn(&d), 0);
  client_expect(client, ERROR("413 Content Too Large", "17", "Content Too Large"));
  end();
}

TEST("a client that leaves in the middle of its body is an abort")
{
  begin(POST("5") "abc");
  shutdown(client, SHUT_WR);
  driver_turn(&d);
  CHECK_EQ(driver_event(&d, BJ_ABORTED).flags, BJ_DISCONNECTED);
  client_expect(client, ERROR("400 Bad Request", "11", "Bad Request"));
  end();
}
