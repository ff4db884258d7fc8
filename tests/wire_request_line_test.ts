import { ask } from "./support/wire.ts";
import { Wire } from "./support/wire_rows.ts";

const wire = new Wire();
const HOST = "Host: h\r\n\r\n";

// ---- methods ----------------------------------------------------------------------------------

const tokens = [
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "QUERY",
  "M-SEARCH",
  "A",
  "get",
  "post",
];
wire.table([...tokens, "!#$%&'*+-.^_`|~09", "A".repeat(300)].map((method) => ({
  name: `the method ${method.slice(0, 20)} reaches the handler`,
  rfc: "9110 9.1",
  send: ask("/method", { method }),
  body: method,
})));
wire.table([
  {
    name: "HEAD has the fields of GET and no body",
    rfc: "9110 9.3.2",
    send: ask("/", { method: "HEAD" }),
    head: true,
    fields: { "content-length": "5" },
  },
  {
    name: "an unknown method may have a body",
    rfc: "9110 9.1",
    send: ask("/seen", { method: "FOO", body: "hello" }),
    sees: { method: "FOO", body: "hello" },
  },
]);
wire.table([
  ["an empty method", ""],
  ["a parenthesis", "G(T"],
  ["a slash", "G/T"],
  ["a colon", "GET:"],
  ["a quote", '"GET"'],
  ["a brace", "{GET}"],
  ["a comma", "G,T"],
  ["an at sign", "G@T"],
  ["NUL", "G\0T"],
  ["a control", "G\x01T"],
  ["DEL", "GET\x7f"],
  ["the octet 0x80", "G\x80T"],
  ["the octet 0xff", "\xffGET"],
].map(([what, method]) => ({
  name: `${what} in the method is refused`,
  rfc: "9110 5.6.2",
  send: `${method} / HTTP/1.1\r\n${HOST}`,
  refused: 400,
})));

// ---- versions ---------------------------------------------------------------------------------

wire.table([
  {
    name: "HTTP/1.0 is served",
    rfc: "2.3",
    send: ask("/seen", { version: "1.0", host: null }),
    http10: true,
    end: "close",
    sees: { version: "1.0" },
  },
  { name: "HTTP/1.2 is served as 1.1", rfc: "9110 2.5", send: ask("/", { version: "1.2" }) },
  {
    name: "HTTP/1.9 is served as 1.1",
    rfc: "9110 2.5",
    send: ask("/seen", { method: "POST", version: "1.9", body: "hello" }),
    sees: { version: "1.1", body: "hello" },
  },
  {
    name: "HTTP/1.2 needs a Host",
    rfc: "9110 2.5",
    send: ask("/", { version: "1.2", host: null }),
    refused: 400,
  },
]);
wire.table(["0.9", "2.0", "2.1", "3.0", "9.9"].map((version) => ({
  name: `HTTP/${version} is refused with 505`,
  rfc: "9110 15.6.6",
  send: ask("/", { version }),
  refused: 505,
})));
wire.table([{
  name: "the preface of HTTP/2 is refused with 505",
  rfc: "9113 3.4",
  send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  refused: 505,
}]);
wire.table([
  ...[
    "HTTP/1",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/1.10",
    "HTTP/11.1",
    "HTTP/01.1",
    "HTTP/1,1",
    "HTTP/a.b",
  ],
  ...["HTTP/1.x", "HTTP/+1.1", "HTTP/-1.1", "HTTP/1.1x", "http/1.1", "Http/1.1", "HTTPS/1.1"],
  ...[
    "FTP/1.1",
    "HTTP1.1",
    "HTTP/ 1.1",
    "HTTP /1.1",
    "HTTP",
    "X",
    "HTTP/1.1\0",
    "HTTP/1.1.1",
    "HTTP/2",
  ],
].map((version) => ({
  name: `the version ${JSON.stringify(version)} is refused`,
  rfc: "2.3",
  send: `GET / ${version}\r\n${HOST}`,
  refused: 400,
})));
wire.table([
  { name: "a request of HTTP/0.9 is refused", rfc: "2.3", send: "GET /\r\n", refused: 400 },
  { name: "a request line alone is refused", rfc: "2.3", send: "GET / X\r\n\r\n", refused: 400 },
]);

// ---- spaces and ends of lines -----------------------------------------------------------------

wire.table([
  ["two spaces before the target", "GET  / HTTP/1.1"],
  ["two spaces before the version", "GET /  HTTP/1.1"],
  ["a leading space", " GET / HTTP/1.1"],
  ["a trailing space", "GET / HTTP/1.1 "],
  ["a trailing tab", "GET / HTTP/1.1\t"],
  ["a tab before the target", "GET\t/ HTTP/1.1"],
  ["a tab before the version", "GET /\tHTTP/1.1"],
  ["a vertical tab before the target", "GET\x0b/ HTTP/1.1"],
  ["a form feed before the version", "GET /\x0cHTTP/1.1"],
  ["a space in the target", "GET /a b HTTP/1.1"],
  ["a second version", "GET / HTTP/1.1 HTTP/1.1"],
  ["no space before the version", "GET /HTTP/1.1"],
  ["no target", "GET HTTP/1.1"],
  ["an empty target", "GET  HTTP/1.1"],
  ["a method and nothing else", "GET"],
  ["a bare CR in the target", "GET /\rx HTTP/1.1"],
  ["a bare CR before the version", "GET /\rHTTP/1.1"],
  ["CR CR LF at the end", "GET / HTTP/1.1\r"],
  ["a word", "hello"],
  ["a response", "HTTP/1.1 200 OK"],
  ["a TLS client hello", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"],
  ["NUL octets", "\0\0\0\0"],
].map(([what, line]) => ({
  name: `${what} in place of a request line is refused`,
  rfc: "3",
  send: `${line}\r\n${HOST}`,
  refused: 400,
})));
wire.table([
  { name: "one CRLF before a request is skipped", rfc: "2.2", send: `\r\n${ask()}`, body: "hello" },
  {
    name: "one CRLF between two requests is skipped",
    rfc: "2.2",
    send: `${ask("/body", { method: "POST", body: "one" })}\r\n${ask()}`,
    answers: [{ body: "one" }, { body: "hello" }],
  },
]);
wire.table([
  ["two CRLF before a request", `\r\n\r\n${ask()}`],
  ["a bare LF before a request", `\n${ask()}`],
  ["a bare CR before a request", `\r${ask()}`],
  ["a bare LF after the request line", `GET / HTTP/1.1\n${HOST}`],
  ["a bare CR after the request line", `GET / HTTP/1.1\r${HOST}`],
  ["a bare LF after every line", "GET / HTTP/1.1\nHost: h\n\n"],
  ["a bare LF in a request of HTTP/1.0", "GET / HTTP/1.0\n\n"],
  ["LF CR for CRLF", "GET / HTTP/1.1\n\rHost: h\n\r\n\r"],
].map(([what, send]) => ({ name: `${what} is refused`, rfc: "2.2", send, refused: 400 })));

// ---- targets ----------------------------------------------------------------------------------

wire.table([
  ["a query", "/seen?a=1&b=%20x", "http://h/seen?a=1&b=%20x"],
  ["? and / in a query", "/seen?a=/b?c", "http://h/seen?a=/b?c"],
  ["escapes as they are", "/seen?x=%41%2F", "http://h/seen?x=%41%2F"],
  ["a malformed escape", "/seen?x=%zz", "http://h/seen?x=%zz"],
  ["a URL in a query", "/seen?u=http://other.test/", "http://h/seen?u=http://other.test/"],
  ["a backslash in a query", "/seen?a=\\b", "http://h/seen?a=\\b"],
  ["the characters of a path", "/seen?!$&()*+,;=:@-._~", "http://h/seen?!$&()*+,;=:@-._~"],
].map(([what, target, url]) => ({
  name: `the origin-form may have ${what}`,
  rfc: "3.2.1",
  send: ask(target),
  sees: { url, target },
})));
wire.table([
  ["its authority replaces Host", "http://other.test/seen?a=1", "http://other.test/seen?a=1"],
  ["it may have a port", "http://other.test:8080/seen", "http://other.test:8080/seen"],
  ["its scheme may be in capitals", "HTTP://h/seen", "http://h/seen"],
  ["its authority may be an IPv6 address", "http://[::1]:81/seen", "http://[::1]:81/seen"],
].map(([what, target, url]) => ({
  name: `absolute-form: ${what}`,
  rfc: "3.2.2",
  send: ask(target),
  sees: { url, target },
})));
wire.table([
  {
    name: "absolute-form: the path may be omitted",
    rfc: "3.2.2",
    send: ask("http://other.test"),
    body: "hello",
  },
  {
    name: "absolute-form: a query may follow the authority",
    rfc: "3.2.2",
    send: ask("http://other.test?a=1"),
    body: "hello",
  },
  {
    name: "absolute-form: HTTP/1.0 needs no Host",
    rfc: "3.2.2",
    send: ask("http://other.test/seen", { version: "1.0", host: null }),
    http10: true,
    end: "close",
    sees: { url: "http://other.test/seen" },
  },
  {
    name: "absolute-form: HTTP/1.1 still needs a Host",
    rfc: "3.2",
    send: ask("http://other.test/", { host: null }),
    refused: 400,
  },
  {
    name: "absolute-form: https is refused, as the connection is not secure",
    rfc: "9110 7.4",
    send: ask("https://h/seen"),
    refused: 421,
  },
  {
    name: "asterisk-form: OPTIONS * reaches the handler",
    rfc: "3.2.4",
    send: ask("*", { method: "OPTIONS" }),
    body: "star",
  },
  {
    name: "asterisk-form: POST * is refused",
    rfc: "3.2.4",
    send: ask("*", { method: "POST" }),
    refused: 400,
  },
]);
wire.table(["h:80", "example.com:443", "[::1]:443"].map((target) => ({
  name: `authority-form: CONNECT ${target} is refused with 501`,
  rfc: "9110 9.3.6",
  send: ask(target, { method: "CONNECT", host: target }),
  refused: 501,
})));
wire.table(["/", "h", "*", ":80", "http://h/", "h:x"].map((target) => ({
  name: `authority-form: CONNECT ${target} is refused`,
  rfc: "3.2.3",
  send: ask(target, { method: "CONNECT" }),
  refused: 400,
})));
wire.table([
  ...["foo", "?a=1", "example.com", "*", "*/", ":", "1", "%2F", "@/", "#", "h:80", "urn:x:y"],
  ...[
    "ftp://h/",
    "http:///",
    "http://",
    "http://:80/",
    "http://h:x/",
    "http://h:99999/",
    "http://[::1/",
  ],
  ...["/\\x", "/seen\\..\\x", "/seen/..\\x?a", "http://h/a\\b", "http://h\\@b/", "https://h\\x"],
  ...["http://user@h/", "http://a b/", "/#", "/seen#part", "/?a=1#part", "http://h/#part"],
  ...[
    "/\0",
    "/\x01",
    "/a\tb",
    "/\x0b",
    "/\x1f",
    "/\x7f",
    "/\x80",
    "/\xff",
    "/caf\xe9",
    "/?q=\xc3\xa9",
  ],
].map((target) => ({
  name: `the target ${JSON.stringify(target)} is refused`,
  rfc: "3.2",
  send: ask(target),
  refused: 400,
})));

wire.endsClean();
