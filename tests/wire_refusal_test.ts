import { test } from "node:test";
import { ask, chunked, post } from "./support/wire.ts";
import { streamOf } from "./support/wire_app.ts";
import { check, checkRefusal, type Row, Wire } from "./support/wire_rows.ts";

const wire = new Wire({
  "/long": () => new Response(streamOf(...Array(200).fill(new Uint8Array(65536)))),
});
const SMUGGLED = ask("/smuggled");
const UPLOAD = ["Content-Length: 1000000"];

// ---- refusals to HEAD and to HTTP/1.0 ---------------------------------------------------------

wire.table([
  {
    name: "a refusal of HEAD has no body",
    rfc: "9110 9.3.2",
    send: "HEAD / HTTP/1.1\r\nHost: h\r\nBad Name: 1\r\n\r\n",
    head: true,
    refused: 400,
  },
  {
    name: "a refusal of HTTP/1.0 is framed by its length",
    rfc: "6.3",
    send: "GET / HTTP/1.0\r\nBad Name: 1\r\n\r\n",
    http10: true,
    framing: "length",
    refused: 400,
  },
  {
    name: "HTTP/1.0 is refused even if it asks to stay open",
    rfc: "9.6",
    send: "GET / HTTP/1.0\r\nConnection: keep-alive\r\nBad Name: 1\r\n\r\n",
    http10: true,
    refused: 400,
  },
  {
    name: "the body of a refused request is not read as a request",
    rfc: "11.2",
    send: ask("/body", { method: "POST", fields: ["Bad Name: 1"], body: SMUGGLED }) +
      SMUGGLED.repeat(3),
    refused: 400,
  },
]);

// ---- the client closes its side ---------------------------------------------------------------

const halfClosed: [what: string, send: string, body: string][] = [
  ["a request", ask(), "hello"],
  ["a request that is answered later", ask("/late?t=1"), "late:1"],
  ["a request for a stream", ask("/stream"), "one,two,three"],
  ["a body", ask("/body", { method: "POST", body: "hello" }), "hello"],
  ["a chunked body", post(chunked("hello")), "hello"],
  ["a body that is read later", ask("/body-late", { method: "POST", body: "hello" }), "hello"],
];
wire.table(halfClosed.map(([what, send, body]) => ({
  name: `${what} is answered after the client has closed its side`,
  rfc: "9.6",
  send,
  body,
  halfClose: true,
  end: "cut",
})));
wire.table([{
  name: "a pipeline is answered after the client has closed its side",
  rfc: "9.6",
  send: ask("/late?t=0") + ask("/probe?t=1") + ask("/late?t=2"),
  answers: [{ body: "late:0" }, { body: "probe:1" }, { body: "late:2" }],
  halfClose: true,
  end: "cut",
}]);
wire.table([
  "",
  "GET /smug",
  "GET /smuggled HTTP/1.1\r\nHost: h\r\n",
  "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r",
].map((send) => ({
  name: `the unfinished head ${JSON.stringify(send)} gets no answer`,
  rfc: "8",
  send,
  answers: [],
  halfClose: true,
  end: "cut",
})));
wire.table([
  ["a body", ask("/body", { method: "POST", fields: ["Content-Length: 9"], body: "hello" })],
  ["a body without a start", ask("/body", { method: "POST", fields: ["Content-Length: 9"] })],
  ["a chunk", post("5\r\nhel")],
  ["a chunk size", post("5")],
  ["chunks", post("5\r\nhello\r\n")],
  ["trailers", post("5\r\nhello\r\n0\r\nX-T: 1\r\n")],
  ["the last line", post("5\r\nhello\r\n0\r\n\r")],
].map(([what, send]) => ({
  name: `a message with ${what} unfinished is refused`,
  rfc: "8",
  send,
  halfClose: true,
  refused: 400,
})));

// ---- what comes after a refusal ---------------------------------------------------------------

test("a refusal reaches a client that keeps sending (RFC 9112 9.6)", async () => {
  const client = await wire.open();
  client.pause(); // a reset would discard what the client has not read
  await client.send(ask("/body", { method: "POST", fields: ["Bad Name: 1", ...UPLOAD] }));
  for (let i = 0; i < 32; i++) {
    await client.send("x".repeat(65536));
  }
  await wire.received();
  client.resume();
  checkRefusal(await client.answer(), 400);
  await client.end();
});

test("requests after a refusal get no answer (RFC 9112 9.6)", async () => {
  const client = await wire.open();
  await client.send(ask("/", { host: null }));
  checkRefusal(await client.answer(), 400);
  await client.send(SMUGGLED);
  await client.end();
  await client.send(SMUGGLED);
  await client.end();
});

test("a bad request is refused after a pending answer (RFC 9112 9.3.2)", async () => {
  const client = await wire.open();
  await client.send(ask("/hold?t=1"));
  await wire.received();
  await client.send(`${ask("/release?t=1")}BAD\r\n\r\n${SMUGGLED}`);
  check(await client.answer(), { body: "held:1" });
  check(await client.answer(), { body: "released:1" });
  checkRefusal(await client.answer(), 400);
  await client.end();
});

// ---- bodies that nobody reads -----------------------------------------------------------------

const cases: [what: string, fields: string[], block: string][] = [
  ["a body of 10 GiB", ["Content-Length: 10737418240"], "x".repeat(65536)],
  [
    "a chunked body without an end",
    ["Transfer-Encoding: chunked"],
    `ffff\r\n${"x".repeat(65535)}\r\n`,
  ],
];
for (const [what, fields, block] of cases) {
  // unlimited accepts the size; this is about what happens after the handler has answered.
  test(`${what} that no handler reads is not received for ever (RFC 9112 9.3)`, async () => {
    const client = await unlimited.open();
    await client.send(ask("/unread", { method: "POST", fields }) + block);
    check(await client.answer(), { body: "unread" });
    for (let i = 0; i < 1024 && !client.ended; i++) {
      await client.send(block);
    }
    await client.end();
  });
}
const unlimited = new Wire({}, { maxBodySize: Infinity });

test("a bad chunk after the answer ends the connection (RFC 9112 7.1)", async () => {
  const client = await wire.open();
  await client.send(post("5\r\nhello\r\n", "/unread"));
  check(await client.answer(), { body: "unread" });
  await client.send(`x\r\n${SMUGGLED}`);
  await client.end();
});

// ---- clients that leave -----------------------------------------------------------------------

const leaving: [what: string, send: string, answered: boolean][] = [
  ["after connecting", "", false],
  ["in a head", "GET / HTT", false],
  ["before the answer", ask(), false],
  ["while a handler works", ask("/late?t=1&n=20"), false],
  ["in a pipeline", ask("/late?t=1&n=20") + ask().repeat(15), false],
  ["in a body", ask("/body", { method: "POST", fields: UPLOAD, body: "x" }), false],
  ["in a chunk", post("ffff\r\nxxx"), false],
  ["in an answer", ask("/long"), true],
  ["before the body that it announced", ask("/body", { method: "POST", fields: UPLOAD }), false],
];
for (const [what, send, answered] of leaving) {
  test(`a client may leave ${what}, and others are served (RFC 9112 9.5)`, async () => {
    for (let i = 0; i < 4; i++) {
      const client = await wire.open();
      await client.send(send);
      await (answered ? client.arrival() : wire.received());
      client.close();
    }
    const other = await wire.open();
    await other.send(ask());
    check(await other.answer(), { body: "hello" });
  });
}

// ---- clients that are too slow ----------------------------------------------------------------

const hasty = new Wire({}, { headTimeout: 300, bodyTimeout: 300, keepAliveTimeout: 300 });
const slow: Row[] = [
  {
    name: "a head that stalls is refused with 408",
    rfc: "9110 15.5.9",
    send: "GET / HTTP/1.1\r\nHost: h\r\n",
    unfinished: true,
    refused: 408,
  },
  {
    name: "a body that stalls is refused with 408",
    rfc: "9110 15.5.9",
    send: ask("/body", { method: "POST", fields: ["Content-Length: 9"], body: "hello" }),
    unfinished: true,
    refused: 408,
  },
  {
    name: "a connection without a request is closed",
    rfc: "9.8",
    send: "",
    answers: [],
    end: "cut",
    unfinished: true,
  },
];
hasty.table(slow);
test("an idle connection is closed (RFC 9112 9.8)", async () => {
  const client = await hasty.open();
  await client.send(ask());
  check(await client.answer(), { body: "hello" });
  await client.end();
});

for (const each of [wire, unlimited, hasty]) {
  each.endsClean();
}
