#include "authority.h"

#include <arpa/inet.h>

#include "octets.h"

/* Four numbers from 0 to 255 without leading zeros. */
static bool is_ipv4(bytes host)
{
  unsigned dots = 0, digits = 0, value = 0;
  for (size_t i = 0; i < host.size; i++) {
    if (host.base[i] == '.' && digits > 0) {
      dots++;
      digits = value = 0;
    } else {
      bool leading_zero = digits > 0 && value == 0;
      value = value * 10 + (unsigned)(host.base[i] - '0');
      digits++;
      if (!octet_is(host.base[i], OCTET_DIGIT) || leading_zero || value > 255) return false;
    }
  }
  return dots == 3 && digits > 0;
}

/* Whether URL parsers take the last label for a number, decimal or hexadecimal. */
static bool ends_in_number(bytes host)
{
  size_t start = host.size;
  while (start > 0 && host.base[start - 1] != '.') start--;
  bytes label = bytes_from(host, start);
  if (label.size == 0 || !octet_is(label.base[0], OCTET_DIGIT)) return false;
  bool hex = label.size > 1 && label.base[0] == '0' && (label.base[1] | 32) == 'x';
  for (size_t i = hex ? 2 : 1; i < label.size; i++) {
    char lower = (char)(label.base[i] | 32);
    if (!octet_is(label.base[i], OCTET_DIGIT) && !(hex && lower >= 'a' && lower <= 'f'))
      return false;
  }
  return true;
}

/* URL parsers refuse a host that ends in a number unless it is dotted IPv4, and request.url has to
 * parse. One dot at the end is the root's. */
static bool is_name_or_ipv4(bytes host)
{
  if (is_ipv4(host)) return true;
  for (size_t i = 0; i < host.size; i++)
    if (!octet_is(host.base[i], OCTET_HOST)) return false;
  if (host.size > 0 && host.base[host.size - 1] == '.') host.size--;
  return !ends_in_number(host) || is_ipv4(host);
}

static bool is_ipv6_literal(bytes host)
{
  char text[INET6_ADDRSTRLEN];
  unsigned char address[16];
  if (host.size < 4 || host.size - 2 >= sizeof text) return false;
  memcpy(text, host.base + 1, host.size - 2);
  text[host.size - 2] = '\0';
  return strlen(text) == host.size - 2 && inet_pton(AF_INET6, text, address) == 1;
}

bool authority_is_valid(bytes a)
{
  size_t host = 0;
  if (a.size > 0 && a.base[0] == '[') {
    const char *close = memchr(a.base, ']', a.size);
    host = close == NULL ? 0 : (size_t)(close + 1 - a.base);
    if (host == 0 || !is_ipv6_literal((bytes){a.base, host})) return false;
  } else {
    const char *colon = a.size > 0 ? memchr(a.base, ':', a.size) : NULL;
    host = colon == NULL ? a.size : (size_t)(colon - a.base);
    if ((host == 0 && a.size > 0) || !is_name_or_ipv4((bytes){a.base, host})) return false;
  }
  if (host == a.size) return true;
  unsigned port = 0;
  for (size_t i = host + 1; i < a.size; i++) {
    if (!octet_is(a.base[i], OCTET_DIGIT) ||
        (port = port * 10 + (unsigned)(a.base[i] - '0')) > 65535) {
      return false;
    }
  }
  return a.base[host] == ':';
}

bool authority_passes(authority_memory *last, bytes a)
{
  if (bytes_same(a, (bytes){last->octets, last->size})) return true;
  if (!authority_is_valid(a)) return false;
  if (a.size <= sizeof last->octets) {
    memcpy(last->octets, a.base, a.size);
    last->size = a.size;
  }
  return true;
}
