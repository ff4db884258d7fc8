/* How much one turn takes, and who waits for the next. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

enum { ENOUGH = 131072, CLIENTS = 6, BODY = 49152, MANY = ENOUGH / 2 };

static driver d;

static void begin(void)
{
  bj_options options = driver_defaults();
  options.max_pipelined = 1;
  driver_open(&d, &options);
}

/* Answers whatever the turn has found. */
static uint32_t serve(void)
{
  driver_turn(&d);
  for (uint32_t i = 0; i < d.count; i++) driver_answer(&d, &d.events[i], "a");
  driver_flush(&d);
  return d.count;
}

static bool has_answer(int client)
{
  char octet;
  return recv(client, &octet, 1, MSG_PEEK) == 1;
}

TEST("a turn takes no more than stays in the cache until it is answered")
{
  static char request[BODY + 64];
  int clients[CLIENTS];
  int head = snprintf(request, sizeof request,
                      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
  begin();
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = client_open(&d);
    client_send_bytes(clients[i], request, (size_t)head + BODY);
  }
  uint32_t first = serve();
  CHECK(first > 0);
  CHECK(first <= ENOUGH / BODY + 1);
  while (serve() > 0) {
  }
  for (int i = 0; i < CLIENTS; i++) {
    CHECK(has_answer(clients[i]));
    close(clients[i]);
  }
  driver_close(&d);
}

TEST("clients that sent in time are not late because the turn is full")
{
  static char upload[BODY + 64];
  int clients[CLIENTS + 1];
  int head = snprintf(upload, sizeof upload,
                      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
  bj_options options = driver_defaults();
  options.idle_timeout = 20;
  driver_open(&d, &options);
  for (int i = 0; i <= CLIENTS; i++) {
    clients[i] = client_open(&d);
    client_send(clients[i], GET);
  }
  while (serve() > 0) {
  }
  for (int i = 0; i <= CLIENTS; i++) {
    CHECK(client_read(clients[i], upload + head, BODY) > 0);
    if (i < CLIENTS)
      client_send_bytes(clients[i], upload, (size_t)head + BODY);
    else
      client_send(clients[i], GET);
  }
  poll(NULL, 0, 30); /* the thread is busy elsewhere */
  while (serve() > 0) {
  }
  for (int i = 0; i <= CLIENTS; i++) {
    CHECK(has_answer(clients[i]));
    close(clients[i]);
  }
  driver_close(&d);
}

/* Each of their requests takes a turn, in which all that is behind it is looked at again. */
TEST("clients known to have more to send do not keep a new one waiting")
{
  static const char get[] = GET;
  static char many[MANY];
  size_t size = 0;
  int greedy[CLIENTS];
  for (; size + sizeof get < sizeof many; size += sizeof get - 1)
    memcpy(many + size, get, sizeof get - 1);
  begin();
  for (int i = 0; i < CLIENTS; i++) {
    greedy[i] = client_open(&d);
    client_send_bytes(greedy[i], many, size);
  }
  for (int i = 0; i < 3 * CLIENTS; i++) serve(); /* all have been read from */
  int client = client_open(&d);
  client_send(client, GET);
  size_t served = 0, half = size / (sizeof get - 1) * CLIENTS / 2;
  while (served < half && !has_answer(client)) served += serve();
  CHECK(served < half);
  for (int i = 0; i < CLIENTS; i++) close(greedy[i]);
  close(client);
  while (serve() > 0) {
  }
  driver_close(&d);
}
