#include "response.h"

#include "body.h"
#include "loop.h"
#include "output.h"
#include "server.h"
#include "status.h"

/* A file of up to this size is copied: cheaper than another system call. */
#define COPY_LIMIT 16384u

/* A body of up to this size is copied behind its head; a larger one may be sent uncopied. */
#define SMALL_BODY (OUTPUT_DIRECT_END - 1)

/* A head without the handler's fields and reason: status line, Date, framing, Connection, CRLF. */
#define HEAD_SIZE 256u

static char *put(char *to, bytes b)
{
  memcpy(to, b.base, b.size);
  return to + b.size;
}

static char *put_number(char *to, uint64_t number, unsigned radix)
{
  char *end = to + 1;
  for (uint64_t rest = number / radix; rest > 0; rest /= radix) end++;
  for (char *at = end; at > to; number /= radix) *--at = "0123456789abcdef"[number % radix];
  return end;
}

/* Without a reason of the handler's, the usual one; for 200 the line is a constant. */
static char *put_status(char *to, unsigned status, bytes reason)
{
  if (status == 200 && reason.base == NULL) return put(to, BYTES("HTTP/1.1 200 OK\r\n"));
  if (reason.base == NULL) reason = status_phrase(status);
  to = put(to, BYTES("HTTP/1.1 "));
  to = put_number(to, status, 10);
  *to++ = ' ';
  to = put(to, reason);
  return put(to, BYTES("\r\n"));
}

/* RFC 9110 section 8.6: which length, if any, the head states. */
static char *put_framing(char *to, const exchange *x, const bj_command *command)
{
  unsigned status = command->status;
  bool told = (command->flags & BJ_WRITE_LENGTH) != 0;
  if (status < 200 || status == 204 || (status == 304 && !told)) return to;
  if (status == 205) return put(to, BYTES("Content-Length: 0\r\n")); /* section 15.3.6 */
  if (told || (command->flags & BJ_WRITE_END) != 0) {
    to = put(to, BYTES("Content-Length: "));
    to = put_number(to, x->left, 10);
    return put(to, BYTES("\r\n"));
  }
  return x->is_http10 ? to : put(to, BYTES("Transfer-Encoding: chunked\r\n"));
}

static uint64_t length_of(const bj_command *command)
{
  bool told = (command->flags & BJ_WRITE_LENGTH) != 0;
  return told ? (uint64_t)command->length_high << 32 | command->length_low : command->body_size;
}

static enum answer_framing choose_framing(const exchange *x, const bj_command *command)
{
  if (x->is_head || status_bodyless(command->status)) return ANSWER_EMPTY;
  if ((command->flags & (BJ_WRITE_LENGTH | BJ_WRITE_END)) != 0) return ANSWER_LENGTH;
  return x->is_http10 ? ANSWER_UNTIL_CLOSE : ANSWER_CHUNKED;
}

/* While the server drains, the latest request of a connection is its last. */
static bool is_drained(const exchange *x)
{
  const conn *c = x->conn;
  return c->server->state != SERVER_OPEN && c->last == x && !c->waits;
}

static bool must_close(const exchange *x, const bj_command *command)
{
  bool whole = (command->flags & BJ_WRITE_END) != 0;
  return !x->keep_alive || (command->flags & BJ_WRITE_CLOSE) != 0 ||
         x->framing == ANSWER_UNTIL_CLOSE || is_drained(x) ||
         (whole && x->conn->body.taker == x && !body_may_drop(x->conn));
}

/* The first line of the fields, if the handler has set a reason phrase. */
static bytes take_reason(bytes *fields)
{
  const char *end = memchr(fields->base, '\r', fields->size);
  bytes reason = {fields->base, (size_t)(end - fields->base)};
  *fields = bytes_from(*fields, reason.size + 2);
  return reason;
}

/* The answer says that the connection ends: take no request that could not be answered. */
static void announce_close(exchange *x)
{
  conn *c = x->conn;
  x->close = true;
  if (c->last == x) {
    c->is_final = true;
    c->state = c->state == CONN_HEAD ? CONN_LAST : c->state;
  }
}

static void begin_answer(exchange *x, const bj_command *command)
{
  x->framing = choose_framing(x, command);
  x->left = length_of(command);
  if (must_close(x, command)) announce_close(x);
  x->direct = (command->flags & BJ_WRITE_DIRECT) != 0;
  if (x->direct && x->conn->first != x)
    exchange_count_absent(&x->conn->server->exchanges, x, x->left);
  x->answer = ANSWER_STARTED;
}

/* Copies a small body of known length behind the head. Returns what is left of the body. */
static bytes write_head(exchange *x, const bj_command *command, bytes fields, bytes body)
{
  begin_answer(x, command);
  bj_server *s = x->conn->server;
  bytes reason = {0};
  if ((command->flags & BJ_WRITE_REASON) != 0) reason = take_reason(&fields);
  bool is_small = body.size <= SMALL_BODY && body.size <= x->left;
  bytes near = {body.base, x->framing == ANSWER_LENGTH && is_small ? body.size : 0};
  char *start = output_room(x, HEAD_SIZE + reason.size + fields.size + near.size), *to = start;
  if (start == NULL) return body;
  to = put_status(to, command->status, reason);
  to = put(to, fields);
  if ((command->flags & BJ_WRITE_DATE) == 0) to = put(to, (bytes){server_date(s), DATE_SIZE});
  to = put_framing(to, x, command);
  if (x->close)
    to = put(to, BYTES("Connection: close\r\n"));
  else if (x->is_http10 || s->tells_idle)
    to = put(to, (bytes){s->persistence, s->persistence_size});
  to = put(to, BYTES("\r\n"));
  to = put(to, near);
  x->left -= near.size;
  output_commit(x, (size_t)(to - start));
  return bytes_from(body, near.size);
}

/* Never more than was announced: the rest would be read as the next answer. */
static void write_length(exchange *x, bytes body)
{
  if (body.size == 0) return;
  if (body.size > x->left) {
    body.size = (size_t)x->left;
    x->close = x->cut = true;
  }
  x->left -= body.size;
  output_add(x, body, BYTES(""));
}

/* The last chunk leaves with the last data. */
static void write_chunk(exchange *x, bytes body, bool last)
{
  char line[24], *to = line;
  if (body.size > 0) {
    to = put_number(to, body.size, 16);
    to = put(to, BYTES("\r\n"));
    output_add(x, (bytes){line, (size_t)(to - line)}, BYTES(""));
    output_add(x, body, last ? BYTES("\r\n0\r\n\r\n") : BYTES("\r\n"));
  } else if (last) {
    output_add(x, BYTES("0\r\n\r\n"), BYTES(""));
  }
}

static file file_of(const bj_command *command)
{
  if ((command->flags & BJ_WRITE_FILE) == 0) return (file){.fd = -1};
  return (file){.fd = (int)command->body_at,
                .from = (uint64_t)command->offset_high << 32 | command->offset_low};
}

void response_forget(const bj_command *command)
{
  file f = file_of(command);
  file_close(&f);
}

/* A small file is copied; a large one is sent once everything before it has gone. */
static void write_file(exchange *x, file f)
{
  if (x->framing == ANSWER_LENGTH && x->left > COPY_LIMIT) {
    x->file = f;
    return;
  }
  char *room = x->framing == ANSWER_LENGTH ? output_room(x, (size_t)x->left) : NULL;
  ssize_t size = room == NULL ? 0 : file_read(&f, room, (size_t)x->left);
  if (size > 0) {
    output_commit(x, (size_t)size);
    x->left -= (uint64_t)size;
  }
  file_close(&f);
}

static void write_body(exchange *x, bytes body, bool last)
{
  switch (x->framing) {
  case ANSWER_EMPTY: return;
  case ANSWER_LENGTH: write_length(x, body); return;
  case ANSWER_CHUNKED: write_chunk(x, body, last); return;
  case ANSWER_UNTIL_CLOSE: output_add(x, body, BYTES("")); return;
  }
}

static void count_duration(uint64_t *counters, double seconds)
{
  static const double bounds[] = BJ_DURATIONS;
  size_t class = 0;
  while (class < sizeof bounds / sizeof *bounds && seconds * 1e3 > bounds[class]) class++;
  counters[BJ_DURATION + class]++;
  counters[BJ_DURATION_SUM] += (uint64_t)(seconds * 1e6);
}

static void count_end(const exchange *x)
{
  bj_server *s = x->conn->server;
  s->counters[x->cut ? BJ_RESP_ABORTED : BJ_RESP_DONE]++;
  if (!x->cut) s->counters[x->close ? BJ_RESP_CONN_CLOSE : BJ_RESP_DONE_KEEPALIVE]++;
  if (!x->cut && x->began > 0) count_duration(s->counters, loop_now(s->loop) - x->began);
}

/* Nobody reads the rest of the request's body. */
static void leave_body(exchange *x)
{
  x->close |= !body_may_drop(x->conn);
  body_drop(x->conn);
}

void response_end(exchange *x)
{
  conn *c = x->conn;
  if (x->framing == ANSWER_LENGTH && x->left > 0) x->cut = true;
  if (c->body.taker == x) leave_body(x);
  x->close |= x->cut;
  x->answer = ANSWER_DONE;
  count_end(x);
  if (x->cut && x->notify) exchange_abort(&c->server->exchanges, x, BJ_CUT);
  exchange_release(&c->server->exchanges, x);
  conn_advance(c);
}

static void count_write(uint64_t *counters, const bj_command *command)
{
  counters[BJ_REQ_ERROR_INTERNAL] += (command->flags & BJ_WRITE_FAILED) != 0;
  counters[BJ_RESP_ACTIVE] += (command->flags & BJ_WRITE_END) == 0 && command->body_size > 0;
}

void response_write(exchange *x, const bj_command *command)
{
  conn *c = x->conn;
  const char *output = c->server->output;
  bool starts = (command->flags & BJ_WRITE_HEAD) != 0, ends = (command->flags & BJ_WRITE_END) != 0;
  file f = file_of(command);
  bytes fields = {output + command->fields_at, command->fields_size};
  bytes body = {output + command->body_at, f.fd < 0 ? command->body_size : 0};
  if (x->answer != (starts ? ANSWER_NONE : ANSWER_STARTED)) {
    file_close(&f);
    return;
  }
  x->notify |= (command->flags & BJ_WRITE_NOTIFY) != 0;
  if (starts) body = write_head(x, command, fields, body);
  if (f.fd >= 0)
    write_file(x, f);
  else
    write_body(x, body, ends);
  count_write(c->server->counters, command);
  if (x->file.fd >= 0) { /* the loop does the rest */
    if (c->body.taker == x) leave_body(x);
    exchange_release(&c->server->exchanges, x);
  } else if (ends) {
    response_end(x);
  }
}

void response_error(exchange *x, unsigned status)
{
  bytes fields = BYTES("Content-Type: text/plain;charset=utf-8\r\n");
  bytes phrase = status_phrase(status);
  bj_command command = {.flags = BJ_WRITE_HEAD | BJ_WRITE_END | BJ_WRITE_CLOSE,
                        .status = status,
                        .body_size = (uint32_t)phrase.size};
  write_body(x, write_head(x, &command, fields, phrase), true);
  response_end(x);
}

void response_continue(exchange *x)
{
  x->wanted = true;
  if (x->owes_continue && x->answer == ANSWER_NONE) {
    x->owes_continue = false;
    output_add(x, BYTES("HTTP/1.1 100 Continue\r\n\r\n"), BYTES(""));
  }
}

void response_cut(exchange *x)
{
  x->cut = true;
  response_end(x);
}
