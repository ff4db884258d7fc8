/* Answers whose body is in a file. */
#include "driver.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
#define LARGE (3u << 20)

static driver d;
static int client;
static char path[64], error[BJ_ERROR_SIZE], got[LARGE + 32768];
static double facts[3];

/* A file of `size` bytes, each of which depends on its offset. */
static void make_file(size_t size)
{
  snprintf(path, sizeof path, "/tmp/bjoern-file-%d", (int)getpid());
  FILE *f = fopen(path, "w");
  if (f == NULL) abort();
  for (size_t i = 0; i < size; i++) fputc((int)(i % 251), f);
  fclose(f);
}

static int open_file(void)
{
  char real_path[BJ_PATH_SIZE];
  int fd = bj_file_open(path, facts, real_path, error);
  CHECK(fd >= 0);
  return fd;
}

static void begin(const char *requests, size_t size)
{
  bj_options options = driver_defaults();
  make_file(size);
  driver_open(&d, &options);
  client = client_open(&d);
  client_send_bytes(client, requests, strlen(requests));
}

static void end(void)
{
  close(client);
  unlink(path);
  driver_close(&d);
}

static bj_command *answer(const bj_event *e, size_t offset, size_t length)
{
  bj_command *command = driver_answer(&d, e, "");
  command->flags |= BJ_WRITE_LENGTH | BJ_WRITE_FILE;
  command->body_at = (uint32_t)open_file();
  command->offset_low = (uint32_t)offset;
  command->length_low = (uint32_t)length;
  return command;
}

/* Reads until `size` bytes have come, or no more come. */
static size_t take(char *to, size_t size)
{
  size_t at = 0;
  for (int idle = 0; at < size && idle < 3; idle++) {
    long n = client_read(client, to + at, size - at);
    if (n > 0) {
      at += (size_t)n;
      idle = -1;
    }
    driver_turn(&d);
  }
  return at;
}

static void expect_octets(const char *body, size_t offset, size_t length)
{
  size_t wrong = 0;
  for (size_t i = 0; i < length; i++) wrong += (unsigned char)body[i] != (offset + i) % 251;
  CHECK_EQ(wrong, 0);
}

TEST("a small file is sent with its head")
{
  begin(GET, 1000);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 10, 20);
  driver_flush(&d);
  CHECK_EQ(facts[0], 1000);
  CHECK(facts[1] > 1e12);
  size_t size = (size_t)client_read(client, got, sizeof got);
  CHECK_BYTES(got, size - 20, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
  expect_octets(got + size - 20, 10, 20);
  end();
}

TEST("a large file is sent as fast as the client takes it, and the next answer follows")
{
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 3145000\r\n\r\n";
  static const char next[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
  begin(GET GET GET, LARGE);
  driver_turn(&d);
  CHECK_EQ(d.count, 3);
  const bj_event e[3] = {d.events[0], d.events[1], d.events[2]};
  driver_answer(&d, &e[2], "next"); /* waits for its turn */
  answer(&e[1], 100, 3145000);      /* and so does a file */
  answer(&e[0], 728, 3145000);
  driver_flush(&d);
  CHECK_EQ(driver_counter(&d, BJ_REQUESTS_IN_FLIGHT), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(take(got, sizeof head - 1 + 3145000), sizeof head - 1 + 3145000);
    CHECK_BYTES(got, sizeof head - 1, head);
    expect_octets(got + sizeof head - 1, i == 0 ? 728 : 100, 3145000);
  }
  CHECK_EQ(take(got, sizeof got), sizeof next - 1);
  CHECK_BYTES(got, sizeof next - 1, next);
  CHECK_EQ(driver_counter(&d, BJ_RESP_DONE_KEEPALIVE), 3);
  end();
}

TEST("a request body that breaks off does not cut the file: it is no longer read")
{
  begin("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab", LARGE);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 0, LARGE);
  driver_flush(&d);
  client_send(client, "cd");
  CHECK_EQ(driver_turn(&d), 0);
  shutdown(client, SHUT_WR);
  size_t size = take(got, sizeof got);
  CHECK(size > LARGE);
  if (size > LARGE) expect_octets(got + size - LARGE, 0, LARGE);
  end();
}

TEST("BJ_WRITE_NOTIFY reports the last byte of a file")
{
  begin(GET, LARGE);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 0, LARGE)->flags |= BJ_WRITE_NOTIFY;
  driver_flush(&d);
  CHECK_EQ(driver_turn(&d), 0);
  bool told = false;
  while (!told && client_read(client, got, sizeof got) > 0)
    told = driver_turn(&d) == 1 && d.events[0].type == BJ_SENT;
  CHECK(told);
  end();
}

/* The output is set aside for the end of the flush, but is so much that some leaves before. */
TEST("a file never comes before its head, however much comes before that")
{
  static const size_t sizes[] = {20000, 2 << 20};
  static char text[30001];
  memset(text, 'y', sizeof text - 1);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    bj_event e[6];
    begin(GET GET GET GET GET, sizes[i]);
    int other = client_open(&d);
    driver_turn(&d);
    memcpy(e, d.events, 5 * sizeof *e);
    client_send(other, GET);
    e[5] = driver_event(&d, BJ_REQUEST);
    answer(&e[4], 0, sizes[i]);
    driver_flush(&d);
    driver_answer(&d, &e[0], "a");
    driver_answer(&d, &e[5], "b");
    for (int k = 1; k < 4; k++) driver_answer(&d, &e[k], text);
    driver_flush(&d);
    size_t before = client_undated(got, take(got, sizeof got)), small = 3 * (sizeof text - 1);
    static const char last[] = "HTTP/1.1 200 OK\r\nContent-Length: ";
    CHECK(before > sizes[i] + small);
    size_t head = before;
    for (size_t at = 0; at + sizeof last <= before; at++)
      if (memcmp(got + at, last, sizeof last - 1) == 0) head = at;
    CHECK(head > small && before - head > sizes[i]);
    if (before > sizes[i]) expect_octets(got + before - sizes[i], 0, sizes[i]);
    close(other);
    end();
  }
}

TEST("a file follows a head that is so large that it leaves at once")
{
  static char fields[20001];
  memset(fields, 'y', sizeof fields - 1);
  memcpy(fields, "x: ", 3);
  memcpy(fields + sizeof fields - 3, "\r\n", 2);
  begin(GET GET, LARGE);
  driver_turn(&d);
  const bj_event e[2] = {d.events[0], d.events[1]};
  bj_command *second = answer(&e[1], 0, LARGE);
  second->fields_at = driver_put(&d, fields, sizeof fields - 1);
  second->fields_size = sizeof fields - 1;
  driver_flush(&d);
  driver_answer(&d, &e[0], "first");
  driver_flush(&d);
  size_t size = take(got, sizeof got), all = LARGE + sizeof fields - 1;
  CHECK(size > all);
  if (size > all) expect_octets(got + size - LARGE, 0, LARGE);
  end();
}

TEST("the answer to HEAD has the file's length and no body")
{
  begin(HEAD, 100);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 0, 100);
  driver_flush(&d);
  client_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  end();
}

TEST("a file that shrinks while it is sent ends the connection")
{
  begin(GET GET, LARGE);
  driver_turn(&d);
  const bj_event e[2] = {d.events[0], d.events[1]};
  answer(&e[0], 0, LARGE)->flags |= BJ_WRITE_NOTIFY;
  driver_answer(&d, &e[1], "never");
  driver_flush(&d);
  CHECK_EQ(truncate(path, 1 << 20), 0);
  size_t size = 0;
  bool told = false;
  for (long n = 0; n >= 0 && !told; size += (size_t)n) {
    n = client_read(client, got, sizeof got);
    driver_turn(&d);
    for (uint32_t i = 0; i < d.count; i++)
      told |= d.events[i].request == e[0].request && d.events[i].flags == BJ_CUT;
  }
  CHECK(told);
  CHECK(size + take(got, sizeof got) < LARGE);
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_RESP_ABORTED), 1);
  end();
}

TEST("a file shorter than announced ends the connection too")
{
  begin(GET, 100);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 0, 101);
  driver_flush(&d);
  CHECK(take(got, sizeof got) > 100);
  client_expect_end(client);
  end();
}

TEST("the descriptor is closed when the client leaves, and when the command comes too late")
{
  begin(GET GET, LARGE);
  driver_turn(&d);
  const bj_event e[2] = {d.events[0], d.events[1]};
  answer(&e[0], 0, LARGE);
  driver_flush(&d);
  CHECK(count_descriptors() > d.descriptors);
  close(client);
  driver_turn(&d);
  driver_turn(&d);
  answer(&e[1], 0, LARGE);
  answer(&e[0], 0, LARGE);
  driver_flush(&d);
  client = client_open(&d);
  end(); /* counts descriptors */
}

TEST("a large file does not starve the turn, and a parked server goes on with it")
{
  begin(GET, LARGE);
  bj_event e = driver_event(&d, BJ_REQUEST);
  answer(&e, 0, LARGE);
  driver_flush(&d);
  size_t at = 0;
  while (at < LARGE) {
    long n = client_read(client, got, sizeof got);
    at += n > 0 ? (size_t)n : 0;
    if (at < LARGE) {
      struct pollfd wake = {.fd = d.wake, .events = POLLIN};
      char octet;
      if (bj_server_park(d.server) == 0 && n <= 0)
        CHECK(poll(&wake, 1, DRIVER_PATIENCE) == 1 && read(d.wake, &octet, 1) == 1);
      driver_turn(&d);
    }
  }
  end();
}

TEST("only regular files are opened")
{
  static const struct {
    const char *path;
    int reason;
  } rows[] = {{"/tmp", EISDIR}, {"/dev/null", EINVAL}, {"/no/such/file", ENOENT}, {"", ENOENT}};
  char real_path[BJ_PATH_SIZE];
  int before = count_descriptors();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK_EQ(bj_file_open(rows[i].path, facts, real_path, error), -rows[i].reason);
    CHECK(strchr(error, ':') != NULL);
  }
  CHECK_EQ(bj_file_adopt(999, facts, error), -EBADF);
  CHECK_EQ(count_descriptors(), before);
}

TEST("a link's target is reported, and an adopted descriptor keeps its position")
{
  char link[80], real_path[BJ_PATH_SIZE];
  make_file(300);
  snprintf(link, sizeof link, "%s-link", path);
  CHECK_EQ(symlink(path, link), 0);
  int fd = bj_file_open(link, facts, real_path, error);
  CHECK_EQ(strcmp(real_path, path), 0);
  char octets[16];
  CHECK_EQ(read(fd, octets, 7), 7);
  int own = bj_file_adopt(fd, facts, error);
  CHECK_EQ(facts[0], 300);
  CHECK_EQ(facts[2], 7);
  bj_file_close(fd);
  CHECK_EQ(bj_file_read(own, octets, 16, 290, 0), 10);
  expect_octets(octets, 290, 10);
  CHECK_EQ(bj_file_read(own, octets, 16, 0, 1), 0);
  bj_file_close(own);
  CHECK_EQ(bj_file_read(own, octets, 16, 0, 0), -EBADF);
  unlink(link);
  unlink(path);
}
