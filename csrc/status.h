/* Status codes: reason phrases (RFC 9110 section 15) and the sentences of our own error answers. */
#ifndef STATUS_H
#define STATUS_H

#include "bytes.h"

/* The registered reason phrase, or an empty one. */
bytes status_phrase(unsigned status);

/* A status whose answer never has a body (RFC 9110 section 6.4.1). */
static inline bool status_bodyless(unsigned status)
{
  return status < 200 || status == 204 || status == 304;
}

#endif
