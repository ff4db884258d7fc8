/* A run of bytes by address and size: nothing from the wire is NUL-terminated. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct bytes {
  const char *base;
  size_t size;
} bytes;

#define BYTES(literal) ((bytes){(literal), sizeof(literal) - 1})

static inline bool bytes_same(bytes a, bytes b)
{
  return a.size == b.size && memcmp(a.base, b.base, a.size) == 0;
}

static inline bool bytes_is_letter(char octet)
{
  return (octet | 32) >= 'a' && (octet | 32) <= 'z';
}

/* Equal but for the case of ASCII letters: field names, tokens, hosts. strncasecmp(3) depends on
 * the process's locale. */
static inline bool bytes_alike(bytes a, bytes b)
{
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; i++) {
    int difference = a.base[i] ^ b.base[i];
    if (difference != 0 && (difference != 32 || !bytes_is_letter(b.base[i]))) return false;
  }
  return true;
}

static inline bytes bytes_from(bytes b, size_t start)
{
  return (bytes){b.base + start, b.size - start};
}

#endif
