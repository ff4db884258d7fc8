/* Connections and servers from beginning to end. Bodies, streams, records and timeouts have their
 * own files. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST_GET "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define LAST_OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\nConnection: close\r\n\r\n"
#define ERROR(status, length, text)                                                                \
  "HTTP/1.1 " status "\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: " length       \
  "\r\nConnection: close\r\n\r\n" text

static driver d;

static void begin(void)
{
  bj_options options = driver_defaults();
  driver_open(&d, &options);
}

TEST("an unused server holds nothing")
{
  begin();
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(bj_server_park(d.server), 0);
  driver_close(&d);
}

/* Waiting spins for few clients and sleeps for many; also across periods. */
static void waiting(int clients)
{
  int fds[16];
  begin();
  for (int i = 0; i < clients; i++) fds[i] = client_open(&d);
  for (int i = 0; i < clients; i++) {
    client_send(fds[i], GET);
    bj_event asked = driver_event(&d, BJ_REQUEST);
    driver_answer(&d, &asked, "");
    driver_flush(&d);
    client_expect(fds[i], OK("0"));
  }
  while (bj_server_wait(d.server, 1) > 0) driver_turn(&d);
  for (int i = 0; i < 40; i++) CHECK_EQ(bj_server_wait(d.server, 200), 0);
  client_send(fds[0], GET);
  CHECK(bj_server_wait(d.server, 1000000) > 0);
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "");
  driver_flush(&d);
  client_expect(fds[0], OK("0"));
  for (int i = 0; i < clients; i++) close(fds[i]);
  driver_close(&d);
}

TEST("bj_server_wait() waits for work")
{
  waiting(1);
  waiting(16);
}

TEST("a request is handed over with its parts and answered on the same connection")
{
  begin();
  int client = client_open(&d);
  for (int i = 0; i < 3; i++) {
    client_send(client, "HEAD /a?b HTTP/1.1\r\nHost: c\r\nD: e\r\n\r\n");
    bj_event e = driver_event(&d, BJ_REQUEST);
    const char *head = d.arena + e.head_at;
    CHECK_BYTES(head, e.head_size, "HEAD /a?b HTTP/1.1\r\nHost: c\r\nD: e\r\n\r\n");
    CHECK_BYTES(d.arena + e.target_at, e.target_size, "/a?b");
    CHECK_BYTES(d.arena + e.authority_at, e.authority_size, "c");
    CHECK_EQ(e.method, BJ_HEAD | 4 << 16);
    CHECK_EQ(e.flags, BJ_EVENT_END);
    CHECK_EQ(e.fields_count, 2);
    const uint32_t *pair = d.fields + 2 * (e.fields_at + 1);
    CHECK_BYTES(head + (pair[0] & 0xffff), pair[0] >> 16, "D");
    CHECK_BYTES(head + (pair[1] & 0xffff), pair[1] >> 16, "e");
    driver_answer(&d, &e, "hello");
    driver_flush(&d);
    client_expect(client, OK("5"));
  }
  CHECK_EQ(driver_counter(&d, BJ_REQ_SUCCESS_READ), 3);
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_SUCCESS), 1);
  close(client);
  driver_close(&d);
}

TEST("a request that comes byte by byte is one request")
{
  begin();
  int client = client_open(&d);
  for (size_t i = 0; i < sizeof GET - 2; i++) {
    client_send_bytes(client, &GET[i], 1);
    CHECK_EQ(driver_turn(&d), 0);
  }
  client_send(client, "\n");
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "");
  driver_flush(&d);
  client_expect(client, OK("0"));
  close(client);
  driver_close(&d);
}

TEST("the addresses of both sides are reported")
{
  char error[BJ_ERROR_SIZE], address[BJ_ADDRESS_SIZE];
  bj_options options = driver_defaults();
  driver_make(&d, &options);
  CHECK_EQ(bj_server_listen(d.server, "127.0.0.1", 0, 8, 0, 0, error), 0);
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)bj_server_address(d.server, address)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  CHECK_EQ(strcmp(address, "127.0.0.1"), 0);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof to), 0);
  CHECK_EQ(getsockname(client, (struct sockaddr *)&from, &size), 0);
  client_send(client, GET);
  CHECK(driver_wait(&d));
  bj_event e = d.events[0];
  CHECK_EQ(e.peer_port, ntohs(from.sin_port));
  CHECK_EQ(ntohl(e.peer[2]), 0xffff);
  CHECK_EQ(ntohl(e.peer[3]), INADDR_LOOPBACK);
  CHECK_EQ(bj_server_local(d.server, e.request, e.generation, address), ntohs(to.sin_port));
  CHECK_EQ(bj_server_local(d.server, e.request, e.generation + 1, address), -1);
  close(client);
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_LEFT);
  driver_answer(&d, &e, "");
  driver_flush(&d);
  driver_close(&d);
}

TEST("a rejected head is answered, and nothing after it is read")
{
  begin();
  int client = client_open(&d);
  client_send(client, "GET / HTTP/1.1\r\n\r\n" GET);
  CHECK_EQ(driver_turn(&d), 0);
  client_expect(client, ERROR("400 Bad Request", "11", "Bad Request"));
  client_send(client, GET);
  CHECK_EQ(driver_turn(&d), 0);
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 1); /* until the client closes as well */
  close(client);
  CHECK_EQ(driver_counter(&d, BJ_REQ_ERROR_PARSE), 1);
  driver_close(&d);
}

TEST("a client that closed its side still gets its answer")
{
  begin();
  int client = client_open(&d);
  client_send(client, GET);
  shutdown(client, SHUT_WR);
  bj_event e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(driver_event(&d, BJ_LEFT).request, e.request);
  driver_answer(&d, &e, "hello");
  driver_flush(&d);
  client_expect(client, OK("5") "hello");
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 0);
  close(client);
  driver_close(&d);
}

TEST("a client that is gone when the answer comes is an abort for callers that asked for notice")
{
  begin();
  int client = client_open(&d);
  client_send(client, GET GET);
  CHECK_EQ(driver_turn(&d), 2);
  bj_event e = d.events[0], f = d.events[1];
  close(client);
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(driver_turn(&d), 2);
  CHECK_EQ(d.events[0].type, BJ_LEFT);
  driver_answer(&d, &e, "hello")->flags |= BJ_WRITE_NOTIFY;
  driver_flush(&d);
  CHECK_EQ(driver_turn(&d), 2);
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].request, f.request);
  CHECK_EQ(d.events[1].type, BJ_ABORTED);
  CHECK_EQ(d.events[1].request, e.request);
  CHECK_EQ(d.events[1].flags, BJ_DISCONNECTED);
  driver_answer(&d, &f, "too late");
  driver_flush(&d);
  driver_close(&d);
}

TEST("a late answer does not reach the next client")
{
  begin();
  int client = client_open(&d);
  client_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
  bj_event old = driver_event(&d, BJ_REQUEST);
  close(client);
  driver_turn(&d);
  CHECK_EQ(driver_event(&d, BJ_ABORTED).flags, BJ_DISCONNECTED);
  int other = client_open(&d);
  client_send(other, GET);
  bj_event e = driver_event(&d, BJ_REQUEST);
  CHECK_EQ(e.request, old.request);
  driver_answer(&d, &old, "for another");
  driver_command(&d, BJ_ABORT, &old);
  driver_consume(&d, &old, 1);
  driver_answer(&d, &e, "for you");
  driver_answer(&d, &e, "twice");
  driver_flush(&d);
  client_expect(other, OK("7") "for you");
  close(other);
  driver_close(&d);
}

/* Whether the server can park after a few turns without events. */
static bool comes_to_rest(void)
{
  struct pollfd wake = {.fd = d.wake, .events = POLLIN};
  for (int turns = 0; turns < 5; turns++) {
    char octet;
    CHECK_EQ(driver_turn(&d), 0);
    if (bj_server_park(d.server) != 0) continue;
    if (poll(&wake, 1, 20) == 0) return true;
    CHECK_EQ(read(d.wake, &octet, 1), 1);
  }
  return false;
}

TEST("no more than max_connections are open, and the next comes when one goes")
{
  bj_options options = driver_defaults();
  options.max_connections = 2;
  driver_open(&d, &options);
  int clients[4];
  for (int i = 0; i < 4; i++) {
    clients[i] = client_open(&d);
    client_send(clients[i], LAST_GET);
  }
  int answered = 0;
  while (answered < 4 && driver_wait(&d)) {
    CHECK_EQ(d.count, 2);
    CHECK_EQ(driver_counter(&d, BJ_CONNECTIONS_OPEN), 2);
    bj_event both[] = {d.events[0], d.events[1]};
    CHECK(comes_to_rest()); /* although others wait in the backlog */
    for (int i = 0; i < 2; i++, answered++) driver_answer(&d, &both[i], "");
    driver_flush(&d);
    for (int i = 0; i < answered; i++) shutdown(clients[i], SHUT_RDWR);
  }
  CHECK_EQ(answered, 4);
  for (int i = 0; i < 4; i++) close(clients[i]);
  driver_close(&d);
}

TEST("out of descriptors, accepting pauses and goes on")
{
  begin();
  struct rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  int client = client_open(&d), lowest = dup(client);
  close(lowest);
  none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
  client_send(client, GET);
  setrlimit(RLIMIT_NOFILE, &none);
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_ERROR), 1);
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(driver_wait(&d));
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_ERROR), 1);
  driver_answer(&d, &d.events[0], "");
  driver_flush(&d);
  client_expect(client, OK("0"));
  close(client);
  driver_close(&d);
}

TEST("a client that is gone before it is accepted holds up nobody")
{
  begin();
  close(client_open(&d));
  int client = client_open(&d);
  client_send(client, GET);
  CHECK(driver_wait(&d));
  CHECK_EQ(driver_counter(&d, BJ_CONN_ACCEPT_ERROR), 0);
  driver_answer(&d, &d.events[0], "");
  driver_flush(&d);
  client_expect(client, OK("0"));
  close(client);
  driver_close(&d);
}

TEST("an adopted listener serves and is left open")
{
  char error[BJ_ERROR_SIZE];
  bj_options options = driver_defaults();
  driver first = {0};
  driver_open(&first, &options);
  int listener = 3;
  for (; listener < 64; listener++) { /* its number is not known: found by what it does */
    int on = 0;
    socklen_t size = sizeof on;
    if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on) break;
  }
  driver_make(&d, &options);
  CHECK_EQ(bj_server_adopt(d.server, listener, error), 0);
  int client = client_open(&first);
  client_send(client, GET);
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "");
  driver_flush(&d);
  client_expect(client, OK("0"));
  close(client);
  driver_close(&d);
  client = client_open(&first);
  client_send(client, LAST_GET);
  e = driver_event(&first, BJ_REQUEST);
  driver_answer(&first, &e, "");
  driver_flush(&first);
  client_expect(client, LAST_OK("0"));
  close(client);
  driver_close(&first);
}

TEST("a server listens only once, even after it has stopped")
{
  char error[BJ_ERROR_SIZE] = "";
  begin();
  CHECK_EQ(bj_server_listen(d.server, "127.0.0.1", 0, 8, 0, 0, error), -EALREADY);
  CHECK(strncmp(error, "listen: a server does so once", 29) == 0);
  CHECK_EQ(bj_server_adopt(d.server, 0, error), -EALREADY);
  int client = client_open(&d);
  client_send(client, LAST_GET);
  bj_event e = driver_event(&d, BJ_REQUEST);
  driver_answer(&d, &e, "");
  driver_flush(&d);
  client_expect(client, LAST_OK("0"));
  close(client);
  driver_turn(&d);
  bj_server_drain(d.server, 0);
  driver_event(&d, BJ_STOPPED);
  CHECK_EQ(bj_server_listen(d.server, d.host, 0, 8, 0, 0, error), -EALREADY);
  CHECK(access(d.host + 5, F_OK) < 0);
  driver_close(&d);
}

TEST("a server that could not listen may try again")
{
  char error[BJ_ERROR_SIZE];
  bj_options options = driver_defaults();
  driver_make(&d, &options);
  CHECK_EQ(bj_server_adopt(d.server, -1, error), -EBADF);
  CHECK_EQ(bj_server_listen(d.server, "unix:", 0, 8, 0, 0, error), -EINVAL);
  CHECK_EQ(bj_server_listen(d.server, "127.0.0.1", 0, 8, 0, 0, error), 0);
  driver_close(&d);
}

TEST("a server is freed with everything open: clients see the end")
{
  begin();
  int waiting = client_open(&d), idle = client_open(&d), half = client_open(&d);
  client_send(waiting, GET GET);
  client_send(half, "GET / HT");
  CHECK_EQ(driver_turn(&d), 2);
  driver_write(&d, &d.events[0], BJ_WRITE_HEAD, "x");
  driver_answer(&d, &d.events[1], "y");
  driver_flush(&d);
  bj_server_free(d.server);
  close(d.wake);
  client_expect(waiting, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
  client_expect_end(waiting);
  client_expect_end(idle);
  close(waiting);
  close(idle);
  close(half);
  CHECK_EQ(count_descriptors(), d.descriptors);
  free(d.arena), free(d.fields), free(d.events), free(d.output), free(d.commands);
}
