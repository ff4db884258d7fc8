import { ask } from "./support/wire.ts";
import { streamOf } from "./support/wire_app.ts";
import { type Row, Wire } from "./support/wire_rows.ts";

const wire = new Wire({
  "/connection": (_request, query) =>
    new Response("hop", { headers: { connection: query.get("v")! } }),
  "/connection-stream": (_request, query) =>
    new Response(streamOf("hop"), { headers: { connection: query.get("v")! } }),
});

// ---- the truth table --------------------------------------------------------------------------

const THREE = "one,two,three";

/**
 * What becomes of five requests on one connection. A stream of unknown length is chunked even if
 * the connection closes after it, so that a cut is visible.
 */
const truth: [
  minor: 0 | 1,
  error: boolean,
  length: boolean,
  keepAlive: boolean,
  framing: "length" | "chunked" | "close",
  alive: boolean,
][] = [
  [0, false, false, false, "close", false],
  [0, false, false, true, "close", false],
  [0, false, true, false, "length", false],
  [0, false, true, true, "length", true],
  [0, true, false, false, "length", false],
  [0, true, false, true, "length", false],
  [0, true, true, false, "length", false],
  [0, true, true, true, "length", false],
  [1, false, false, false, "chunked", false],
  [1, false, false, true, "chunked", true],
  [1, false, true, false, "length", false],
  [1, false, true, true, "length", true],
  [1, true, false, false, "length", false],
  [1, true, false, true, "length", false],
  [1, true, true, false, "length", false],
  [1, true, true, true, "length", false],
];
wire.table(truth.map(([minor, error, length, keepAlive, framing, alive]): Row => {
  const target = error ? `/throw?length=${length}` : length ? "/" : "/stream";
  const fields = [`Connection: ${keepAlive ? "keep-alive" : "close"}`];
  const answer = {
    status: error ? 500 : 200,
    body: error ? undefined : length ? "hello" : THREE,
    http10: minor === 0,
    framing,
    fields: { connection: alive ? (minor === 0 ? "keep-alive" : null) : "close" },
  };
  const asks = [keepAlive ? "keep-alive" : "close", error && "an error", length && "a length"];
  return {
    name: `1.${minor}, ${asks.filter(Boolean).join(", ")}: ${alive ? "stays open" : "closes"}`,
    rfc: "9.3",
    send: ask(target, { version: `1.${minor}`, fields }).repeat(alive ? 4 : 1),
    answers: Array(alive ? 4 : 1).fill(answer),
    // Only the answer announces the close, unless the client has asked for it.
    end: alive ? "open" : keepAlive || error ? "answer" : "close",
  };
}));

// ---- the client's wishes ----------------------------------------------------------------------

const open11 = [
  ...["", "Connection: keep-alive", "Connection: x-other", "Connection: x-close"],
  ...["Connection: closed", "Connection: close-x", "Connection: clos", "Connection:"],
  ...["Connection: close;q=1", 'Connection: "close"', "Keep-Alive: timeout=5"],
  ...["Proxy-Connection: close", "X-Connection: close"],
  ...["Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"],
];
wire.table(open11.map((lines) => ({
  name: `1.1 with ${JSON.stringify(lines)} stays open`,
  rfc: "9.3",
  send: ask("/", { fields: lines === "" ? [] : [lines] }) + ask("/stream"),
  answers: [{ body: "hello" }, { body: THREE }],
})));
const close11 = [
  ...[
    "Connection: close",
    "Connection: Close",
    "connection: CLOSE",
    "Connection: keep-alive, close",
  ],
  ...["Connection: close, keep-alive", "Connection: x,close", "Connection: close,x"],
  ...["Connection: \tclose\t", "Connection: , close ,", "Connection: a, b, c, close, e"],
  ...["Connection: keep-alive\r\nConnection: close", "Connection: close\r\nConnection: keep-alive"],
];
wire.table(close11.map((lines) => ({
  name: `1.1 with ${JSON.stringify(lines)} closes`,
  rfc: "9.6",
  send: ask("/", { fields: [lines] }),
  body: "hello",
  end: "close",
})));
const close10 = [
  ...["", "Connection: close", "Connection: keep-alive, close", "Connection: close, keep-alive"],
  ...["Connection: keep-alive\r\nConnection: close", "Connection: x", "Keep-Alive: timeout=5"],
  ...["Connection: keep-alives", "Proxy-Connection: keep-alive"],
];
wire.table(close10.map((lines) => ({
  name: `1.0 with ${JSON.stringify(lines)} closes`,
  rfc: "9.3",
  send: ask("/", { version: "1.0", fields: lines === "" ? [] : [lines] }),
  http10: true,
  body: "hello",
  end: "close",
})));
const open10 = [
  ...["Connection: keep-alive", "Connection: Keep-Alive", "connection: KEEP-ALIVE"],
  ...["Connection: x, keep-alive", "Connection: keep-alive, x"],
  ...["Connection: x\r\nConnection: keep-alive"],
];
wire.table(open10.map((lines) => ({
  name: `1.0 with ${JSON.stringify(lines)} stays open, and says so`,
  rfc: "9.3",
  send: ask("/", { version: "1.0", fields: [lines] }),
  http10: true,
  body: "hello",
  fields: { connection: "keep-alive", "content-length": "5" },
})));

// ---- with bodies and other features -----------------------------------------------------------

const KEEP = { version: "1.0", fields: ["Connection: keep-alive"] };
const CLOSE = { fields: ["Connection: close"] };
wire.table([
  {
    name: "close works with a body",
    rfc: "9.6",
    send: ask("/body", { method: "POST", ...CLOSE, body: "hello" }),
    body: "hello",
    end: "close",
  },
  {
    name: "close works with HEAD",
    rfc: "9.6",
    send: ask("/", { method: "HEAD", ...CLOSE }),
    head: true,
    end: "close",
  },
  {
    name: "close works with a late answer",
    rfc: "9.6",
    send: ask("/late?t=1", CLOSE),
    body: "late:1",
    end: "close",
  },
  {
    name: "1.0 stays open with a body and with a late answer",
    rfc: "9.3",
    send: ask("/body", { method: "POST", ...KEEP, body: "hello" }) + ask("/late?t=1", KEEP),
    answers: [{ body: "hello", http10: true }, { body: "late:1", http10: true }],
  },
  {
    name: "1.0 stays open as long as each request asks",
    rfc: "9.3",
    send: ask("/", KEEP).repeat(2) + ask("/", { version: "1.0" }),
    answers: Array(3).fill({ body: "hello", http10: true }),
    end: "close",
  },
  {
    name: "1.0 between 1.1 stays open",
    rfc: "9.3",
    send: ask() + ask("/", KEEP) + ask(),
    answers: [{ body: "hello" }, { body: "hello", http10: true }, { body: "hello" }],
  },
  {
    name: "HEAD in 1.0 stays open",
    rfc: "9.3",
    send: ask("/", { method: "HEAD", ...KEEP }),
    head: true,
    http10: true,
    fields: { connection: "keep-alive" },
  },
]);

// ---- the handler's wishes ---------------------------------------------------------------------

const closing = ["close", "Close", "x-y,%20close", "close,%20keep-alive"];
wire.table(closing.flatMap((value): Row[] => [
  {
    name: `a handler's Connection: ${value} closes`,
    rfc: "9.6",
    send: ask(`/connection?v=${value}`),
    body: "hop",
    fields: { connection: "close" },
    end: "answer",
  },
  {
    name: `a handler's Connection: ${value} on a stream closes`,
    rfc: "9.6",
    send: ask(`/connection-stream?v=${value}`),
    body: "hop",
    fields: { connection: "close" },
    end: "answer",
  },
]));
wire.table([
  {
    name: "a handler's Connection: close overrides the keep-alive of 1.0",
    rfc: "9.6",
    send: ask("/connection?v=close", KEEP),
    http10: true,
    fields: { connection: "close" },
    end: "answer",
  },
  {
    name: "a handler's Connection: keep-alive does not override the client's close",
    rfc: "9.6",
    send: ask("/connection?v=keep-alive", CLOSE),
    fields: { connection: "close" },
    end: "close",
  },
  {
    name: "a handler's Connection: keep-alive does not keep 1.0 open",
    rfc: "9.3",
    send: ask("/connection?v=keep-alive", { version: "1.0" }),
    http10: true,
    fields: { connection: "close" },
    end: "close",
  },
  {
    name: "a handler's Connection: keep-alive is not repeated in 1.0",
    rfc: "9.3",
    send: ask("/connection?v=keep-alive", KEEP),
    http10: true,
    fields: { connection: "keep-alive" },
  },
  {
    name: "any other Connection of a handler is not sent",
    rfc: "9110 7.6.1",
    send: ask("/connection?v=x-hop"),
    body: "hop",
    fields: { connection: null },
  },
]);

wire.endsClean();

// ---- the server's timeout ---------------------------------------------------------------------

const telling = new Wire({}, { keepAliveTimeout: 75_999, maxRequestsPerConnection: 4 });
const TOLD = { connection: "keep-alive", "keep-alive": "timeout=75" };
const ENDS = { connection: "close", "keep-alive": null };
telling.table([
  {
    name: "Keep-Alive tells the timeout, except on the last answer",
    rfc: "9110 7.6.1",
    send: ask() + ask("/stream") + ask("/nowhere") + ask(),
    answers: [
      { body: "hello", fields: TOLD },
      { body: THREE, fields: TOLD },
      { status: 404, fields: TOLD },
      { body: "hello", fields: ENDS },
    ],
    end: "close",
  },
  {
    name: "1.0 is told the timeout if it asks to stay open",
    rfc: "9110 7.6.1",
    send: ask("/", KEEP) + ask("/", { version: "1.0" }),
    answers: [{ http10: true, fields: TOLD }, { http10: true, fields: ENDS }],
    end: "close",
  },
]);
telling.endsClean();

for (const keepAliveTimeout of [0, 999]) {
  const silent = new Wire({}, { keepAliveTimeout });
  silent.table([{
    name: `a keepAliveTimeout of ${keepAliveTimeout} ms is not told: it is less than a second`,
    rfc: "9110 7.6.1",
    send: ask(),
    fields: { connection: null, "keep-alive": null },
  }]);
  silent.endsClean();
}
