/* uri-host [ ":" port ]: the Host field's value and the authority of a target in absolute-form. */
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "bytes.h"

/* Whether `a` is an authority by RFC 9110 section 7.2 and one that a URL parser takes; an empty one
 * is valid. */
bool authority_is_valid(bytes a);

/* The latest one that was valid: most requests name the same. */
typedef struct authority_memory {
  char octets[64];
  size_t size;
} authority_memory;

/* Whether `a` is valid: only another one than the last is looked at. */
bool authority_passes(authority_memory *last, bytes a);

#endif
