/* Octets that wait: a growable run, appended at the end and consumed from the front. An empty one
 * owns no memory, so that an idle connection costs nothing. */
#ifndef BUFFER_H
#define BUFFER_H

#include "bytes.h"

typedef struct buffer {
  char *memory;
  size_t start, end, capacity;
} buffer;

enum buffered { BUFFERED, BUFFER_NO_MEMORY };

/* Adds a copy of `b`; on BUFFER_NO_MEMORY the buffer is as before. */
enum buffered buffer_append(buffer *to, bytes b);

/* Makes `b`, which may be part of the content, the whole content. */
enum buffered buffer_replace(buffer *to, bytes b);

/* Room for `size` more octets at the end, to be written and then counted with buffer_commit();
 * NULL when there is no memory. */
char *buffer_room(buffer *b, size_t size);

/* Drops `size` octets from the front; the last one gives the memory back. */
void buffer_consume(buffer *from, size_t size);

void buffer_free(buffer *b);

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
  return (bytes){b->memory + b->start, b->end - b->start};
}

#endif
