/* Clocks that are set: deadlines use the monotonic one, Date the other. */
#include <time.h>

#include "../c/driver.h"
#include "shim.h"

enum { DAY = 86400, SECOND = 1000 };

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static driver d;

static void begin(void)
{
  bj_options options = driver_defaults();
  options.head_timeout = options.body_timeout = SECOND;
  options.idle_timeout = options.write_timeout = SECOND;
  shim_start(NULL);
  shim_set_clocks(0, 0);
  driver_open(&d, &options);
}

static void end(int client)
{
  close(client);
  driver_close(&d);
  shim_set_clocks(0, 0);
}

/* A client that has sent half of a head. */
static int open_half(void)
{
  int client = client_open(&d);
  client_send(client, "GET / HT");
  driver_turn(&d);
  driver_turn(&d);
  return client;
}

/* By how many seconds the Date of an answer is ahead of the system's clock (or behind). */
static long long date_ahead(int client)
{
  char got[512] = "";
  struct tm t = {0};
  client_send(client, "TP/1.1\r\nHost: a\r\n\r\n");
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "")->flags &= ~BJ_WRITE_DATE;
  driver_flush(&d);
  client_read(client, got, sizeof got - 1);
  const char *date = strstr(got, "Date: ");
  CHECK(date != NULL && strptime(date + 6, "%a, %d %b %Y %H:%M:%S GMT", &t) != NULL);
  return (long long)timegm(&t) - (long long)time(NULL);
}

/* libev compares the clocks every half a second. */
static void check_jump(double by)
{
  begin();
  int client = open_half();
  shim_set_clocks(by, 0);
  for (int i = 0; i < 4; i++) driver_turn(&d);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 1);
  shim_set_clocks(by, .6);
  driver_turn(&d);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 1);
  CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), 0);
  long long ahead = date_ahead(client) - (long long)by;
  CHECK(ahead >= -1 && ahead <= 1);
  end(client);
}

TEST("a day forwards ends no connection, and Date follows")
{
  check_jump(DAY);
}

TEST("a day backwards ends no connection either")
{
  check_jump(-DAY);
}

TEST("deadlines pass whatever the other clock does")
{
  static const double jumps[] = {0, DAY, -DAY};
  for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
    begin();
    int client = open_half();
    shim_set_clocks(jumps[i], 1.1);
    for (int k = 0; k < 4; k++) driver_turn(&d);
    CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), 1);
    char got[512] = "";
    client_read(client, got, sizeof got - 1);
    CHECK(strstr(got, "408") != NULL);
    end(client);
  }
}

TEST("a parked server wakes in time after a jump")
{
  begin();
  int client = open_half();
  shim_set_clocks(-DAY, .9);
  driver_turn(&d);
  struct pollfd wake = {.fd = d.wake, .events = POLLIN};
  CHECK_EQ(bj_server_park(d.server), 0);
  CHECK_EQ(poll(&wake, 1, SECOND), 1);
  end(client);
}
