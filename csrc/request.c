/* picohttpparser finds the pieces; it is lenient on purpose. Every check here names the rule that
 * it adds: section numbers are RFC 9112's unless another RFC is named. */
#include "request.h"

#include "octets.h"

/* The first line of `in`, past one empty line that may stand before the request line (2.2). */
static bytes first_line(bytes in)
{
  if (in.size >= 2 && in.base[0] == '\r' && in.base[1] == '\n') in = bytes_from(in, 2);
  const char *lf = in.size > 0 ? memchr(in.base, '\n', in.size) : NULL;
  return (bytes){in.base, lf == NULL ? in.size : (size_t)(lf - in.base)};
}

/* Whether `b` is one or more bytes of the class. */
static bool all_of(bytes b, enum octet_class class)
{
  for (size_t i = 0; i < b.size; i++)
    if (!octet_is(b.base[i], class)) return false;
  return b.size > 0;
}

/* The bytes behind the last space: in a request line, the version and its CR. */
static bytes last_word(bytes line)
{
  size_t start = line.size;
  while (start > 0 && line.base[start - 1] != ' ') start--;
  return bytes_from(line, start);
}

/* Whether `b` starts like "HTTP/d.d" CR, as far as it goes. */
static bool is_version(bytes b)
{
  static const char form[] = "HTTP/d.d\r";
  for (size_t i = 0; i < b.size; i++) {
    if (i >= sizeof form - 1 ||
        (form[i] == 'd' ? !octet_is(b.base[i], OCTET_DIGIT) : b.base[i] != form[i])) {
      return false;
    }
  }
  return true;
}

/* Whether nothing is wrong with the line before its version. */
static bool is_right_before(bytes line, bytes version)
{
  const char *space = memchr(line.base, ' ', line.size);
  if (space == NULL || space + 1 >= version.base) return false;
  bytes method = {line.base, (size_t)(space - line.base)};
  bytes target = {space + 1, (size_t)(version.base - space - 2)};
  return all_of(method, OCTET_TOKEN) && all_of(target, OCTET_TARGET);
}

static enum request_read reject(request *r, unsigned status)
{
  r->status = status;
  return REQUEST_REJECTED;
}

/* picohttpparser asks for more when a version is too short and the head ends there. */
static bool has_end_of_head(bytes in)
{
  const char *at = in.base, *end = in.base + in.size;
  while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    at++;
    if (at < end && (*at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n'))) return true;
  }
  return false;
}

/* Incomplete: is it past a limit already, or beyond repair? */
static enum request_read judge_partial(request *r, bytes in, const bj_options *o)
{
  bytes line = first_line(in);
  bool whole_line = line.base + line.size < in.base + in.size;
  const char *space = line.size > 0 ? memchr(line.base, ' ', line.size) : NULL;
  size_t before_target = space == NULL ? 0 : (size_t)(space + 1 - line.base);
  if (space != NULL && line.size - before_target > o->max_target_size + 10) return reject(r, 414);
  if (in.size > o->max_head_size) return reject(r, 431);
  if (whole_line && has_end_of_head(bytes_from(in, (size_t)(line.base - in.base))))
    return reject(r, 400);
  return REQUEST_INCOMPLETE;
}

/* picohttpparser refused it: the rest of the line decides between 400 and 505. */
static enum request_read judge_refused(request *r, bytes in, size_t count, const bj_options *o)
{
  if (count > o->max_fields) return reject(r, 431);
  bytes line = first_line(in), version = last_word(line);
  bool whole = line.base + line.size < in.base + in.size;
  if (!is_version(version) || !is_right_before(line, version)) return reject(r, 400);
  if (!whole) return judge_partial(r, in, o);
  return reject(r, version.size == 9 && version.base[5] != '1' ? 505 : 400);
}

static enum bj_method method_code(bytes m)
{
  switch (m.size) {
  case 3:
    return bytes_same(m, BYTES("GET")) ? BJ_GET : bytes_same(m, BYTES("PUT")) ? BJ_PUT : BJ_OTHER;
  case 4:
    return bytes_same(m, BYTES("POST"))   ? BJ_POST
           : bytes_same(m, BYTES("HEAD")) ? BJ_HEAD
                                          : BJ_OTHER;
  case 5: return bytes_same(m, BYTES("PATCH")) ? BJ_PATCH : BJ_OTHER;
  case 6: return bytes_same(m, BYTES("DELETE")) ? BJ_DELETE : BJ_OTHER;
  case 7: return bytes_same(m, BYTES("OPTIONS")) ? BJ_OPTIONS : BJ_OTHER;
  default: return BJ_OTHER;
  }
}

/* 3.2.2: scheme "://" authority, with no user information (RFC 9110 section 4.2.4). */
static bool read_absolute(request *r)
{
  size_t scheme =
    r->target.size > 7 && bytes_alike((bytes){r->target.base, 7}, BYTES("http://"))    ? 7
    : r->target.size > 8 && bytes_alike((bytes){r->target.base, 8}, BYTES("https://")) ? 8
                                                                                       : 0;
  if (scheme == 0) return false;
  bytes rest = bytes_from(r->target, scheme);
  size_t size = 0;
  while (size < rest.size && rest.base[size] != '/' && rest.base[size] != '?') size++;
  r->authority = (bytes){rest.base, size};
  r->flags |= BJ_EVENT_ABSOLUTE;
  return size > 0 && authority_is_valid(r->authority);
}

/* RFC 3986 has no backslash; URL parsers take one in a path for a slash, others do not. */
static bool has_backslash(bytes target)
{
  const char *query = memchr(target.base, '?', target.size);
  size_t path = query == NULL ? target.size : (size_t)(query - target.base);
  return memchr(target.base, '\\', path) != NULL;
}

/* 3.2: which form the target has, and whether a URL parser would leave it as it is. */
static unsigned judge_target(request *r, const bj_options *o)
{
  if (bytes_same(r->method, BYTES("CONNECT"))) {
    return authority_is_valid(r->target) && memchr(r->target.base, ':', r->target.size) != NULL
             ? 501
             : 400;
  }
  uint8_t odd = 0;
  for (size_t i = 0; i < r->target.size; i++) {
    char octet = r->target.base[i];
    if (!octet_is(octet, OCTET_TARGET)) return 400;
    odd |= octet_classes[(unsigned char)octet] & OCTET_ODD;
    odd |= octet == '.' && i > 0 && r->target.base[i - 1] == '/';
    odd |= octet == '%' && i + 2 < r->target.size && r->target.base[i + 1] == '2' &&
           (r->target.base[i + 2] | 32) == 'e';
  }
  r->flags |= odd != 0 ? BJ_EVENT_ODD : 0;
  if (odd != 0 && has_backslash(r->target)) return 400;
  if (r->target.base[0] == '/') return 0;
  if (bytes_same(r->target, BYTES("*"))) return r->code == BJ_OPTIONS ? 0 : 400;
  if (!read_absolute(r)) return 400;
  bool is_secure = (r->target.base[4] | 32) == 's';
  return is_secure && o->secure_targets == 0 ? 421 : 0; /* RFC 9110 section 7.4 */
}

/* 3: exactly one space between the parts; 2.2: CRLF, not a bare LF. */
static unsigned judge_line(request *r, const bj_options *o)
{
  const char *version = r->target.base + r->target.size + 1;
  if (r->target.base != r->method.base + r->method.size + 1 || memcmp(version, "HTTP/1.", 7) != 0 ||
      version[8] != '\r' || version[-1] != ' ') {
    return 400;
  }
  return r->target.size > o->max_target_size ? 414 : judge_target(r, o);
}

/* RFC 9110 section 8.6: digits only; one that does not fit is refused, not wrapped. */
static bool read_length(bytes value, uint64_t *length)
{
  uint64_t n = 0;
  for (size_t i = 0; i < value.size; i++) {
    if (!octet_is(value.base[i], OCTET_DIGIT) || n > (UINT64_MAX >> 1) / 10) return false;
    n = n * 10 + (uint64_t)(value.base[i] - '0');
  }
  *length = n;
  return value.size > 0;
}

/* The next element of a comma-separated list, without its white space; false after the last. */
static bool next_element(bytes *list, bytes *element)
{
  if (list->size == 0) return false;
  const char *comma = memchr(list->base, ',', list->size);
  size_t size = comma == NULL ? list->size : (size_t)(comma - list->base);
  *element = (bytes){list->base, size};
  *list = comma == NULL ? (bytes){list->base + size, 0} : bytes_from(*list, size + 1);
  while (element->size > 0 && (element->base[0] == ' ' || element->base[0] == '\t'))
    *element = bytes_from(*element, 1);
  while (element->size > 0 &&
         (element->base[element->size - 1] == ' ' || element->base[element->size - 1] == '\t')) {
    element->size--;
  }
  return true;
}

/* What the fields say about the message itself, gathered in one pass. */
typedef struct gathered {
  unsigned hosts, lengths, codings;
  bool chunked, close, keep_alive;
  bool expects, expects_other;
  bytes host;
} gathered;

static void gather_connection(gathered *g, bytes list)
{
  bytes option;
  while (next_element(&list, &option)) {
    g->close |= bytes_alike(option, BYTES("close"));
    g->keep_alive |= bytes_alike(option, BYTES("keep-alive"));
  }
}

/* Empty elements do not count (RFC 9110 section 5.6.1.2), but an empty field is an unknown
 * expectation. */
static void gather_expect(gathered *g, bytes list)
{
  bytes expectation;
  g->expects_other |= list.size == 0;
  while (next_element(&list, &expectation)) {
    bool known = bytes_alike(expectation, BYTES("100-continue"));
    g->expects |= known;
    g->expects_other |= !known && expectation.size > 0;
  }
}

/* Returns 0 or the status that refuses the field. */
static unsigned gather_field(request *r, gathered *g, bytes name, bytes value)
{
  switch (name.size) {
  case 4:
    if (bytes_alike(name, BYTES("host"))) {
      g->hosts++;
      g->host = value;
    }
    return 0;
  case 6:
    if (bytes_alike(name, BYTES("expect"))) gather_expect(g, value);
    return 0;
  case 10:
    if (bytes_alike(name, BYTES("connection"))) gather_connection(g, value);
    return 0;
  case 14:
    if (bytes_alike(name, BYTES("content-length"))) {
      g->lengths++;
      return read_length(value, &r->length) ? 0 : 400;
    }
    return 0;
  case 17:
    if (bytes_alike(name, BYTES("transfer-encoding"))) {
      g->codings++;
      g->chunked = bytes_alike(value, BYTES("chunked"));
    }
    return 0;
  default: return 0;
  }
}

/* 5.2: no folding; 2.2: every line ends with CRLF; 5.1: picohttpparser has checked the name. */
static unsigned gather_fields(request *r, gathered *g)
{
  for (uint32_t i = 0; i < r->field_count; i++) {
    const struct phr_header *f = &r->fields[i];
    if (f->name == NULL) return 400;
    const char *end = f->value + f->value_len;
    while (*end == ' ' || *end == '\t') end++;
    if (*end != '\r') return 400;
    unsigned status =
      gather_field(r, g, (bytes){f->name, f->name_len}, (bytes){f->value, f->value_len});
    if (status != 0) return status;
  }
  return r->line.base[r->line.size - 2] == '\r' ? 0 : 400;
}

/* A well-formed list of transfer codings that are not just "chunked" is one we do not implement
 * (6.1: 501); anything else, and chunked anywhere but at the end, is malformed. */
static unsigned judge_codings(const request *r)
{
  bytes list = {0}, coding;
  for (uint32_t i = 0; i < r->field_count; i++)
    if (bytes_alike((bytes){r->fields[i].name, r->fields[i].name_len}, BYTES("transfer-encoding")))
      list = (bytes){r->fields[i].value, r->fields[i].value_len};
  if (list.size == 0 || list.base[list.size - 1] == ',') return 400;
  while (next_element(&list, &coding)) {
    bool last = list.size == 0;
    if (!all_of(coding, OCTET_TOKEN) || (bytes_alike(coding, BYTES("chunked")) && !last))
      return 400;
  }
  return 501;
}

/* 6.3: how long the body is. Whatever two parsers might read in two ways is refused (11.2). */
static unsigned judge_framing(request *r, const gathered *g)
{
  if (g->lengths > 1 || (g->lengths == 1 && g->codings > 0) || g->codings > 1) return 400;
  if (g->codings == 1) {
    if ((r->flags & BJ_EVENT_HTTP10) != 0) return 400;
    if (!g->chunked) return judge_codings(r);
    r->framing = FRAMING_CHUNKED;
  } else if (g->lengths == 1 && r->length > 0) {
    r->framing = FRAMING_LENGTH;
  }
  r->flags |= r->framing != FRAMING_NONE ? BJ_EVENT_BODY : 0;
  return 0;
}

static unsigned judge_fields(request *r, authority_memory *host)
{
  gathered g = {.host = BYTES("")};
  unsigned status = gather_fields(r, &g);
  if (status != 0) return status;
  bool http10 = (r->flags & BJ_EVENT_HTTP10) != 0;
  if (g.hosts > 1 || (g.hosts == 0 && !http10)) return 400; /* 3.2 */
  if (!authority_passes(host, g.host)) return 400;
  if ((r->flags & BJ_EVENT_ABSOLUTE) == 0) r->authority = g.host;
  if ((status = judge_framing(r, &g)) != 0) return status;
  if (!http10 && g.expects_other) return 417; /* RFC 9110 section 10.1.1 */
  r->flags |= !http10 && g.expects ? BJ_EVENT_EXPECTS : 0;
  r->keep_alive = !g.close && (!http10 || g.keep_alive); /* 9.3 */
  return 0;
}

enum request_read request_read(request *r, bytes in, request_reader *reader)
{
  const bj_options *options = reader->options;
  *r = (request){.fields = reader->fields};
  size_t count = options->max_fields + 1;
  int minor;
  int size = phr_parse_request(in.base, in.size, &r->method.base, &r->method.size, &r->target.base,
                               &r->target.size, &minor, reader->fields, &count, 0);
  if (size == -2) return judge_partial(r, in, options);
  if (size < 0) return judge_refused(r, in, count, options);
  r->line = (bytes){r->method.base, (size_t)(in.base + size - r->method.base)};
  r->field_count = (uint32_t)count;
  r->code = method_code(r->method);
  r->flags = minor == 0 ? BJ_EVENT_HTTP10 : 0;
  unsigned status = judge_line(r, options);
  if (status == 0 && ((size_t)size > options->max_head_size || count > options->max_fields))
    status = 431;
  if (status == 0 && r->line.base != in.base && in.base[0] != '\r')
    status = 400; /* 2.2: the empty line before the request line is CRLF */
  if (status == 0) status = judge_fields(r, &reader->host);
  return status == 0 ? REQUEST_COMPLETE : reject(r, status);
}
