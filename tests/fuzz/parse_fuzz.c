/* The two parsers alone, without a server: however the octets are cut, they give the same head and
 * the same chunked body. Fast enough to try every prefix of an input. */
#include "fuzz.h"

#include "chunked.h"
#include "request.h"

enum { MOST = 640, HEAD_LIMIT = 512, TARGET_LIMIT = 128, FIELD_LIMIT = 8 };

static const bj_options limits = {
  .max_head_size = HEAD_LIMIT, .max_target_size = TARGET_LIMIT, .max_fields = FIELD_LIMIT};

typedef struct outcome {
  enum request_read read;
  unsigned status;
  size_t size;
} outcome;

/* Parses a copy that ends exactly where the sanitizer looks. */
static outcome read_head(const uint8_t *data, size_t size)
{
  struct phr_header fields[FIELD_LIMIT + 1];
  char *copy = malloc(size);
  if (size > 0) memcpy(copy, data, size);
  request r;
  request_reader reader = {.options = &limits, .fields = fields};
  outcome o = {.read = request_read(&r, (bytes){copy, size}, &reader)};
  if (o.read == REQUEST_REJECTED) o.status = r.status;
  if (o.read == REQUEST_COMPLETE) {
    o.size = (size_t)(r.line.base + r.line.size - copy);
    CHECK(o.size <= size && o.size <= HEAD_LIMIT && r.field_count <= FIELD_LIMIT);
    CHECK(r.target.size > 0 && r.target.size <= TARGET_LIMIT);
  }
  free(copy);
  return o;
}

/* Input over a limit and malformed after it is refused for whichever is seen first. */
static bool passes_limit(const uint8_t *data, size_t size)
{
  size_t lines = 0;
  for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
  return size > TARGET_LIMIT || lines > FIELD_LIMIT;
}

/* What a prefix has decided, later octets do not change. */
static void check_head(const uint8_t *data, size_t size)
{
  outcome before = {.read = REQUEST_INCOMPLETE};
  for (size_t i = 1; i <= size; i++) {
    outcome now = read_head(data, i);
    if (before.read != REQUEST_INCOMPLETE) {
      CHECK_EQ(now.read, before.read);
      CHECK_EQ(now.size, before.size);
      if (!passes_limit(data, size)) CHECK_EQ(now.status, before.status);
    }
    before = now;
  }
}

typedef struct decoding {
  enum decoded result;
  size_t used;
  text content;
} decoding;

static void decode_piece(chunked *c, decoding *d, const uint8_t *data, size_t size)
{
  size_t decoded = 0, used = 0;
  char *copy = malloc(size);
  memcpy(copy, data, size);
  d->result = chunked_decode(c, copy, size, &decoded, &used);
  CHECK(decoded <= used && used <= size);
  text_add(&d->content, copy, decoded);
  d->used += used;
  free(copy);
}

static decoding decode_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
  chunked c = {0};
  decoding d = {.result = DECODED_MORE};
  for (size_t at = 0; at < size && d.result == DECODED_MORE; at += piece)
    decode_piece(&c, &d, data + at, piece < size - at ? piece : size - at);
  return d;
}

static void check_chunked(const uint8_t *data, size_t size)
{
  decoding whole = decode_in_pieces(data, size, size > 0 ? size : 1);
  size_t most = fuzz_thorough ? size : size < 4 ? size : 4;
  for (size_t piece = 1; piece < most; piece++) {
    decoding cut = decode_in_pieces(data, size, piece);
    CHECK_EQ(cut.result, whole.result);
    CHECK_EQ(cut.used, whole.used);
    CHECK(text_same(&cut.content, &whole.content));
    free(cut.content.base);
  }
  free(whole.content.base);
}

/* In the corpus, chunks come after a head. */
static size_t end_of_head(const uint8_t *data, size_t size)
{
  for (size_t i = 0; i + 4 <= size; i++)
    if (memcmp(data + i, "\r\n\r\n", 4) == 0) return i + 4;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size > MOST) size = MOST;
  check_head(data, size);
  size_t head = end_of_head(data, size);
  check_chunked(data + head, size - head);
  return fuzz_verdict();
}
