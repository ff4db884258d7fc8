/* Answers written in parts: back-pressure, and lengths that are not kept. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET10 "GET / HTTP/1.0\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body

enum { PART = 32768 };

static driver d;
static int client;
static bj_event e;
static char part[PART + 1], sink[1 << 22];

static void begin(const char *text)
{
  bj_options options = driver_defaults();
  memset(part, 'x', PART);
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, text, strlen(text));
  e = driver_event(&d, BJ_REQUEST);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

/* Writes parts until there is a backlog. Returns the bytes written. */
static size_t fill(const bj_event *of, uint32_t flags)
{
  size_t written = 0;
  bj_command *command;
  do {
    command = driver_write(&d, of, written == 0 ? flags : 0, part);
    driver_flush(&d);
    written += PART;
  } while (command->backlog <= BJ_HIGH_WATER && written < 1 << 24);
  return written;
}

/* Lets the client read until there is no more. Returns the one event that comes. */
static bj_event take_all(enum bj_event_type type)
{
  bj_event only = {0};
  for (int idle = 0; idle < 3; idle++) {
    idle = client_read(client, sink, sizeof sink) > 0 ? 0 : idle;
    driver_turn(&d);
    for (uint32_t i = 0; i < d.count; i++) {
      CHECK_EQ(only.type, 0);
      CHECK_EQ((only = d.events[i]).type, type);
    }
  }
  return only;
}

TEST("a caller that writes more than the client takes is told to wait, and then to go on")
{
  begin(GET);
  size_t written = 0, got = 0;
  for (int round = 0; round < 4; round++) {
    written += fill(&e, round == 0 ? BJ_WRITE_HEAD : 0);
    CHECK_EQ(driver_turn(&d), 0);
    bool told = false;
    for (long n; (n = client_read(client, sink, PART)) > 0; got += (size_t)n) {
      driver_turn(&d);
      CHECK(d.count == 0 || (d.count == 1 && !told && d.events[0].type == BJ_DRAINED));
      told |= d.count > 0;
    }
    CHECK(told);
  }
  driver_write(&d, &e, BJ_WRITE_END, "");
  driver_flush(&d);
  got += (size_t)client_read(client, sink, sizeof sink);
  CHECK(got > written);
  CHECK_BYTES(sink, 5, "0\r\n\r\n");
  end();
}

TEST("a caller that writes behind an unfinished answer is told to wait, and then to go on")
{
  begin(GET);
  client_send(client, GET);
  bj_event f = driver_event(&d, BJ_REQUEST);
  fill(&f, BJ_WRITE_HEAD);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  CHECK_EQ(take_all(BJ_DRAINED).request, f.request);
  driver_write(&d, &f, BJ_WRITE_END, "");
  driver_flush(&d);
  end();
}

TEST("requests behind an answer that the client does not take are read when it does")
{
  begin(GET);
  fill(&e, BJ_WRITE_HEAD);
  client_send(client, GET GET);
  CHECK_EQ(driver_turn(&d), 0);
  driver_write(&d, &e, BJ_WRITE_END, "");
  driver_flush(&d);
  CHECK_EQ(driver_turn(&d), 0);
  uint32_t requests = 0;
  while (client_read(client, sink, sizeof sink) > 0 || requests < 2) {
    if (driver_turn(&d) == 0 && requests == 2) break;
    requests += d.count;
    for (uint32_t i = 0; i < d.count; i++) driver_answer(&d, &d.events[i], "a");
    driver_flush(&d);
  }
  CHECK_EQ(requests, 2);
  end();
}

TEST("BJ_WRITE_NOTIFY: BJ_SENT when the kernel has the last byte, BJ_ABORTED if it never will")
{
  for (int leaves = 0; leaves < 2; leaves++) {
    begin(GET);
    fill(&e, BJ_WRITE_HEAD | BJ_WRITE_NOTIFY);
    driver_write(&d, &e, BJ_WRITE_END, "");
    driver_flush(&d);
    CHECK_EQ(driver_counter(&d, BJ_REQUESTS_IN_FLIGHT), 0);
    if (leaves) close(client);
    bj_event sent = leaves ? driver_event(&d, BJ_ABORTED) : take_all(BJ_SENT);
    CHECK_EQ(sent.request, e.request);
    CHECK_EQ(sent.generation, e.generation);
    client = leaves ? client_open(&d) : client;
    end();
  }
}

TEST("BJ_WRITE_NOTIFY on a later part works too")
{
  begin(GET);
  driver_write(&d, &e, BJ_WRITE_HEAD, "a");
  driver_flush(&d);
  driver_write(&d, &e, BJ_WRITE_END | BJ_WRITE_NOTIFY, "b");
  driver_flush(&d);
  CHECK_EQ(driver_event(&d, BJ_SENT).request, e.request);
  end();
}

TEST("BJ_WRITE_NOTIFY: BJ_ABORTED if the answer is cut")
{
  begin(GET);
  driver_write(&d, &e, BJ_WRITE_HEAD | BJ_WRITE_NOTIFY, "a");
  driver_flush(&d);
  driver_command(&d, BJ_ABORT, &e);
  driver_flush(&d);
  CHECK_EQ(driver_event(&d, BJ_ABORTED).flags, BJ_CUT);
  end();
}

/* How an answer of the wrong length, or one that the handler `aborts`, ends. */
static const struct {
  const char *request;
  uint32_t flags, length;
  const char *body, *expected;
  bool aborts;
} faulty[] = {
  {GET, BJ_WRITE_LENGTH, 3, "a", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", false},
  {GET, BJ_WRITE_LENGTH, 1, "abc", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false},
  {GET, 0, 0, "a", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true},
  {GET10, 0, 0, "a", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na", true},
  {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", BJ_WRITE_LENGTH, 3, "abc",
   "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true},
};

TEST("an answer that is shorter, longer or cut ends the connection after what was right")
{
  for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
    begin(faulty[i].request);
    bj_command *c = driver_write(&d, &e, BJ_WRITE_HEAD | faulty[i].flags, faulty[i].body);
    c->length_low = faulty[i].length;
    driver_flush(&d);
    if (faulty[i].aborts)
      driver_command(&d, BJ_ABORT, &e);
    else
      driver_write(&d, &e, BJ_WRITE_END, "");
    driver_flush(&d);
    long size = client_read(client, sink, sizeof sink);
    CHECK(client_undated(sink, (size_t)size) == strlen(faulty[i].expected) &&
          memcmp(sink, faulty[i].expected, strlen(faulty[i].expected)) == 0);
    client_expect_end(client);
    end();
  }
}

TEST("without a length, a client can tell a cut answer from a complete one")
{
  for (int how = 0; how < 3; how++) { /* complete, cut, or the server is freed */
    char error[BJ_ERROR_SIZE], address[BJ_ADDRESS_SIZE];
    bj_options options = driver_defaults();
    driver_make(&d, &options);
    CHECK_EQ(bj_server_listen(d.server, "127.0.0.1", 0, 8, 0, 0, error), 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)bj_server_address(d.server, address)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    client_send(client, GET10);
    CHECK(driver_wait(&d));
    e = d.events[0];
    driver_write(&d, &e, BJ_WRITE_HEAD, "a");
    driver_flush(&d);
    if (how < 2) {
      driver_write(&d, &e, BJ_WRITE_END, "")->type = how == 0 ? BJ_WRITE : BJ_ABORT;
      driver_flush(&d);
    } else {
      bj_server_free(d.server);
      d.server = bj_server_new(&options, d.arena, d.fields, d.events, d.output, d.commands, error);
      close(d.wake);
      d.wake = bj_server_wake_fd(d.server);
    }
    ssize_t n;
    do {
      n = recv(client, sink, sizeof sink, 0);
    } while (n > 0);
    CHECK_EQ(n, how == 0 ? 0 : -1);
    end();
  }
}

TEST("parts are collected up to high water, and then leave together")
{
  begin(GET);
  part[PART / 4] = '\0';
  size_t written = 0;
  for (; client_read(client, sink, sizeof sink) == 0 && written < 1 << 20; written += PART / 4) {
    driver_write(&d, &e, written == 0 ? BJ_WRITE_HEAD : 0, part);
    driver_collect(&d);
  }
  CHECK(written > BJ_HIGH_WATER && written < 2 * BJ_HIGH_WATER);
  driver_write(&d, &e, BJ_WRITE_END, "");
  driver_flush(&d);
  CHECK(client_read(client, sink, sizeof sink) > 0);
  end();
}

TEST("so do parts of two connections in turn")
{
  begin(GET);
  part[PART / 4] = '\0';
  int second = client_open(&d);
  client_send(second, GET);
  bj_event f = driver_event(&d, BJ_REQUEST);
  for (size_t written = 0; written < 2 * BJ_HIGH_WATER; written += PART / 4) {
    driver_write(&d, &e, written == 0 ? BJ_WRITE_HEAD : 0, part);
    driver_write(&d, &f, written == 0 ? BJ_WRITE_HEAD : 0, part);
    driver_collect(&d);
    if (written < BJ_HIGH_WATER / 2) {
      CHECK_EQ(client_read(client, sink, sizeof sink), 0);
      CHECK_EQ(client_read(second, sink, sizeof sink), 0);
    }
  }
  CHECK(client_read(client, sink, sizeof sink) > BJ_HIGH_WATER);
  CHECK(client_read(second, sink, sizeof sink) > BJ_HIGH_WATER);
  driver_write(&d, &e, BJ_WRITE_END, "");
  driver_write(&d, &f, BJ_WRITE_END, "");
  driver_flush(&d);
  close(second);
  end();
}
