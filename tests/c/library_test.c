/* libev's backends, and what else needs no server. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"

static const uint32_t backends[] = {BJ_BACKEND_AUTO, BJ_BACKEND_SELECT, BJ_BACKEND_POLL,
                                    BJ_BACKEND_EPOLL, BJ_BACKEND_KQUEUE};

TEST("a server works with each of the system's backends")
{
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
    if (bj_backend(backends[i]) == 0) continue;
    driver d;
    bj_options options = driver_defaults();
    options.backend = backends[i];
    driver_open(&d, &options);
    for (int round = 0; round < 3; round++) { /* parks before and after */
      driver_turn(&d);
      driver_turn(&d);
      CHECK_EQ(bj_server_park(d.server), 0);
      int client = client_open(&d);
      client_send(client, GET);
      CHECK(driver_wait(&d));
      bj_event e = d.events[0];
      driver_answer(&d, &e, "x");
      driver_flush(&d);
      client_expect(client, OK);
      close(client);
      char octet;
      while (recv(d.wake, &octet, 1, MSG_DONTWAIT) == 1) {
      }
    }
    driver_close(&d);
  }
}

TEST("LIBEV_FLAGS chooses the backend, and the option overrides it")
{
  unsetenv("LIBEV_FLAGS");
  uint32_t best = bj_backend(BJ_BACKEND_AUTO);
  CHECK(best == BJ_BACKEND_EPOLL || best == BJ_BACKEND_KQUEUE);
  setenv("LIBEV_FLAGS", "2", 1);
  CHECK_EQ(bj_backend(BJ_BACKEND_AUTO), BJ_BACKEND_POLL);
  CHECK_EQ(bj_backend(BJ_BACKEND_SELECT), BJ_BACKEND_SELECT);
  setenv("LIBEV_FLAGS", "3", 1);
  CHECK_EQ(bj_backend(BJ_BACKEND_AUTO), BJ_BACKEND_POLL);
  setenv("LIBEV_FLAGS", "0", 1);
  CHECK_EQ(bj_backend(BJ_BACKEND_AUTO), best);
  setenv("LIBEV_FLAGS", "16", 1); /* devpoll */
  CHECK_EQ(bj_backend(BJ_BACKEND_AUTO), 0);
  unsetenv("LIBEV_FLAGS");
  CHECK_EQ(bj_backend(best == BJ_BACKEND_EPOLL ? BJ_BACKEND_KQUEUE : BJ_BACKEND_EPOLL), 0);
}

TEST("an unknown backend is refused")
{
  bj_options options = driver_defaults();
  options.backend = bj_backend(0) == BJ_BACKEND_EPOLL ? BJ_BACKEND_KQUEUE : BJ_BACKEND_EPOLL;
  char error[BJ_ERROR_SIZE] = "";
  CHECK(bj_server_new(&options, NULL, NULL, NULL, NULL, NULL, error) == NULL);
  CHECK(strncmp(error, "libev has no such backend", 25) == 0);
}

TEST("libev's version is reported")
{
  CHECK_EQ(bj_libev_version(), 4 << 16 | 33);
}

TEST("the command line is this program's")
{
  char line[4096], small[2];
  int32_t size = bj_command_line(line, sizeof line);
  CHECK(size > 0 && line[size - 1] == '\0');
  CHECK(strstr(line, "library_test") != NULL);
  CHECK_EQ(bj_command_line(small, sizeof small), -ERANGE);
  CHECK_EQ(bj_command_line(small, 0), -ERANGE);
}
