#include "buffer.h"

#include <stdbool.h>
#include <stdlib.h>

/* Replaces the memory; it starts with `used` bytes of content. */
static void hold(buffer *b, char *memory, size_t used, size_t capacity)
{
  if (b->total != NULL) *b->total += capacity - b->capacity;
  *b = (buffer){.memory = memory, .end = used, .capacity = capacity, .total = b->total};
}

void buffer_free(buffer *b)
{
  free(b->memory);
  hold(b, NULL, 0, 0);
}

/* Moves the content to the front if that is enough, else grows. */
enum buffered buffer_reserve(buffer *b, size_t size)
{
  if (b->capacity - b->end >= size) return BUFFERED;
  size_t used = buffer_size(b);
  if (b->start >= used && b->capacity - used >= size) {
    memcpy(b->memory, b->memory + b->start, used);
    b->start = 0;
    b->end = used;
    return BUFFERED;
  }
  size_t capacity = 2 * used > used + size ? 2 * used : used + size;
  char *memory = malloc(capacity);
  if (memory == NULL) return BUFFER_NO_MEMORY;
  if (used > 0) memcpy(memory, b->memory + b->start, used);
  free(b->memory);
  hold(b, memory, used, capacity);
  return BUFFERED;
}

enum buffered buffer_append(buffer *to, bytes b)
{
  if (b.size == 0) return BUFFERED;
  if (buffer_reserve(to, b.size) != BUFFERED) return BUFFER_NO_MEMORY;
  memcpy(to->memory + to->end, b.base, b.size);
  to->end += b.size;
  return BUFFERED;
}

enum buffered buffer_replace(buffer *to, bytes b)
{
  buffer fresh = {.total = to->total};
  if (buffer_append(&fresh, b) != BUFFERED) return BUFFER_NO_MEMORY;
  buffer_free(to);
  *to = fresh;
  return BUFFERED;
}

void buffer_consume(buffer *from, size_t size)
{
  from->start += size;
  if (from->start == from->end) buffer_clear(from);
}

/* ---- spares ----------------------------------------------------------------------------- */

/* Bytes: of one spare, all of which counts against its next owner's limits, and of all. */
enum { LEAST_SPARE = 16384, MOST_SPARE = 262144, MOST_SPARES = 4194304 };

void spares_lend(spares *s, buffer *to)
{
  if (to->memory == NULL && s->count > 0) {
    const buffer *spare = &s->list[--s->count];
    s->octets -= spare->capacity;
    hold(to, spare->memory, 0, spare->capacity);
  }
}

void spares_keep(spares *s, buffer *from)
{
  bool has_room = s->count < SPARES && s->octets + from->capacity <= MOST_SPARES;
  bool is_fit = from->capacity >= LEAST_SPARE && from->capacity <= MOST_SPARE;
  if (is_fit && has_room) {
    s->list[s->count++] = (buffer){.memory = from->memory, .capacity = from->capacity};
    s->octets += from->capacity;
  } else {
    free(from->memory);
  }
  hold(from, NULL, 0, 0);
}

void spares_free(spares *s)
{
  while (s->count > 0) free(s->list[--s->count].memory);
  s->octets = 0;
}
