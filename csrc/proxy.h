/* The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a proxy that passes bytes on
 * unread says first whose connection it is. */
#ifndef PROXY_H
#define PROXY_H

#include <stdint.h>

#include "bytes.h"

#define PROXY_MOST 4096u /* bytes of a header; the specification has senders stay below 536 */

typedef struct endpoint {
  uint32_t address[4]; /* as in bj_event */
  uint32_t port;
} endpoint;

typedef struct proxied {
  size_t size;       /* bytes of the header */
  bool is_named;     /* else the connection's own ends count */
  endpoint from, to; /* the client, and where it connected to */
} proxied;

enum proxy_read {
  PROXY_INCOMPLETE, /* nothing wrong so far */
  PROXY_COMPLETE,
  PROXY_BAD, /* no header: the sender does not speak the protocol */
};

/* Reads a header from the start of `in`. */
enum proxy_read proxy_read(proxied *p, bytes in);

#endif
