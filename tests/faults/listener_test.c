/* Listeners that cannot go on: no descriptors are left, or someone else has shut the listener down.
 * Connected clients must not notice, and waiting must cost nothing. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <time.h>

#include "../c/driver.h"
#include "shim.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { WHILE = 550, MOST_ACCEPTS = 8, MOST_TURNS = 40 };

static driver d;
static bj_listener *listener;

static long long now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Serves for that many milliseconds, parked while idle. Returns the number of turns. */
static int serve(int milliseconds)
{
  struct pollfd wake = {.fd = d.wake, .events = POLLIN};
  char octet;
  int turns = 0;
  for (long long until = now() + milliseconds; now() < until; turns++) {
    driver_turn(&d);
    for (uint32_t i = 0; i < d.count; i++)
      if (d.events[i].type == BJ_REQUEST) driver_answer(&d, &d.events[i], "ok");
    driver_flush(&d);
    long long left = until - now();
    if (d.count > 0 || bj_server_park(d.server) != 0) continue;
    if (poll(&wake, 1, left > 0 ? (int)left : 0) == 1) CHECK_EQ(read(d.wake, &octet, 1), 1);
  }
  return turns;
}

static int open_tcp(void)
{
  char address[BJ_ADDRESS_SIZE];
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  where.sin_port = htons((uint16_t)bj_server_address(d.server, address));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
  CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  return fd;
}

static int open_client(void)
{
  int client = strncmp(d.host, "unix:", 5) == 0 ? client_open(&d) : open_tcp();
  client_send(client, GET);
  serve(20);
  client_expect(client, OK);
  return client;
}

/* Serves on a listener that belongs to someone else. */
static void adopt(const char *host)
{
  char error[BJ_ERROR_SIZE];
  uint32_t reason;
  bj_options options = driver_defaults();
  shim_start(NULL);
  driver_make(&d, &options);
  snprintf(d.host, sizeof d.host, "%s", host);
  listener = bj_listener_open(d.host, 0, 64, 0, 0, &reason, error);
  CHECK_EQ(bj_server_adopt(d.server, bj_listener_fd(listener), error), 0);
}

/* Nothing spins, connected clients are served, and draining ends. */
static void check_calm(int client)
{
  unsigned accepts = shim_count(CALL_accept4, false);
  int turns = serve(WHILE);
  CHECK(shim_count(CALL_accept4, false) - accepts <= MOST_ACCEPTS);
  CHECK(turns <= MOST_TURNS);
  client_send(client, GET);
  serve(20);
  client_expect(client, OK);
}

static void end(int client)
{
  close(client);
  serve(20);
  bj_server_drain(d.server, 0);
  bool is_stopped = false;
  for (int i = 0; i < 10 && !is_stopped; i++) {
    driver_turn(&d);
    for (uint32_t k = 0; k < d.count; k++) is_stopped |= d.events[k].type == BJ_STOPPED;
  }
  CHECK(is_stopped);
}

TEST("without descriptors nothing spins, clients go on, and new ones are served later")
{
  static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
  bj_options options = driver_defaults();
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    shim_start(NULL);
    driver_open(&d, &options);
    int client = open_client();
    shim_start(&(fault){.call = CALL_accept4, .error = errors[i], .every = 1});
    int waiting = client_open(&d);
    client_send(waiting, GET);
    check_calm(client);
    CHECK_EQ(client_read(waiting, (char[1]){0}, 1), 0);
    shim_start(NULL);
    serve(150);
    client_expect(waiting, OK);
    close(waiting);
    end(client);
    driver_close(&d);
  }
}

/* Allows the process no more descriptors. Returns the previous limit. */
static struct rlimit starve(void)
{
  struct rlimit before, now;
  int highest = dup(0);
  close(highest);
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  now = (struct rlimit){.rlim_cur = (rlim_t)highest, .rlim_max = before.rlim_max};
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  return before;
}

TEST("after five seconds without descriptors new clients are turned away, not left waiting")
{
  bj_options options = driver_defaults();
  shim_start(NULL);
  shim_set_clocks(0, 0);
  driver_open(&d, &options);
  int client = open_client(), waiting = client_open(&d), late = client_open(&d);
  struct rlimit before = starve();
  for (int i = 1; i <= 55; i++) {
    if (i == 45) CHECK_EQ(client_read(waiting, (char[1]){0}, 1), 0);
    shim_set_clocks(i * .11, i * .11);
    driver_turn(&d);
    driver_turn(&d);
  }
  client_expect_end(waiting);
  client_expect_end(late);
  setrlimit(RLIMIT_NOFILE, &before);
  check_calm(client);
  close(open_client());
  close(waiting);
  close(late);
  end(client);
  driver_close(&d);
  shim_set_clocks(0, 0);
}

static void check_shut(const char *host)
{
  adopt(host);
  int client = open_client();
  shutdown(bj_listener_fd(listener), SHUT_RDWR);
  check_calm(client);
  end(client);
  bj_listener_close(listener);
  driver_close(&d);
}

TEST("a TCP listener that someone else shuts down costs its clients nothing")
{
  check_shut("127.0.0.1");
}

/* accept(2) returns EAGAIN, though poll(2) reports something to accept. */
TEST("so does a Unix listener that someone else shuts down")
{
  check_shut("unix:/tmp/bjoern-listener");
}

/* Its number may have been reused by then. */
TEST("so does one that someone else closes")
{
  adopt("unix:/tmp/bjoern-listener");
  int client = open_client(), fd = bj_listener_fd(listener), pair[2];
  CHECK_EQ(pipe(pair), 0);
  close(fd);
  check_calm(client);
  CHECK_EQ(dup2(pair[0], fd), fd);
  check_calm(client);
  end(client);
  CHECK(fcntl(fd, F_GETFD) >= 0); /* it does not belong to the server */
  close(pair[0]);
  close(pair[1]);
  bj_listener_close(listener);
  driver_close(&d);
}

TEST("a listener that epoll refuses once is accepted from later")
{
  bj_options options = driver_defaults();
  shim_start(&(fault){.call = CALL_epoll_ctl, .error = ENOMEM, .number = 1});
  driver_open(&d, &options);
  serve(250);
  CHECK(shim_has_failed());
  close(open_client());
  serve(20);
  driver_close(&d);
}
