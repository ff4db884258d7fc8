/* The chunked transfer coding (RFC 9112 section 7.1), decoded strictly and in place. Keeps no bytes
 * between calls: extensions and trailers are checked as they pass, and dropped. */
#ifndef CHUNKED_H
#define CHUNKED_H

#include <stdint.h>

#include "bytes.h"

enum chunked_state {
  CHUNKED_SIZE,       /* at a digit of a chunk-size, or what ends it */
  CHUNKED_EXT_SPACE,  /* white space before ";" */
  CHUNKED_EXT_START,  /* after ";", before the name */
  CHUNKED_EXT_NAME,   /* in the name */
  CHUNKED_EXT_AFTER,  /* white space after the name */
  CHUNKED_EXT_EQUALS, /* after "=", before the value */
  CHUNKED_EXT_TOKEN,  /* in a token as value */
  CHUNKED_EXT_QUOTED, /* in a quoted-string as value */
  CHUNKED_EXT_ESCAPE, /* after its backslash */
  CHUNKED_EXT_END,    /* after its closing quote */
  CHUNKED_SIZE_LF,    /* at the LF that ends a chunk's line */
  CHUNKED_DATA,       /* in its data */
  CHUNKED_DATA_CR,    /* at the CRLF after it */
  CHUNKED_DATA_LF,
  CHUNKED_FIELD,       /* at the start of a trailer line */
  CHUNKED_FIELD_NAME,  /* in a trailer field's name */
  CHUNKED_FIELD_VALUE, /* in its value */
  CHUNKED_FIELD_LF,    /* at the LF that ends it */
  CHUNKED_LAST_LF,     /* at the LF of the empty line that ends the body */
};

typedef struct chunked {
  uint64_t left;     /* bytes of the current chunk that are still to come */
  uint32_t overhead; /* bytes of extensions and trailers seen so far */
  uint8_t digits;    /* of the current chunk-size */
  uint8_t state;     /* enum chunked_state */
} chunked;

enum decoded {
  DECODED_MORE,     /* all input is used, the body goes on */
  DECODED_END,      /* the body is complete */
  DECODED_BAD,      /* not the chunked coding */
  DECODED_OVERHEAD, /* more bytes of extensions and trailers than CHUNKED_MAX_OVERHEAD */
};

#define CHUNKED_MAX_OVERHEAD 16384u

/* Decodes `size` bytes at `data` in place: the first `*used` of them become `*decoded` bytes of
 * content at `data`. A zeroed `c` starts a body. */
enum decoded chunked_decode(chunked *c, char *data, size_t size, size_t *decoded, size_t *used);

#endif
