#include "request.h"

#include "octets.h"
#include "test.h"

#define ROW(text) text, sizeof(text) - 1
#define HOST "Host: a\r\n\r\n"
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

enum { FIELDS = 4 };

static const bj_options options = {
  .max_head_size = 120, .max_target_size = 40, .max_fields = FIELDS};

/* ---- rejections --------------------------------------------------------------------------- */

static const struct {
  const char *in;
  size_t size;
  unsigned status;
} rejected[] = {
  /* request line */
  {ROW("GET / HTTP/1.1 \r\n" HOST), 400},
  {ROW("GET  / HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /  HTTP/1.1\r\n" HOST), 400},
  {ROW("GET\t/ HTTP/1.1\r\n" HOST), 400},
  {ROW(" GET / HTTP/1.1\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r" HOST), 400},
  {ROW("G\0ET / HTTP/1.1\r\n" HOST), 400},
  {ROW("G(T / HTTP/1.1\r\n" HOST), 400},
  {ROW("\r\n\r\nGET / HTTP/1.1\r\n" HOST), 400},
  {ROW("\nGET / HTTP/1.1\r\n" HOST), 400},
  {ROW("\rGET / HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /\r\n\r\n"), 400},
  {ROW("GET\r\n\r\n"), 400},
  {ROW("GET / \r\n\r\n"), 400},
  {ROW("GET / HTTP\r\n\r\n"), 400},
  {ROW("GET / HTTP/1\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.10\r\n" HOST), 400},
  {ROW("GET / http/1.1\r\n" HOST), 400},
  {ROW("GET / HTTP/11\r\n" HOST), 400},
  {ROW("GET / XTTP/1.1\r\n" HOST), 400},
  {ROW("GET / HTTP/x.1\r\n" HOST), 400},
  {ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
  {ROW("GET / HTTP/2.0\r\n" HOST), 505},
  {ROW("GET / HTTP/0.9\r\n" HOST), 505},
  {ROW("GET / HTTP/9.9\r\n" HOST), 505},
  {ROW("\r\nGET / HTTP/3.0\r\n" HOST), 505},
  {ROW("G(T / HTTP/2.0\r\n" HOST), 400},
  {ROW("GET / x HTTP/2.0\r\n" HOST), 400},
  {ROW("GET / HTTP/2.0\n" HOST), 400},
  {ROW("HTTP/2.0\r\n\r\n"), 400},
  {ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400},
  /* target */
  {ROW("GET /\x80 HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /\x01 HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /a#b HTTP/1.1\r\n" HOST), 400},
  {ROW("GET foo HTTP/1.1\r\n" HOST), 400},
  {ROW("GET ?a HTTP/1.1\r\n" HOST), 400},
  {ROW("GET * HTTP/1.1\r\n" HOST), 400},
  {ROW("OPTIONS ** HTTP/1.1\r\n" HOST), 400},
  {ROW("GET ftp://a/ HTTP/1.1\r\n" HOST), 400},
  {ROW("GET http:// HTTP/1.1\r\n" HOST), 400},
  {ROW("GET http:/// HTTP/1.1\r\n" HOST), 400},
  {ROW("GET http://u@a/ HTTP/1.1\r\n" HOST), 400},
  {ROW("GET http://a:b/ HTTP/1.1\r\n" HOST), 400},
  {ROW("GET https://?a HTTP/1.1\r\n" HOST), 400},
  {ROW("GET https://a/ HTTP/1.1\r\n" HOST), 421},
  {ROW("GET HTTPS://a HTTP/1.1\r\n" HOST), 421},
  {ROW("GET /\\a HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /a\\..\\b?c HTTP/1.1\r\n" HOST), 400},
  {ROW("GET http://a/b\\c HTTP/1.1\r\n" HOST), 400},
  {ROW("CONNECT a:1 HTTP/1.1\r\n" HOST), 501},
  {ROW("CONNECT a HTTP/1.1\r\n" HOST), 400},
  {ROW("CONNECT /a:1 HTTP/1.1\r\n" HOST), 400},
  {ROW("GET /" X50 " HTTP/1.1\r\n" HOST), 414},
  {ROW("GET /" X10 X10 X10 X10 " HTTP/1.1\r\n" HOST), 414},
  {ROW("GET /" X50 X50 X50), 414},
  /* fields */
  {ROW("GET / HTTP/1.1\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.0\r\nHost: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a,b@c\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a%41\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a:8a\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 1.2.3\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 1.2.3..4\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a.0x1f.\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 1.2.3.256\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 1.2.3.04\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a.7\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 2130706433\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: 0x7f000001:80\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a.0x1\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a.0x1f.\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: []\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [fe80::1%25a]\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost: [" X50 "]\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\n: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA B: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA\xe9: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\n A: a\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: a\r\n b\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: a\r\n \r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"), 400},
  {ROW("GET / HTTP/1.1\r\nA: \0\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: \x7f\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: a\rb\r\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: a\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA: a \n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nA:\n" HOST), 400},
  {ROW("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400},
  {ROW("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\n" HOST), 431},
  {ROW("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\n" HOST), 431},
  {ROW("GET / HTTP/1.1\r\nA: " X50 X50 X10 "\r\n" HOST), 431},
  {ROW("GET / HTTP/1.1\r\nA: " X50 X50 X10), 431},
  /* framing */
  {ROW("POST / HTTP/1.1\r\nContent-Length:\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: -1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: +1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 0x1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 1 1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" HOST), 400},
  {ROW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding:\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" HOST), 501},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" HOST), 501},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: , chunked\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: a\r\n" HOST), 400},
  {ROW("POST / HTTP/1.1\r\nExpect: 200-ok\r\n" HOST), 417},
};

/* One for all rows, as a server has one for all clients. */
static request_reader reader = {.options = &options,
                                .fields = (struct phr_header[FIELDS + 1]){{0}}};

/* The bytes stand before a page without access. */
static enum request_read read_guarded(request *r, const char *in, size_t size)
{
  static char *end;
  static const char empty[4096];
  end = end != NULL ? end : guarded(empty, sizeof empty) + sizeof empty;
  return request_read(r, (bytes){memcpy(end - size, in, size), size}, &reader);
}

TEST("a rejected head has its status, each prefix of it has the same or none")
{
  for (size_t row = 0; row < sizeof rejected / sizeof *rejected; row++) {
    request r;
    for (size_t size = 0; size <= rejected[row].size; size++) {
      enum request_read read = read_guarded(&r, rejected[row].in, size);
      bool right = read == REQUEST_REJECTED
                     ? r.status == rejected[row].status
                     : read == REQUEST_INCOMPLETE && size < rejected[row].size;
      if (!right) {
        test_fault(__FILE__, __LINE__, "%zu octets of \"%s\": outcome %d, status %u", size,
                   rejected[row].in, (int)read, r.status);
      }
    }
  }
}

TEST("what can never become a head is rejected before it exceeds the limit")
{
  static const char *const starts[] = {"",
                                       "\x01 ",
                                       "G(T / ",
                                       "GET / ",
                                       "GET ",
                                       "\r\n",
                                       "GET / HTTP/1.1\r\nA: b",
                                       "GET / HTTP/1.1\r\n"};
  static const char *const units[] = {" ", "H", "x", "\r\n", "\n", "x:y\r\n"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
      char in[400] = "";
      request r;
      strcpy(in, starts[i]);
      while (strlen(in) + strlen(units[k]) < sizeof in) strcat(in, units[k]);
      if (read_guarded(&r, in, strlen(in)) == REQUEST_INCOMPLETE)
        test_fault(__FILE__, __LINE__, "\"%s\" and \"%s\" for ever", starts[i], units[k]);
    }
  }
}

/* ---- requests ----------------------------------------------------------------------------- */

static const struct {
  const char *in;
  size_t size;
  uint32_t flags, fields;
  enum bj_method code;
  enum request_framing framing;
  bool keep_alive;
  uint64_t length;
  const char *authority;
} accepted[] = {
  {ROW("GET / HTTP/1.1\r\n" HOST), 0, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("\r\nGET / HTTP/1.1\r\n" HOST), 0, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("HEAD / HTTP/1.2\r\n" HOST), 0, 1, BJ_HEAD, 0, true, 0, "a"},
  {ROW("PUT / HTTP/1.1\r\nHost:\r\n\r\n"), 0, 1, BJ_PUT, 0, true, 0, ""},
  {ROW("DELETE / HTTP/1.1\r\nHost: a.b-c_~!$&'()*+,;=:0\r\n\r\n"), 0, 1, BJ_DELETE, 0, true, 0,
   "a.b-c_~!$&'()*+,;=:0"},
  {ROW("PATCH / HTTP/1.1\r\nhOST:\t 1.2.3.255:65535 \r\n\r\n"), 0, 1, BJ_PATCH, 0, true, 0,
   "1.2.3.255:65535"},
  {ROW("GET / HTTP/1.1\r\nHost: a.:\r\n\r\n"), 0, 1, BJ_GET, 0, true, 0, "a.:"},
  {ROW("GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:8\r\n\r\n"), 0, 1, BJ_GET, 0, true, 0,
   "[::ffff:1.2.3.4]:8"},
  {ROW("get / HTTP/1.1\r\n" HOST), 0, 1, BJ_OTHER, 0, true, 0, "a"},
  {ROW("!#$%&'*+-.^_`|~ / HTTP/1.1\r\n" HOST), 0, 1, BJ_OTHER, 0, true, 0, "a"},
  {ROW("OPTIONS * HTTP/1.1\r\n" HOST), 0, 1, BJ_OPTIONS, 0, true, 0, "a"},
  {ROW("GET http://b/c HTTP/1.1\r\n" HOST), BJ_EVENT_ABSOLUTE, 1, BJ_GET, 0, true, 0, "b"},
  {ROW("GET HTTP://[::1]:2?c HTTP/1.1\r\n" HOST), BJ_EVENT_ABSOLUTE, 1, BJ_GET, 0, true, 0,
   "[::1]:2"},
  {ROW("GET /%20?a=b&c=/d;e HTTP/1.1\r\n" HOST), 0, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("GET /a/../b HTTP/1.1\r\n" HOST), BJ_EVENT_ODD, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("GET /a/%2E HTTP/1.1\r\n" HOST), BJ_EVENT_ODD, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("GET /?a\\b HTTP/1.1\r\n" HOST), BJ_EVENT_ODD, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("GET /" X10 X10 X10 "xxxxxxxxx HTTP/1.1\r\n" HOST), 0, 1, BJ_GET, 0, true, 0, "a"},
  {ROW("GET / HTTP/1.0\r\n\r\n"), BJ_EVENT_HTTP10, 0, BJ_GET, 0, false, 0, ""},
  {ROW("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), BJ_EVENT_HTTP10, 1, BJ_GET, 0, true, 0,
   ""},
  {ROW("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), BJ_EVENT_HTTP10, 1, BJ_GET, 0,
   false, 0, ""},
  {ROW("GET / HTTP/1.1\r\nConnection: a ,\tCLOSE\t, b\r\n" HOST), 0, 2, BJ_GET, 0, false, 0, "a"},
  {ROW("GET / HTTP/1.1\r\nConnection: closed\r\n" HOST), 0, 2, BJ_GET, 0, true, 0, "a"},
  {ROW("GET / HTTP/1.1\r\nConnection: a\r\nConnection: close\r\n" HOST), 0, 3, BJ_GET, 0, false, 0,
   "a"},
  {ROW("GET / HTTP/1.1\r\nA: \xff\t \"\r\nB:\r\nC: \t\r\n" HOST), 0, 4, BJ_GET, 0, true, 0, "a"},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 0\r\n" HOST), 0, 2, BJ_POST, 0, true, 0, "a"},
  {ROW("POST / HTTP/1.1\r\nCONTENT-LENGTH: 007 \r\n" HOST), BJ_EVENT_BODY, 2, BJ_POST,
   FRAMING_LENGTH, true, 7, "a"},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n" HOST), BJ_EVENT_BODY, 2,
   BJ_POST, FRAMING_LENGTH, true, INT64_MAX, "a"},
  {ROW("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n" HOST), BJ_EVENT_BODY, 2, BJ_POST,
   FRAMING_CHUNKED, true, 0, "a"},
  {ROW("GET / HTTP/1.1\r\nContent-Length: 1\r\n" HOST), BJ_EVENT_BODY, 2, BJ_GET, FRAMING_LENGTH,
   true, 1, "a"},
  {ROW("POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n" HOST),
   BJ_EVENT_BODY | BJ_EVENT_EXPECTS, 3, BJ_POST, FRAMING_LENGTH, true, 1, "a"},
  {ROW("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"),
   BJ_EVENT_BODY | BJ_EVENT_HTTP10, 2, BJ_POST, FRAMING_LENGTH, false, 1, ""},
};

TEST("a request is reported with its facts once it is complete, and not before")
{
  for (size_t row = 0; row < sizeof accepted / sizeof *accepted; row++) {
    request r;
    for (size_t size = 0; size < accepted[row].size; size++)
      CHECK_EQ(read_guarded(&r, accepted[row].in, size), REQUEST_INCOMPLETE);
    enum request_read read = read_guarded(&r, accepted[row].in, accepted[row].size);
    bytes authority = {accepted[row].authority, strlen(accepted[row].authority)};
    bool right = read == REQUEST_COMPLETE && r.flags == accepted[row].flags &&
                 r.field_count == accepted[row].fields && r.code == accepted[row].code &&
                 r.framing == accepted[row].framing && r.keep_alive == accepted[row].keep_alive &&
                 r.length == accepted[row].length && r.authority.size == authority.size &&
                 (authority.size == 0 || bytes_same(r.authority, authority));
    if (!right) {
      test_fault(__FILE__, __LINE__, "\"%s\": outcome %d, status %u, flags %u, framing %d",
                 accepted[row].in, (int)read, r.status, r.flags, (int)r.framing);
    }
  }
}

TEST("with secure_targets https is not misdirected")
{
  static const char in[] = "GET HTTPS://b/ HTTP/1.1\r\n" HOST;
  bj_options secure = options;
  request_reader gateway = {.options = &secure, .fields = reader.fields};
  request r;
  secure.secure_targets = 1;
  CHECK_EQ(request_read(&r, (bytes){in, sizeof in - 1}, &gateway), REQUEST_COMPLETE);
  CHECK_EQ(r.flags, BJ_EVENT_ABSOLUTE);
  CHECK_BYTES(r.authority.base, r.authority.size, "b");
}

TEST("a request's spans point into its input")
{
  static const char in[] = "\r\nPOST /a?b HTTP/1.1\r\nHost: c\r\nD:  e \r\n\r\nrest";
  request r;
  CHECK_EQ(request_read(&r, (bytes){in, sizeof in - 1}, &reader), REQUEST_COMPLETE);
  CHECK_BYTES(r.line.base, r.line.size, "POST /a?b HTTP/1.1\r\nHost: c\r\nD:  e \r\n\r\n");
  CHECK_BYTES(r.method.base, r.method.size, "POST");
  CHECK_BYTES(r.target.base, r.target.size, "/a?b");
  CHECK_BYTES(r.fields[1].name, r.fields[1].name_len, "D");
  CHECK_BYTES(r.fields[1].value, r.fields[1].value_len, "e");
}

TEST("an authority is valid or not, whichever was asked about before")
{
  static const char *const all[] = {"",           "a",     "a:80", "a:80:", "A",      "127.0.0.1",
                                    "127.0.0.01", "[::1]", "[::",  "a b",   "a/",     "a",
                                    "a.example",  "a.exa", "",     "a:1",   "a:70000"};
  char most[66] = "";
  authority_memory last = {0};
  for (size_t i = 0; i < 2 * sizeof all / sizeof *all; i++) {
    bytes a = {all[i / 2], strlen(all[i / 2])};
    CHECK_EQ(authority_passes(&last, a), authority_is_valid(a));
  }
  for (size_t size = 60; size < sizeof most; size++) {
    memset(most, 'a', size);
    for (int other = 'a'; other <= 'b'; other++) {
      most[size - 1] = (char)other;
      CHECK(authority_passes(&last, (bytes){most, size}));
    }
    most[size - 1] = '/';
    CHECK(!authority_passes(&last, (bytes){most, size}));
  }
}

/* ---- octets ------------------------------------------------------------------------------- */

TEST("each octet is in the classes that the RFCs put it in")
{
  static const char alnum[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int o = 0; o < 256; o++) {
    bool letter = o != 0 && strchr(alnum, o) != NULL, visible = o > 32 && o < 127;
    bool token = letter || (o != 0 && strchr("!#$%&'*+-.^_`|~", o) != NULL);
    bool host = letter || (o != 0 && strchr("-._~!$&'()*+,;=", o) != NULL);
    bool odd = o != 0 && strchr("\"'<>\\^`{|}", o) != NULL;
    int classes = (token ? OCTET_TOKEN : 0) | (host ? OCTET_HOST : 0) | (odd ? OCTET_ODD : 0) |
                  (visible || o == ' ' || o == '\t' || o >= 128 ? OCTET_VALUE : 0) |
                  (visible && o != '#' ? OCTET_TARGET : 0) |
                  (o >= '0' && o <= '9' ? OCTET_DIGIT : 0);
    if (octet_classes[o] != classes)
      test_fault(__FILE__, __LINE__, "octet %d is %d, not %d", o, classes, octet_classes[o]);
  }
}

TEST("bytes are alike if they are equal or one letter in both cases")
{
  for (int a = 0; a < 256; a++)
    for (int b = 0; b < 256; b++) {
      bool same_letter = (a | 32) == (b | 32) && (a | 32) >= 'a' && (a | 32) <= 'z';
      char x = (char)a, y = (char)b;
      CHECK_EQ(bytes_alike((bytes){&x, 1}, (bytes){&y, 1}), a == b || same_letter);
    }
  CHECK(!bytes_alike(BYTES("ab"), BYTES("abc")));
  CHECK(bytes_alike(BYTES("Transfer-ENCODING"), BYTES("transfer-encoding")));
}
