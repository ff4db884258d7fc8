import { ask, chunked, post } from "./support/wire.ts";
import { Wire } from "./support/wire_rows.ts";

const wire = new Wire();
/** A chunked body whose first line is `line`. */
const sized = (line: string) => post(`${line}\r\nhello\r\n0\r\n\r\n`);
const trailed = (trailers: string) => post(`5\r\nhello\r\n0\r\n${trailers}\r\n`, "/seen");

// ---- chunks -----------------------------------------------------------------------------------

const bodies: [what: string, coded: string, body: string][] = [
  ["one chunk", chunked("hello"), "hello"],
  ["several chunks", chunked("he", "l", "lo"), "hello"],
  ["chunks of one octet", chunked(..."hello, chunked world"), "hello, chunked world"],
  ["no chunk but the last", "0\r\n\r\n", ""],
  ["a last chunk of several zeros", "5\r\nhello\r\n000\r\n\r\n", "hello"],
  ["leading zeros", "0005\r\nhello\r\n0\r\n\r\n", "hello"],
  ["sixteen digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"],
  ["a size in lower case", `1a\r\n${"x".repeat(26)}\r\n0\r\n\r\n`, "x".repeat(26)],
  ["a size in upper case", `1A\r\n${"x".repeat(26)}\r\n0\r\n\r\n`, "x".repeat(26)],
  ["a size in mixed case", `aB\r\n${"x".repeat(171)}\r\n0\r\n\r\n`, "x".repeat(171)],
  ["line ends for data", chunked("\r\n", "0\r\n\r\n", "\n"), "\r\n0\r\n\r\n\n"],
  ["any octets", chunked("\0\x7f\x80\xff"), "\0\x7f\x80\xff"],
];
wire.table(bodies.map(([what, coded, body]) => ({
  name: `a chunked body may have ${what}`,
  rfc: "7.1",
  send: post(coded),
  body,
})));
wire.table([
  ...[
    "",
    "g",
    "x5",
    "0x5",
    "+5",
    "-5",
    " 5",
    "\t5",
    "5x",
    "5h",
    "5,",
    "5.0",
    "0_5",
    "5\0",
    '"5"',
    "5\x80",
  ],
  ...["5 ", "5\t", "5 x", "5 5", "5\r", "5\rhello", "5\nhello", "fffffffffx", "\r\n5"],
].map((line) => ({
  name: `the chunk size ${JSON.stringify(line)} is refused`,
  rfc: "7.1",
  send: sized(line),
  refused: 400,
})));
wire.table([
  { name: "a chunk size of -0 is refused", rfc: "7.1", send: post("-0\r\n\r\n"), refused: 400 },
  {
    name: "a last chunk of 0x0 is refused",
    rfc: "7.1",
    send: post("5\r\nhello\r\n0x0\r\n\r\n"),
    refused: 400,
  },
]);
wire.table(([
  ["2^64", "10000000000000000", 400],
  ["2^64 + 5", "10000000000000005", 400],
  ["2^72 + 5", "1000000000000000005", 400],
  ["64 digits", "f".repeat(64), 400],
  ["2^64 - 1", "ffffffffffffffff", 413],
  ["2^64 - 5", "fffffffffffffffb", 413],
  ["2^63", "8000000000000000", 413],
  ["2^32 + 5", "100000005", 413],
] as const).map(([what, line, refused]) => ({
  name: `a chunk size of ${what} is refused, not wrapped`,
  rfc: "7.1",
  send: sized(line),
  refused,
})));
wire.table([{
  name: "a second chunk that makes the length overflow is refused",
  rfc: "7.1",
  send: post("5\r\nhello\r\nfffffffffffffffb\r\nx\r\n0\r\n\r\n"),
  refused: 413,
}]);
wire.table([
  ["a bare LF after a size", "5\nhello\r\n0\r\n\r\n"],
  ["a bare CR after a size", "5\rhello\r\n0\r\n\r\n"],
  ["LF CR after a size", "5\n\rhello\r\n0\r\n\r\n"],
  ["a bare LF after data", "5\r\nhello\n0\r\n\r\n"],
  ["a bare CR after data", "5\r\nhello\r0\r\n\r\n"],
  ["CR and a letter after data", "5\r\nhello\rX0\r\n\r\n"],
  ["a space after data", "5\r\nhello \r\n0\r\n\r\n"],
  ["nothing after data", "5\r\nhello0\r\n\r\n"],
  ["two CRLF after data", "5\r\nhello\r\n\r\n0\r\n\r\n"],
  ["data longer than its size", "5\r\nhelloX\r\n0\r\n\r\n"],
  ["data shorter than its size", "6\r\nhello\r\n0\r\n\r\n"],
  ["a bare LF after the last chunk", "5\r\nhello\r\n0\n\r\n"],
  ["a bare LF at the end", "5\r\nhello\r\n0\r\n\n"],
  ["CR and a letter at the end", "5\r\nhello\r\n0\r\n\rX"],
  ["bare LFs only", "5\nhello\n0\n\n"],
].map(([what, coded]) => ({
  name: `${what} is refused`,
  rfc: "7.1",
  send: post(coded),
  refused: 400,
})));

// ---- extensions -------------------------------------------------------------------------------

wire.table([
  ...[
    ";a",
    ";a=b",
    ";a=b;c=d",
    ";a;b=c",
    ';a="b c"',
    ';a=""',
    ';a="x;y"',
    ';a="x\\"y"',
    ';a="x\ty"',
  ],
  ...[';a="\xe9"', ";!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", " ;a=b", "; a=b", ";a = b", "\t;\ta\t=\tb"],
  ...["  ;  a  =  b", ';a="\\r\\n"'],
].map((extension) => ({
  name: `the chunk extension ${JSON.stringify(extension)} is dropped`,
  rfc: "7.1.1",
  send: post(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`),
  body: "hello",
})));
wire.table([
  ...[";", ";=x", ";a=", ";a b", ";a==b", ";a\x80", ";a ", ";a(b)", ';a="b"c', ';a="b', ";a\0"],
  ...[';a="\0"', ";a=\x01", ";a\x0b", ";a\x7f", ";a\rb", ";a\r", ";a\nb", ';a="x\ny"', ";a=\x1b"],
].map((extension) => ({
  name: `the chunk extension ${JSON.stringify(extension)} is refused`,
  rfc: "7.1.1",
  send: sized(`5${extension}`),
  refused: 400,
})));
wire.table(["\0", "a\nb", "=x"].map((extension) => ({
  name: `the extension ${JSON.stringify(extension)} of the last chunk is refused`,
  rfc: "7.1.1",
  send: post(`5\r\nhello\r\n0;${extension}\r\n\r\n`),
  refused: 400,
})));

// ---- trailers ---------------------------------------------------------------------------------

wire.table([
  ["one", "X-Trailer: 1\r\n"],
  ["two", "X-Trailer: 1\r\nX-More: 2\r\n"],
  ["without a value", "X-Trailer:\r\n"],
  ["of latin-1", "X-Trailer: \xe9\r\n"],
].map(([what, trailers]) => ({
  name: `trailers, ${what}, are dropped`,
  rfc: "7.1.2",
  send: trailed(trailers),
  sees: { body: "hello", fields: { "x-trailer": null, "x-more": null } },
})));
wire.table(([
  ["Content-Length", "99", null],
  ["Transfer-Encoding", "identity", "chunked"],
  ["Host", "evil", "h"],
  ["Authorization", "Basic eA==", null],
  ["Connection", "close", null],
  ["Expect", "200-ok", null],
] as const).map(([name, value, seen]) => ({
  name: `a trailer ${name} is never taken for a header field`,
  rfc: "9110 6.5.1",
  send: trailed(`${name}: ${value}\r\n`),
  sees: { body: "hello", fields: { [name.toLowerCase()]: seen } },
})));
wire.table([
  {
    name: "a trailer is never joined to a header field",
    rfc: "7.1.2",
    send: post("0\r\nX-A: 2\r\n\r\n", "/seen", ["X-A: 1"]),
    sees: { fields: { "x-a": "1" } },
  },
  {
    name: "the next request may follow trailers",
    rfc: "7.1.2",
    send: trailed("X-T: 1\r\n") + ask("/probe?t=2"),
    answers: [{ sees: { body: "hello" } }, { body: "probe:2" }],
  },
]);
wire.table([
  ["no colon", "X-Trailer\r\n"],
  ["a space before the colon", "X-Trailer : 1\r\n"],
  ["no name", ": 1\r\n"],
  ["a bad name", "X(T: 1\r\n"],
  ["NUL", "X-T: a\0b\r\n"],
  ["a control", "X-T: a\x01b\r\n"],
  ["a bare CR", "X-T: a\rb\r\n"],
  ["a bare LF", "X-T: 1\nX-U: 2\r\n"],
  ["a bare LF at the end", "X-T: 1\n"],
  ["CR CR LF", "X-T: 1\r\r\n"],
  ["folding", "X-T: 1\r\n 2\r\n"],
  ["a leading space", " X-T: 1\r\n"],
  ["what looks like a request", "GET / HTTP/1.1\r\n"],
].map(([what, trailers]) => ({
  name: `a trailer with ${what} is refused`,
  rfc: "7.1.2",
  send: trailed(trailers),
  refused: 400,
})));

wire.endsClean();
