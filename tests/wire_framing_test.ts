import { ask, chunked, post } from "./support/wire.ts";
import { Wire } from "./support/wire_rows.ts";

const wire = new Wire();
const SMUGGLED = ask("/smuggled");
const HELLO = chunked("hello");

/** A POST with these lines after Host, and `body` after the head. */
const withLines = (lines: string, body = "hello", version = "1.1") =>
  `POST /body HTTP/${version}\r\nHost: h\r\n${lines}\r\n\r\n${body}`;

// ---- Content-Length ---------------------------------------------------------------------------

wire.table([
  ["in plain form", "Content-Length: 5"],
  ["with white space around it", "Content-Length: \t 5 \t "],
  ["without white space", "Content-Length:5"],
  ["with leading zeros", "Content-Length: 005"],
  ["with its name in any case", "cOnTeNt-LeNgTh: 5"],
].map(([what, lines]) => ({
  name: `a Content-Length ${what} is accepted`,
  rfc: "9110 8.6",
  send: withLines(lines),
  body: "hello",
})));
wire.table([
  {
    name: "a Content-Length of 0 means no body",
    rfc: "9110 8.6",
    send: withLines("Content-Length: 0", ""),
    body: "",
  },
  {
    name: "a Content-Length is accepted in HTTP/1.0",
    rfc: "6.3",
    send: withLines("Content-Length: 5", "hello", "1.0"),
    http10: true,
    end: "close",
    body: "hello",
  },
  {
    name: "a request without length or coding has no body",
    rfc: "6.3",
    send: ask("/seen", { method: "POST" }),
    sees: { body: "" },
  },
  {
    name: "what follows a request without a body is the next request",
    rfc: "6.3",
    send: `${ask("/seen", { method: "POST" })}hello\r\n\r\n`,
    answers: [{ sees: { body: "" } }],
    refused: 400,
  },
  {
    name: "what follows a body is the next request",
    rfc: "6.3",
    send: withLines("Content-Length: 3", "hello\r\n\r\n"),
    answers: [{ body: "hel" }],
    refused: 400,
  },
  {
    name: "a body may look like a request",
    rfc: "11.2",
    send: ask("/body", { method: "POST", body: SMUGGLED }),
    body: SMUGGLED,
  },
  {
    name: "a body may have any octets",
    rfc: "6.2",
    send: ask("/body", { method: "POST", body: `\0\r\n\r\n\x7f\x80\xff` }),
    body: `\0\r\n\r\n\x7f\x80\xff`,
  },
  {
    name: "a body of 20000 octets arrives",
    rfc: "6.2",
    send: ask("/body", { method: "POST", body: "xyz1".repeat(5000) }),
    body: "xyz1".repeat(5000),
  },
  {
    name: "a body on GET is dropped",
    rfc: "9110 9.3.1",
    send: ask("/seen", { body: "hello" }),
    sees: { method: "GET", body: "", hasBody: false },
  },
  {
    name: "a body on GET that looks like a request is dropped",
    rfc: "11.2",
    send: ask("/seen", { body: SMUGGLED }),
    sees: { body: "", hasBody: false },
  },
  {
    name: "a body on HEAD is dropped",
    rfc: "9110 9.3.2",
    send: ask("/", { method: "HEAD", body: "hello" }),
    head: true,
  },
  {
    name: "a body on OPTIONS and DELETE reaches the handler",
    rfc: "9110 9.3.7",
    send: ["OPTIONS", "DELETE"].map((method) => ask("/body", { method, body: method })).join(""),
    answers: [{ body: "OPTIONS" }, { body: "DELETE" }],
  },
]);
wire.table([
  ...["+5", "-5", "-0", "5 5", "5, 5", "5,5", "5, 6", "5,", ",5", "0x5", "5.0", "1e1", "", "five"],
  ...[
    "5;q=1",
    "5x",
    "x5",
    '"5"',
    "1_0",
    "5\0",
    "\x0b5",
    "5\x0c",
    "\r5",
    "5\xb2",
    "\xd9\xa5",
    "5;",
    "5/5",
  ],
].map((value) => ({
  name: `the Content-Length ${JSON.stringify(value)} is refused`,
  rfc: "6.3",
  send: withLines(`Content-Length: ${value}`),
  refused: 400,
})));
wire.table([
  ...["18446744073709551616", "18446744073709551621", "340282366920938463463374607431768211461"],
  ...["9".repeat(100), "9".repeat(1000)],
].map((value) => ({
  name: `a Content-Length of ${value.length} digits is refused, not wrapped`,
  rfc: "9110 8.6",
  send: withLines(`Content-Length: ${value}`),
  refused: 400,
})));
wire.table([
  ["equal", "Content-Length: 5\r\nContent-Length: 5"],
  ["different", "Content-Length: 5\r\nContent-Length: 6"],
  ["the smaller first", "Content-Length: 0\r\nContent-Length: 5"],
  ["in different case", "Content-Length: 5\r\ncontent-length: 0"],
  ["one of them empty", "Content-Length: 5\r\nContent-Length:"],
  ["three", "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5"],
].map(([what, lines]) => ({
  name: `repeated Content-Lengths, ${what}, are refused`,
  rfc: "6.3",
  send: withLines(lines),
  refused: 400,
})));
wire.table([
  {
    name: "two Content-Lengths in HTTP/1.0 are refused",
    rfc: "6.3",
    send: withLines("Content-Length: 5\r\nContent-Length: 6", "hello", "1.0"),
    refused: 400,
  },
  {
    name: "a malformed Content-Length on GET is refused",
    rfc: "6.3",
    send: ask("/", { fields: ["Content-Length: x"] }),
    refused: 400,
  },
  {
    name: "a space before the colon of Content-Length is refused",
    rfc: "5.1",
    send: withLines("Content-Length : 5"),
    refused: 400,
  },
]);

// ---- Transfer-Encoding ------------------------------------------------------------------------

wire.table([
  ["in plain form", "Transfer-Encoding: chunked"],
  ["without white space", "Transfer-Encoding:chunked"],
  ["in any case", "tRANSFER-eNCODING: Chunked"],
  ["in capitals", "TRANSFER-ENCODING: CHUNKED"],
  ["with white space around it", "Transfer-Encoding: \t chunked \t "],
].map(([what, lines]) => ({
  name: `the coding chunked is accepted ${what}`,
  rfc: "7",
  send: withLines(lines, HELLO),
  body: "hello",
})));
wire.table([
  {
    name: "a chunked body on GET is dropped",
    rfc: "9110 9.3.1",
    send: ask("/seen", { fields: ["Transfer-Encoding: chunked"], body: HELLO }),
    sees: { body: "", hasBody: false },
  },
  {
    name: "a chunked body may look like a request",
    rfc: "11.2",
    send: post(chunked(SMUGGLED)),
    body: SMUGGLED,
  },
]);
wire.table([
  ...["gzip", "gzip, chunked", "identity", "deflate,chunked", "x-unknown", "xchunked", "chunkedx"],
  ...["chunke", "identity, chunked", "chunked-", "trailers"],
].map((coding) => ({
  name: `the coding ${coding} is refused with 501`,
  rfc: "6.1",
  send: withLines(`Transfer-Encoding: ${coding}`, HELLO),
  refused: 501,
})));
wire.table([
  ...["chunked, gzip", "chunked, identity", "chunked, chunked", "chunked,chunked", "chunked;q=1"],
  ...["", '"chunked"', "chunked chunked", "\x0bchunked", "chunked\x0b", "chunked\0", "\rchunked"],
  ...["\nchunked", "\xa0chunked", "chunked\x85", ",", ", chunked ,", "chunked/1", "chunked; a=b"],
  ...[",chunked", "chunked,", "chunked ,", "gzip, chunked,"],
].map((coding) => ({
  name: `the coding ${JSON.stringify(coding)} is refused`,
  rfc: "6.1",
  send: withLines(`Transfer-Encoding: ${coding}`, HELLO),
  refused: 400,
})));
const CHUNKED = "Transfer-Encoding: chunked";
wire.table([
  ["twice", `${CHUNKED}\r\n${CHUNKED}`],
  ["with identity on a line of its own", `${CHUNKED}\r\nTransfer-Encoding: identity`],
  ["after identity on a line of its own", `Transfer-Encoding: identity\r\n${CHUNKED}`],
  ["with a space before the colon", "Transfer-Encoding : chunked"],
  ["before Content-Length", `${CHUNKED}\r\nContent-Length: 5`],
  ["after Content-Length", `Content-Length: 5\r\n${CHUNKED}`],
  ["with Content-Length 0", `${CHUNKED}\r\nContent-Length: 0`],
  ["with the length of the coded body", `${CHUNKED}\r\nContent-Length: ${HELLO.length}`],
  ["with a malformed Content-Length", `${CHUNKED}\r\nContent-Length: x`],
  ["in other case with Content-Length", "TRANSFER-encoding: CHUNKED\r\ncontent-LENGTH: 5"],
].map(([what, lines]) => ({
  name: `the coding chunked ${what} is refused`,
  rfc: "6.3",
  send: withLines(lines, HELLO),
  refused: 400,
})));
wire.table([
  {
    name: "an unknown coding with Content-Length is refused",
    rfc: "6.3",
    send: withLines("Transfer-Encoding: xchunked\r\nContent-Length: 5"),
    refused: 400,
  },
  {
    name: "chunked with Content-Length on GET is refused",
    rfc: "6.3",
    send: ask("/", { fields: [CHUNKED, "Content-Length: 5"], body: HELLO }),
    refused: 400,
  },
  ...["", "\r\nConnection: keep-alive", "\r\nContent-Length: 5"].map((more) => ({
    name: `chunked in HTTP/1.0${more && ` with ${more.trim()}`} is refused`,
    rfc: "6.1",
    send: withLines(CHUNKED + more, HELLO, "1.0"),
    refused: 400,
  })),
]);

wire.endsClean();
