/* Timeouts. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "Content-Length: 5\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body
#define LAST_OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n" body
#define TIMED_OUT                                                                                  \
  "HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain;charset=utf-8\r\n"                     \
  "Content-Length: 15\r\nConnection: close\r\n\r\nRequest Timeout"

enum { SHORT = 5, TWICE = 2 * SHORT }; /* milliseconds */

static driver d;
static int client;
static bj_event e;
static char part[65536], sink[1 << 22];

static void begin_with(bj_options options)
{
  driver_open(&d, &options);
  client = client_open(&d);
}

/* All timeouts are short. */
static void begin(void)
{
  bj_options options = driver_defaults();
  options.head_timeout = options.body_timeout = options.idle_timeout = options.write_timeout =
    SHORT;
  begin_with(options);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

/* Turns until the client has something to read, or the end of the stream. */
static void pass_until_readable(void)
{
  for (int i = 0; i < 200; i++) {
    struct pollfd it = {.fd = client, .events = POLLIN};
    if (poll(&it, 1, 0) > 0) return;
    driver_pass(&d, 1);
  }
}

static void expect_timeout(int count)
{
  CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), count);
}

TEST("a client that sends nothing is dropped without an answer")
{
  begin();
  driver_turn(&d);
  pass_until_readable();
  client_expect_end(client);
  expect_timeout(1);
  end();
}

TEST("half a head: 408")
{
  begin();
  client_send(client, "GET / HT");
  driver_turn(&d);
  pass_until_readable();
  client_expect(client, TIMED_OUT);
  client_expect_end(client);
  expect_timeout(1);
  end();
}

TEST("an idle connection is dropped, but not while a handler works")
{
  begin();
  client_send(client, GET);
  e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
  pass_until_readable();
  client_expect_end(client);
  expect_timeout(0);
  end();
}

TEST("an empty line after a request begins none, and a second one is refused")
{
  for (int lines = 1; lines <= 2; lines++) {
    begin();
    client_send(client, GET "\r\n");
    e = driver_event(&d, BJ_REQUEST);
    driver_answer(&d, &e, "a");
    driver_flush(&d);
    client_expect(client, OK("a"));
    if (lines > 1) client_send(client, "\r\n");
    pass_until_readable();
    if (lines > 1)
      client_expect(client, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain;charset=utf-8\r\n"
                            "Content-Length: 11\r\nConnection: close\r\n\r\nBad Request");
    client_expect_end(client);
    expect_timeout(0);
    end();
  }
}

TEST("an empty line before the first request and after each is accepted")
{
  begin();
  client_send(client, "\r\n");
  driver_turn(&d);
  for (int i = 0; i < 3; i++) {
    client_send(client, GET);
    e = driver_event(&d, BJ_REQUEST);
    driver_answer(&d, &e, "a");
    driver_flush(&d);
    client_expect(client, OK("a"));
    client_send(client, "\r\n");
    CHECK_EQ(driver_turn(&d), 0);
  }
  end();
}

static void expect_late(void)
{
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].flags, BJ_TIMED_OUT);
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
}

TEST("half a body: an abort and 408")
{
  begin();
  client_send(client, POST("") "abc");
  e = driver_event(&d, BJ_REQUEST);
  expect_late();
  end();
}

TEST("a body that the handler does not take, or has not asked for yet, is not late")
{
  bj_options options = driver_defaults();
  options.body_timeout = SHORT;
  begin_with(options);
  client_send(client, POST("Expect: 100-continue\r\n"));
  e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  driver_consume(&d, &e, 0);
  driver_flush(&d);
  client_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  expect_timeout(1);
  end();

  begin_with(options);
  client_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
  e = driver_event(&d, BJ_REQUEST);
  uint32_t got = 0;
  while (got < 524288) {
    (void)!send(client, part, sizeof part, MSG_NOSIGNAL);
    driver_turn(&d);
    got += d.count > 0 ? d.events[0].body_size : 0;
  }
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  expect_timeout(0);
  driver_consume(&d, &e, got);
  driver_flush(&d);
  do {
    CHECK(driver_wait(&d));
  } while (d.count > 0 && d.events[0].type == BJ_BODY);
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  expect_timeout(1);
  end();
}

TEST("a body that is asked for after the answer has begun is late like any other")
{
  bj_options options = driver_defaults();
  options.body_timeout = SHORT;
  begin_with(options);
  client_send(client, POST("Expect: 100-continue\r\n"));
  e = driver_event(&d, BJ_REQUEST);
  driver_write(&d, &e, BJ_WRITE_HEAD, "a");
  driver_consume(&d, &e, 0);
  driver_flush(&d);
  client_expect(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  expect_timeout(1);
  end();
}

TEST("a client that gets no 100 (Continue) may not send: the connection ends with the answer")
{
  bj_options options = driver_defaults();
  begin_with(options);
  client_send(client, POST("Expect: 100-continue\r\n"));
  e = driver_event(&d, BJ_REQUEST);
  driver_write(&d, &e, BJ_WRITE_HEAD, "a");
  driver_consume(&d, &e, 0);
  driver_write(&d, &e, BJ_WRITE_END, "");
  driver_flush(&d);
  client_expect(client, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
  client_expect_end(client);
  end();
}

TEST("a body is not late while 100 (Continue) waits for an earlier answer")
{
  bj_options options = driver_defaults();
  options.body_timeout = SHORT;
  begin_with(options);
  client_send(client, GET POST("Expect: 100-continue\r\n"));
  CHECK_EQ(driver_turn(&d), 2);
  bj_event first = d.events[0], second = d.events[1];
  driver_consume(&d, &second, 0);
  driver_flush(&d);
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  expect_timeout(0);
  driver_answer(&d, &first, "a");
  driver_flush(&d);
  client_expect(client, OK("a") "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  expect_timeout(1);
  end();
}

/* A body with min_body_rate. */
static void begin_slow_body(void)
{
  bj_options options = driver_defaults();
  options.body_timeout = 20;
  options.min_body_rate = 1000;
  begin_with(options);
  client_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n");
  e = driver_event(&d, BJ_REQUEST);
}

TEST("a body that comes byte by byte is too slow")
{
  begin_slow_body();
  for (int i = 0; i < 500 && driver_counter(&d, BJ_TIMEOUTS) == 0; i++) {
    client_send(client, "x");
    driver_pass(&d, 2);
  }
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

TEST("it is too slow as well for a caller that reads it, late each time")
{
  begin_slow_body();
  driver_consume(&d, &e, 0)->flags = BJ_CONSUME_REST;
  driver_flush(&d);
  int i;
  for (i = 0; i < 500 && driver_counter(&d, BJ_TIMEOUTS) == 0; i++) {
    client_send(client, "x");
    driver_turn(&d);
    driver_turn(&d);
    bj_server_read(d.server, e.request, e.generation, part, sizeof part);
    driver_pass(&d, 2);
  }
  CHECK(i < 500);
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

#define LARGE "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n"

/* Sends `size` bytes of a large body; the caller gets BJ_READABLE and does not read. */
static void send_unread(size_t size, uint32_t body_timeout)
{
  bj_options options = driver_defaults();
  options.body_timeout = body_timeout;
  begin_with(options);
  client_send(client, LARGE);
  e = driver_event(&d, BJ_REQUEST);
  driver_consume(&d, &e, 0)->flags = BJ_CONSUME_REST;
  driver_flush(&d);
  memset(part, 'x', size);
  client_send_bytes(client, part, size);
  CHECK_EQ(driver_event(&d, BJ_READABLE).body_size, size);
}

TEST("a late caller does not make a client late that has sent what it can")
{
  size_t sizes[] = {4096, 10000};
  for (int i = 0; i < 2; i++) {
    send_unread(sizes[i], SHORT);
    CHECK_EQ(driver_pass(&d, TWICE), 0);
    CHECK_EQ(bj_server_read(d.server, e.request, e.generation, part, sizeof part), sizes[i]);
    expect_timeout(0);
    driver_answer(&d, &e, "a");
    driver_flush(&d);
    client_expect(client, OK("a"));
    end();
  }
}

TEST("a client that has sent little is late, even if the caller is too")
{
  send_unread(100, SHORT);
  expect_late();
  end();
}

TEST("what it sends earns time, whether it is read or not")
{
  send_unread(100, 100);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(driver_pass(&d, 60), 0);
    client_send(client, "x");
  }
  CHECK_EQ(bj_server_read(d.server, e.request, e.generation, part, sizeof part), 102);
  expect_timeout(0);
  end();
}

/* Answers with more than the client takes at once. */
static void answer_much(void)
{
  memset(part, 'x', sizeof part - 1);
  driver_write(&d, &e, BJ_WRITE_HEAD, part);
  driver_flush(&d);
  for (int i = 0; i < 15; i++) {
    driver_write(&d, &e, i < 14 ? 0 : BJ_WRITE_END, part)->flags |= BJ_WRITE_NOTIFY;
    driver_flush(&d);
  }
}

TEST("a client that takes nothing of its answer is dropped")
{
  bj_options options = driver_defaults();
  options.write_timeout = SHORT;
  begin_with(options);
  client_send(client, GET);
  e = driver_event(&d, BJ_REQUEST);
  memset(part, 'x', sizeof part - 1);
  driver_write(&d, &e, BJ_WRITE_HEAD | BJ_WRITE_NOTIFY, part);
  for (int i = 0; i < 14; i++) driver_write(&d, &e, i < 13 ? 0 : BJ_WRITE_END, part);
  driver_flush(&d);
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].request, e.request);
  expect_timeout(1);
  end();
}

TEST("a client that takes its answer bit by bit is too slow")
{
  bj_options options = driver_defaults();
  options.write_timeout = 20;
  options.min_write_rate = 100000000;
  begin_with(options);
  client_send(client, GET);
  e = driver_event(&d, BJ_REQUEST);
  answer_much();
  for (int i = 0; i < 40 && driver_counter(&d, BJ_TIMEOUTS) == 0; i++) {
    client_read(client, sink, 16384);
    driver_pass(&d, 2);
  }
  expect_timeout(1);
  end();
}

TEST("a head that waits behind an answer the client still takes is not late")
{
  bj_options options = driver_defaults();
  options.head_timeout = SHORT;
  begin_with(options);
  client_send(client, GET "GET / HTTP/1.1\r\n");
  e = driver_event(&d, BJ_REQUEST);
  answer_much();
  client_send(client, "Host: a\r\n\r\n");
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  expect_timeout(0);
  for (int i = 0; i < 100 && driver_turn(&d) == 0; i++) client_read(client, sink, sizeof sink);
  CHECK_EQ(d.count, 1);
  CHECK_EQ(d.events[0].type, BJ_REQUEST);
  driver_answer(&d, &d.events[0], "b");
  driver_flush(&d);
  end();
}

TEST("half a head behind an answer that closes does not run out of time")
{
  bj_options options = driver_defaults();
  options.head_timeout = SHORT;
  begin_with(options);
  client_send(client, GET "GET / HT");
  e = driver_event(&d, BJ_REQUEST);
  driver_write(&d, &e, BJ_WRITE_HEAD | BJ_WRITE_CLOSE | BJ_WRITE_LENGTH, "")->length_low = 1;
  driver_flush(&d);
  CHECK_EQ(driver_pass(&d, TWICE), 0);
  driver_write(&d, &e, BJ_WRITE_END, "a");
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  expect_timeout(0);
  CHECK_EQ(driver_counter(&d, BJ_REQ_ERROR_PARSE), 0);
  end();
}
