/* The character classes of RFC 9110 section 5.6 and RFC 3986, as one table of bits. */
#ifndef OCTETS_H
#define OCTETS_H

#include <stdbool.h>
#include <stdint.h>

enum octet_class {
  OCTET_TOKEN = 1,  /* tchar */
  OCTET_VALUE = 2,  /* field-vchar, SP, HTAB */
  OCTET_TARGET = 4, /* may stand in a request-target */
  OCTET_ODD = 8,    /* is changed in a target by URL normalisation */
  OCTET_HOST = 16,  /* unreserved or sub-delims, as in a reg-name */
  OCTET_DIGIT = 32,
};

extern const uint8_t octet_classes[256];

static inline bool octet_is(char octet, enum octet_class class)
{
  return (octet_classes[(unsigned char)octet] & class) != 0;
}

#endif
