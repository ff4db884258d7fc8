/* Pipelining: several requests of one connection in flight, answered in order. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST_GET "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define POST(length, fields)                                                                       \
  "POST / HTTP/1.1\r\nHost: a\r\n" fields "Content-Length: " length "\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body
#define LAST_OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n" body
#define BAD                                                                                        \
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: 11\r\n"   \
  "Connection: close\r\n\r\nBad Request"

static driver d;
static int client;
static bj_event e[8]; /* the requests of the first turn */

/* Opens a connection that has sent this, and expects so many events in the first turn. */
#define BEGIN(literal, count) begin(64, literal, sizeof(literal) - 1, count)
static void begin(uint32_t pipelined, const char *text, size_t size, uint32_t count)
{
  bj_options options = driver_defaults();
  options.max_pipelined = pipelined;
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, text, size);
  CHECK_EQ(driver_turn(&d), count);
  memcpy(e, d.events, count * sizeof *e);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

TEST("answers leave in the order of the requests, in whatever order they are given")
{
  static const char orders[][4] = {"012", "021", "102", "120", "201", "210"};
  for (int i = 0; i < 12; i++) {
    BEGIN(GET GET GET, 3);
    for (int k = 0; k < 3; k++) {
      int which = orders[i % 6][k] - '0';
      driver_answer(&d, &e[which], which == 0 ? "a" : which == 1 ? "b" : "c");
      if (i >= 6) driver_flush(&d);
    }
    driver_flush(&d);
    client_expect(client, OK("a") OK("b") OK("c"));
    end();
  }
}

TEST("streams of several requests do not mix")
{
  BEGIN(GET GET LAST_GET, 3);
  for (int i = 2; i >= 0; i--)
    driver_write(&d, &e[i], BJ_WRITE_HEAD, i == 0 ? "a" : i == 1 ? "b" : "c");
  driver_flush(&d);
  for (int i = 2; i >= 0; i--) {
    driver_write(&d, &e[i], BJ_WRITE_END, i == 0 ? "A" : i == 1 ? "" : "C");
    driver_flush(&d);
  }
#define PARTS(fields, parts) "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" fields "\r\n" parts
  client_expect(client, PARTS("", "1\r\na\r\n1\r\nA\r\n0\r\n\r\n") PARTS("", "1\r\nb\r\n0\r\n\r\n")
                          PARTS("Connection: close\r\n", "1\r\nc\r\n1\r\nC\r\n0\r\n\r\n"));
  client_expect_end(client);
  end();
}

TEST("good requests before a bad one are answered first")
{
  BEGIN(GET GET "GET\r\n\r\n" GET, 2);
  driver_answer(&d, &e[1], "b");
  driver_flush(&d);
  client_expect(client, "");
  driver_answer(&d, &e[0], "a");
  driver_flush(&d);
  client_expect(client, OK("a") OK("b") BAD);
  client_expect_end(client);
  end();
}

TEST("no request is taken after one with Connection: close")
{
  BEGIN(GET LAST_GET GET, 2);
  driver_answer(&d, &e[0], "a");
  driver_answer(&d, &e[1], "b");
  driver_flush(&d);
  client_expect(client, OK("a") LAST_OK("b"));
  client_expect_end(client);
  end();
}

TEST("after an answer that closes, later requests are aborted")
{
  BEGIN(GET GET GET, 3);
  driver_answer(&d, &e[1], "b");
  driver_answer(&d, &e[0], "a")->flags |= BJ_WRITE_CLOSE;
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  client_expect_end(client);
  CHECK_EQ(driver_event(&d, BJ_ABORTED).request, e[2].request);
  CHECK_EQ(d.events[0].flags, BJ_CLOSED);
  end();
}

TEST("a cut answer is sent as far as it got, after those before it")
{
  BEGIN(GET GET GET, 3);
  driver_write(&d, &e[1], BJ_WRITE_HEAD, "b");
  driver_command(&d, BJ_ABORT, &e[1]);
  driver_flush(&d);
  driver_answer(&d, &e[2], "c");
  driver_answer(&d, &e[0], "a");
  driver_flush(&d);
  client_expect(client, OK("a") PARTS("", "1\r\nb\r\n"));
  client_expect_end(client);
  end();
}

TEST("no more than max_pipelined requests are in flight, and the next ones follow")
{
  static const char many[] = GET GET GET GET GET GET GET;
  begin(3, many, sizeof many - 1, 3);
  client_send(client, GET);
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(bj_server_park(d.server), 0);
  driver_answer(&d, &e[1], "x");
  driver_flush(&d);
  CHECK_EQ(driver_turn(&d), 0);
  driver_answer(&d, &e[0], "x");
  driver_flush(&d);
  CHECK_EQ(bj_server_park(d.server), 1);
  CHECK_EQ(driver_turn(&d), 2);
  e[3] = d.events[0], e[4] = d.events[1];
  driver_answer(&d, &e[2], "x");
  driver_answer(&d, &e[3], "x");
  driver_answer(&d, &e[4], "x");
  driver_flush(&d);
  for (int left = 3; left > 0; left -= (int)d.count) {
    CHECK(driver_wait(&d));
    for (uint32_t i = 0; i < d.count; i++) driver_answer(&d, &d.events[i], "x");
    driver_flush(&d);
  }
  client_expect(client, OK("x") OK("x") OK("x") OK("x") OK("x") OK("x") OK("x") OK("x"));
  end();
}

TEST("requests that still wait are dropped by an answer that closes, and the client is let go")
{
  static const char many[] = GET GET;
  begin(1, many, sizeof many - 1, 1);
  driver_answer(&d, &e[0], "a")->flags |= BJ_WRITE_CLOSE;
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  client_expect_end(client);
  close(client);
  driver_turn(&d);
  driver_turn(&d);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 0);
  client = client_open(&d);
  end();
}

TEST("100 (Continue) waits for the answers before it, and is not sent twice")
{
  BEGIN(GET POST("1", "Expect: 100-continue\r\n"), 2);
  CHECK_EQ(e[1].flags, BJ_EVENT_BODY | BJ_EVENT_EXPECTS);
  driver_consume(&d, &e[1], 0);
  driver_consume(&d, &e[1], 0);
  driver_flush(&d);
  client_expect(client, "");
  driver_answer(&d, &e[0], "a");
  driver_flush(&d);
  client_expect(client, OK("a") "HTTP/1.1 100 Continue\r\n\r\n");
  client_send(client, "x" GET);
  CHECK_EQ(driver_turn(&d), 2);
  CHECK_EQ(d.events[0].type, BJ_BODY);
  CHECK_EQ(d.events[0].flags, BJ_EVENT_END);
  e[2] = d.events[1];
  driver_consume(&d, &e[1], 1);
  driver_answer(&d, &e[1], "b");
  driver_answer(&d, &e[2], "c");
  driver_flush(&d);
  client_expect(client, OK("b") OK("c"));
  end();
}

TEST("bodies between pipelined requests go to their own request")
{
  BEGIN(POST("2", "") "ab" GET POST("3", "") "cde" GET POST("2", "") "f", 5);
  CHECK_BYTES(d.arena + e[0].body_at, e[0].body_size, "ab");
  CHECK_BYTES(d.arena + e[2].body_at, e[2].body_size, "cde");
  CHECK_BYTES(d.arena + e[4].body_at, e[4].body_size, "f");
  CHECK_EQ(e[2].flags, BJ_EVENT_BODY | BJ_EVENT_END);
  CHECK_EQ(e[4].flags, BJ_EVENT_BODY);
  client_send(client, "g");
  bj_event rest = driver_event(&d, BJ_BODY);
  CHECK_EQ(rest.request, e[4].request);
  CHECK_BYTES(d.arena + rest.body_at, rest.body_size, "g");
  for (int i = 4; i >= 0; i--) driver_answer(&d, &e[i], i == 4 ? "4" : "x");
  driver_flush(&d);
  client_expect(client, OK("x") OK("x") OK("x") OK("x") OK("4"));
  end();
}

TEST("a broken body behind unanswered requests is answered after them")
{
  BEGIN(GET "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 2);
  client_send(client, "x\r\n" GET);
  CHECK_EQ(driver_event(&d, BJ_ABORTED).request, e[1].request);
  CHECK_EQ(d.events[0].flags, BJ_MALFORMED);
  driver_answer(&d, &e[1], "late");
  driver_answer(&d, &e[0], "a");
  driver_flush(&d);
  client_expect(client, OK("a") BAD);
  client_expect_end(client);
  end();
}

TEST("the last of max_requests closes the connection")
{
  bj_options options = driver_defaults();
  options.max_requests = 2;
  driver_open(&d, &options);
  client = client_open(&d);
  client_send(client, GET GET GET);
  CHECK_EQ(driver_turn(&d), 2);
  memcpy(e, d.events, sizeof *e * 2);
  driver_answer(&d, &e[0], "a");
  driver_answer(&d, &e[1], "b");
  driver_flush(&d);
  client_expect(client, OK("a") LAST_OK("b"));
  client_expect_end(client);
  end();
}

/* Takes all bodies, and answers complete requests. */
static void serve_turn(void)
{
  driver_turn(&d);
  for (uint32_t i = 0; i < d.count; i++) {
    const bj_event one = d.events[i];
    if (one.type == BJ_REQUEST || one.type == BJ_BODY) driver_consume(&d, &one, one.body_size);
    if ((one.type == BJ_REQUEST || one.type == BJ_BODY) && (one.flags & BJ_EVENT_END) != 0)
      driver_answer(&d, &one, "a");
  }
  driver_flush(&d);
}

TEST("clients that together send more than the arena holds all get their turn")
{
  enum { CLIENTS = 12, BODY = 6000, TURNS = 60 };
  static char request[BODY + 64];
  bj_options options = driver_defaults();
  options.arena_size = options.max_head_size + 4096;
  driver_open(&d, &options);
  int clients[CLIENTS], answers[CLIENTS] = {0};
  int head = snprintf(request, sizeof request,
                      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
  size_t size = (size_t)head + BODY;
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = client_open(&d);
    client_send_bytes(clients[i], request, size);
  }
  for (int turn = 0; turn < TURNS; turn++) {
    serve_turn();
    for (int i = 0; i < CLIENTS; i++) {
      char got[256];
      if (client_read(clients[i], got, sizeof got) > 0) {
        answers[i]++;
        client_send_bytes(clients[i], request, size);
      }
    }
  }
  int least = TURNS, most = 0;
  for (int i = 0; i < CLIENTS; i++) {
    least = answers[i] < least ? answers[i] : least;
    most = answers[i] > most ? answers[i] : most;
    close(clients[i]);
  }
  CHECK(least > 0);
  CHECK(most <= least + 2);
  for (int turn = 0; turn < TURNS; turn++) serve_turn();
  driver_close(&d);
}
