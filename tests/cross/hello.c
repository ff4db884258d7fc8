/* The smallest server on the shared library, without JavaScript, to try libraries for other
 * platforms. Prints its port, then answers until it is killed. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bjoern.h"

enum { ARENA = 1 << 20, SLOTS = 256, OUTPUT = 1 << 16 };

static char arena[ARENA], output[OUTPUT];
static uint32_t fields[SLOTS * 2];
static bj_event events[SLOTS];
static bj_command commands[SLOTS];

static bj_server *start(void)
{
  char error[BJ_ERROR_SIZE];
  bj_options options = {.arena_size = ARENA,
                        .field_slots = SLOTS,
                        .event_slots = SLOTS,
                        .max_head_size = 16384,
                        .max_target_size = 8192,
                        .max_fields = 64,
                        .max_pipelined = 16};
  bj_server *s = bj_server_new(&options, arena, fields, events, output, commands, error);
  if (s == NULL || bj_server_listen(s, "127.0.0.1", 0, 128, 0, 0, error) != 0) {
    fprintf(stderr, "%s\n", error);
    exit(1);
  }
  return s;
}

static uint32_t answer(uint32_t event_count, uint32_t text_size)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < event_count; i++) {
    if (events[i].type != BJ_REQUEST) continue;
    commands[count++] = (bj_command){.type = BJ_WRITE,
                                     .request = events[i].request,
                                     .generation = events[i].generation,
                                     .flags = BJ_WRITE_HEAD | BJ_WRITE_END,
                                     .status = 200,
                                     .body_size = text_size};
  }
  return count;
}

int main(void)
{
  struct utsname system;
  char address[BJ_ADDRESS_SIZE], octet;
  bj_server *s = start();
  if (uname(&system) != 0) return 1;
  int size = snprintf(output, sizeof output, "Hello from %s\n", system.machine);
  printf("%u\n", bj_server_address(s, address));
  fflush(stdout);
  struct pollfd wake = {.fd = bj_server_wake_fd(s), .events = POLLIN};
  for (;;) {
    uint32_t count = bj_server_turn(s);
    bj_server_flush(s, answer(count, (uint32_t)size));
    if (count == 0 && bj_server_park(s) == 0)
      if (poll(&wake, 1, -1) > 0 && read(wake.fd, &octet, 1) < 0) return 1;
  }
}
