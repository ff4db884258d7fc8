/* What is counted, and what is sent to a statsd server. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

enum { INTERVAL = 1 };

static driver d;
static int receiver, client;
static char text[16384];

static void begin_with(const char *prefix, const char *suffix, uint32_t interval)
{
  char error[BJ_ERROR_SIZE];
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof where;
  bj_options options = driver_defaults();
  driver_open(&d, &options);
  receiver = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(bind(receiver, (struct sockaddr *)&where, size), 0);
  CHECK_EQ(getsockname(receiver, (struct sockaddr *)&where, &size), 0);
  CHECK_EQ(
    bj_server_statsd(d.server, "127.0.0.1", ntohs(where.sin_port), prefix, suffix, interval, error),
    0);
  client = client_open(&d);
}

static void begin(const char *prefix, const char *suffix)
{
  begin_with(prefix, suffix, INTERVAL);
}

/* Collects all that is sent until the server's end, one count a line. */
static void end(void)
{
  bj_server_close(d.server);
  size_t at = 0;
  ssize_t n;
  while ((n = recv(receiver, text + at, sizeof text - at - 1, MSG_DONTWAIT)) >= 0) {
    CHECK(n <= 1432);
    at += (size_t)n;
    text[at++] = '\n';
  }
  text[at] = '\0';
  close(receiver);
  close(client);
  bj_server_free(d.server);
  close(d.wake);
  CHECK_EQ(count_descriptors(), d.descriptors);
  free(d.arena);
  free(d.fields);
  free(d.events);
  free(d.output);
  free(d.commands);
}

/* How counts are spread over datagrams depends on timing: only sums matter. */
static long long told(const char *name)
{
  long long sum = 0;
  for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
    bool is_whole = (at == text || at[-1] == '\n') && at[strlen(name)] == ':';
    if (is_whole) sum += strtoll(at + strlen(name) + 1, NULL, 10);
  }
  return sum;
}

static void serve(const char *body)
{
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, body);
  driver_flush(&d);
}

static void leave(void)
{
  shutdown(client, SHUT_WR);
  driver_turn(&d);
}

static void expect_counts(const char *const *rows)
{
  static const char *const all[] = {
    "conn.accept.error",   "conn.accept.success", "req.error.client_disconnected",
    "req.error.read",      "req.error.parse",     "req.error.internal",
    "req.success.read",    "req.active",          "req.done",
    "req.aborted",         "resp.active",         "resp.done",
    "resp.done.keepalive", "resp.conn.close",     "resp.aborted"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    int expected = 0;
    for (const char *const *row = rows; *row != NULL; row++) expected += strcmp(*row, all[i]) == 0;
    if (told(all[i]) != expected) printf("%s\n", all[i]);
    CHECK_EQ(told(all[i]), expected);
  }
}

#define EXPECT(...) expect_counts((const char *const[]){__VA_ARGS__, NULL})

TEST("a request on a connection that the client keeps, then leaves: no error")
{
  begin("", "");
  client_send(client, GET);
  serve("x");
  leave();
  end();
  EXPECT("conn.accept.success", "req.success.read", "req.done", "resp.done", "resp.done.keepalive");
}

TEST("a request in pieces, with a body in pieces, answered in pieces")
{
  begin("", "");
  client_send(client, "POST / HTTP/1.1\r\nHost:");
  driver_turn(&d);
  client_send(client, " a\r\nContent-Length: 2\r\n\r\n1");
  bj_event e = driver_event(&d, BJ_REQUEST);
  client_send(client, "2");
  driver_event(&d, BJ_BODY);
  driver_write(&d, &e, BJ_WRITE_HEAD, "part");
  driver_flush(&d);
  driver_write(&d, &e, BJ_WRITE_END | BJ_WRITE_CLOSE, "");
  driver_flush(&d);
  leave();
  end();
  EXPECT("conn.accept.success", "req.active", "req.active", "req.success.read", "req.done",
         "resp.active", "resp.done", "resp.done.keepalive");
}

TEST("a client that leaves in the middle of a request")
{
  begin("", "");
  client_send(client, "GET / HT");
  driver_turn(&d);
  leave();
  end();
  EXPECT("conn.accept.success", "req.active", "req.error.client_disconnected", "req.aborted");
}

TEST("a request that is refused")
{
  begin("", "");
  client_send(client, "GET\r\n\r\n");
  driver_turn(&d);
  end();
  EXPECT("conn.accept.success", "req.error.parse", "req.done", "resp.done", "resp.conn.close");
}

TEST("a handler that fails, and one that never answers")
{
  begin("", "");
  client_send(client, GET GET);
  driver_turn(&d);
  CHECK_EQ(d.count, 2);
  driver_answer(&d, &d.events[0], "x")->flags |= BJ_WRITE_FAILED;
  driver_flush(&d);
  end();
  EXPECT("conn.accept.success", "req.success.read", "req.success.read", "req.done", "req.done",
         "req.error.internal", "resp.done", "resp.done.keepalive", "resp.aborted");
}

TEST("names have the prefix, lines the tags")
{
  begin("shop.", "|#env:test,web");
  client_send(client, GET);
  serve("x");
  end();
  CHECK(strstr(text, "shop.conn.accept.success:1|c|#env:test,web\n") != NULL);
  for (char *line = text, *next; *line != '\0'; line = next + 1) {
    next = strchr(line, '\n');
    CHECK(strncmp(line, "shop.", 5) == 0);
    CHECK(strncmp(next - 14, "|#env:test,web", 14) == 0);
  }
}

TEST("long tags take several datagrams, and no count is lost")
{
  static char suffix[1201];
  memset(suffix, 't', sizeof suffix - 1);
  begin("", suffix);
  client_send(client, GET);
  serve("x");
  end();
  EXPECT("conn.accept.success", "req.success.read", "req.done", "resp.done", "resp.done.keepalive");
}

TEST("counts of one interval are one line, and the timer wakes a parked server")
{
  begin("", "");
  client_send(client, GET GET GET);
  driver_turn(&d);
  for (uint32_t i = 0; i < 3; i++) driver_answer(&d, &d.events[i], "x");
  driver_flush(&d);
  CHECK(bj_server_park(d.server) == 1 ||
        poll(&(struct pollfd){.fd = d.wake, .events = POLLIN}, 1, DRIVER_PATIENCE) == 1);
  for (int i = 0; i < 100; i++) {
    driver_turn(&d);
    if (poll(&(struct pollfd){.fd = receiver, .events = POLLIN}, 1, 10) == 1) break;
  }
  ssize_t n = recv(receiver, text, sizeof text - 1, MSG_DONTWAIT);
  CHECK(n > 0);
  text[n > 0 ? n : 0] = '\0';
  CHECK(strstr(text, "resp.done:3|c") != NULL);
  end();
  CHECK_EQ(text[0], '\0');
}

/* Milliseconds of the monotonic clock. */
static double read_clock(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Sends requests until the receiver gets something. */
static void serve_until_told(void)
{
  for (int i = 0; i < 5000 && recv(receiver, text, sizeof text, MSG_DONTWAIT) < 0; i++) {
    client_send(client, GET);
    serve("x");
    client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    poll(NULL, 0, 1);
  }
}

TEST("however much is counted, nothing is sent before the interval is over")
{
  enum { LONG = 20 };
  begin_with("", "", LONG);
  double start = read_clock();
  for (int intervals = 1; intervals <= 3; intervals++) {
    serve_until_told();
    CHECK(read_clock() - start >= intervals * LONG);
  }
  end();
}

TEST("a receiver that comes back gets the next counts at once")
{
  begin_with("", "", 1);
  struct sockaddr_in where;
  socklen_t size = sizeof where;
  CHECK_EQ(getsockname(receiver, (struct sockaddr *)&where, &size), 0);
  close(receiver);
  client_send(client, GET);
  serve("lost");
  driver_pass(&d, 20);
  receiver = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(bind(receiver, (struct sockaddr *)&where, size), 0);
  client_send(client, GET);
  serve("told");
  driver_pass(&d, 20);
  end();
  CHECK_EQ(told("resp.done"), 1);
}

TEST("there is one statsd server: a second one is refused")
{
  char error[BJ_ERROR_SIZE];
  begin("", "");
  CHECK_EQ(bj_server_statsd(d.server, "127.0.0.1", 9, "x", "y", INTERVAL, error), -EALREADY);
  client_send(client, GET);
  serve("x");
  end();
  EXPECT("conn.accept.success", "req.success.read", "req.done", "resp.done", "resp.done.keepalive");
}

TEST("a host without an address is refused")
{
  char error[BJ_ERROR_SIZE];
  bj_options options = driver_defaults();
  driver_open(&d, &options);
  CHECK(bj_server_statsd(d.server, "no such host.invalid", 1, "", "", 1, error) < 0);
  CHECK(strncmp(error, "getaddrinfo: ", 13) == 0);
  driver_close(&d);
}
