/* Status codes (RFC 9110 section 15). */
#ifndef STATUS_H
#define STATUS_H

#include "bytes.h"

/* The reason phrase of an error of our own; empty for any other status, which the caller names. */
bytes status_phrase(unsigned status);

/* A status whose answer never has a body (RFC 9110 sections 6.4.1 and 15.3.6). */
static inline bool status_bodyless(unsigned status)
{
  return status < 200 || status == 204 || status == 205 || status == 304;
}

#endif
