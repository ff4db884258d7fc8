import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, chunked, post } from "./support/wire.ts";
import { check, type Row, Wire } from "./support/wire_rows.ts";
import { octetsOf } from "./support/wire_app.ts";

/** A handler that signals when it is called, and reads the body when told to. */
function gated() {
  const called = Promise.withResolvers<void>(), reads = Promise.withResolvers<void>();
  const route = async (request: Request) => {
    called.resolve();
    await reads.promise;
    return new Response(await octetsOf(request));
  };
  return { called: called.promise, read: () => reads.resolve(), route };
}

const lazy = gated(), overtaken = gated();
const wire = new Wire({
  "/lazy": lazy.route,
  "/overtaken": overtaken.route,
  "/part": async (request) => {
    const reader = request.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Response(`${value!.length > 0}`);
  },
});

/** The head of a POST whose body of five octets is still to come. */
function expecting(target = "/body", value = "100-continue", fields: string[] = []): string {
  return ask(target, {
    method: "POST",
    fields: [`Expect: ${value}`, "Content-Length: 5", ...fields],
  });
}
const CONTINUE = { status: 100, reason: "Continue" };
const HELLO = { body: "hello" };

// ---- 100 (Continue) ---------------------------------------------------------------------------

wire.table([
  ...["100-continue", "100-Continue", "100-CONTINUE", " 100-continue "],
  ...["100-continue,", ", 100-continue", "100-continue, 100-continue"], // RFC 9110 section 5.6.1
].map((value) => ({
  name: `Expect: ${value} gets 100 when the handler reads`,
  rfc: "9110 10.1.1",
  turns: [[expecting("/body", value), CONTINUE], ["hello", HELLO]],
})));
const dialogues: Row[] = [
  {
    name: "a chunked body gets 100 too",
    rfc: "9110 10.1.1",
    turns: [[post("", "/body", ["Expect: 100-continue"]), CONTINUE], [chunked("he", "llo"), HELLO]],
  },
  {
    name: "100 is sent later for a handler that reads later",
    rfc: "9110 10.1.1",
    turns: [[expecting("/body-late"), CONTINUE], ["hello", HELLO]],
  },
  {
    name: "every request of a connection has its own 100",
    rfc: "9110 10.1.1",
    turns: [
      [expecting(), CONTINUE],
      ["first", { body: "first" }],
      [expecting(), CONTINUE],
      ["again", { body: "again" }],
    ],
  },
  {
    name: "a request without Expect gets no 100, even after one with Expect",
    rfc: "9110 10.1.1",
    turns: [
      [expecting(), CONTINUE],
      ["hello", HELLO],
      [ask("/body", { method: "POST", body: "hello" }), HELLO],
    ],
  },
  {
    name: "100 goes with Connection: close",
    rfc: "9110 10.1.1",
    turns: [
      [expecting("/body", "100-continue", ["Connection: close"]), CONTINUE],
      ["hello", HELLO],
    ],
    end: "close",
  },
  {
    name: "100 waits for the responses before it",
    rfc: "9.3.2",
    turns: [
      [ask("/late?t=1&n=9") + expecting(), { body: "late:1" }, CONTINUE],
      [`hello${ask("/probe?t=2")}`, HELLO, { body: "probe:2" }],
    ],
  },
  {
    name: "a request without a body gets no 100",
    rfc: "9110 10.1.1",
    send: ask("/", { fields: ["Expect: 100-continue"] }),
    body: "hello",
  },
  {
    name: "an empty body gets no 100",
    rfc: "9110 10.1.1",
    send: ask("/seen", { method: "POST", fields: ["Expect: 100-continue", "Content-Length: 0"] }),
    sees: { body: "" },
  },
  {
    name: "HTTP/1.0 gets no 100",
    rfc: "9110 10.1.1",
    send: ask("/body", {
      method: "POST",
      version: "1.0",
      fields: ["Expect: 100-continue"],
      body: "hello",
    }),
    http10: true,
    body: "hello",
    end: "close",
  },
  {
    name: "an unknown expectation of HTTP/1.0 is ignored",
    rfc: "9110 10.1.1",
    send: ask("/body", { method: "POST", version: "1.0", fields: ["Expect: x"], body: "hello" }),
    http10: true,
    body: "hello",
    end: "close",
  },
  {
    name: "a malformed chunk after 100 is refused",
    rfc: "7.1",
    turns: [[post("", "/body", ["Expect: 100-continue"]), CONTINUE], ["x\r\n"]],
    refused: 400,
  },
];
wire.table(dialogues);

// ---- the handler does not read ----------------------------------------------------------------

const unread: [target: string, status: number][] = [
  ["/unread", 200],
  ["/unread-late", 200],
  ["/nowhere", 404],
  ["/throw", 500],
];
wire.table(unread.map(([target, status]) => ({
  name: `${target} does not read: no 100, and a body that comes anyway is dropped`,
  rfc: "9110 10.1.1",
  turns: [[expecting(target), { status }], ["hello"]],
  end: "close",
})));

// ---- 417 --------------------------------------------------------------------------------------

wire.table([
  ...[
    "teapot",
    "100",
    "100-contin",
    "100-continued",
    "100-continue=x",
    "200-ok",
    "",
    "100-continue;a",
  ],
  ...["100-continue, x", "x, 100-continue"],
].map((value) => ({
  name: `Expect: ${value || "(nothing)"} is refused with 417`,
  rfc: "9110 10.1.1",
  send: expecting("/body", value),
  refused: 417,
})));
wire.table([
  {
    name: "an unknown expectation is refused with 417 even if the body has arrived",
    rfc: "9110 10.1.1",
    send: `${expecting("/body", "badness")}hello`,
    refused: 417,
  },
  {
    name: "an unknown expectation without a body is refused with 417",
    rfc: "9110 10.1.1",
    send: ask("/", { fields: ["Expect: badness"] }),
    refused: 417,
  },
  {
    name: "an unknown expectation beside the known one is refused with 417",
    rfc: "9110 10.1.1",
    send: expecting("/body", "100-continue", ["Expect: badness"]),
    refused: 417,
  },
]);

// ---- when it is sent --------------------------------------------------------------------------

test("100 goes out when the handler first reads, not before (RFC 9110 10.1.1)", async () => {
  const client = await wire.open(), other = await wire.open();
  await client.send(expecting("/lazy"));
  await lazy.called;
  // Once another client was served, this one would have got anything sent before.
  for (let i = 0; i < 3; i++) {
    await other.send(ask());
    check(await other.answer(), HELLO);
  }
  assert.equal(client.unread, "");
  lazy.read();
  check(await client.answer(), CONTINUE);
  await client.send("hello");
  check(await client.answer(), HELLO);
});

for (
  const [what, send] of [
    ["the body", `${expecting()}hello`],
    ["a chunked body", post(chunked("hello"), "/body", ["Expect: 100-continue"])],
  ]
) {
  test(`no 100 goes out when ${what} came with the head (RFC 9110 10.1.1)`, async () => {
    const client = await wire.open();
    await client.send(send);
    check(await client.answer(), HELLO);
  });
}

test("no 100 goes out when part of the body came with the head (RFC 9110 10.1.1)", async () => {
  const client = await wire.open();
  await client.send(`${expecting("/part")}he`);
  check(await client.answer(), { body: "true" });
});

test("no 100 goes out when the body came before it was read (RFC 9110 10.1.1)", async () => {
  const client = await wire.open();
  await client.send(expecting("/overtaken"));
  await overtaken.called;
  await client.send("hello");
  await wire.received();
  overtaken.read();
  check(await client.answer(), HELLO);
});

wire.endsClean();
