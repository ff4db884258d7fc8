/* Answers by bj_server_write() (BJ_WRITE_DIRECT). */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD_SIZE (sizeof "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" - 1)

enum { LARGE = 3000000 };

static driver d;
static int client;
static char body[LARGE], got[LARGE + 4096];

static void begin(const char *requests)
{
  bj_options options = driver_defaults();
  for (int i = 0; i < LARGE; i++) body[i] = (char)(i % 251);
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, requests, strlen(requests));
  driver_turn(&d);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

static void head(const bj_event *e, uint32_t length)
{
  bj_command *command = driver_write(&d, e, BJ_WRITE_HEAD | BJ_WRITE_LENGTH | BJ_WRITE_DIRECT, "");
  command->length_low = length;
}

static uint32_t give(const bj_event *e, uint32_t from)
{
  return bj_server_write(d.server, e->request, e->generation, body + from, LARGE - from);
}

/* Reads and writes until `size` bytes have come. */
static void exchange_all(const bj_event *e, uint32_t at, size_t size)
{
  size_t have = 0;
  int idle = 0;
  while (have < size && idle < 100) {
    long n = client_read(client, got + have, size - have);
    have += n > 0 ? (size_t)n : 0;
    idle = n > 0 ? 0 : idle + 1;
    driver_turn(&d);
    for (uint32_t i = 0; i < d.count; i++)
      if (d.events[i].type == BJ_DRAINED && d.events[i].request == e->request) at += give(e, at);
  }
  CHECK_EQ(at, LARGE);
  CHECK_EQ(have, size);
}

TEST("a large body is sent as the client takes it")
{
  begin(GET);
  bj_event e = d.events[0];
  head(&e, LARGE);
  driver_flush(&d);
  uint32_t taken = give(&e, 0);
  CHECK(taken > 0 && taken < LARGE);
  exchange_all(&e, taken, HEAD_SIZE + LARGE);
  CHECK_EQ(memcmp(got + HEAD_SIZE, body, LARGE), 0);
  CHECK_EQ(driver_counter(&d, BJ_RESP_DONE_KEEPALIVE), 1);
  CHECK_EQ(give(&e, 0), LARGE); /* the request is over: all count as taken */
  end();
}

TEST("what was collected is sent before it, other connections' output too")
{
  begin(GET);
  bj_event e = d.events[0];
  int second = client_open(&d);
  client_send(second, GET GET);
  CHECK_EQ(driver_turn(&d), 2);
  bj_event other[2] = {d.events[0], d.events[1]};
  head(&e, 3);
  driver_answer(&d, &other[0], "other");
  driver_collect(&d);
  CHECK_EQ(client_read(client, got, sizeof got), 0);
  CHECK_EQ(client_read(second, got, sizeof got), 0);
  CHECK_EQ(give(&e, LARGE - 3), 3);
  client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n-./");
  client_expect(second, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
  driver_answer(&d, &other[1], "");
  driver_flush(&d);
  close(second);
  end();
}

TEST("a body that the socket takes at once is written in one call")
{
  begin(GET);
  bj_event e = d.events[0];
  head(&e, 3);
  driver_flush(&d);
  CHECK_EQ(give(&e, LARGE - 3), 3);
  client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n-./");
  CHECK_EQ(driver_turn(&d), 0);
  end();
}

TEST("a direct answer behind another one waits for its turn")
{
  static const char first[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
  begin(GET GET GET);
  CHECK_EQ(d.count, 3);
  const bj_event e[3] = {d.events[0], d.events[1], d.events[2]};
  head(&e[1], LARGE);
  driver_flush(&d);
  CHECK_EQ(give(&e[1], 0), 0);
  driver_answer(&d, &e[2], "third");
  driver_answer(&d, &e[0], "first");
  driver_flush(&d);
  exchange_all(&e[1], 0, sizeof first - 1 + HEAD_SIZE + LARGE);
  CHECK_BYTES(got, sizeof first - 1, first);
  CHECK_EQ(memcmp(got + sizeof first - 1 + HEAD_SIZE, body, LARGE), 0);
  client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthird");
  end();
}

TEST("no more is sent than was announced")
{
  begin(GET);
  bj_event e = d.events[0];
  head(&e, 2);
  driver_flush(&d);
  CHECK_EQ(give(&e, 1), 2);
  client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\x01\x02");
  end();
}

TEST("a client that leaves is reported, and a stopped server takes nothing")
{
  begin(GET);
  bj_event e = d.events[0];
  head(&e, LARGE);
  driver_flush(&d);
  CHECK(give(&e, 0) < LARGE);
  close(client);
  bool told = false;
  for (int i = 0; i < 5 && !told; i++) {
    driver_turn(&d);
    for (uint32_t k = 0; k < d.count; k++) told |= d.events[k].type == BJ_ABORTED;
  }
  CHECK(told);
  CHECK_EQ(give(&e, 0), LARGE);
  client = client_open(&d);
  end();
}
