/* Times that run out, and the end of a server. */
#include <time.h>

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

/* All times are short. */
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

/* Turns until that time is over; parked, so that a wake-up that is missing shows. Returns the
 * number of events. */
static uint32_t pass(int milliseconds)
{
  uint32_t events = 0;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long end_at = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + milliseconds, left;
  do {
    events += driver_turn(&d);
    struct pollfd wake = {.fd = d.wake, .events = POLLIN};
    char octet;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left = end_at - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
    if (bj_server_park(d.server) == 0 && poll(&wake, 1, left > 0 ? (int)left : 0) > 0)
      CHECK_EQ(read(d.wake, &octet, 1), 1);
  } while (left > 0);
  return events;
}

/* Turns until the client has something to read, or the end. */
static void pass_until_readable(void)
{
  for (int i = 0; i < 200; i++) {
    struct pollfd it = {.fd = client, .events = POLLIN};
    if (poll(&it, 1, 0) > 0) return;
    pass(1);
  }
}

static void expect_timeout(int count)
{
  CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), count);
}

TEST("a client that says nothing is dropped without a word")
{
  begin();
  driver_turn(&d);
  pass_until_readable();
  client_expect_end(client);
  expect_timeout(1);
  end();
}

TEST("half a head is answered with 408")
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
  CHECK_EQ(pass(TWICE), 0);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
  pass_until_readable();
  client_expect_end(client);
  expect_timeout(0);
  end();
}

TEST("half a body is an abort and 408")
{
  begin();
  client_send(client, POST("") "abc");
  e = driver_event(&d, BJ_REQUEST);
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].flags, BJ_TIMED_OUT);
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

TEST("a body that the handler does not take, or has not asked for yet, is not late")
{
  bj_options options = driver_defaults();
  options.body_timeout = SHORT;
  begin_with(options);
  client_send(client, POST("Expect: 100-continue\r\n"));
  e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(pass(TWICE), 0);
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
  CHECK_EQ(pass(TWICE), 0);
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

TEST("a body that comes octet by octet is too slow")
{
  bj_options options = driver_defaults();
  options.body_timeout = 20;
  options.min_body_rate = 1000;
  begin_with(options);
  client_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n");
  e = driver_event(&d, BJ_REQUEST);
  for (int i = 0; i < 500 && driver_counter(&d, BJ_TIMEOUTS) == 0; i++) {
    client_send(client, "x");
    pass(2);
  }
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

TEST("it is too slow for a caller too that reads it, and is late itself each time")
{
  bj_options options = driver_defaults();
  options.body_timeout = 20;
  options.min_body_rate = 1000;
  begin_with(options);
  client_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n");
  e = driver_event(&d, BJ_REQUEST);
  driver_consume(&d, &e, 0)->flags = BJ_CONSUME_REST;
  driver_flush(&d);
  int i;
  for (i = 0; i < 500 && driver_counter(&d, BJ_TIMEOUTS) == 0; i++) {
    client_send(client, "x");
    driver_turn(&d);
    driver_turn(&d);
    bj_server_read(d.server, e.request, e.generation, part, sizeof part);
    pass(2);
  }
  CHECK(i < 500);
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

#define LARGE "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n"

/* Sends octets of a large body, which the caller is told of and leaves alone for a while. */
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

TEST("a caller that is late does not make a client late that has sent what it can")
{
  size_t sizes[] = {4096, 10000};
  for (int i = 0; i < 2; i++) {
    send_unread(sizes[i], SHORT);
    CHECK_EQ(pass(TWICE), 0);
    CHECK_EQ(bj_server_read(d.server, e.request, e.generation, part, sizeof part), sizes[i]);
    expect_timeout(0);
    driver_answer(&d, &e, "a");
    driver_flush(&d);
    client_expect(client, OK("a"));
    end();
  }
}

TEST("a client that has sent little is late, whether the caller is or not")
{
  send_unread(100, SHORT);
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].flags, BJ_TIMED_OUT);
  client_expect(client, TIMED_OUT);
  expect_timeout(1);
  end();
}

TEST("what it sends gives back time, whether it is read or not")
{
  send_unread(100, 100);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(pass(60), 0);
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
    pass(2);
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
  CHECK_EQ(pass(TWICE), 0);
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
  CHECK_EQ(pass(TWICE), 0);
  driver_write(&d, &e, BJ_WRITE_END, "a");
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  expect_timeout(0);
  CHECK_EQ(driver_counter(&d, BJ_REQ_ERROR_PARSE), 0);
  end();
}

/* ---- draining ----------------------------------------------------------------------------- */

static void expect_stopped(void)
{
  CHECK(driver_wait(&d));
  CHECK_EQ(d.count, 1);
  CHECK_EQ(d.events[0].type, BJ_STOPPED);
  CHECK_EQ(driver_turn(&d), 0);
}

TEST("draining closes what is idle, serves what is there, and tells its end once")
{
  begin_with(driver_defaults());
  int fresh = client_open(&d), working = client_open(&d);
  client_send(working, GET);
  e = driver_event(&d, BJ_REQUEST);
  client_send(client, GET);   /* not read yet */
  int late = client_open(&d); /* not accepted yet */
  client_send(late, GET);
  bj_server_drain(d.server, 0);
  CHECK_EQ(driver_turn(&d), 2);
  CHECK(access(d.host + 5, F_OK) < 0); /* nobody else comes */
  for (uint32_t i = 0; i < 2; i++) driver_answer(&d, &d.events[i], "b");
  driver_flush(&d);
  CHECK_EQ(driver_turn(&d), 0);
  client_expect(client, LAST_OK("b"));
  client_expect(late, LAST_OK("b"));
  client_expect_end(fresh);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(working, LAST_OK("a"));
  client_expect_end(working);
  close(working);
  close(late);
  close(fresh);
  close(client);
  expect_stopped();
  client = -1;
  end();
}

TEST("draining with patience: an idle client may ask once more, then it is over")
{
  begin_with(driver_defaults());
  int idle = client_open(&d);
  driver_turn(&d);
  bj_server_drain(d.server, 60000);
  CHECK_EQ(pass(2), 0);
  CHECK_EQ(recv(idle, (char[1]){0}, 1, 0), -1); /* nothing, and still open */
  client_send(client, GET);
  e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, LAST_OK("a"));
  client_expect_end(client);
  close(client);
  bj_server_drain(d.server, 1); /* less patience */
  long got = 0;
  for (int i = 0; i < 200 && got == 0; i++) {
    CHECK_EQ(pass(1), 0);
    got = client_read(idle, (char[1]){0}, 1);
  }
  CHECK_EQ(got, -1);
  close(idle);
  expect_stopped();
  client = -1;
  end();
}

TEST("draining resets nobody who asks just then: the answer before may be on its way")
{
  begin_with(driver_defaults());
  client_send(client, GET);
  e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  bj_server_drain(d.server, 0);
  driver_turn(&d);
  client_send(client, GET);
  driver_turn(&d);
  client_expect(client, OK("a"));
  client_expect_end(client);
  close(client);
  expect_stopped();
  client = -1;
  end();
}

TEST("draining answers the requests that still wait in line, the last with close")
{
  bj_options options = driver_defaults();
  options.max_pipelined = 1;
  begin_with(options);
  client_send(client, GET GET GET);
  e = driver_event(&d, BJ_REQUEST);
  bj_server_drain(d.server, 0);
  driver_turn(&d);
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "b");
  driver_flush(&d);
  client_expect(client, OK("a") LAST_OK("b"));
  client_expect_end(client);
  close(client);
  expect_stopped();
  client = -1;
  end();
}

TEST("draining ends at once where nobody can come, and nothing has failed")
{
  bj_options options = driver_defaults();
  driver_make(&d, &options);
  bj_server_drain(d.server, 0);
  expect_stopped();
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_ERROR), 0);
  driver_close(&d);
}

TEST("draining ends when the last client breaks off in whatever way")
{
  static const char *const lasts[] = {"", "GET", GET, "x\r\n\r\n", POST("") "x", GET "x\r\n\r\n"};
  for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
    for (int halves = 0; halves < 2; halves++) {
      begin_with(driver_defaults());
      driver_turn(&d);
      bj_server_drain(d.server, 0);
      client_send_bytes(client, lasts[i], strlen(lasts[i]));
      if (halves)
        shutdown(client, SHUT_WR);
      else
        close(client);
      bool stopped = false;
      for (int k = 0; k < 6 && !stopped && driver_wait(&d); k++) {
        for (uint32_t n = 0; n < d.count; n++) {
          stopped |= d.events[n].type == BJ_STOPPED;
          if (d.events[n].type == BJ_REQUEST) driver_answer(&d, &d.events[n], "a");
        }
        driver_flush(&d);
      }
      if (!stopped)
        test_fault(__FILE__, __LINE__, "\"%s\" and close(%d): not stopped", lasts[i], halves);
      client = halves ? client : -1;
      end();
    }
  }
}
