import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./support/wire.ts";
import { streamOf } from "./support/wire_app.ts";
import { check, type Row, Wire } from "./support/wire_rows.ts";

const withLength = (length: string) => ({ headers: { "content-length": length } });
const TEN = "0123456789";

/** Far more than the kernel buffers for a client that does not read. */
const MANY = 256, PART = new Uint8Array(65536);
let pulled = 0;

const wire = new Wire({
  "/long": () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(PART);
          if (++pulled === MANY) {
            controller.close();
          }
        },
      }),
    ),
  "/bytes": () => new Response(new Uint8Array([0, 13, 10, 255])),
  "/buffer": () => new Response(new Uint8Array([1, 2, 3]).buffer),
  "/blob": () => new Response(new Blob(["blob", "body"], { type: "text/x-blob" })),
  "/params": () => new Response(new URLSearchParams({ a: "1", b: "two words" })),
  "/json": () => Response.json({ hello: "world" }),
  "/empty": () => new Response(""),
  "/null": () => new Response(null),
  "/text": () => "plain",
  "/octets": () => new Uint8Array([104, 105]),
  "/big": () => new Response("big!".repeat(50_000)),
  "/big-stream": () => new Response(streamOf("big!".repeat(50_000), "big!".repeat(50_000))),
  "/stream-empty": () => new Response(streamOf()),
  "/stream-gaps": () => new Response(streamOf("a", new Uint8Array(0), "b", new Uint8Array(0))),
  "/stream-length": (_request, query) =>
    new Response(streamOf("01234", "56789"), withLength(query.get("n")!)),
  "/stream-error": () => new Response(streamOf("first", new Error("a secret"))),
  "/stream-bad": () => new Response(streamOf("first", 42)),
  "/stream-no-start": () => new Response(streamOf(new Error("a secret"))),
  "/length": (_request, query) => new Response("hello", withLength(query.get("n")!)),
  "/head": () => new Response(null, withLength("1234")),
  "/cookies": () => {
    const headers = new Headers();
    for (const cookie of ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "c=3"]) {
      headers.append("set-cookie", cookie);
    }
    return new Response("cookies", { headers });
  },
  "/redirect": () => Response.redirect("http://example.test/elsewhere", 302),
});

// ---- bodies -----------------------------------------------------------------------------------

const TEXT = /^text\/plain; ?charset=utf-8$/i;
const known: [target: string, body: string, type: string | RegExp | null][] = [
  ["/", "hello", TEXT],
  ["/text", "plain", TEXT],
  ["/octets", "hi", null],
  ["/bytes", "\0\r\n\xff", null],
  ["/buffer", "\x01\x02\x03", null],
  ["/blob", "blobbody", "text/x-blob"],
  ["/params", "a=1&b=two+words", /^application\/x-www-form-urlencoded/],
  ["/json", '{"hello":"world"}', /^application\/json/],
  ["/empty", "", TEXT],
  ["/null", "", null],
  ["/big", "big!".repeat(50_000), TEXT],
];
wire.table(known.map(([target, body, type]) => ({
  name: `${target} has its length`,
  rfc: "9110 8.6",
  send: ask(target),
  body,
  framing: "length",
  fields: { "content-type": type },
})));
const streamed: [target: string, body: string][] = [
  ["/stream", "one,two,three"],
  ["/stream-gaps", "ab"],
  ["/stream-empty", ""],
  ["/big-stream", "big!".repeat(100_000)],
];
wire.table(streamed.flatMap(([target, body]): Row[] => [
  { name: `${target} is chunked`, rfc: "7.1", send: ask(target), body, framing: "chunked" },
  {
    name: `${target} ends with the connection in HTTP/1.0`,
    rfc: "6.1",
    send: ask(target, { version: "1.0" }),
    http10: true,
    body,
    framing: "close",
    end: "close",
  },
]));

// ---- lengths ----------------------------------------------------------------------------------

wire.table(["3", "50", "0"].map((length) => ({
  name: `a handler's Content-Length of ${length} for five octets is corrected`,
  rfc: "9110 8.6",
  send: ask(`/length?n=${length}`) + ask(`/length?n=${length}`, { method: "HEAD" }),
  answers: [
    { body: "hello", fields: { "content-length": "5" } },
    { head: true, fields: { "content-length": "5" } },
  ],
})));
wire.table([
  {
    name: "a stream with its length is not chunked",
    rfc: "6.2",
    send: ask("/stream-length?n=10"),
    body: TEN,
    framing: "length",
  },
  {
    name: "a stream with its length keeps HTTP/1.0 open",
    rfc: "9.3",
    send: ask("/stream-length?n=10", { version: "1.0", fields: ["Connection: keep-alive"] }),
    http10: true,
    body: TEN,
    framing: "length",
  },
  ...["3", "5", "7"].map((length): Row => ({
    name: `a stream longer than its length of ${length} is cut there`,
    rfc: "9110 8.6",
    send: ask(`/stream-length?n=${length}`),
    body: TEN.slice(0, Number(length)),
    framing: "length",
    end: "cut",
  })),
  {
    name: "a stream longer than its length of 0 is cut",
    rfc: "9110 8.6",
    send: ask("/stream-length?n=0"),
    body: "",
    end: "cut",
  },
  ...["11", "100"].map((length): Row => ({
    name: `a stream shorter than its length of ${length} is visibly cut`,
    rfc: "8",
    send: ask(`/stream-length?n=${length}`),
    body: TEN,
    framing: "length",
    whole: false,
    end: "cut",
  })),
  {
    name: "a stream with a malformed length is an error",
    rfc: "9110 8.6",
    send: ask("/stream-length?n=abc"),
    status: 500,
    end: "answer",
  },
]);

// ---- streams that fail ------------------------------------------------------------------------

wire.table(["/stream-error", "/stream-bad"].flatMap((target): Row[] => [
  {
    name: `${target} has no last chunk`,
    rfc: "8",
    send: ask(target),
    framing: "chunked",
    body: "first",
    whole: false,
    end: "cut",
  },
  {
    name: `${target} is reset in HTTP/1.0, which has no other way to show it`,
    rfc: "8",
    send: ask(target, { version: "1.0" }),
    answers: [],
    end: "reset",
  },
]));
wire.table([{
  name: "a stream that fails before it begins gets 500",
  rfc: "9110 15.6.1",
  send: ask("/stream-no-start"),
  status: 500,
  body: "Internal Server Error",
  end: "answer",
}]);

test("a stream is pulled no faster than the client reads (RFC 9112 9.8)", async () => {
  const client = await wire.open(), other = await wire.open();
  client.pause();
  await client.send(ask("/long"));
  for (let i = 0, before = -1; before < pulled || i < 20; i++) {
    before = pulled;
    await other.send(ask());
    check(await other.answer(), { body: "hello" });
  }
  const taken = pulled;
  client.resume();
  check(await client.answer(), { body: "\0".repeat(MANY * PART.length) });
  assert(taken < MANY, `${taken} parts were asked for`);
});

// ---- HEAD -------------------------------------------------------------------------------------

const headed = [
  ...known.map(([target]) => target),
  ...streamed.map(([target]) => target),
  ...["/stream-length?n=10", "/late?t=1", "/nowhere", "/cookies", "/redirect"],
];
test("HEAD has the fields of GET (RFC 9110 9.3.2)", async () => {
  for (const target of headed) {
    const client = await wire.open();
    await client.send(ask(target) + ask(target, { method: "HEAD" }) + ask());
    const get = await client.answer();
    const head = await client.answer({ head: true });
    assert.equal((await client.answer()).body, "hello", target);
    for (const { fields } of [get, head]) {
      delete fields.date;
      delete fields["transfer-encoding"];
    }
    if (head.fields["content-length"] === undefined) {
      delete get.fields["content-length"];
    }
    assert.deepEqual({ ...head, body: "", framing: "" }, { ...get, body: "", framing: "" }, target);
  }
});
wire.table([
  {
    name: "HEAD may send the length that GET would have",
    rfc: "9110 8.6",
    send: ask("/head", { method: "HEAD" }),
    head: true,
    fields: { "content-length": "1234" },
  },
  {
    name: "the length of no body is 0, whatever the handler says",
    rfc: "9110 8.6",
    send: ask("/head"),
    body: "",
    fields: { "content-length": "0" },
  },
]);

wire.endsClean();
