#include "exchange.h"

#include <stdlib.h>

static exchange *make(exchanges *all)
{
  if (all->count == all->capacity) {
    uint32_t capacity = all->capacity == 0 ? 64 : 2 * all->capacity;
    exchange **slots = realloc(all->slots, capacity * sizeof *slots);
    if (slots == NULL) return NULL;
    all->slots = slots;
    all->capacity = capacity;
  }
  exchange *x = malloc(sizeof *x);
  if (x != NULL) {
    *x = (exchange){.slot = all->count, .file = {.fd = -1}};
    all->slots[all->count++] = x;
  }
  return x;
}

exchange *exchange_open(exchanges *all, struct conn *c)
{
  exchange *x = all->free;
  if (x != NULL)
    all->free = x->next;
  else if ((x = make(all)) == NULL)
    return NULL;
  *x = (exchange){.conn = c,
                  .slot = x->slot,
                  .generation = x->generation + 1,
                  .file = {.fd = -1},
                  .out = {.total = all->buffered},
                  .held = true};
  all->held++;
  return x;
}

exchange *exchange_find(const exchanges *all, uint32_t slot, uint32_t generation)
{
  exchange *x = slot < all->count ? all->slots[slot] : NULL;
  return x != NULL && x->held && x->generation == generation ? x : NULL;
}

/* Back to the free list when neither the connection nor a notice needs it. */
static void free_if_over(exchanges *all, exchange *x)
{
  if (x->conn == NULL && x->notices == 0) {
    x->next = all->free;
    all->free = x;
  }
}

void exchange_notice(exchanges *all, exchange *x, enum bj_event_type type)
{
  if (x->notices == 0) {
    x->next_notice = NULL;
    if (all->last_notice != NULL)
      all->last_notice->next_notice = x;
    else
      all->first_notice = x;
    all->last_notice = x;
  }
  x->notices |= 1u << type;
}

void exchange_release(exchanges *all, exchange *x)
{
  if (x->held) {
    x->held = false;
    all->held--;
  }
}

void exchange_abort(exchanges *all, exchange *x, enum bj_reason reason)
{
  if (x->held || x->notify) {
    x->reason = reason;
    x->notify = false;
    exchange_notice(all, x, BJ_ABORTED);
  }
  exchange_release(all, x);
}

void exchange_count_absent(exchanges *all, exchange *x, uint64_t size)
{
  if (all->buffered != NULL) *all->buffered += size - x->absent;
  x->absent = size;
}

void exchange_leave(exchanges *all, exchange *x)
{
  exchange_release(all, x);
  exchange_count_absent(all, x, 0);
  deadline_clear(&x->by);
  buffer_free(&x->out);
  file_close(&x->file);
  x->conn = NULL;
  free_if_over(all, x);
}

uint32_t exchange_tell(exchanges *all, bj_event *events, uint32_t room)
{
  uint32_t told = 0;
  while (told < room && all->first_notice != NULL) {
    exchange *x = all->first_notice;
    uint32_t type = (uint32_t)__builtin_ctz(x->notices);
    bool is_last = type == BJ_ABORTED || type == BJ_SENT;
    x->notices &= is_last ? 0 : x->notices - 1;
    events[told++] = (bj_event){.type = type,
                                .request = x->slot,
                                .generation = x->generation,
                                .flags = type == BJ_ABORTED ? x->reason : 0};
    if (x->notices == 0) {
      all->first_notice = x->next_notice;
      all->last_notice = all->first_notice == NULL ? NULL : all->last_notice;
      free_if_over(all, x);
    }
  }
  return told;
}

void exchanges_free(exchanges *all)
{
  for (uint32_t i = 0; i < all->count; i++) {
    buffer_free(&all->slots[i]->out);
    file_close(&all->slots[i]->file);
    free(all->slots[i]);
  }
  free(all->slots);
  *all = (exchanges){0};
}
