/* Bodies that the caller reads straight from the connection. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" body

static driver d;
static int client;
static bj_event e;
static char got[64];

static void begin(const char *text)
{
  bj_options options = driver_defaults();
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, text, strlen(text));
  e = driver_event(&d, BJ_REQUEST);
  driver_consume(&d, &e, 0)->flags = BJ_CONSUME_REST;
  driver_flush(&d);
}

static void end(void)
{
  close(client);
  driver_close(&d);
}

static uint32_t take(uint32_t size)
{
  CHECK(size <= sizeof got);
  return bj_server_read(d.server, e.request, e.generation, got, size);
}

static void answer(void)
{
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK("a"));
}

TEST("readable bytes are reported, and read as far as the caller likes")
{
  begin(POST("10"));
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(take(4), 0);
  client_send(client, "01234");
  bj_event told = driver_event(&d, BJ_READABLE);
  CHECK_EQ(told.body_size, 5);
  CHECK_EQ(told.flags, 0);
  CHECK_EQ(take(3), 3);
  CHECK_BYTES(got, 3, "012");
  CHECK_EQ(driver_event(&d, BJ_READABLE).body_size, 2);
  CHECK_EQ(take(0), 0); /* 0 is not an end */
  CHECK_EQ(driver_event(&d, BJ_READABLE).body_size, 2);
  client_send(client, "56789" GET);
  CHECK_EQ(take(64), 7); /* never more than the body */
  CHECK_BYTES(got, 7, "3456789");
  CHECK_EQ(driver_counter(&d, BJ_REQ_SUCCESS_READ), 1);
  bj_event next = driver_event(&d, BJ_REQUEST);
  answer();
  driver_answer(&d, &next, "b");
  driver_flush(&d);
  client_expect(client, OK("b"));
  end();
}

TEST("the event for the last byte has BJ_EVENT_END")
{
  begin(POST("3"));
  client_send(client, "abc" GET);
  bj_event told = driver_event(&d, BJ_READABLE);
  CHECK_EQ(told.body_size, 3);
  CHECK_EQ(told.flags, BJ_EVENT_END);
  CHECK_EQ(take(3), 3);
  CHECK_EQ(take(3), 0);
  answer();
  e = driver_event(&d, BJ_REQUEST);
  answer();
  end();
}

TEST("a caller that does not read is told once, and the library sleeps meanwhile")
{
  begin(POST("10"));
  client_send(client, "01234");
  driver_event(&d, BJ_READABLE);
  for (int i = 0; i < 3; i++) CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(bj_server_park(d.server), 0);
  struct pollfd wake = {.fd = d.wake, .events = POLLIN};
  CHECK_EQ(poll(&wake, 1, 20), 0);
  CHECK_EQ(take(5), 5);
  client_send(client, "56789");
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_READABLE);
  CHECK_EQ(take(5), 5);
  answer();
  end();
}

TEST("what came before BJ_CONSUME_REST comes as BJ_BODY")
{
  bj_options options = driver_defaults();
  driver_open(&d, &options);
  client = client_open(&d);
  client_send(client, POST("6") "ab");
  e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(e.body_size, 2);
  client_send(client, "cd");
  CHECK_EQ(driver_event(&d, BJ_BODY).body_size, 2);
  driver_consume(&d, &e, 4)->flags = BJ_CONSUME_REST;
  driver_flush(&d);
  client_send(client, "ef");
  CHECK_EQ(driver_event(&d, BJ_READABLE).body_size, 2);
  CHECK_EQ(take(2), 2);
  CHECK_BYTES(got, 2, "ef");
  answer();
  end();
}

TEST("chunks are decoded first, so they come as BJ_BODY")
{
  begin(CHUNKED);
  client_send(client, "3\r\nabc\r\n0\r\n\r\n");
  bj_event part = driver_event(&d, BJ_BODY);
  CHECK_EQ(part.body_size, 3);
  CHECK_EQ(part.flags, BJ_EVENT_END);
  CHECK_EQ(take(3), 0);
  answer();
  end();
}

TEST("a client that waits for 100 (Continue) gets it")
{
  begin("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  client_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
  client_send(client, "ab");
  driver_event(&d, BJ_READABLE);
  CHECK_EQ(take(2), 2);
  answer();
  end();
}

TEST("a client that leaves in the middle is reported once its bytes are read")
{
  begin(POST("10"));
  client_send(client, "01234");
  shutdown(client, SHUT_WR);
  driver_event(&d, BJ_READABLE);
  CHECK_EQ(take(5), 5);
  bj_event aborted = driver_event(&d, BJ_ABORTED);
  CHECK_EQ(aborted.flags, BJ_DISCONNECTED);
  CHECK_EQ(take(5), 0);
  end();
}

TEST("what a client sent before it left can still be read later")
{
  begin(POST("5"));
  client_send(client, "01234");
  CHECK_EQ(driver_event(&d, BJ_READABLE).body_size, 5);
  close(client);
  CHECK(driver_pass(&d, 2100) <= 1); /* looks once a second: one BJ_LEFT, where the system tells */
  CHECK_EQ(take(64), 5);
  CHECK_BYTES(got, 5, "01234");
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  driver_close(&d);
}

TEST("an answer before the end of the body drops the rest")
{
  begin(POST("10"));
  client_send(client, "01234");
  driver_event(&d, BJ_READABLE);
  answer();
  CHECK_EQ(take(5), 0);
  client_send(client, "56789" GET);
  e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "b");
  driver_flush(&d);
  client_expect(client, OK("b"));
  end();
}

TEST("an event that finds no room comes in the next turn")
{
  bj_options options = driver_defaults();
  options.event_slots = 3;
  driver_open(&d, &options);
  int others[3];
  bj_event posts[3];
  for (int i = 0; i < 3; i++) {
    others[i] = client_open(&d);
    client_send(others[i], POST("1"));
    posts[i] = driver_event(&d, BJ_REQUEST);
    driver_consume(&d, &posts[i], 0)->flags = BJ_CONSUME_REST;
    driver_flush(&d);
  }
  for (int i = 0; i < 3; i++) client_send(others[i], "x");
  int told = 0;
  for (int i = 0; i < 8 && told < 3; i++, told += (int)d.count) driver_turn(&d);
  CHECK_EQ(told, 3);
  for (int i = 0; i < 3; i++) {
    e = posts[i];
    CHECK_EQ(take(1), 1);
    client = others[i];
    answer();
    close(client);
  }
  driver_close(&d);
}
