#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "bjoern.h"
#include "test.h"

static char error[BJ_ERROR_SIZE], address[BJ_ADDRESS_SIZE], host[BJ_ADDRESS_SIZE], *path;

/* Puts a path of this test's own into `host`, as "unix:/path". */
static void choose_path(void)
{
  snprintf(host, sizeof host, "unix:/tmp/bjoern-listener-%d", (int)getpid());
  path = host + 5;
  unlink(path);
}

static int open_plain(listener *l, const char *where, uint32_t port)
{
  return listener_open(l, where, port, 8, false, 0, error);
}

static bool can_connect(int fd)
{
  struct sockaddr_storage where;
  socklen_t size = sizeof where;
  if (getsockname(fd, (struct sockaddr *)&where, &size) < 0) return false;
  int client = socket(where.ss_family, SOCK_STREAM, 0);
  bool can = connect(client, (struct sockaddr *)&where, size) == 0;
  close(client);
  return can;
}

TEST("a TCP address is listened on and reported")
{
  static const struct {
    const char *where, *told;
  } rows[] = {{"127.0.0.1", "127.0.0.1"},
              {"0.0.0.0", "0.0.0.0"},
              {"::1", "::1"},
              {"::", "::"},
              {"localhost", NULL},
              {"", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    listener l;
    int refused = open_plain(&l, rows[i].where, 0);
    if (refused == -EADDRNOTAVAIL || refused == -EAFNOSUPPORT) continue; /* no IPv6 here */
    CHECK_EQ(refused, 0);
    CHECK(bj_address(l.fd, address) > 0);
    if (rows[i].told != NULL) CHECK_EQ(strcmp(address, rows[i].told), 0);
    CHECK(can_connect(l.fd));
    listener_close(&l);
    CHECK_EQ(l.fd, -1);
    listener_close(&l);
  }
}

TEST("accepted connections have TCP keep-alive")
{
  listener l;
  CHECK_EQ(open_plain(&l, "127.0.0.1", 0), 0);
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)bj_address(l.fd, address)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int client = socket(AF_INET, SOCK_STREAM, 0), on = 0;
  CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
  int accepted = accept(l.fd, NULL, NULL);
  socklen_t size = sizeof on;
  CHECK_EQ(getsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
  CHECK(on != 0);
  close(accepted);
  close(client);
  listener_close(&l);
}

TEST("\"::\" serves IPv4 too, and reports its addresses as IPv4")
{
  listener l;
  if (open_plain(&l, "::", 0) != 0) return;
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)bj_address(l.fd, address)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
  int accepted = accept(l.fd, NULL, NULL);
  CHECK(bj_address(accepted, address) > 0);
  CHECK_EQ(strcmp(address, "127.0.0.1"), 0);
  close(accepted);
  close(client);
  listener_close(&l);
}

TEST("an address that is in use, foreign or meaningless is refused with call and reason")
{
  listener l, m;
  CHECK_EQ(open_plain(&l, "127.0.0.1", 0), 0);
  uint32_t port = (uint32_t)bj_address(l.fd, address);
  CHECK_EQ(open_plain(&m, "127.0.0.1", port), -EADDRINUSE);
  snprintf(host, sizeof host, "bind: %s", strerror(EADDRINUSE));
  CHECK_EQ(strcmp(error, host), 0);
  CHECK_EQ(m.fd, -1);
  CHECK_EQ(open_plain(&m, "192.0.2.1", 0), -EADDRNOTAVAIL);
  CHECK_EQ(open_plain(&m, "256.1.1.1.invalid", 0), -ENOENT);
  CHECK_EQ(strncmp(error, "getaddrinfo: ", 13), 0);
  CHECK_EQ(m.fd, -1);
  listener_close(&l);
}

TEST("a port is shared if all its listeners want that")
{
  listener l, m;
  CHECK_EQ(listener_open(&l, "127.0.0.1", 0, 8, true, 0, error), 0);
  uint32_t port = (uint32_t)bj_address(l.fd, address);
  CHECK_EQ(listener_open(&m, "127.0.0.1", port, 8, true, 0, error), 0);
  listener_close(&l);
  listener_close(&m);
}

TEST("a socket file has its mode, is reported, and is removed with its listener")
{
  listener l;
  struct stat file;
  choose_path();
  CHECK_EQ(listener_open(&l, host, 0, 8, false, 0600, error), 0);
  CHECK_EQ(stat(path, &file), 0);
  CHECK_EQ(file.st_mode & 0777, 0600);
  CHECK_EQ(bj_address(l.fd, address), 0);
  CHECK_EQ(strcmp(address, host), 0);
  CHECK(can_connect(l.fd));
  listener_close(&l);
  CHECK(stat(path, &file) < 0);
}

TEST("a stale socket file is replaced, a live one is refused and still served")
{
  listener l, m;
  choose_path();
  CHECK_EQ(open_plain(&l, host, 0), 0);
  CHECK_EQ(open_plain(&m, host, 0), -EADDRINUSE);
  listener_close(&m);
  CHECK(can_connect(l.fd));
  close(l.fd); /* as if the process was killed */
  l.fd = -1;
  CHECK_EQ(open_plain(&m, host, 0), 0);
  listener_close(&l); /* its own file is gone, and another is there */
  CHECK(can_connect(m.fd));
  listener_close(&m);
}

#if defined(__linux__) /* see is_stale() */
TEST("a live socket whose backlog is full is not taken for a stale one")
{
  listener l, m;
  int clients[16];
  choose_path();
  CHECK_EQ(listener_open(&l, host, 0, 0, false, 0, error), 0);
  for (int i = 0; i < 16; i++) {
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    strcpy(where.sun_path, path);
    clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
    fcntl(clients[i], F_SETFL, O_NONBLOCK);
    (void)!connect(clients[i], (struct sockaddr *)&where, sizeof where);
  }
  CHECK_EQ(open_plain(&m, host, 0), -EADDRINUSE);
  for (int i = 0; i < 16; i++) close(clients[i]);
  listener_close(&l);
}
#endif

TEST("a file that is not a socket is neither replaced nor removed")
{
  listener l;
  struct stat file;
  choose_path();
  FILE *other = fopen(path, "w");
  CHECK(other != NULL && fclose(other) == 0);
  CHECK_EQ(open_plain(&l, host, 0), -EADDRINUSE);
  listener_close(&l);
  CHECK_EQ(stat(path, &file), 0);
  unlink(path);
}

typedef struct opener {
  atomic_int *missing; /* who has yet to come */
  listener l;
  int refused;
} opener;

static void *open_same(void *given)
{
  opener *o = given;
  char reason[BJ_ERROR_SIZE];
  atomic_fetch_sub(o->missing, 1);
  while (atomic_load(o->missing) > 0) {
  }
  o->refused = listener_open(&o->l, host, 0, 8, false, 0600, reason);
  return NULL;
}

TEST("if two want the same path at once one gets it, whatever was there")
{
  choose_path();
  for (int round = 0; round < 400; round++) {
    atomic_int missing = 2;
    pthread_t thread;
    listener stale;
    if (round % 2 == 0) {
      CHECK_EQ(open_plain(&stale, host, 0), 0);
      close(stale.fd);
      free(stale.path);
    }
    opener both[2] = {{.missing = &missing}, {.missing = &missing}};
    CHECK_EQ(pthread_create(&thread, NULL, open_same, &both[1]), 0);
    open_same(&both[0]);
    pthread_join(thread, NULL);
    CHECK((both[0].refused == 0) != (both[1].refused == 0));
    CHECK_EQ(both[0].refused + both[1].refused, -EADDRINUSE);
    for (int i = 0; i < 2; i++)
      if (both[i].refused == 0) listener_close(&both[i].l);
    unlink(path);
  }
}

TEST("a path has at least one byte, and as many as fit")
{
  listener l;
  char longest[BJ_ADDRESS_SIZE];
  size_t room = sizeof((struct sockaddr_un *)0)->sun_path - 1;
  choose_path();
  int begun = snprintf(longest, sizeof longest, "%s", host);
  memset(longest + begun, 'x', 5 + room - (size_t)begun);
  longest[5 + room] = '\0';
  CHECK_EQ(open_plain(&l, longest, 0), 0);
  CHECK_EQ(bj_address(l.fd, address), 0);
  CHECK_EQ(strcmp(address, longest), 0);
  listener_close(&l);
  strcat(longest, "x");
  CHECK_EQ(open_plain(&l, longest, 0), -ENAMETOOLONG);
  CHECK_EQ(open_plain(&l, "unix:", 0), -EINVAL);
  CHECK_EQ(open_plain(&l, "unix:/nowhere/at/all", 0), -ENOENT);
}

#if defined(__linux__)
TEST("an abstract name has no file and is reported with its \"@\"")
{
  listener l, m;
  struct stat file;
  snprintf(host, sizeof host, "unix:@bjoern-%d", (int)getpid());
  CHECK_EQ(open_plain(&l, host, 0), 0);
  CHECK_EQ(bj_address(l.fd, address), 0);
  CHECK_EQ(strcmp(address, host), 0);
  CHECK(can_connect(l.fd));
  CHECK(stat(host + 5, &file) < 0);
  CHECK_EQ(open_plain(&m, host, 0), -EADDRINUSE);
  listener_close(&l);
}
#else
TEST("an abstract name is refused where the system has none")
{
  listener l;
  CHECK_EQ(open_plain(&l, "unix:@bjoern", 0), -EOPNOTSUPP);
  CHECK_EQ(strncmp(error, "bind: there are no abstract names here: ", 40), 0);
}
#endif

TEST("an adopted socket is neither closed nor unlinked")
{
  listener l, m;
  struct stat file;
  choose_path();
  CHECK_EQ(open_plain(&l, host, 0), 0);
  CHECK_EQ(listener_adopt(&m, l.fd, error), 0);
  CHECK_EQ(m.fd, l.fd);
  listener_close(&m);
  CHECK_EQ(m.fd, -1);
  CHECK_EQ(stat(path, &file), 0);
  CHECK(can_connect(l.fd));
  listener_close(&l);
}

TEST("a duplicate is closed, its original is not")
{
  listener l, own;
  CHECK_EQ(open_plain(&l, "127.0.0.1", 0), 0);
  snprintf(host, sizeof host, "fd:%d", l.fd);
  CHECK_EQ(open_plain(&own, host, 0), 0);
  CHECK(own.fd >= 10);
  CHECK_EQ(bj_address(own.fd, address), bj_address(l.fd, address));
  listener_close(&own);
  CHECK(can_connect(l.fd));
  listener_close(&l);
  CHECK_EQ(open_plain(&own, host, 0), -EBADF);
  CHECK_EQ(open_plain(&own, "fd:0", 0) < 0, 1);
}

TEST("a socket that does not listen is not adopted")
{
  listener l;
  int fd = socket(AF_INET, SOCK_STREAM, 0), pipes[2];
  CHECK_EQ(listener_adopt(&l, fd, error), -EINVAL);
  CHECK_EQ(l.fd, -1);
  CHECK_EQ(pipe(pipes), 0);
  CHECK_EQ(listener_adopt(&l, pipes[0], error), -ENOTSOCK);
  CHECK_EQ(listener_adopt(&l, -1, error), -EBADF);
  CHECK_EQ(strncmp(error, "getsockopt(SO_ACCEPTCONN): ", 27), 0);
  close(fd);
  close(pipes[0]);
  close(pipes[1]);
}
