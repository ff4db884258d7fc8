/* Lines go byte by byte, data in whole runs. */
#include "chunked.h"

#include "octets.h"

enum { LINE_BAD = -1 };

static int hex_value(char octet)
{
  if (octet >= '0' && octet <= '9') return octet - '0';
  char lower = (char)(octet | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_space(char octet)
{
  return octet == ' ' || octet == '\t';
}

/* Sixteen digits always fit 64 bits: no overflow. */
static int next_of_size(chunked *c, char octet)
{
  int value = hex_value(octet);
  if (value >= 0 && c->digits < 16) {
    c->left = c->left << 4 | (uint64_t)value;
    c->digits++;
    return CHUNKED_SIZE;
  }
  if (value >= 0 || c->digits == 0) return LINE_BAD;
  if (is_space(octet)) return CHUNKED_EXT_SPACE;
  return octet == ';' ? CHUNKED_EXT_START : octet == '\r' ? CHUNKED_SIZE_LF : LINE_BAD;
}

/* chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), section 7.1.1. White
 * space that no ";" follows is not part of it. */
static int next_of_extension(int state, char octet)
{
  bool token = octet_is(octet, OCTET_TOKEN);
  switch (state) {
  case CHUNKED_EXT_SPACE:
    return is_space(octet) ? state : octet == ';' ? CHUNKED_EXT_START : LINE_BAD;
  case CHUNKED_EXT_START: return is_space(octet) ? state : token ? CHUNKED_EXT_NAME : LINE_BAD;
  case CHUNKED_EXT_EQUALS:
    return is_space(octet) ? state
           : octet == '"'  ? CHUNKED_EXT_QUOTED
           : token         ? CHUNKED_EXT_TOKEN
                           : LINE_BAD;
  case CHUNKED_EXT_QUOTED:
    return octet == '"'                   ? CHUNKED_EXT_END
           : octet == '\\'                ? CHUNKED_EXT_ESCAPE
           : octet_is(octet, OCTET_VALUE) ? state
                                          : LINE_BAD;
  case CHUNKED_EXT_ESCAPE: return octet_is(octet, OCTET_VALUE) ? CHUNKED_EXT_QUOTED : LINE_BAD;
  case CHUNKED_EXT_NAME:
    if (token) return state;
    if (is_space(octet)) return CHUNKED_EXT_AFTER;
    break;
  case CHUNKED_EXT_AFTER:
    if (is_space(octet)) return state;
    return octet == '=' ? CHUNKED_EXT_EQUALS : octet == ';' ? CHUNKED_EXT_START : LINE_BAD;
  case CHUNKED_EXT_TOKEN:
    if (token) return state;
    break;
  default: break;
  }
  if (is_space(octet) && state != CHUNKED_EXT_NAME) return CHUNKED_EXT_SPACE;
  if (octet == '=' && state == CHUNKED_EXT_NAME) return CHUNKED_EXT_EQUALS;
  return octet == ';' ? CHUNKED_EXT_START : octet == '\r' ? CHUNKED_SIZE_LF : LINE_BAD;
}

/* Trailer fields have the syntax of header fields (section 7.1.2); no folding, no bare CR. */
static int next_of_trailer(int state, char octet)
{
  switch (state) {
  case CHUNKED_FIELD:
    return octet == '\r'                  ? CHUNKED_LAST_LF
           : octet_is(octet, OCTET_TOKEN) ? CHUNKED_FIELD_NAME
                                          : LINE_BAD;
  case CHUNKED_FIELD_NAME:
    return octet == ':' ? CHUNKED_FIELD_VALUE : octet_is(octet, OCTET_TOKEN) ? state : LINE_BAD;
  case CHUNKED_FIELD_VALUE:
    return octet == '\r' ? CHUNKED_FIELD_LF : octet_is(octet, OCTET_VALUE) ? state : LINE_BAD;
  default: return octet == '\n' ? CHUNKED_FIELD : LINE_BAD;
  }
}

static int next_state(chunked *c, char octet)
{
  switch (c->state) {
  case CHUNKED_SIZE: return next_of_size(c, octet);
  case CHUNKED_SIZE_LF:
    return octet != '\n' ? LINE_BAD : c->left > 0 ? CHUNKED_DATA : CHUNKED_FIELD;
  case CHUNKED_DATA_CR: return octet == '\r' ? CHUNKED_DATA_LF : LINE_BAD;
  case CHUNKED_DATA_LF: c->digits = 0; return octet == '\n' ? CHUNKED_SIZE : LINE_BAD;
  case CHUNKED_FIELD:
  case CHUNKED_FIELD_NAME:
  case CHUNKED_FIELD_VALUE:
  case CHUNKED_FIELD_LF: c->overhead++; return next_of_trailer(c->state, octet);
  default: c->overhead++; return next_of_extension(c->state, octet);
  }
}

/* Moves chunk data down to the end of what is decoded. */
static size_t take_data(chunked *c, char *to, const char *from, size_t size)
{
  size_t taken = c->left < size ? (size_t)c->left : size;
  if (to != from) memmove(to, from, taken);
  c->left -= taken;
  if (c->left == 0) c->state = CHUNKED_DATA_CR;
  return taken;
}

enum decoded chunked_decode(chunked *c, char *data, size_t size, size_t *decoded, size_t *used)
{
  size_t at = 0;
  *decoded = 0;
  while (at < size) {
    if (c->state == CHUNKED_DATA) {
      size_t taken = take_data(c, data + *decoded, data + at, size - at);
      *decoded += taken;
      at += taken;
      continue;
    }
    char octet = data[at++];
    *used = at;
    if (c->state == CHUNKED_LAST_LF) return octet == '\n' ? DECODED_END : DECODED_BAD;
    int next = next_state(c, octet);
    if (next == LINE_BAD) return DECODED_BAD;
    if (c->overhead > CHUNKED_MAX_OVERHEAD) return DECODED_OVERHEAD;
    c->state = (uint8_t)next;
  }
  *used = size;
  return DECODED_MORE;
}
