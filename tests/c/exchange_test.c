#include "exchange.h"

#include "test.h"

static exchanges all;
static bj_event events[256];

/* Only its address is used. */
static struct conn *some_conn(void)
{
  static char place;
  return (struct conn *)(void *)&place;
}

static exchange *begin(void)
{
  all = (exchanges){0};
  return exchange_open(&all, some_conn());
}

#define CHECK_EVENT(at, of, what, why)                                                             \
  (CHECK_EQ(events[at].type, what), CHECK_EQ(events[at].request, (of)->slot),                      \
   CHECK_EQ(events[at].generation, (of)->generation), CHECK_EQ(events[at].flags, why))

TEST("an exchange is found by slot and generation for as long as it may be answered")
{
  exchange *x = begin(), *y = exchange_open(&all, some_conn());
  CHECK(x->slot != y->slot);
  CHECK(exchange_find(&all, x->slot, x->generation) == x);
  CHECK(exchange_find(&all, y->slot, y->generation) == y);
  CHECK(exchange_find(&all, x->slot, x->generation + 1) == NULL);
  CHECK(exchange_find(&all, x->slot, x->generation - 1) == NULL);
  CHECK(exchange_find(&all, 2, 1) == NULL);
  CHECK(exchange_find(&all, UINT32_MAX, 1) == NULL);
  CHECK_EQ(all.held, 2);
  exchange_release(&all, x);
  exchange_release(&all, x);
  CHECK_EQ(all.held, 1);
  CHECK(exchange_find(&all, x->slot, x->generation) == NULL);
  exchanges_free(&all);
}

TEST("a reused slot has another generation: a late answer finds no exchange")
{
  exchange *x = begin();
  uint32_t slot = x->slot, generation = x->generation;
  exchange_leave(&all, x);
  CHECK_EQ(all.held, 0);
  exchange *y = exchange_open(&all, some_conn());
  CHECK_EQ(y->slot, slot);
  CHECK(y->generation != generation);
  CHECK(exchange_find(&all, slot, generation) == NULL);
  CHECK(exchange_find(&all, slot, y->generation) == y);
  exchanges_free(&all);
}

TEST("a slot stays taken until the caller has been told")
{
  exchange *x = begin();
  exchange_abort(&all, x, BJ_TIMED_OUT);
  exchange_leave(&all, x);
  CHECK(exchange_open(&all, some_conn())->slot != x->slot);
  CHECK_EQ(exchange_tell(&all, events, 9), 1);
  CHECK_EVENT(0, x, BJ_ABORTED, BJ_TIMED_OUT);
  CHECK(exchange_open(&all, some_conn()) == x);
  exchanges_free(&all);
}

TEST("a slot stays taken until the exchange has left its connection")
{
  exchange *x = begin();
  exchange_notice(&all, x, BJ_LEFT);
  CHECK_EQ(exchange_tell(&all, events, 9), 1);
  CHECK_EVENT(0, x, BJ_LEFT, 0);
  CHECK(exchange_open(&all, some_conn()) != x);
  exchange_leave(&all, x);
  CHECK(exchange_open(&all, some_conn()) == x);
  exchanges_free(&all);
}

TEST("an abort after the answer is reported only to callers that asked for notice")
{
  exchange *x = begin(), *y = exchange_open(&all, some_conn());
  exchange_release(&all, x);
  exchange_abort(&all, x, BJ_DISCONNECTED);
  exchange_release(&all, y);
  y->notify = true;
  exchange_abort(&all, y, BJ_DISCONNECTED);
  exchange_abort(&all, y, BJ_CLOSED);
  CHECK_EQ(exchange_tell(&all, events, 9), 1);
  CHECK_EVENT(0, y, BJ_ABORTED, BJ_DISCONNECTED);
  exchanges_free(&all);
}

TEST("no notice follows the one that ends an exchange")
{
  exchange *x = begin(), *y = exchange_open(&all, some_conn());
  exchange_notice(&all, x, BJ_DRAINED);
  exchange_notice(&all, x, BJ_LEFT);
  exchange_abort(&all, x, BJ_DISCONNECTED);
  exchange_leave(&all, x);
  exchange_notice(&all, y, BJ_LEFT);
  exchange_notice(&all, y, BJ_DRAINED);
  CHECK_EQ(exchange_tell(&all, events, 9), 3);
  CHECK_EVENT(0, x, BJ_ABORTED, BJ_DISCONNECTED);
  CHECK_EVENT(1, y, BJ_DRAINED, 0);
  CHECK_EVENT(2, y, BJ_LEFT, 0);
  exchange_notice(&all, y, BJ_LEFT);
  exchange_notice(&all, y, BJ_SENT);
  CHECK_EQ(exchange_tell(&all, events, 9), 1);
  CHECK_EVENT(0, y, BJ_SENT, 0);
  exchanges_free(&all);
}

TEST("notices without room come next time, each once and in order")
{
  enum { MANY = 100 };
  exchange *each[MANY] = {begin()};
  for (int i = 1; i < MANY; i++) each[i] = exchange_open(&all, some_conn());
  for (int i = 0; i < MANY; i++) {
    exchange_notice(&all, each[i], BJ_LEFT);
    exchange_notice(&all, each[i], BJ_DRAINED);
    exchange_notice(&all, each[i], BJ_LEFT);
  }
  int told = 0;
  CHECK_EQ(exchange_tell(&all, events, 0), 0);
  for (uint32_t n; (n = exchange_tell(&all, events, 3)) > 0;)
    for (uint32_t i = 0; i < n; i++, told++)
      CHECK_EVENT(i, each[told / 2], told % 2 == 0 ? BJ_DRAINED : BJ_LEFT, 0);
  CHECK_EQ(told, 2 * MANY);
  CHECK(all.last_notice == NULL);
  exchanges_free(&all);
}
