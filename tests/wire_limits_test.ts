import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, chunked, post } from "./support/wire.ts";
import { Wire } from "./support/wire_rows.ts";

// ---- the defaults -----------------------------------------------------------------------------

const wire = new Wire();
/** A request whose head has `size` octets. */
function headOf(size: number): string {
  const empty = ask("/probe?t=1", { fields: ["X-A: "] });
  return ask("/probe?t=1", { fields: [`X-A: ${"v".repeat(size - empty.length)}`] });
}
const fieldsOf = (count: number) => Array.from({ length: count - 1 }, (_, i) => `X-${i}: ${i}`);

wire.table([
  {
    name: "a target of 8192 octets is accepted",
    rfc: "3",
    send: ask(`/probe?t=${"a".repeat(8183)}`),
    body: `probe:${"a".repeat(8183)}`,
  },
  {
    name: "a target of 8193 octets is refused with 414",
    rfc: "9110 15.5.15",
    send: ask(`/probe?t=${"a".repeat(8184)}`),
    refused: 414,
  },
  {
    name: "an endless target is refused with 414",
    rfc: "9110 15.5.15",
    send: `GET /${"a".repeat(9000)}`,
    unfinished: true,
    refused: 414,
  },
  {
    name: "a head of 16384 octets is accepted",
    rfc: "9110 5.4",
    send: headOf(16384),
    body: "probe:1",
  },
  {
    name: "a head of 16385 octets is refused with 431",
    rfc: "6585 5",
    send: headOf(16385),
    refused: 431,
  },
  {
    name: "an endless field is refused with 431",
    rfc: "6585 5",
    send: `GET / HTTP/1.1\r\nHost: h\r\nX: ${"v".repeat(16400)}`,
    unfinished: true,
    refused: 431,
  },
  {
    name: "an endless field name is refused with 431",
    rfc: "6585 5",
    send: `GET / HTTP/1.1\r\nHost: h\r\n${"X".repeat(16400)}`,
    unfinished: true,
    refused: 431,
  },
  {
    name: "100 fields are accepted",
    rfc: "9110 5.4",
    send: ask("/seen", { fields: fieldsOf(100) }),
    sees: { fields: { "x-0": "0", "x-98": "98" } },
  },
  {
    name: "101 fields are refused with 431",
    rfc: "6585 5",
    send: ask("/seen", { fields: fieldsOf(101) }),
    refused: 431,
  },
  {
    name: "a Content-Length over 16 MiB is refused with 413",
    rfc: "9110 15.5.14",
    send: ask("/body", { method: "POST", fields: ["Content-Length: 16777217"] }),
    refused: 413,
  },
  {
    name: "a chunk of more than 16 MiB is refused with 413",
    rfc: "9110 15.5.14",
    send: post("1000001\r\n"),
    unfinished: true,
    refused: 413,
  },
  {
    name: "5000 chunks of one octet are accepted",
    rfc: "7.1",
    send: post(chunked(..."a".repeat(5000))),
    body: "a".repeat(5000),
  },
  {
    name: "a chunk extension of 16000 octets is dropped",
    rfc: "7.1.1",
    send: post(`5;a=${"x".repeat(16000)}\r\nhello\r\n0\r\n\r\n`),
    body: "hello",
  },
  {
    name: "a chunk extension of 17000 octets is refused with 431",
    rfc: "7.1.1",
    send: post(`5;a=${"x".repeat(17000)}\r\nhello\r\n0\r\n\r\n`),
    refused: 431,
  },
  {
    name: "chunk extensions of 17000 octets in total are refused with 431",
    rfc: "7.1.1",
    send: post(`1;a=${"x".repeat(197)}\r\nz\r\n`.repeat(85)),
    refused: 431,
  },
  {
    name: "trailers of 17000 octets are refused with 431",
    rfc: "7.1.2",
    send: post(`0\r\nX-T: ${"x".repeat(17000)}\r\n\r\n`),
    refused: 431,
  },
  {
    name: "many small trailers are refused with 431",
    rfc: "7.1.2",
    send: post(`0\r\n${"X-T: 1\r\n".repeat(2200)}\r\n`),
    refused: 431,
  },
  {
    name: "an endless chunk size is refused",
    rfc: "7.1",
    send: post("0".repeat(100)),
    refused: 400,
  },
]);
wire.endsClean();

// ---- other limits -----------------------------------------------------------------------------

const small = new Wire({}, {
  maxTargetSize: 32,
  maxHeadSize: 256,
  maxFields: 5,
  maxBodySize: 10,
  maxRequestsPerConnection: 3,
});
const TEN = "0123456789";

small.table([
  { name: "maxTargetSize is the longest target", rfc: "3", send: ask(`/?${"a".repeat(30)}`) },
  {
    name: "a target over maxTargetSize is refused with 414",
    rfc: "9110 15.5.15",
    send: ask(`/?${"a".repeat(31)}`),
    refused: 414,
  },
  { name: "maxHeadSize is the longest head", rfc: "9110 5.4", send: headOf(256) },
  {
    name: "a head over maxHeadSize is refused with 431",
    rfc: "6585 5",
    send: headOf(257),
    refused: 431,
  },
  {
    name: "the limit applies to each head anew",
    rfc: "6585 5",
    send: headOf(256) + headOf(257),
    answers: [{ body: "probe:1" }],
    refused: 431,
  },
  {
    name: "maxFields is the most fields",
    rfc: "9110 5.4",
    send: ask("/", { fields: fieldsOf(5) }),
  },
  {
    name: "fields over maxFields are refused with 431",
    rfc: "6585 5",
    send: ask("/", { fields: fieldsOf(6) }),
    refused: 431,
  },
  {
    name: "maxBodySize is the longest body",
    rfc: "9110 15.5.14",
    send: ask("/body", { method: "POST", body: TEN }),
    body: TEN,
  },
  {
    name: "maxBodySize is the longest chunked body",
    rfc: "9110 15.5.14",
    send: post(chunked("01234", "56789")),
    body: TEN,
  },
  {
    name: "a Content-Length over maxBodySize is refused with 413 before the body comes",
    rfc: "9110 15.5.14",
    send: ask("/body", { method: "POST", fields: ["Content-Length: 11"] }),
    refused: 413,
  },
  {
    name: "a Content-Length far over maxBodySize is refused with 413",
    rfc: "9110 15.5.14",
    send: ask("/body", { method: "POST", fields: ["Content-Length: 4294967297"] }),
    refused: 413,
  },
  {
    name: "a Content-Length over maxBodySize is refused with 413 in spite of Expect",
    rfc: "9110 10.1.1",
    send: ask("/body", {
      method: "POST",
      fields: ["Content-Length: 11", "Expect: 100-continue"],
    }),
    refused: 413,
  },
  {
    name: "a chunk over maxBodySize is refused with 413 before it comes",
    rfc: "9110 15.5.14",
    send: post("b\r\n"),
    unfinished: true,
    refused: 413,
  },
  {
    name: "chunks over maxBodySize in total are refused with 413",
    rfc: "9110 15.5.14",
    send: post(chunked(TEN, "x")),
    refused: 413,
  },
  {
    name: "a body over maxBodySize on GET is refused with 413",
    rfc: "9110 15.5.14",
    send: ask("/", { body: `${TEN}x` }),
    refused: 413,
  },
  {
    name: "the connection closes after maxRequestsPerConnection",
    rfc: "9.6",
    send: ask().repeat(3),
    answers: [{ body: "hello" }, { body: "hello" }, { fields: { connection: "close" } }],
    end: "close",
  },
]);
small.endsClean();

// ---- a limit for each request -----------------------------------------------------------------

const asked: string[] = [];
const byRequest = new Wire({}, {
  maxBodySize: (request, info) => {
    const { pathname, searchParams } = new URL(request.url);
    asked.push(`${request.method} ${info.rawTarget}`);
    return pathname === "/method" ? NaN : Number(searchParams.get("most"));
  },
});
const upload = (most: number | string, body: string) =>
  ask(`/body?most=${most}`, { method: "POST", body });

byRequest.table([
  {
    name: "each request has the limit that maxBodySize returns",
    rfc: "9110 15.5.14",
    send: upload(10, TEN) + upload(5, "01234") + upload(0, "") + upload("Infinity", TEN),
    answers: [{ body: TEN }, { body: "01234" }, { body: "" }, { body: TEN }],
  },
  {
    name: "a fraction of a byte does not count",
    rfc: "9110 15.5.14",
    send: upload(10.9, TEN) + upload(10.9, `${TEN}x`),
    answers: [{ body: TEN }, { status: 413 }],
    end: "answer",
  },
  {
    name: "a Content-Length over that limit is refused before the body comes",
    rfc: "9110 15.5.14",
    send: ask("/smuggled?most=9", { fields: ["Content-Length: 10"] }),
    unfinished: true,
    refused: 413,
  },
  {
    name: "a Content-Length over that limit is refused in spite of Expect",
    rfc: "9110 10.1.1",
    send: ask("/smuggled?most=9", { fields: ["Content-Length: 10", "Expect: 100-continue"] }),
    refused: 413,
  },
  {
    name: "a Content-Length over that limit is refused after good requests",
    rfc: "9110 15.5.14",
    send: upload(10, TEN) + upload(9, TEN),
    answers: [{ body: TEN }, { status: 413 }],
    end: "answer",
  },
  {
    name: "a complete chunked body over that limit is refused",
    rfc: "9110 15.5.14",
    send: post(chunked(TEN, "x"), "/body?most=10"),
    status: 413,
    end: "answer",
  },
  {
    name: "a chunked body of the maximum size is accepted",
    rfc: "9110 15.5.14",
    send: post(chunked(TEN), "/body?most=10"),
    body: TEN,
  },
  {
    name: "a chunk over that limit is refused before it comes",
    rfc: "9110 15.5.14",
    send: post("b\r\n", "/body?most=10"),
    unfinished: true,
    refused: 413,
  },
  {
    name: "a limit that is not a number counts as a failure of the handler",
    rfc: "9110 15.6.1",
    send: ask("/method", { method: "POST", body: TEN }),
    status: 500,
    end: "answer",
  },
]);
test("maxBodySize is not called for requests without a body", () => {
  assert.ok(asked.length > 0);
  assert.deepEqual(
    asked.filter((line) => line.startsWith("GET / ") || line.includes("/probe")),
    [],
  );
});
byRequest.endsClean();
