/* Answers when memory runs out. Includes the buffers, so that their malloc() can fail. */
#include <stdint.h>
#include <stdlib.h>

static size_t most = SIZE_MAX;

static void *fallible(size_t size)
{
  return size > most ? NULL : malloc(size);
}

#define malloc fallible
#include "buffer.c"
#undef malloc

#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

enum { PART = 32768 };

static char part[PART + 1], got[1 << 20];

TEST("a part that finds no memory ends its connection, and nothing after it is sent")
{
  driver d;
  bj_options options = driver_defaults();
  driver_open(&d, &options);
  int clients[2];
  bj_event requests[2];
  for (int i = 0; i < 2; i++) {
    clients[i] = client_open(&d);
    client_send_bytes(clients[i], GET, sizeof GET - 1);
    requests[i] = driver_event(&d, BJ_REQUEST);
  }
  memset(part, 'x', PART);
  driver_write(&d, &requests[0], BJ_WRITE_HEAD, "first");
  driver_write(&d, &requests[1], BJ_WRITE_HEAD, "other"); /* sets the first one aside */
  driver_write(&d, &requests[0], 0, "second");
  driver_write(&d, &requests[0], 0, part);
  driver_write(&d, &requests[0], 0, "last");
  driver_write(&d, &requests[1], BJ_WRITE_END, "");
  most = PART;
  driver_flush(&d);
  most = SIZE_MAX;
  long long size = client_read(clients[0], got, sizeof got - 1);
  got[size > 0 ? size : 0] = '\0';
  CHECK(strstr(got, "last") == NULL);
  driver_event(&d, BJ_ABORTED);
  size = client_read(clients[1], got, sizeof got - 1);
  got[size > 0 ? size : 0] = '\0';
  CHECK(strstr(got, "5\r\nother\r\n0\r\n\r\n") != NULL);
  close(clients[0]);
  close(clients[1]);
  driver_close(&d);
}
