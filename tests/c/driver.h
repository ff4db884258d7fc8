/* Plays both sides of a server: the JavaScript side, which takes turns and writes commands, and
 * clients. Clients use a Unix socket unless a test wants TCP: what one side has sent the other can
 * read at once, so only timers are waited for. */
#ifndef DRIVER_H
#define DRIVER_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "bjoern.h"
#include "test.h"

enum { DRIVER_OUTPUT = 1 << 20, DRIVER_COMMANDS = 4096, DRIVER_PATIENCE = 3000 };

typedef struct driver {
  bj_server *server;
  bj_options options;
  char *arena;
  uint32_t *fields;
  bj_event *events;
  uint32_t count; /* events of the last turn */
  char *output;
  uint32_t output_used;
  bj_command *commands;
  uint32_t command_count;
  int wake;
  int descriptors; /* open before it began */
  char host[64];
} driver;

/* Open descriptors of the process, where the system tells. */
static inline int count_descriptors(void)
{
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (folder != NULL && readdir(folder) != NULL) count++;
  if (folder != NULL) closedir(folder);
  return count;
}

static inline bj_options driver_defaults(void)
{
  return (bj_options){.arena_size = 1 << 20,
                      .field_slots = 4096,
                      .event_slots = 512,
                      .max_head_size = 16384,
                      .max_target_size = 8192,
                      .max_fields = 64,
                      .max_body_low = 16 << 20,
                      .max_pipelined = 64};
}

/* Listens nowhere yet. */
static inline void driver_make(driver *d, const bj_options *options)
{
  char error[BJ_ERROR_SIZE] = "";
  *d = (driver){.options = *options, .descriptors = count_descriptors()};
  /* Exactly the announced size, so that the sanitizer catches an overrun. */
  d->arena = malloc(options->arena_size);
  d->fields = malloc(options->field_slots * 2 * sizeof *d->fields);
  d->events = malloc(options->event_slots * sizeof *d->events);
  d->output = malloc(DRIVER_OUTPUT);
  d->commands = malloc(DRIVER_COMMANDS * sizeof *d->commands);
  d->server =
    bj_server_new(&d->options, d->arena, d->fields, d->events, d->output, d->commands, error);
  if (d->server == NULL) {
    printf("bj_server_new: %s\n", error);
    abort();
  }
  d->wake = bj_server_wake_fd(d->server);
}

static inline void driver_open(driver *d, const bj_options *options)
{
  static int number;
  char error[BJ_ERROR_SIZE] = "";
  driver_make(d, options);
  snprintf(d->host, sizeof d->host, "unix:/tmp/bjoern-test-%d-%d", (int)getpid(), number++);
  if (bj_server_listen(d->server, d->host, 0, 1024, 0, 0, error) != 0) {
    printf("bj_server_listen: %s\n", error);
    abort();
  }
}

static inline long long driver_counter(driver *d, enum bj_counter which)
{
  double counters[BJ_COUNTERS];
  bj_server_counters(d->server, counters);
  return (long long)counters[which];
}

static inline uint32_t driver_turn(driver *d)
{
  d->count = bj_server_turn(d->server);
  return d->count;
}

static inline void driver_flush(driver *d)
{
  bj_server_flush(d->server, d->command_count);
  d->command_count = d->output_used = 0;
}

/* As driver_flush(), but more is to come. */
static inline void driver_collect(driver *d)
{
  bj_server_collect(d->server, d->command_count);
  d->command_count = d->output_used = 0;
}

/* Turns until there are events, parked in between; false when none come in time. */
static inline bool driver_wait(driver *d)
{
  while (driver_turn(d) == 0) {
    struct pollfd wake = {.fd = d->wake, .events = POLLIN};
    char octet;
    if (bj_server_park(d->server) == 0 &&
        (poll(&wake, 1, DRIVER_PATIENCE) <= 0 || read(d->wake, &octet, 1) != 1)) {
      return false;
    }
  }
  return true;
}

/* Turns until the time is over, parked in between, so that a missing wake-up shows. Returns the
 * number of events. */
static inline uint32_t driver_pass(driver *d, int milliseconds)
{
  uint32_t events = 0;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long end_at = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + milliseconds, left;
  do {
    events += driver_turn(d);
    struct pollfd wake = {.fd = d->wake, .events = POLLIN};
    char octet;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left = end_at - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
    if (bj_server_park(d->server) == 0 && poll(&wake, 1, left > 0 ? (int)left : 0) > 0)
      CHECK_EQ(read(d->wake, &octet, 1), 1);
  } while (left > 0);
  return events;
}

/* The one event of the next turns: some things take several. */
static inline bj_event driver_event(driver *d, enum bj_event_type type)
{
  for (int i = 0; i < 4 && driver_turn(d) == 0; i++) driver_flush(d);
  CHECK_EQ(d->count, 1);
  if (d->count == 0) return (bj_event){0};
  CHECK_EQ(d->events[0].type, type);
  return d->events[0];
}

static inline uint32_t driver_put(driver *d, const char *text, size_t size)
{
  uint32_t at = d->output_used;
  memcpy(d->output + at, text, size);
  d->output_used += (uint32_t)size;
  return at;
}

static inline bj_command *driver_command(driver *d, enum bj_command_type type, const bj_event *of)
{
  bj_command *command = &d->commands[d->command_count++];
  *command = (bj_command){.type = type, .request = of->request, .generation = of->generation};
  return command;
}

/* A part of an answer: with the head, 200 and no fields. */
static inline bj_command *driver_write(driver *d, const bj_event *of, uint32_t flags,
                                       const char *body)
{
  bj_command *command = driver_command(d, BJ_WRITE, of);
  command->flags = flags | BJ_WRITE_DATE;
  command->status = 200;
  command->body_size = (uint32_t)strlen(body);
  command->body_at = driver_put(d, body, command->body_size);
  return command;
}

/* A whole answer. */
static inline bj_command *driver_answer(driver *d, const bj_event *of, const char *body)
{
  return driver_write(d, of, BJ_WRITE_HEAD | BJ_WRITE_END, body);
}

static inline bj_command *driver_consume(driver *d, const bj_event *of, uint32_t size)
{
  bj_command *command = driver_command(d, BJ_CONSUME, of);
  command->body_size = size;
  return command;
}

/* ---- clients ----------------------------------------------------------------------------- */

static inline int client_open(driver *d)
{
  struct sockaddr_un where = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(where.sun_path, sizeof where.sun_path, "%s", d->host + 5);
  if (fd < 0 || connect(fd, (struct sockaddr *)&where, sizeof where) < 0 ||
      fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
    perror("client_open");
    abort();
  }
  return fd;
}

#define client_send(fd, literal) client_send_bytes(fd, literal, sizeof(literal) - 1)
static inline void client_send_bytes(int fd, const char *base, size_t size)
{
  CHECK_EQ(send(fd, base, size, MSG_NOSIGNAL), size);
}

/* Reads what is there, up to `size`. Returns how much; -1 at the end of the stream. */
static inline long client_read(int fd, char *to, size_t size)
{
  size_t at = 0;
  ssize_t n = 0;
  while (at < size && (n = recv(fd, to + at, size - at, 0)) > 0) at += (size_t)n;
  return at > 0 || n < 0 ? (long)at : -1;
}

/* Checks that the client gets the literal, our Date fields left out. */
#define client_expect(fd, literal)                                                                 \
  do {                                                                                             \
    static char expect_[1 << 16];                                                                  \
    long expect_n = client_read(fd, expect_, sizeof expect_);                                      \
    CHECK_BYTES(expect_, client_undated(expect_, expect_n < 0 ? 0 : (size_t)expect_n), literal);   \
  } while (0)
#define client_expect_end(fd) CHECK_EQ(client_read(fd, (char[1]){0}, 1), -1)

static inline size_t client_undated(char *text, size_t size)
{
  const size_t date = sizeof "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" - 1;
  for (size_t i = 0; i + date <= size; i++) {
    if (memcmp(text + i, "Date: ", 6) == 0) {
      memmove(text + i, text + i + date, size - i - date);
      size -= date;
    }
  }
  return size;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* Nothing is left once the clients have gone. */
static inline void driver_close(driver *d)
{
  for (int i = 0; i < 4; i++) {
    driver_turn(d);
    driver_flush(d);
  }
  CHECK_EQ(driver_counter(d, BJ_CONNECTIONS_OPEN), 0);
  CHECK_EQ(driver_counter(d, BJ_REQUESTS_IN_FLIGHT), 0);
  bj_server_free(d->server);
  close(d->wake);
  CHECK_EQ(count_descriptors(), d->descriptors);
  free(d->arena);
  free(d->fields);
  free(d->events);
  free(d->output);
  free(d->commands);
}

#endif
