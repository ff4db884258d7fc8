/* Waiting bytes: a growable run, appended at the end and consumed from the front. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdint.h>

#include "bytes.h"

typedef struct buffer {
  char *memory;
  size_t start, end, capacity;
  uint64_t *total; /* capacity of all buffers that share this; or NULL */
} buffer;

enum buffered { BUFFERED, BUFFER_NO_MEMORY };

/* Adds a copy of `b`; on BUFFER_NO_MEMORY the buffer is as before. */
enum buffered buffer_append(buffer *to, bytes b);

/* Makes `b`, which may lie inside the buffer, the whole content. */
enum buffered buffer_replace(buffer *to, bytes b);

/* Makes room for `size` more bytes at the end. */
enum buffered buffer_reserve(buffer *b, size_t size);

/* Drops `size` bytes from the front. */
void buffer_consume(buffer *from, size_t size);

void buffer_free(buffer *b);

/* Memory of large buffers, kept for the next ones: malloc() would return it to the system and get
 * it back page by page. */
enum { SPARES = 64 };
typedef struct spares {
  buffer list[SPARES];
  unsigned count;
  size_t octets; /* in all of them */
} spares;

/* Gives a spare to a buffer that has no memory, if there is one. */
void spares_lend(spares *s, buffer *to);

/* Takes the memory of an empty buffer, or frees it. */
void spares_keep(spares *s, buffer *from);

void spares_free(spares *s);

/* Room for `size` more bytes at the end, to be written and then counted by buffer_commit(). NULL
 * without memory, even if `size` is 0. */
static inline char *buffer_room(buffer *b, size_t size)
{
  bool has_more = b->capacity - b->end > size;
  return has_more || buffer_reserve(b, size + 1) == BUFFERED ? b->memory + b->end : NULL;
}

static inline void buffer_commit(buffer *b, size_t size)
{
  b->end += size;
}

/* Forgets the content and keeps the memory. */
static inline void buffer_clear(buffer *b)
{
  b->start = b->end = 0;
}

static inline size_t buffer_size(const buffer *b)
{
  return b->end - b->start;
}

static inline bytes buffer_bytes(const buffer *b)
{
  return (bytes){b->memory == NULL ? "" : b->memory + b->start, b->end - b->start};
}

#endif
