/* Strict: a header that two readers understand differently names the wrong client. Section numbers
 * are those of proxy-protocol.txt. */
#include "proxy.h"

#include <arpa/inet.h>

#include "octets.h"

#define LINE_MOST 107u /* 2.1: bytes of a version 1 header, with its CRLF */
#define HEAD_SIZE 16u  /* 2.2: of version 2, before the addresses */

/* ---- version 1: a line of text ---------------------------------------------------------- */

/* Takes the word before the next space off the line; false when there is no space. */
static bool take_word(bytes *line, bytes *word)
{
  const char *space = memchr(line->base, ' ', line->size);
  if (space == NULL) return false;
  *word = (bytes){line->base, (size_t)(space - line->base)};
  *line = bytes_from(*line, word->size + 1);
  return true;
}

static bool read_address(bytes word, int family, uint32_t address[4])
{
  char text[INET6_ADDRSTRLEN];
  if (word.size >= sizeof text || memchr(word.base, '\0', word.size) != NULL) return false;
  memcpy(text, word.base, word.size);
  text[word.size] = '\0';
  address[2] = family == AF_INET ? htonl(0xffff) : 0;
  return inet_pton(family, text, family == AF_INET ? &address[3] : address) == 1;
}

/* Decimal, without leading zeros. */
static bool read_port(bytes word, uint32_t *port)
{
  *port = 0;
  for (size_t i = 0; i < word.size; i++) {
    if (!octet_is(word.base[i], OCTET_DIGIT)) return false;
    *port = *port * 10 + (uint32_t)(word.base[i] - '0');
    if (*port > 65535) return false;
  }
  return word.size == 1 || (word.size > 1 && word.base[0] != '0');
}

static bool read_ends(proxied *p, int family, bytes line)
{
  bytes from, to, port;
  return take_word(&line, &from) && read_address(from, family, p->from.address) &&
         take_word(&line, &to) && read_address(to, family, p->to.address) &&
         take_word(&line, &port) && read_port(port, &p->from.port) && read_port(line, &p->to.port);
}

static bool starts_with(bytes b, bytes start)
{
  return b.size >= start.size && memcmp(b.base, start.base, start.size) == 0;
}

/* `line` is what follows "PROXY ", without the CRLF. */
static enum proxy_read judge_line(proxied *p, bytes line)
{
  bytes unknown = BYTES("UNKNOWN");
  if (starts_with(line, unknown)) /* whatever follows it is ignored */
    return line.size == unknown.size || line.base[unknown.size] == ' ' ? PROXY_COMPLETE : PROXY_BAD;
  bytes family;
  p->is_named = take_word(&line, &family) &&
                ((bytes_same(family, BYTES("TCP4")) && read_ends(p, AF_INET, line)) ||
                 (bytes_same(family, BYTES("TCP6")) && read_ends(p, AF_INET6, line)));
  return p->is_named ? PROXY_COMPLETE : PROXY_BAD;
}

static enum proxy_read read_line(proxied *p, bytes in, size_t start)
{
  const char *lf = memchr(in.base, '\n', in.size < LINE_MOST ? in.size : LINE_MOST);
  if (lf == NULL) return in.size < LINE_MOST ? PROXY_INCOMPLETE : PROXY_BAD;
  p->size = (size_t)(lf + 1 - in.base);
  if (p->size < start + 2 || lf[-1] != '\r') return PROXY_BAD;
  return judge_line(p, (bytes){in.base + start, p->size - 2 - start});
}

/* ---- version 2: binary ------------------------------------------------------------------- */

static uint32_t read_16(const char *at)
{
  const unsigned char *octets = (const unsigned char *)at;
  return (uint32_t)octets[0] << 8 | octets[1];
}

/* The address block: both addresses, then both ports. TLVs may follow. */
static enum proxy_read read_block(proxied *p, bytes block, size_t address_size)
{
  size_t first = sizeof p->from.address - address_size;
  if (block.size < 2 * address_size + 4) return PROXY_BAD;
  if (address_size == 4) p->from.address[2] = p->to.address[2] = htonl(0xffff);
  memcpy((char *)p->from.address + first, block.base, address_size);
  memcpy((char *)p->to.address + first, block.base + address_size, address_size);
  p->from.port = read_16(block.base + 2 * address_size);
  p->to.port = read_16(block.base + 2 * address_size + 2);
  p->is_named = true;
  return PROXY_COMPLETE;
}

static enum proxy_read read_binary(proxied *p, bytes in)
{
  if (in.size < HEAD_SIZE) return PROXY_INCOMPLETE;
  unsigned command = (unsigned char)in.base[12], kind = (unsigned char)in.base[13];
  p->size = HEAD_SIZE + read_16(in.base + 14);
  if ((command != 0x20 && command != 0x21) || p->size > PROXY_MOST) return PROXY_BAD;
  if (in.size < p->size) return PROXY_INCOMPLETE;
  if (command == 0x20) return PROXY_COMPLETE; /* LOCAL: the proxy's own, such as a health check */
  bytes block = {in.base + HEAD_SIZE, p->size - HEAD_SIZE};
  switch (kind) {
  case 0x11:
  case 0x12: return read_block(p, block, 4);
  case 0x21:
  case 0x22: return read_block(p, block, 16);
  default: /* unspecified, or a Unix socket: it names nobody. The rest is unassigned. */
    return kind >> 4 <= 3 && (kind & 15) <= 2 ? PROXY_COMPLETE : PROXY_BAD;
  }
}

/* All zeros name nobody; elsewhere they stand for a Unix socket. */
static bool is_nobody(const uint32_t address[4])
{
  return (address[0] | address[1] | address[2] | address[3]) == 0;
}

enum proxy_read proxy_read(proxied *p, bytes in)
{
  static const char text[] = "PROXY ", binary[] = "\r\n\r\n\0\r\nQUIT\n";
  const size_t text_size = sizeof text - 1, binary_size = sizeof binary - 1;
  *p = (proxied){0};
  enum proxy_read result = PROXY_BAD;
  if (memcmp(in.base, text, in.size < text_size ? in.size : text_size) == 0)
    result = read_line(p, in, text_size);
  else if (memcmp(in.base, binary, in.size < binary_size ? in.size : binary_size) == 0)
    result = read_binary(p, in);
  p->is_named = p->is_named && !is_nobody(p->from.address);
  return result;
}
