/* When the shared memory of a turn is full, the rest waits for the next one and nothing is lost:
 * the smallest memory allowed gives the same as plenty. */
#include "driver.h"

enum { CONNS = 12, EACH = 5, HEAD = 256, READ_ROOM = 4096 };

static driver d;
static int clients[CONNS];
static struct seen {
  int requests, left, bodies;
  char body[64];
  size_t body_size;
} seen[CONNS];

static const struct {
  const char *name;
  uint32_t arena, fields, events;
} sizes[] = {
  {"plenty", 1 << 20, 4096, 512},
  {"few events", 1 << 20, 4096, 3},
  {"few fields", 1 << 20, 5, 512},
  {"a small arena", READ_ROOM + HEAD, 4096, 512},
  {"little of all", READ_ROOM + HEAD, 5, 3},
};

static void begin(size_t row)
{
  bj_options options = driver_defaults();
  options.arena_size = sizes[row].arena;
  options.field_slots = sizes[row].fields;
  options.event_slots = sizes[row].events;
  options.max_head_size = HEAD;
  options.max_fields = 5;
  options.max_pipelined = 3;
  driver_open(&d, &options);
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < CONNS; i++) clients[i] = client_open(&d);
}

static void end(void)
{
  for (int i = 0; i < CONNS; i++) close(clients[i]);
  driver_close(&d);
}

/* The connection of a request: its target is "/", the connection's letter and the request's
 * digit. */
static struct seen *seen_by(const bj_event *e)
{
  return &seen[d.arena[e->target_at + 1] - 'a'];
}

static void check_limits(size_t row)
{
  uint32_t fields = 0;
  for (uint32_t i = 0; i < d.count; i++) {
    const bj_event *e = &d.events[i];
    fields += e->fields_count;
    CHECK(e->head_at + e->head_size <= sizes[row].arena);
    CHECK(e->body_at + e->body_size <= sizes[row].arena);
  }
  CHECK(d.count <= sizes[row].events && fields <= sizes[row].fields);
}

TEST("pipelined requests of many connections all come, in order")
{
  for (size_t row = 0; row < sizeof sizes / sizeof *sizes; row++) {
    begin(row);
    for (int i = 0; i < CONNS; i++) {
      for (int k = 0; k < EACH; k++) {
        char text[128];
        int size =
          snprintf(text, sizeof text, "GET /%c%d HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", 'a' + i, k);
        client_send_bytes(clients[i], text, (size_t)size);
      }
    }
    int total = 0;
    for (int turns = 0; total < CONNS * EACH && turns < 1000 && driver_wait(&d); turns++) {
      check_limits(row);
      for (uint32_t i = 0; i < d.count; i++, total++) {
        bj_event *e = &d.events[i];
        CHECK_EQ(e->type, BJ_REQUEST);
        const char *target = d.arena + e->target_at;
        CHECK_EQ(target[2] - '0', seen_by(e)->requests++);
        driver_answer(&d, e, (char[]){target[1], target[2], '\0'});
      }
      driver_flush(&d);
    }
    CHECK_EQ(total, CONNS * EACH);
    for (int i = 0; i < CONNS; i++) {
      char got[4096];
      size_t size = client_undated(got, (size_t)client_read(clients[i], got, sizeof got));
      for (int k = 0; k < EACH; k++) {
        char expected[64];
        int part = snprintf(expected, sizeof expected,
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%c%d", 'a' + i, k);
        CHECK(size == (size_t)(part * EACH) && memcmp(got + k * part, expected, (size_t)part) == 0);
      }
    }
    if (test_faults > 0) printf("with %s\n", sizes[row].name);
    end();
  }
}

TEST("bodies in small chunks of many connections come whole")
{
  for (size_t row = 0; row < sizeof sizes / sizeof *sizes; row++) {
    bj_event of[CONNS];
    begin(row);
    int total = 0, ended = 0;
    for (int i = 0; i < CONNS; i++) {
      char text[128];
      int size =
        snprintf(text, sizeof text,
                 "POST /%c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 'a' + i);
      client_send_bytes(clients[i], text, (size_t)size);
    }
    for (int turns = 0, sent = 0; ended < CONNS && turns < 2000; turns++) {
      if (sent < 64) {
        for (int i = 0; i < CONNS; i++) {
          char chunk[] = {'1', '\r', '\n', (char)(' ' + sent), '\r', '\n', '\0'};
          client_send_bytes(clients[i], chunk, 6);
        }
        sent++;
      } else if (sent++ == 64) {
        for (int i = 0; i < CONNS; i++) client_send(clients[i], "0\r\n\r\n");
      }
      driver_turn(&d);
      check_limits(row);
      for (uint32_t n = 0; n < d.count; n++) {
        bj_event *e = &d.events[n];
        int i = 0;
        if (e->type == BJ_REQUEST) {
          of[i = (int)(seen_by(e) - seen)] = *e;
          total++;
        } else {
          CHECK_EQ(e->type, BJ_BODY);
          while (i < CONNS - 1 && !(seen[i].bodies > 0 && of[i].request == e->request &&
                                    of[i].generation == e->generation)) {
            i++;
          }
        }
        seen[i].bodies++;
        CHECK(seen[i].body_size + e->body_size <= sizeof seen[i].body);
        memcpy(seen[i].body + seen[i].body_size, d.arena + e->body_at, e->body_size);
        seen[i].body_size += e->body_size;
        if ((e->flags & BJ_EVENT_END) != 0) {
          ended++;
          driver_answer(&d, &of[i], "");
        }
      }
      driver_flush(&d);
    }
    CHECK_EQ(total, CONNS);
    CHECK_EQ(ended, CONNS);
    for (int i = 0; i < CONNS; i++) {
      CHECK_EQ(seen[i].body_size, 64);
      for (int k = 0; k < 64; k++) CHECK_EQ(seen[i].body[k], ' ' + k);
    }
    end();
  }
}

TEST("of many aborts at once none is lost")
{
  for (size_t row = 0; row < sizeof sizes / sizeof *sizes; row++) {
    begin(row);
    for (int i = 0; i < CONNS; i++)
      client_send(clients[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    int requests = 0, aborts = 0;
    for (int turns = 0; requests < CONNS && turns < 100; turns++) requests += (int)driver_turn(&d);
    for (int i = 0; i < CONNS; i++) {
      close(clients[i]);
      clients[i] = -1;
    }
    for (int turns = 0; aborts < CONNS && turns < 100; turns++) {
      driver_turn(&d);
      for (uint32_t i = 0; i < d.count; i++) aborts += d.events[i].type == BJ_ABORTED;
    }
    CHECK_EQ(requests, CONNS);
    CHECK_EQ(aborts, CONNS);
    end();
  }
}
