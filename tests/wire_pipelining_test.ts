import { ask, chunked, post } from "./support/wire.ts";
import { type Expected, Wire } from "./support/wire_rows.ts";

const wire = new Wire();
const BAD = "GET / HTTP/1.1\r\nBad Name: 1\r\n\r\n";

/** `count` requests and their answers. */
function many(count: number, make: (k: number) => [target: string, body: string]) {
  const all = Array.from({ length: count }, (_, k) => make(k));
  return {
    send: all.map(([target]) => ask(target)).join(""),
    answers: all.map(([, body]): Expected => ({ body })),
  };
}
const probes = (count: number) => many(count, (k) => [`/probe?t=${k}`, `probe:${k}`]);

// ---- depth and order --------------------------------------------------------------------------

wire.table([1, 2, 3, 16, 64, 65, 128].map((depth) => ({
  name: `${depth} requests at once are answered in order`,
  rfc: "9.3.2",
  ...probes(depth),
})));
wire.table([2, 16, 64, 65, 100].map((depth) => ({
  name: `${depth} requests at once, the first answered last, are answered in order`,
  rfc: "9.3.2",
  ...many(depth, (k) => [`/late?t=${k}&n=${Math.max(1, 30 - k)}`, `late:${k}`]),
})));
wire.table([
  {
    name: "requests of one connection run at the same time",
    rfc: "9.3.2",
    send: ask("/hold?t=1") + ask("/hold?t=2") + ask("/release?t=2") + ask("/release?t=1"),
    answers: [
      { body: "held:1" },
      { body: "held:2" },
      { body: "released:2" },
      { body: "released:1" },
    ],
  },
  {
    name: "immediate and late answers mix",
    rfc: "9.3.2",
    ...many(16, (k) => k % 2 ? [`/late?t=${k}`, `late:${k}`] : [`/probe?t=${k}`, `probe:${k}`]),
  },
  {
    name: "streams and other answers mix",
    rfc: "9.3.2",
    ...many(9, (k) => k % 3 ? [`/probe?t=${k}`, `probe:${k}`] : ["/stream", "one,two,three"]),
  },
  {
    name: "requests with a length, with chunks and without a body mix",
    rfc: "9.3.2",
    send: ask("/body", { method: "POST", body: "one" }) + post(chunked("t", "wo")) + ask() +
      ask("/body-late", { method: "PUT", body: "four" }) + post(chunked("five")),
    answers: [
      { body: "one" },
      { body: "two" },
      { body: "hello" },
      { body: "four" },
      { body: "five" },
    ],
  },
  {
    name: "sixteen bodies keep their order",
    rfc: "9.3.2",
    send: Array.from({ length: 16 }, (_, k) => post(chunked("body", `${k}`))).join(""),
    answers: Array.from({ length: 16 }, (_, k) => ({ body: `body${k}` })),
  },
  {
    name: "bodies that nobody reads are skipped",
    rfc: "9.3",
    send: ask("/unread", { method: "POST", body: "x".repeat(300) }) +
      post(chunked("x".repeat(300)), "/unread-late") + ask("/probe?t=2"),
    answers: [{ body: "unread" }, { body: "unread" }, { body: "probe:2" }],
  },
  {
    name: "bodies that nobody reads may look like requests",
    rfc: "11.2",
    send: ask("/unread", { method: "POST", body: ask("/smuggled") }) +
      post(chunked(ask("/smuggled")), "/unread-late"),
    answers: [{ body: "unread" }, { body: "unread" }],
  },
  {
    name: "a body longer than one read may come between",
    rfc: "9.3.2",
    send: ask() + ask("/body", { method: "POST", body: "q".repeat(5000) }) + ask("/probe?t=2"),
    answers: [{ body: "hello" }, { body: "q".repeat(5000) }, { body: "probe:2" }],
  },
  {
    name: "HEAD may come between",
    rfc: "9.3.2",
    send: ask() + ask("/", { method: "HEAD" }) + ask("/stream", { method: "HEAD" }) +
      ask("/probe?t=3"),
    answers: [{ body: "hello" }, { head: true }, { head: true }, { body: "probe:3" }],
  },
  {
    name: "every request has its own Host",
    rfc: "9.3.2",
    send: ["a", "b", "c"].map((host) => ask("/seen", { host })).join(""),
    answers: ["a", "b", "c"].map((host) => ({ sees: { url: `http://${host}/seen` } })),
  },
]);

// ---- the last request -------------------------------------------------------------------------

const CLOSE = { fields: ["Connection: close"] };
wire.table([
  {
    name: "the last request may close",
    rfc: "9.6",
    send: ask("/probe?t=0") + ask("/probe?t=1", CLOSE),
    answers: [{ body: "probe:0", fields: { connection: null } }, { body: "probe:1" }],
    end: "close",
  },
  {
    name: "the last request may close even if its handler is the first to answer",
    rfc: "9.6",
    send: ask("/late?t=0&n=9") + ask("/probe?t=1", CLOSE),
    answers: [{ body: "late:0" }, { body: "probe:1" }],
    end: "close",
  },
  {
    name: "nothing after a request that closes is answered, even if its answer takes time",
    rfc: "9.6",
    send: ask("/late?t=0&n=9", CLOSE),
    body: "late:0",
    end: "close",
  },
  {
    name: "HTTP/1.0 ends a pipeline",
    rfc: "9.3",
    send: ask() + ask("/", { version: "1.0" }),
    answers: [{ body: "hello" }, { body: "hello", http10: true }],
    end: "close",
  },
]);

// ---- good requests before a bad one -----------------------------------------------------------

const POST = ask("/body", { method: "POST", body: "one" });
wire.table(([
  ["one request", ask(), [{ body: "hello" }]],
  ["eight requests", probes(8).send, probes(8).answers],
  ["a request that is answered later", ask("/late?t=0&n=9"), [{ body: "late:0" }]],
  [
    "several that are answered later",
    [9, 6, 3].map((n) => ask(`/late?t=${n}&n=${n}`)).join(""),
    [9, 6, 3].map((n) => ({ body: `late:${n}` })),
  ],
  ["a stream", ask("/stream"), [{ body: "one,two,three" }]],
  ["a body", POST, [{ body: "one" }]],
  ["a body read later", ask("/body-late", { method: "POST", body: "two" }), [{ body: "two" }]],
] as const).map(([what, send, answers]) => ({
  name: `${what} before a bad one: answered first`,
  rfc: "9.3.2",
  send: send + BAD,
  answers: [...answers],
  refused: 400,
})));
wire.table(([
  ["no Host", ask("/", { host: null }), 400],
  ["a bare LF", "GET / HTTP/1.1\nHost: h\n\n", 400],
  ["a bad chunk", post("x\r\n"), 400],
  ["length and coding", post(chunked("x"), "/body", ["Content-Length: 5"]), 400],
  ["a major version of 2", ask("/", { version: "2.0" }), 505],
  ["an unknown expectation", ask("/", { fields: ["Expect: x"] }), 417],
  ["an unknown coding", ask("/", { fields: ["Transfer-Encoding: gzip"] }), 501],
  ["CONNECT", ask("h:80", { method: "CONNECT" }), 501],
] as const).map(([what, send, refused]) => ({
  name: `requests before one with ${what} are answered first`,
  rfc: "9.3.2",
  send: ask("/late?t=0&n=9") + ask("/probe?t=1") + send,
  answers: [{ body: "late:0" }, { body: "probe:1" }],
  refused,
})));

wire.endsClean();
