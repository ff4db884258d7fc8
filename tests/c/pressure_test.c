/* max_buffered. */
#include "driver.h"

enum { MOST = 1 << 20, CLIENTS = 24, LARGE = 400000 };

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HALF "GET / HTTP/1.1\r\nHost: a\r\nX: "

static driver d;
static int clients[CLIENTS], modest;
static char large[LARGE + 1];
static bj_event unanswered[CLIENTS];
static int unanswered_count;
static enum bj_reason expected;

/* There is always one client that holds little. */
static void begin(uint32_t most, uint32_t pipelined)
{
  bj_options options = driver_defaults();
  options.max_buffered = most;
  options.max_pipelined = pipelined;
  options.max_head_size = 65535;
  driver_open(&d, &options);
  unanswered_count = 0;
  expected = BJ_SHED;
  memset(large, 'x', LARGE);
  modest = client_open(&d);
  client_send(modest, HALF);
  for (int i = 0; i < CLIENTS; i++) clients[i] = client_open(&d);
  driver_turn(&d);
}

static long long buffered(void)
{
  return driver_counter(&d, BJ_BYTES_BUFFERED);
}

/* Takes turns until nothing happens for as many as there are clients. Returns how many requests
 * were aborted. */
static int settle(const char *body, bool backwards)
{
  int shed = 0;
  for (int quiet = 0; quiet < CLIENTS; quiet = d.count == 0 ? quiet + 1 : 0) {
    driver_turn(&d);
    CHECK(d.options.max_buffered == 0 || buffered() <= d.options.max_buffered);
    for (uint32_t i = 0; i < d.count; i++) {
      const bj_event *e = &d.events[backwards ? d.count - 1 - i : i];
      if (e->type == BJ_ABORTED) {
        CHECK_EQ(e->flags, expected);
        shed++;
      } else if (e->type == BJ_REQUEST && body == NULL) {
        unanswered[unanswered_count++] = *e;
      } else if (e->type == BJ_REQUEST && !(backwards && i == d.count - 1)) {
        driver_answer(&d, e, body);
        driver_flush(&d);
        CHECK(d.options.max_buffered == 0 || buffered() <= d.options.max_buffered);
      }
    }
  }
  return shed;
}

/* The client that held little has noticed nothing. */
static void check_modest(void)
{
  client_send(modest, "1\r\n\r\n");
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "1");
  driver_flush(&d);
  client_expect(modest, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
}

/* Once all clients have left, nothing is held. */
static void end(void)
{
  check_modest();
  close(modest);
  for (int i = 0; i < CLIENTS; i++) close(clients[i]);
  for (int i = 0; i < unanswered_count; i++) driver_answer(&d, &unanswered[i], "");
  driver_flush(&d);
  settle("", false);
  CHECK_EQ(buffered(), 0);
  driver_close(&d);
}

TEST("incomplete heads: the largest connections go")
{
  begin(MOST, 64);
  for (int i = 0; i < CLIENTS; i++) {
    client_send(clients[i], HALF);
    client_send_bytes(clients[i], large, 60000);
  }
  CHECK_EQ(settle(NULL, false), 0);
  CHECK(buffered() > MOST / 2);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED), CLIENTS - MOST / 60000);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 1 + MOST / 60000);
  end();
}

TEST("answers that clients do not take: the largest go")
{
  begin(MOST, 64);
  for (int i = 0; i < CLIENTS; i++) client_send(clients[i], GET);
  settle(large, false);
  CHECK(buffered() > MOST / 2);
  CHECK(driver_counter(&d, BJ_CONN_SHED) > CLIENTS / 2);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED) + driver_counter(&d, BJ_CONNECTIONS_OPEN), CLIENTS + 1);
  end();
}

TEST("answers behind an earlier one: the largest go, and their requests are told why")
{
  begin(MOST, 64);
  client_send(clients[0], GET GET GET GET GET);
  CHECK_EQ(settle(large, true), 2);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED), 1);
  CHECK_EQ(buffered(), sizeof HALF - 1);
  end();
}

static void announce(const bj_event *e, uint32_t length)
{
  bj_command *command = driver_write(&d, e, BJ_WRITE_HEAD | BJ_WRITE_LENGTH | BJ_WRITE_DIRECT, "");
  command->length_low = length;
  driver_flush(&d);
}

TEST("direct answers behind an earlier one: the largest go")
{
  bj_event each[2][3];
  begin(MOST, 64);
  for (int i = 0; i < 2; i++) {
    client_send(clients[i], GET GET GET);
    driver_turn(&d);
    CHECK_EQ(d.count, 3);
    memcpy(each[i], d.events, sizeof each[i]);
  }
  for (int k = 2; k >= 0; k--) announce(&each[0][k], MOST / 3);
  CHECK(buffered() > 2 * (MOST / 3) && buffered() < MOST);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED), 0);
  announce(&each[1][1], MOST / 2);
  CHECK_EQ(settle(NULL, false), 3);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED), 1);
  expected = BJ_DISCONNECTED;
  end();
}

TEST("a direct body does not count once it is its turn")
{
  bj_event each[2];
  begin(MOST, 64);
  client_send(clients[0], GET GET);
  driver_turn(&d);
  memcpy(each, d.events, sizeof each);
  announce(&each[1], MOST / 2);
  CHECK(buffered() > MOST / 2);
  announce(&each[0], 4);
  CHECK_EQ(bj_server_write(d.server, each[0].request, each[0].generation, "done", 4), 4);
  driver_flush(&d);
  CHECK_EQ(buffered(), sizeof HALF - 1);
  expected = BJ_DISCONNECTED;
  end();
}

TEST("requests beyond max_pipelined: the largest go")
{
  begin(MOST, 1);
  static char many[100 * sizeof GET];
  for (int i = 0; i < 100; i++) strcat(many, GET);
  for (int i = 0; i < CLIENTS; i++)
    for (int k = 0; k < 30; k++) client_send_bytes(clients[i], many, strlen(many));
  CHECK(settle(NULL, false) > 0);
  CHECK(buffered() > MOST / 2);
  end();
}

TEST("without a limit everybody stays")
{
  begin(0, 64);
  for (int i = 0; i < CLIENTS; i++) client_send(clients[i], GET);
  settle(large, false);
  CHECK(buffered() > 2 * MOST);
  CHECK_EQ(driver_counter(&d, BJ_CONN_SHED), 0);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), CLIENTS + 1);
  end();
}
