// What timeouts do not count: the handler's time. And timeouts that are turned off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Options } from "../mod.ts";
import { octets, open, serve } from "./support/client.ts";

const SHORT = 30; // milliseconds
const LONGER = 3 * SHORT;
const haste: Options = {
  headTimeout: SHORT,
  bodyTimeout: SHORT,
  keepAliveTimeout: SHORT,
  writeTimeout: SHORT,
};
const off: Options = {
  headTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 0,
  writeTimeout: 0,
  requestTimeout: 0,
};
const LARGE = 4_000_000;

type App = (request: Request) => Promise<Response | string>;

function slowParts(): ReadableStream<Uint8Array> {
  const parts = ["one ", "two ", "three"].map((part) => new TextEncoder().encode(part));
  return new ReadableStream({
    async pull(to) {
      await sleep(LONGER);
      const part = parts.shift();
      part === undefined ? to.close() : to.enqueue(part);
    },
  });
}

/** Handlers that take longer than any client may. */
const handlers: [name: string, app: App, body: Uint8Array | undefined, text: string][] = [
  ["answers", () => sleep(LONGER, "late"), undefined, "late"],
  [
    "reads a body",
    async (request) => {
      await sleep(LONGER);
      return `${(await request.bytes()).length}`;
    },
    new Uint8Array(10),
    "10",
  ],
  [
    "reads a large body",
    async (request) => {
      await sleep(LONGER);
      return `${(await request.bytes()).length}`;
    },
    new Uint8Array(LARGE),
    `${LARGE}`,
  ],
  [
    "reads parts of a large body",
    async (request) => {
      let size = 0, parts = 0;
      for await (const part of request.body!) {
        size += part.length;
        if (parts++ < 3) await sleep(LONGER);
      }
      return `${size}`;
    },
    new Uint8Array(LARGE),
    `${LARGE}`,
  ],
  [
    "writes",
    () => Promise.resolve(new Response(slowParts())),
    undefined,
    "one two three",
  ],
];
for (const [name, app, body, text] of handlers) {
  test(`the time of a handler that ${name} late does not count as the client's`, async () => {
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write(octets({ method: "POST", body }, ""));
      const answer = await connection.answer();
      assert.deepEqual([answer.status, answer.text, answer.complete], [200, text, true]);
      assert.equal(server.metrics().timeouts, 0);
      connection.close();
    }, haste);
  });
}

const POST = octets({ body: "0123456789" }, "");
const pauses: [name: string, at: number][] = [
  ["before its first octet", 0],
  ["in its head", 20],
  ["in a body", POST.length - 5],
];
for (const [name, at] of pauses) {
  test(`with timeouts of 0 a client may pause ${name}`, async () => {
    await serve((request: Request) => request.text(), async (server) => {
      const connection = await open(server);
      for (let i = 0; i < 2; i++) {
        connection.write(POST.subarray(0, at));
        await sleep(LONGER);
        assert.equal((await connection.write(POST.subarray(at)).answer()).text, "0123456789");
      }
      connection.close();
    }, off);
  });
}

test("with timeouts of 0 a client may pause before it reads", async () => {
  await serve(() => new Response(new Uint8Array(5 * LARGE)), async (server) => {
    const connection = await open(server);
    connection.socket.pause();
    connection.write(octets({}, ""));
    await sleep(LONGER);
    connection.socket.resume();
    assert.equal((await connection.answer()).body.length, 5 * LARGE);
    connection.close();
  }, off);
});
