#include "deadlines.h"

#include "loop.h"

#define RETRY .001 /* seconds */

static void unlink_one(deadline *one)
{
  if (one->next != NULL) {
    one->prev->next = one->next;
    one->next->prev = one->prev;
    one->prev = one->next = NULL;
  }
}

static void link_before(deadline *next, deadline *one)
{
  one->prev = next->prev;
  one->next = next;
  next->prev->next = one;
  next->prev = one;
}

void deadline_clear(deadline *one)
{
  unlink_one(one);
  one->due = 0;
}

void deadline_move(deadline *heir, deadline *one)
{
  *heir = (deadline){.at = one->at, .due = one->due, .kind = one->kind, .owner = one->owner};
  if (one->next != NULL) link_before(one, heir);
  deadline_clear(one);
}

/* The timer may fire early, for a deadline that is gone by then, but never late. If it is pending,
 * on_timer() will look at all lists; stopping it would cancel that. */
static void aim(deadlines *d, ev_tstamp at)
{
  if (ev_is_pending(&d->timer)) return;
  if (ev_is_active(&d->timer) && loop_now(d->loop) + ev_timer_remaining(d->loop, &d->timer) <= at)
    return;
  ev_timer_stop(d->loop, &d->timer);
  ev_timer_set(&d->timer, at - loop_now(d->loop), 0.);
  ev_timer_start(d->loop, &d->timer);
}

void deadline_set(deadlines *d, deadline *one, enum deadline_kind kind)
{
  deadline_clear(one);
  one->kind = kind;
  ev_tstamp after = d->kinds[kind].after;
  if (after <= 0) return;
  deadline *anchor = &d->kinds[kind].list;
  one->due = one->at = loop_now(d->loop) + after;
  link_before(anchor, one);
  if (one->prev == anchor) aim(d, one->at);
}

/* Makes it pass at `at`, before all others of its kind. */
static void put_first(deadlines *d, deadline *one, ev_tstamp at)
{
  unlink_one(one);
  one->at = at;
  link_before(d->kinds[one->kind].list.next, one);
  aim(d, at);
}

void deadline_retry(deadlines *d, deadline *one)
{
  put_first(d, one, loop_now(d->loop) + RETRY);
}

void deadline_pause(deadlines *d, deadline *one)
{
  if (one->next == NULL) return;
  unlink_one(one);
  one->at = loop_now(d->loop);
}

void deadline_keep(deadlines *d, deadline *one, enum deadline_kind kind)
{
  if (one->next != NULL && one->kind == kind) return;
  bool goes_on = one->due > 0 && one->kind == kind;
  ev_tstamp due = goes_on ? one->due + loop_now(d->loop) - one->at : 0;
  deadline_set(d, one, kind);
  if (goes_on && due < one->at) one->due = due;
}

void deadline_extend(deadlines *d, deadline *one, enum deadline_kind kind, size_t octets)
{
  uint32_t rate = d->kinds[kind].rate;
  deadline_keep(d, one, kind);
  if (octets == 0 || one->next == NULL) return;
  ev_tstamp due = one->due;
  deadline_set(d, one, kind);
  if (rate == 0) return;
  due += (ev_tstamp)octets / rate;
  if (due < one->at) one->due = due;
  if (due < loop_now(d->loop)) put_first(d, one, loop_now(d->loop)); /* in this pass of the loop */
}

static bool has_passed(const deadlines *d, const deadline *anchor)
{
  return anchor->next != anchor && anchor->next->at <= loop_now(d->loop);
}

/* All that have passed leave the list before the first is called: deadline_retry() puts one in
 * front, where it would keep the others waiting. */
static void call_passed(deadlines *d, deadline *anchor)
{
  deadline passed = {.prev = &passed, .next = &passed};
  while (has_passed(d, anchor)) {
    deadline *one = anchor->next;
    unlink_one(one);
    link_before(&passed, one);
  }
  while (passed.next != &passed) {
    deadline *one = passed.next;
    unlink_one(one);
    d->passed(one->owner, one->kind);
  }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)events;
  (void)loop;
  deadlines *d = timer->data;
  for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
    deadline *anchor = &d->kinds[kind].list;
    while (has_passed(d, anchor)) call_passed(d, anchor);
    if (anchor->next != anchor) aim(d, anchor->next->at);
  }
}

void deadlines_start(deadlines *d, struct ev_loop *loop, const deadline_time *times,
                     deadline_passed *passed)
{
  *d = (deadlines){.loop = loop, .passed = passed};
  for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
    deadline *anchor = &d->kinds[kind].list;
    anchor->prev = anchor->next = anchor;
    d->kinds[kind].after = times[kind].milliseconds / 1000.;
    d->kinds[kind].rate = times[kind].rate;
  }
  ev_init(&d->timer, on_timer);
  /* I/O first: bytes that are there already count, however long the handler kept the thread. */
  ev_set_priority(&d->timer, EV_MINPRI);
  d->timer.data = d;
}

void deadlines_stop(deadlines *d)
{
  ev_timer_stop(d->loop, &d->timer);
}
