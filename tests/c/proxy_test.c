/* The PROXY protocol: parsing, and connections that must begin with a header. */
#include <arpa/inet.h>
#include <time.h>

#include "../../csrc/listener.h"
#include "../../csrc/networks.h"
#include "../../csrc/proxy.h"
#include "driver.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4 "\x01\x02\x03\x04\x0a\x00\x00\x01\x12\x34\x01\xbb"
#define IPV6                                                                                       \
  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"               \
  "\xff\xff\x00\x50"
#define ZEROS16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS72 ZEROS16 ZEROS16 ZEROS16 ZEROS16 "\0\0\0\0\0\0\0\0"
#define UNIX ZEROS72 ZEROS72 ZEROS72
#define ROW(octets, expected) {octets, sizeof(octets) - 1, expected}

/* Headers and what they say; NULL: refused. */
static const struct row {
  const char *octets;
  size_t size;
  const char *says;
} rows[] = {
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 4660 443\r\n", "1.2.3.4 4660 to 10.0.0.1 443"),
  ROW("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n", "255.255.255.255 0 to 0.0.0.0 65535"),
  ROW("PROXY TCP6 2001:db8::7 fe80::1 65535 80\r\n", "2001:db8::7 65535 to fe80::1 80"),
  ROW("PROXY TCP6 ::FFFF:0102:0304 ::1 1 2\r\n", "1.2.3.4 1 to ::1 2"),
  ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 to "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"),
  ROW("PROXY TCP6 :: ::1 1 2\r\n", "nothing"),
  ROW("PROXY UNKNOWN\r\n", "nothing"),
  ROW("PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n", "nothing"),
  ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      "nothing"),
  ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535 \r\n",
      NULL),
  ROW("PROXY UNKNOWNS\r\n", NULL),
  ROW("PROXY UNKNOW\r\n", NULL),
  ROW("PROXY UNKNOWN\n", NULL),
  ROW("PROXY UNKNOWN a\nb\r\n", NULL),
  ROW("PROXY\r\n", NULL),
  ROW("PROXY \r\n", NULL),
  ROW("PROXY \n", NULL),
  ROW("PROXY TCP4\r\n", NULL),
  ROW("PROXY TCP4 \r\n", NULL),
  ROW("PROXY  TCP4 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4  1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1  1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1 2 \r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1 2 3\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1\t1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1 2\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1 2\r\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 01 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 1 00\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 65536 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 4294967297 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 -1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4 10.0.0.1 +1 2\r\n", NULL),
  ROW("PROXY TCP4 01.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.256 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4 1.2.3.4\0 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP4 ::1 ::1 1 2\r\n", NULL),
  ROW("PROXY TCP6 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY TCP6 ::1%lo ::1 1 2\r\n", NULL),
  ROW("PROXY TCP6 1::2::3 ::1 1 2\r\n", NULL),
  ROW("PROXY TCP6 [::1] ::1 1 2\r\n", NULL),
  ROW("PROXY UDP4 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("PROXY tcp4 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("proxy TCP4 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW(" PROXY TCP4 1.2.3.4 10.0.0.1 1 2\r\n", NULL),
  ROW("GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL),
  ROW("\r\nPROXY UNKNOWN\r\n", NULL),
  ROW("\x16\x03\x01", NULL),

  ROW(SIGNATURE "\x21\x11\0\x0c" IPV4, "1.2.3.4 4660 to 10.0.0.1 443"),
  ROW(SIGNATURE "\x21\x12\0\x0c" IPV4, "1.2.3.4 4660 to 10.0.0.1 443"),
  ROW(SIGNATURE "\x21\x21\0\x24" IPV6, "2001:db8::7 65535 to fe80::1 80"),
  ROW(SIGNATURE "\x21\x11\0\x13" IPV4 "\x04\0\x04pad!", "1.2.3.4 4660 to 10.0.0.1 443"),
  ROW(SIGNATURE "\x21\x31\0\xd8" UNIX, "nothing"),
  ROW(SIGNATURE "\x21\0\0\0", "nothing"),
  ROW(SIGNATURE "\x21\0\0\x05hello", "nothing"),
  ROW(SIGNATURE "\x21\x10\0\0", "nothing"),
  ROW(SIGNATURE "\x21\x01\0\0", "nothing"),
  ROW(SIGNATURE "\x20\0\0\0", "nothing"),
  ROW(SIGNATURE "\x20\x11\0\x0c" IPV4, "nothing"),
  ROW(SIGNATURE "\x20\xff\0\0", "nothing"),
  ROW(SIGNATURE "\x21\x11\0\x0b" IPV4, NULL),
  ROW(SIGNATURE "\x21\x21\0\x0c" IPV4, NULL),
  ROW(SIGNATURE "\x21\x41\0\0", NULL),
  ROW(SIGNATURE "\x21\x13\0\x0c" IPV4, NULL),
  ROW(SIGNATURE "\x22\x11\0\x0c" IPV4, NULL),
  ROW(SIGNATURE "\x11\x11\0\x0c" IPV4, NULL),
  ROW(SIGNATURE "\x31\x11\0\x0c" IPV4, NULL),
  ROW(SIGNATURE "\x21\x11\x0f\xf1", NULL), /* one byte more than is allowed */
  ROW("\r\n\r\n\0\r\nQUIT\r"
      "\x21\x11\0\x0c" IPV4,
      NULL),
};

static const char *told(const proxied *p)
{
  static char text[256], from[BJ_ADDRESS_SIZE], to[BJ_ADDRESS_SIZE];
  if (!p->is_named) return "nothing";
  listener_write_ip(p->from.address, from);
  listener_write_ip(p->to.address, to);
  snprintf(text, sizeof text, "%s %u to %s %u", from, p->from.port, to, p->to.port);
  return text;
}

TEST("a header names its ends, and is incomplete before its last byte")
{
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct row *row = &rows[i];
    proxied p;
    for (size_t size = 1; row->says != NULL && size < row->size; size++)
      CHECK_EQ(proxy_read(&p, (bytes){guarded(row->octets, size), size}), PROXY_INCOMPLETE);
    enum proxy_read whole = proxy_read(&p, (bytes){guarded(row->octets, row->size), row->size});
    CHECK_EQ(whole, row->says != NULL ? PROXY_COMPLETE : PROXY_BAD);
    if (whole != PROXY_COMPLETE || row->says == NULL) continue;
    CHECK_EQ(p.size, row->size);
    if (strcmp(told(&p), row->says) != 0)
      test_fault(__FILE__, __LINE__, "row %zu says %s", i, told(&p));
  }
}

TEST("a bad header is refused at one byte, and so is all that continues it")
{
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool refused = false;
    for (size_t size = 1; rows[i].says == NULL && size <= rows[i].size; size++) {
      proxied p;
      enum proxy_read now = proxy_read(&p, (bytes){guarded(rows[i].octets, size), size});
      CHECK_EQ(now, refused || now == PROXY_BAD ? PROXY_BAD : PROXY_INCOMPLETE);
      refused = now == PROXY_BAD;
    }
  }
}

TEST("a line without an end is refused at 107 bytes, a long block is waited for")
{
  char line[108] = "PROXY UNKNOWN ", block[PROXY_MOST] = SIGNATURE "\x21\x11\x0f\xf0" IPV4;
  proxied p;
  memset(line + 14, 'x', sizeof line - 14);
  CHECK_EQ(proxy_read(&p, (bytes){line, 106}), PROXY_INCOMPLETE);
  CHECK_EQ(proxy_read(&p, (bytes){line, 107}), PROXY_BAD);
  CHECK_EQ(proxy_read(&p, (bytes){block, sizeof block - 1}), PROXY_INCOMPLETE);
  CHECK_EQ(proxy_read(&p, (bytes){block, sizeof block}), PROXY_COMPLETE);
  CHECK_EQ(p.size, sizeof block);
}

/* ---- networks --------------------------------------------------------------------------- */

static bool in(const char *text, const char *address)
{
  char error[BJ_ERROR_SIZE];
  networks all;
  uint32_t words[4] = {0};
  if (inet_pton(AF_INET, address, words + 3) == 1)
    words[2] = htonl(0xffff);
  else
    inet_pton(AF_INET6, address, words);
  CHECK_EQ(networks_read(&all, text, error), 0);
  bool is = networks_have(&all, words);
  networks_free(&all);
  return is;
}

TEST("networks contain their addresses and no others")
{
  CHECK(in("10.0.0.0/8", "10.255.0.1"));
  CHECK(!in("10.0.0.0/8", "11.0.0.0"));
  CHECK(in("1.2.3.4", "1.2.3.4"));
  CHECK(!in("1.2.3.4", "1.2.3.5"));
  CHECK(in("1.2.3.4/31", "1.2.3.5"));
  CHECK(in("0.0.0.0/0", "8.8.8.8"));
  CHECK(!in("0.0.0.0/0", "2001:db8::1"));
  CHECK(in("::/0", "2001:db8::1"));
  CHECK(in("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK(!in("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(in("1.1.1.1,fc00::/7,2.2.2.2", "fdff::1"));
  CHECK(!in("1.1.1.1,fc00::/7,2.2.2.2", "3.3.3.3"));
  CHECK(!in("", "127.0.0.1"));
  CHECK(in("127.0.0.0/8", "::")); /* a Unix socket */
  CHECK(!in("10.0.0.0/8", "::"));
}

TEST("text that is not a network is refused")
{
  static const char *const bad[] = {"1.2.3",  "1.2.3.4/33", "1.2.3.4/",   "1.2.3.4/x",
                                    "::/129", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4,,",
                                    ",",      "::1/1/2",    "localhost",  "1.2.3.4 "};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char error[BJ_ERROR_SIZE] = "";
    networks all;
    CHECK_EQ(networks_read(&all, bad[i], error), -EINVAL);
    CHECK(strstr(error, "is no network") != NULL);
  }
}

TEST("text too long for a network is shown in part")
{
  char text[257], error[BJ_ERROR_SIZE];
  networks all;
  for (size_t size = 40; size < sizeof text; size++) {
    memset(text, '1', size);
    text[size] = '\0';
    CHECK_EQ(networks_read(&all, text, error), -EINVAL);
    CHECK(strstr(error, "\"1111") != NULL && strstr(error, "1111\" is no network") != NULL);
  }
}

/* ---- connections ------------------------------------------------------------------------ */

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define LINE "PROXY TCP4 1.2.3.4 10.0.0.1 4660 443\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"

enum { SHORT = 5 }; /* milliseconds */

static driver d;
static int client;
static bj_event e;

static void begin_with(const char *networks, uint32_t head_timeout)
{
  char error[BJ_ERROR_SIZE];
  bj_options options = driver_defaults();
  options.head_timeout = head_timeout;
  driver_open(&d, &options);
  CHECK_EQ(bj_server_proxied(d.server, networks, error), 0);
  client = client_open(&d);
}

static void begin(const char *networks)
{
  begin_with(networks, 0);
}

static void end(int proxy_errors)
{
  close(client);
  CHECK_EQ(driver_counter(&d, BJ_CONN_PROXY_ERROR), proxy_errors);
  driver_close(&d);
}

static void answer(void)
{
  driver_answer(&d, &e, "a");
  driver_flush(&d);
  client_expect(client, OK);
}

/* The client of a request, and where it connected to. */
static void expect_ends(const char *peer, uint32_t peer_port, const char *local, int32_t local_port)
{
  char text[BJ_ADDRESS_SIZE];
  listener_write_ip(e.peer, text);
  CHECK(strcmp(text, peer) == 0);
  CHECK_EQ(e.peer_port, peer_port);
  CHECK_EQ(bj_server_local(d.server, e.request, e.generation, text), local_port);
  CHECK(strcmp(text, local) == 0);
}

TEST("requests carry the client's address from the header")
{
  begin("");
  client_send(client, LINE GET GET);
  driver_turn(&d);
  CHECK_EQ(d.count, 2);
  for (int i = 0; i < 2; i++) {
    e = d.events[i];
    expect_ends("1.2.3.4", 4660, "10.0.0.1", 443);
    driver_answer(&d, &e, "a");
  }
  driver_flush(&d);
  client_expect(client, OK OK);
  end(0);
}

TEST("a header that comes byte by byte gives the same")
{
  static const char octets[] = SIGNATURE "\x21\x21\0\x24" IPV6 GET;
  begin("127.0.0.1/32");
  for (size_t i = 0; i + 2 < sizeof octets; i++) {
    client_send_bytes(client, octets + i, 1);
    CHECK_EQ(driver_turn(&d), 0);
  }
  client_send(client, "\n");
  e = driver_event(&d, BJ_REQUEST);
  expect_ends("2001:db8::7", 65535, "fe80::1", 80);
  answer();
  end(0);
}

TEST("without named ends the connection's own count")
{
  begin("");
  client_send(client, SIGNATURE "\x20\x11\0\x0c" IPV4 GET);
  e = driver_event(&d, BJ_REQUEST);
  expect_ends("::", 0, d.host, 0);
  answer();
  client_send(client, LINE); /* only valid at the beginning */
  driver_turn(&d);
  client_expect(client, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain;charset=utf-8\r\n"
                        "Content-Length: 11\r\nConnection: close\r\n\r\nBad Request");
  end(0);
}

TEST("a connection without a header gets no answer")
{
  begin("");
  client_send(client, GET);
  CHECK_EQ(driver_turn(&d), 0);
  client_expect_end(client);
  end(1);
}

TEST("a peer outside the networks is closed unread")
{
  begin("10.0.0.0/8,::1");
  CHECK_EQ(driver_turn(&d), 0);
  client_expect_end(client);
  end(1);
}

TEST("refused networks change nothing: the ones before stay in force")
{
  char error[BJ_ERROR_SIZE];
  begin("10.0.0.0/8");
  CHECK_EQ(bj_server_proxied(d.server, "10.0.0.0/8,x", error), -EINVAL);
  client_send(client, LINE GET);
  CHECK_EQ(driver_turn(&d), 0);
  CHECK_EQ(client_read(client, (char[1]){0}, 1), 0);
  end(1);
}

TEST("a health check is no error, half a header is one")
{
  begin("");
  client_send(client, SIGNATURE "\x20\0\0\0");
  driver_turn(&d);
  shutdown(client, SHUT_WR);
  driver_turn(&d);
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_CONN_PROXY_ERROR), 0);
  close(client);
  client = client_open(&d);
  client_send(client, "PROXY");
  driver_turn(&d);
  shutdown(client, SHUT_WR);
  driver_turn(&d);
  client_expect_end(client);
  end(1);
}

/* Turns until the client has something to read, or the end of the stream. */
static void wait_for_server(void)
{
  struct timespec moment = {.tv_nsec = 1000000};
  for (int i = 0; i < 500; i++) {
    struct pollfd it = {.fd = client, .events = POLLIN};
    if (poll(&it, 1, 0) > 0) return;
    nanosleep(&moment, NULL);
    driver_turn(&d);
  }
}

TEST("an incomplete header has head_timeout")
{
  begin_with("", SHORT);
  client_send(client, "PROXY ");
  driver_turn(&d);
  wait_for_server();
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), 1);
  end(0);
}

TEST("header and head together have head_timeout")
{
  begin_with("", SHORT);
  client_send(client, LINE);
  driver_turn(&d);
  wait_for_server();
  client_expect_end(client);
  CHECK_EQ(driver_counter(&d, BJ_TIMEOUTS), 1);
  end(0);
}

TEST("a connection that has not sent its header does not hold up draining")
{
  begin("");
  driver_turn(&d);
  bj_server_drain(d.server, 0);
  CHECK_EQ(driver_turn(&d), 0);
  client_expect_end(client);
  close(client);
  driver_event(&d, BJ_STOPPED);
  driver_close(&d);
}
