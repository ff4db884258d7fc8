/* A run of octets by address and size: nothing from the wire is NUL-terminated. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct bytes {
  const char *base;
  size_t size;
} bytes;

/* The octets of a string literal. */
#define BYTES(literal) ((bytes){(literal), sizeof(literal) - 1})

static inline bool bytes_same(bytes a, bytes b)
{
  return a.size == b.size && memcmp(a.base, b.base, a.size) == 0;
}

/* Equal but for the case of ASCII letters: field names, tokens, hosts. */
static inline bool bytes_alike(bytes a, bytes b)
{
  return a.size == b.size && strncasecmp(a.base, b.base, a.size) == 0;
}

static inline bytes bytes_from(bytes b, size_t start)
{
  return (bytes){b.base + start, b.size - start};
}

#endif
