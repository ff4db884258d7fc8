#include "deadlines.h"

#include <stddef.h>

#include "loop.h"

void deadline_clear(deadline *one)
{
  if (one->next != NULL) {
    one->prev->next = one->next;
    one->next->prev = one->prev;
    one->prev = one->next = NULL;
  }
}

/* The timer may fire early, for a deadline that is gone by then, but never late. */
static void aim(deadlines *d, ev_tstamp at)
{
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
  one->at = loop_now(d->loop) + after;
  one->prev = anchor->prev;
  one->next = anchor;
  anchor->prev->next = one;
  anchor->prev = one;
  if (one->prev == anchor) aim(d, one->at);
}

void deadline_keep(deadlines *d, deadline *one, enum deadline_kind kind)
{
  if (one->next == NULL || one->kind != kind) deadline_set(d, one, kind);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)events;
  deadlines *d = timer->data;
  for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
    deadline *anchor = &d->kinds[kind].list;
    while (anchor->next != anchor && anchor->next->at <= loop_now(loop)) {
      deadline *one = anchor->next;
      deadline_clear(one);
      d->passed(one->owner, one->kind);
    }
    if (anchor->next != anchor) aim(d, anchor->next->at);
  }
}

void deadlines_start(deadlines *d, struct ev_loop *loop, const uint32_t *milliseconds,
                     deadline_passed *passed)
{
  *d = (deadlines){.loop = loop, .passed = passed};
  for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
    deadline *anchor = &d->kinds[kind].list;
    anchor->prev = anchor->next = anchor;
    d->kinds[kind].after = milliseconds[kind] / 1000.;
  }
  ev_init(&d->timer, on_timer);
  /* Octets that are there already count, however long the handler kept the thread: I/O first. */
  ev_set_priority(&d->timer, EV_MINPRI);
  d->timer.data = d;
}

void deadlines_stop(deadlines *d)
{
  ev_timer_stop(d->loop, &d->timer);
}
