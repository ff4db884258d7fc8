/* uri-host [ ":" port ]: the Host field's value and the authority of a target in absolute-form. */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "bytes.h"

/* Whether `a` is valid by RFC 9110 section 7.2 and to URL parsers; an empty one is. */
bool authority_is_valid(bytes a);

/* The last valid one: most requests repeat it. */
typedef struct authority_memory {
  char octets[64];
  size_t size;
} authority_memory;

/* As authority_is_valid(), but a repeated one is not looked at again. */
bool authority_passes(authority_memory *last, bytes a);

#endif
