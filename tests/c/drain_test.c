/* Draining: who is still served, and when it is over. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body
#define LAST_OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n" body

static driver d;
static int client;
static bj_event e;

static void begin_with(bj_options options)
{
  driver_open(&d, &options);
  client = client_open(&d);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

static void expect_stopped(void)
{
  CHECK(driver_wait(&d));
  CHECK_EQ(d.count, 1);
  CHECK_EQ(d.events[0].type, BJ_STOPPED);
  CHECK_EQ(driver_turn(&d), 0);
}

TEST("draining closes idle connections, serves pending requests, and reports its end once")
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
  CHECK(access(d.host + 5, F_OK) < 0); /* no new clients */
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
  CHECK_EQ(driver_pass(&d, 2), 0);
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
    CHECK_EQ(driver_pass(&d, 1), 0);
    got = client_read(idle, (char[1]){0}, 1);
  }
  CHECK_EQ(got, -1);
  close(idle);
  expect_stopped();
  client = -1;
  end();
}

TEST("draining resets no client that is just asking: its last answer may be on its way")
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

TEST("draining answers pipelined requests that still wait, the last with close")
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

TEST("draining without clients ends at once, and counts no failure")
{
  bj_options options = driver_defaults();
  driver_make(&d, &options);
  bj_server_drain(d.server, 0);
  expect_stopped();
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_ERROR), 0);
  driver_close(&d);
}

TEST("draining ends when the last client breaks off, in whatever way")
{
  static const char *const lasts[] = {"", "GET", GET, "x\r\n\r\n", POST "x", GET "x\r\n\r\n"};
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
