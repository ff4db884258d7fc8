/* request_timeout. */
#include "driver.h"

TEST("a handler that takes too long gets BJ_EXPIRED, and the client 503")
{
  driver d;
  bj_options options = driver_defaults();
  options.request_timeout = 5;
  driver_open(&d, &options);
  int client = client_open(&d);
  client_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  bj_event request = driver_event(&d, BJ_REQUEST);
  CHECK(driver_wait(&d));
  CHECK_EQ(d.events[0].type, BJ_ABORTED);
  CHECK_EQ(d.events[0].flags, BJ_EXPIRED);
  CHECK_EQ(d.events[0].generation, request.generation);
  client_expect(client,
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain;charset=utf-8\r\n"
                "Content-Length: 19\r\nConnection: close\r\n\r\nService Unavailable");
  client_expect_end(client);
  close(client);
  driver_close(&d);
}
