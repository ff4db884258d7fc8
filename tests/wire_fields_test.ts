import { ask } from "./support/wire.ts";
import { type Row, Wire } from "./support/wire_rows.ts";

const wire = new Wire();

/** A request with these lines between Host and the end of the head. */
const withLines = (lines: string) => `GET /seen HTTP/1.1\r\nHost: h\r\n${lines}\r\n\r\n`;
const octets = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => String.fromCharCode(from + i)).join("");

// ---- Host -------------------------------------------------------------------------------------

wire.table([
  ...["example.test", "example.test:8080", "127.0.0.1", "127.0.0.1:81", "[::1]", "[::1]:8080"],
  ...["a-b.c_d", "h.", "xn--bcher-kva.test", "a!$&'()*+;=~"],
].map((host) => ({
  name: `Host ${host} ends up in the URL`,
  rfc: "3.2",
  send: ask("/seen", { host }),
  sees: { url: `http://${host}/seen`, fields: { host } },
})));
wire.table([
  ["in any case", "hOsT: h"],
  ["with white space around it", "Host: \t h \t"],
  ["without white space", "Host:h"],
  ["after other fields", "A: 1\r\nHost: h"],
].map(([what, line]) => ({
  name: `Host ${what} is found`,
  rfc: "5.1",
  send: `GET /seen HTTP/1.1\r\n${line}\r\n\r\n`,
  sees: { url: "http://h/seen" },
})));
wire.table([
  ["no Host", "X-Host: h"],
  ["two Hosts, alike", "Host: h\r\nHost: h"],
  ["two Hosts, different", "Host: h\r\nHost: other"],
  ["two Hosts in different case", "Host: h\r\nHOST: h"],
  ["two Hosts, one empty", "Host: h\r\nHost:"],
  ["two Hosts far apart", "Host: h\r\nA: 1\r\nB: 2\r\nHost: h"],
  ["a Host with a space before its colon", "Host : h"],
  ["a folded Host", "Host:\r\n h"],
].map(([what, lines]) => ({
  name: `${what} is refused`,
  rfc: "3.2",
  send: `GET / HTTP/1.1\r\n${lines}\r\n\r\n`,
  refused: 400,
})));
wire.table([
  ...["a b", "a/b", "http://h/", "h?x", "h#x", "user@h", "h:80a", "h:http", "h:+80", "h:-1"],
  ...["h:80:80", "h:65536", ":80", "[::1", "::1]", "::1", "[zz]", "[::1]x", "[]", "a\\b", "a<b"],
  ...[
    "a^b",
    "a|b",
    '"h"',
    "{h}",
    "a\tb",
    "a\x80",
    "caf\xe9",
    "h\0x",
    "a%zz",
    "a, b",
    "2130706433",
    "0x7f000001",
    "1.2.3",
    "h :80",
    "h: 80",
  ],
].map((host) => ({
  name: `Host ${JSON.stringify(host)} is refused`,
  rfc: "9110 7.2",
  send: ask("/", { host }),
  refused: 400,
})));
wire.table([
  {
    name: "HTTP/1.0 needs no Host, and its URL is absolute",
    rfc: "3.3",
    send: ask("/seen", { version: "1.0", host: null }),
    http10: true,
    end: "close",
    fields: { "content-type": "application/json" },
    sees: { target: "/seen", fields: { host: null } },
  },
  {
    name: "two Hosts in HTTP/1.0 are refused",
    rfc: "3.2",
    send: ask("/", { version: "1.0", fields: ["Host: h"] }),
    refused: 400,
  },
  {
    name: "a malformed Host in HTTP/1.0 is refused",
    rfc: "3.2",
    send: ask("/", { version: "1.0", host: "a b" }),
    refused: 400,
  },
]);

// ---- syntax -----------------------------------------------------------------------------------

wire.table([
  ["a space before the colon", "X-A : 1"],
  ["a tab before the colon", "X-A\t: 1"],
  ["a space in the name", "X A: 1"],
  ["no colon", "X-A"],
  ["no name", ": 1"],
  ["neither name nor value", ":"],
  ["a leading space", " X-A: 1"],
  ["a leading tab", "\tX-A: 1"],
  ["a bare LF in the value", "X-A: 1\n2"],
  ["a bare LF for CRLF", "X-A: 1\nX-B: 2"],
  ["a bare LF at the end of the head", "X-A: 1\r\n\nX"],
  ["a bare CR in the value", "X-A: 1\r2"],
  ["a bare CR after the colon", "X-A:\r1"],
  ["CR CR LF", "X-A: 1\r"],
].map(([what, lines]) => ({
  name: `a field with ${what} is refused`,
  rfc: "5.1",
  send: withLines(lines),
  refused: 400,
})));
wire.table([...'()/@[]{}"\\,;<=>?\0\x01\x0b\x0c\x7f\x80\xff'].map((octet) => ({
  name: `a name with ${JSON.stringify(octet)} is refused`,
  rfc: "9110 5.1",
  send: withLines(`X${octet}A: 1`),
  refused: 400,
})));
wire.table([..."\0\x01\x07\b\v\f\x0e\x1b\x1f\x7f"].map((octet) => ({
  name: `a value with ${JSON.stringify(octet)} is refused`,
  rfc: "9110 5.5",
  send: withLines(`X-A: a${octet}b`),
  refused: 400,
})));
wire.table([
  ["by a space", "X-A: 1\r\n 2"],
  ["by a tab", "X-A: 1\r\n\t2"],
  ["twice", "X-A: 1\r\n 2\r\n 3"],
  ["into blanks", "X-A: 1\r\n  "],
  ["into what looks like a field", "X-A: 1\r\n Content-Length: 5"],
  ["before its value", "X-A:\r\n 1"],
  ["within Content-Length", "Content-Length: 1\r\n 0"],
  ["within Transfer-Encoding", "Transfer-Encoding:\r\n chunked"],
].map(([what, lines]) => ({
  name: `a field folded ${what} is refused`,
  rfc: "5.2",
  send: withLines(lines),
  refused: 400,
})));

// ---- values -----------------------------------------------------------------------------------

const values: [what: string, line: string, name: string, value: string][] = [
  ["is stripped of white space", "X-A: \t one \t ", "x-a", "one"],
  ["needs no white space", "X-A:one", "x-a", "one"],
  ["keeps white space inside", "X-A: one  two\tthree", "x-a", "one  two\tthree"],
  ["may be empty", "X-A:", "x-a", ""],
  ["may be blank", "X-A: \t ", "x-a", ""],
  ["may have colons", "X-A: a:b::c", "x-a", "a:b::c"],
  ["may begin with a colon", "X-A:: x", "x-a", ": x"],
  ["may have every visible character", `X-A: ${octets(33, 127)}`, "x-a", octets(33, 127)],
  ["is read as latin-1", "X-A: caf\xe9", "x-a", "caf\xe9"],
  [
    "may have the octets 0x80 to 0x9f",
    `X-A: a${octets(0x80, 0xa0)}b`,
    "x-a",
    `a${octets(0x80, 0xa0)}b`,
  ],
  [
    "may have the octets 0xa0 to 0xff",
    `X-A: a${octets(0xa0, 256)}b`,
    "x-a",
    `a${octets(0xa0, 256)}b`,
  ],
  ["is never read as UTF-8", "X-A: \xc3\xa9", "x-a", "\xc3\xa9"],
  ["may have 6000 octets", `X-A: ${"v".repeat(6000)}`, "x-a", "v".repeat(6000)],
  ["may follow any token", "X!#$%&'*+-.^_`|~09aZ: 1", "x!#$%&'*+-.^_`|~09az", "1"],
  ["may follow a letter", "Q: 1", "q", "1"],
  ["may follow a name of 1000 octets", `${"N".repeat(1000)}: 1`, "n".repeat(1000), "1"],
  ["may follow an underscore", "X_A: 1", "x_a", "1"],
  ["may follow __proto__", "__proto__: 1", "__proto__", "1"],
  ["may follow constructor", "constructor: 1", "constructor", "1"],
  ["of Content_Length is not a length", "Content_Length: 5", "content_length", "5"],
  ["of Content-Lengthy is not a length", "Content-Lengthy: 5", "content-lengthy", "5"],
  ["of Content is not a length", "Content: 5", "content", "5"],
  [
    "of Transfer_Encoding is no coding",
    "Transfer_Encoding: chunked",
    "transfer_encoding",
    "chunked",
  ],
];
wire.table(values.map(([what, line, name, value]) => ({
  name: `a value ${what}`,
  rfc: "9110 5.5",
  send: withLines(line),
  sees: { fields: { [name]: value } },
})));

const joined: [what: string, lines: string, fields: Record<string, string>][] = [
  ["two lines", "X-A: 1\r\nX-A: 2", { "x-a": "1, 2" }],
  ["lines apart", "X-A: 1\r\nX-B: b\r\nx-a: 2\r\nX-a: 3", { "x-a": "1, 2, 3", "x-b": "b" }],
  ["an empty line", "X-A: 1\r\nX-A:\r\nX-A: 3", { "x-a": "1, , 3" }],
  ["lists", "X-A: 1, 2\r\nX-A: 3", { "x-a": "1, 2, 3" }],
  ["Cookies, by semicolons", "Cookie: a=1\r\ncookie: b=2\r\nCOOKIE: c=3", {
    cookie: "a=1; b=2; c=3",
  }],
  ["Cookies of which some are empty", "Cookie: a\r\nCookie:\r\ncookie: b\r\nCookie:", {
    cookie: "a; b",
  }],
];
wire.table(joined.map(([what, lines, fields]) => ({
  name: `fields are joined: ${what}`,
  rfc: "9110 5.2",
  send: withLines(lines),
  sees: { fields },
})));

const last: Row[] = [
  {
    name: "the fields of one request are not seen in the next",
    rfc: "9.3.2",
    send: ask("/seen", { fields: ["X-A: 1", "Cookie: a=1"] }) + ask("/seen"),
    answers: [
      { sees: { fields: { "x-a": "1", cookie: "a=1" } } },
      { sees: { fields: { "x-a": null, cookie: null } } },
    ],
  },
];
wire.table(last);

wire.endsClean();
