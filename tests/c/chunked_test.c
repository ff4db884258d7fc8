#include "chunked.h"

#include "test.h"

#define ROW(text) text, sizeof(text) - 1

static const struct {
  const char *in;
  size_t size;
  enum decoded end;
  const char *content;
  size_t rest; /* bytes of `in` that belong to the next message */
} rows[] = {
  {ROW("0\r\n\r\n"), DECODED_END, "", 0},
  {ROW("0\r\n\r\nGET /"), DECODED_END, "", 5},
  {ROW("000\r\n\r\n"), DECODED_END, "", 0},
  {ROW("5\r\nhello\r\n0\r\n\r\n"), DECODED_END, "hello", 0},
  {ROW("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n\r\n"), DECODED_END, "abc", 2},
  {ROW("a\r\n0123456789\r\n0A\r\nabcdefghij\r\n0\r\n\r\n"), DECODED_END, "0123456789abcdefghij", 0},
  {ROW("0000000000000003\r\nabc\r\n0\r\n\r\n"), DECODED_END, "abc", 0},
  {ROW("2\r\n\r\n\r\n0\r\n\r\n"), DECODED_END, "\r\n", 0},
  {ROW("1;a\r\nx\r\n0;b=c\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1;a=b;c=\"d e\\\"f\";g\r\nx\r\n0\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1 ;\ta\t=\t\"b\"\t;\tc\r\nx\r\n0\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1;a=b ;c\r\nx\r\n0\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1;a=\"\"\r\nx\r\n0\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1;a=\"\xff\"\r\nx\r\n0\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n"), DECODED_END, "x", 0},
  {ROW("1\r\nx\r\n0\r\nA:\tb \xff\r\n\r\n."), DECODED_END, "x", 1},
  /* more is to come */
  {ROW(""), DECODED_MORE, "", 0},
  {ROW("5\r\nhel"), DECODED_MORE, "hel", 0},
  {ROW("5\r\nhello\r\n0\r\n"), DECODED_MORE, "hello", 0},
  {ROW("fFfFfFfFfFfFfFfF\r\nx"), DECODED_MORE, "x", 0},
  /* sizes */
  {ROW("\r\n"), DECODED_BAD, "", 0},
  {ROW("g\r\n"), DECODED_BAD, "", 0},
  {ROW(" 1\r\n"), DECODED_BAD, "", 0},
  {ROW("+1\r\n"), DECODED_BAD, "", 0},
  {ROW("-1\r\n"), DECODED_BAD, "", 0},
  {ROW("0x1\r\n"), DECODED_BAD, "", 0},
  {ROW("1x\r\n"), DECODED_BAD, "", 0},
  {ROW("1 \r\n"), DECODED_BAD, "", 0},
  {ROW("1 1\r\n"), DECODED_BAD, "", 0},
  {ROW("1@\r\n"), DECODED_BAD, "", 0},
  {ROW("1`\r\n"), DECODED_BAD, "", 0},
  {ROW("\x11\r\n"), DECODED_BAD, "", 0},
  {ROW("1\0\r\n"), DECODED_BAD, "", 0},
  {ROW("00000000000000001\r\n"), DECODED_BAD, "", 0},
  {ROW("10000000000000000\r\n"), DECODED_BAD, "", 0},
  {ROW(";a\r\n"), DECODED_BAD, "", 0},
  /* line ends */
  {ROW("1\nx\r\n"), DECODED_BAD, "", 0},
  {ROW("1\rx"), DECODED_BAD, "", 0},
  {ROW("1\r\nx\n0\r\n\r\n"), DECODED_BAD, "x", 0},
  {ROW("1\r\nx\r0\r\n\r\n"), DECODED_BAD, "x", 0},
  {ROW("1\r\nxy\r\n"), DECODED_BAD, "x", 0},
  {ROW("1\r\nx0\r\n\r\n"), DECODED_BAD, "x", 0},
  {ROW("0\n\n"), DECODED_BAD, "", 0},
  {ROW("0\r\n\n"), DECODED_BAD, "", 0},
  {ROW("0\r\n\rx"), DECODED_BAD, "", 0},
  /* extensions */
  {ROW("1;\r\n"), DECODED_BAD, "", 0},
  {ROW("1;;a\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\r\n"), DECODED_BAD, "", 0},
  {ROW("1;=a\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a==b\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=b=c\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a b\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a \r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=b \r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=b c\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\"b\"c\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\"b\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\"\\\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\"\0\"\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a=\x80\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a\x01\r\n"), DECODED_BAD, "", 0},
  {ROW("1;a\nx"), DECODED_BAD, "", 0},
  /* trailers */
  {ROW("0\r\nA\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\n: b\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\nA : b\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\n A: b\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\nA: b\r\n c\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\nA: b\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\nA: b\rc\r\n\r\n"), DECODED_BAD, "", 0},
  {ROW("0\r\nA: \0\r\n\r\n"), DECODED_BAD, "", 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Decodes in pieces that end at `a`, at `b` and at the end, or of one byte if `single`. Every piece
 * ends where a page without access begins. */
static void check_cut(int row, size_t a, size_t b, bool single)
{
  char content[256] = {0};
  size_t got = 0, at = 0, size = rows[row].size;
  chunked c = {0};
  enum decoded end = DECODED_MORE;
  while (at < size && end == DECODED_MORE) {
    size_t stop = single ? at + 1 : at < a ? a : at < b ? b : size;
    static char *last; /* where the page without access begins; reused */
    last = last != NULL ? last : guarded(content, sizeof content) + sizeof content;
    char *piece = memcpy(last - (stop - at), rows[row].in + at, stop - at);
    size_t decoded = 99, used = 99;
    end = chunked_decode(&c, piece, stop - at, &decoded, &used);
    CHECK(decoded <= used && used <= stop - at);
    CHECK(end != DECODED_MORE || used == stop - at);
    memcpy(content + got, piece, decoded);
    got += decoded;
    at += used;
  }
  bool same = end == rows[row].end && got == strlen(rows[row].content) &&
              memcmp(content, rows[row].content, got) == 0 &&
              (end != DECODED_END || size - at == rows[row].rest);
  if (!same) {
    test_fault(__FILE__, __LINE__, "row %d (%s) cut at %zu, %zu: outcome %d, \"%.*s\"", row,
               rows[row].in, a, b, (int)end, (int)got, content);
  }
}

TEST("a body gives the same content whole, in two or three pieces, and byte by byte")
{
  for (int row = 0; row < ROWS; row++) {
    check_cut(row, rows[row].size, rows[row].size, false);
    check_cut(row, 0, 0, true);
    for (size_t a = 1; a < rows[row].size; a++)
      for (size_t b = a; b < rows[row].size; b++) check_cut(row, a, b, false);
  }
}

TEST("the rows above reach every state")
{
  unsigned seen = 0;
  for (int row = 0; row < ROWS; row++) {
    chunked c = {0};
    for (size_t i = 0, decoded, used; i < rows[row].size; i++) {
      char octet = rows[row].in[i];
      seen |= 1u << c.state;
      if (chunked_decode(&c, &octet, 1, &decoded, &used) != DECODED_MORE) break;
    }
  }
  CHECK_EQ(seen, (1u << (CHUNKED_LAST_LF + 1)) - 1);
}

TEST("each state takes exactly the octets of its syntax")
{
  static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static const struct {
    const char *before, *also; /* taken, besides those of a token if `tokens` */
    bool tokens, values;
  } states[] = {
    {"", "0123456789abcdefABCDEF", false, false},
    {"1", "0123456789abcdefABCDEF \t;\r", false, false},
    {"1 ", " \t;", false, false},
    {"1;", " \t", true, false},
    {"1;a", " \t;=\r", true, false},
    {"1;a ", " \t;=", false, false},
    {"1;a=", " \t\"", true, false},
    {"1;a=b", " \t;\r", true, false},
    {"1;a=\"", "", false, true},
    {"1;a=\"\\", "", false, true},
    {"1;a=\"\"", " \t;\r", false, false},
    {"1\r", "\n", false, false},
    {"1\r\nx", "\r", false, false},
    {"1\r\nx\r", "\n", false, false},
    {"0\r\n", "\r", true, false},
    {"0\r\nA", ":", true, false},
    {"0\r\nA:", "\r", false, true},
    {"0\r\nA:\r", "\n", false, false},
    {"0\r\n\r", "\n", false, false},
  };
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
    for (int octet = 0; octet < 256; octet++) {
      char in[16], o = (char)octet;
      size_t size = strlen(states[i].before), decoded, used;
      memcpy(in, states[i].before, size);
      in[size] = o;
      bool takes = (octet != 0 && strchr(states[i].also, octet) != NULL) ||
                   (states[i].tokens && octet != 0 && strchr(token, octet) != NULL) ||
                   (states[i].values && (octet == '\t' || (octet >= 32 && octet != 127)));
      enum decoded end = chunked_decode(&(chunked){0}, in, size + 1, &decoded, &used);
      if (takes != (end != DECODED_BAD))
        test_fault(__FILE__, __LINE__, "octet %d after \"%s\"", octet, states[i].before);
    }
  }
}

/* How many bytes of `unit`, repeated after `start`, are taken. */
static size_t limit_of(const char *start, const char *unit)
{
  chunked c = {0};
  char piece[64];
  size_t decoded, used, taken = 0, size = strlen(unit);
  chunked_decode(&c, memcpy(piece, start, strlen(start)), strlen(start), &decoded, &used);
  for (; taken < 1 << 20; taken += size) {
    enum decoded end = chunked_decode(&c, memcpy(piece, unit, size), size, &decoded, &used);
    if (end != DECODED_MORE) {
      CHECK_EQ(end, DECODED_OVERHEAD);
      return taken + used - 1;
    }
  }
  return taken;
}

TEST("extensions and trailers are limited, however much data there is")
{
  CHECK_EQ(limit_of("1;", "a"), CHUNKED_MAX_OVERHEAD);
  CHECK_EQ(limit_of("1;a=\"", " "), CHUNKED_MAX_OVERHEAD - 3);
  CHECK_EQ(limit_of("0\r\n", "a:b\r\n"), CHUNKED_MAX_OVERHEAD);
  CHECK_EQ(limit_of("0\r\na:", " "), CHUNKED_MAX_OVERHEAD - 2);
  CHECK(limit_of("", "1;a\r\nx\r\n") < 5 * CHUNKED_MAX_OVERHEAD);
}

TEST("chunks of one byte do not count as overhead")
{
  CHECK_EQ(limit_of("", "1\r\nx\r\n"), (1 << 20) + 2);
}
