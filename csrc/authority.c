#include "authority.h"

#include <arpa/inet.h>

#include "octets.h"

/* A number from 0 to 255 without leading zeros, as in a dotted IPv4 address. */
static bool is_octet_number(bytes b)
{
  unsigned value = 0;
  for (size_t i = 0; i < b.size; i++) {
    if (!octet_is(b.base[i], OCTET_DIGIT)) return false;
    value = value * 10 + (unsigned)(b.base[i] - '0');
  }
  return b.size >= 1 && b.size <= 3 && value < 256 && (b.size == 1 || b.base[0] != '0');
}

/* A host that ends in a number must be a dotted IPv4 address: every URL parser refuses it
 * otherwise, and request.url has to parse. */
static bool is_name_or_ipv4(bytes host)
{
  unsigned labels = 0, numbers = 0;
  bool number = false;
  for (size_t i = 0, start = 0; i <= host.size; i++) {
    if (i < host.size && host.base[i] != '.') {
      if (!octet_is(host.base[i], OCTET_HOST)) return false;
      continue;
    }
    bytes label = {host.base + start, i - start};
    if (label.size > 0) {
      bool hex = label.size > 1 && label.base[0] == '0' && (label.base[1] | 32) == 'x';
      number = octet_is(label.base[0], OCTET_DIGIT);
      for (size_t k = hex ? 2 : 1; number && k < label.size; k++) {
        char lower = (char)(label.base[k] | 32);
        number = octet_is(label.base[k], OCTET_DIGIT) || (hex && lower >= 'a' && lower <= 'f');
      }
      numbers += is_octet_number(label);
      labels++;
    }
    start = i + 1;
  }
  return !number || (labels == 4 && numbers == 4);
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
