#include "body.h"

#include "input.h"
#include "response.h"
#include "server.h"

/* How much of an unwanted body is read and dropped to keep the connection. A longer Content-Length
 * shows at once, and the answer says close; chunks show only as they come, and closing while the
 * client sends may cost it the answer. */
#define DROP_LENGTH 65536u
#define DROP_CHUNKS 1048576u

/* The request is complete: the next one may begin. */
static void finish(conn *c)
{
  uint64_t *counters = c->server->counters;
  counters[BJ_REQ_SUCCESS_READ]++;
  counters[BJ_REQ_DONE]++;
  c->body.taker = NULL;
  c->state = c->is_final ? CONN_LAST : CONN_HEAD;
  deadline_clear(&c->reading_by);
}

void body_begin(exchange *x, const request *r)
{
  conn *c = x->conn;
  if (r->framing == FRAMING_NONE) {
    finish(c);
    return;
  }
  c->state = CONN_BODY;
  c->body.taker = x;
  c->body.framing = r->framing;
  c->body.left = r->length;
  c->body.received = 0;
  c->body.limit = c->server->max_body_size;
  c->body.decoder = (chunked){0};
  c->body.pulled = c->body.told = false;
  c->body.ahead = 0;
}

/* Content goes into the request's own event if that is the latest one. */
static void deliver(conn *c, exchange *x, const char *data, size_t size, bool end)
{
  bj_server *s = c->server;
  bj_event *e = s->event_count > 0 ? &s->events[s->event_count - 1] : NULL;
  if (e == NULL || e->type != BJ_REQUEST || e->request != x->slot || e->body_size > 0) {
    if (size == 0 && !end) return;
    e = server_event(s);
    *e = (bj_event){.type = BJ_BODY, .request = x->slot, .generation = x->generation};
  }
  e->body_at = (uint32_t)(data - s->arena);
  e->body_size = (uint32_t)size;
  e->flags |= end ? BJ_EVENT_END : 0;
  x->unread += (uint32_t)size;
  x->owes_continue = x->owes_continue && size == 0 && !end;
}

static enum decoded decode(conn *c, char *data, size_t size, size_t *content, size_t *used)
{
  if (c->body.framing == FRAMING_CHUNKED)
    return chunked_decode(&c->body.decoder, data, size, content, used);
  *content = *used = c->body.left < size ? (size_t)c->body.left : size;
  c->body.left -= *used;
  return c->body.left == 0 ? DECODED_END : DECODED_MORE;
}

/* Refuses what is announced before it arrives, by subtraction: a sum could be made to overflow. A
 * chunk-size counts once its line is complete, so that segmentation makes no difference. */
static bool is_too_large(const conn *c)
{
  uint64_t left = c->body.framing == FRAMING_LENGTH       ? c->body.left
                  : c->body.decoder.state == CHUNKED_DATA ? c->body.decoder.left
                                                          : 0;
  return c->body.received > c->body.limit || left > c->body.limit - c->body.received;
}

void body_advance(conn *c, size_t size, bool ended)
{
  if (ended)
    finish(c);
  else
    deadline_extend(&c->server->deadlines, &c->reading_by, DEADLINE_BODY, size);
}

size_t body_take(conn *c, char *data, size_t size)
{
  size_t content = 0, used = 0;
  enum decoded decoded = decode(c, data, size, &content, &used);
  c->body.received += content;
  if (is_too_large(c)) {
    input_fail(c, 413, BJ_TOO_LARGE);
    return size;
  }
  if (decoded == DECODED_BAD || decoded == DECODED_OVERHEAD) {
    input_fail(c, decoded == DECODED_BAD ? 400 : 431, BJ_MALFORMED);
    return size;
  }
  if (c->body.taker != NULL) {
    deliver(c, c->body.taker, data, content, decoded == DECODED_END);
  } else if ((c->body.dropped += (uint32_t)used) > DROP_CHUNKS) {
    c->state = CONN_LAST;
    return size;
  }
  body_advance(c, used, decoded == DECODED_END);
  return used;
}

/* A client that waits for 100 (Continue) may never send the body. */
bool body_may_drop(const conn *c)
{
  return !c->body.taker->owes_continue &&
         (c->body.framing != FRAMING_LENGTH || c->body.left <= DROP_LENGTH);
}

void body_drop(conn *c)
{
  c->body.taker = NULL;
  c->body.dropped = 0;
}

void body_limit(exchange *x, uint64_t limit)
{
  conn *c = x->conn;
  if (c->body.taker == x) {
    c->body.limit = limit;
    if (is_too_large(c)) input_fail(c, 413, BJ_TOO_LARGE);
  } else if (x->unread > limit && x->answer == ANSWER_NONE) {
    c->server->counters[BJ_REQ_ERROR_PARSE]++;
    exchange_abort(&c->server->exchanges, x, BJ_TOO_LARGE);
    response_error(x, 413);
  }
}
