/* A request's head: the request line and header fields (RFC 9112 sections 2 to 6), read into spans
 * of the input. Knows no connection and allocates nothing. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

#include "authority.h"
#include "bjoern.h"
#include "bytes.h"
#include "picohttpparser.h"

enum request_framing {
  FRAMING_NONE, /* no body */
  FRAMING_LENGTH,
  FRAMING_CHUNKED,
};

typedef struct request {
  bytes line; /* from the method's first byte to the end of the head */
  bytes method;
  bytes target;
  bytes authority; /* of the target in absolute-form, else the Host field's value */
  const struct phr_header *fields;
  uint32_t field_count;
  uint32_t flags; /* BJ_EVENT_* */
  enum bj_method code;
  enum request_framing framing;
  uint64_t length; /* with FRAMING_LENGTH */
  bool keep_alive;
  unsigned status; /* what to answer, with REQUEST_REJECTED */
} request;

enum request_read {
  REQUEST_INCOMPLETE, /* nothing wrong so far */
  REQUEST_COMPLETE,
  REQUEST_REJECTED,
};

/* What is kept between heads. */
typedef struct request_reader {
  const bj_options *options;
  struct phr_header *fields; /* of the latest head; room for one more than options->max_fields */
  authority_memory host;
} request_reader;

/* Reads a head from the start of `in`. The spans of `r` point into `in`, its fields are those of
 * `reader`. */
enum request_read request_read(request *r, bytes in, request_reader *reader);

#endif
