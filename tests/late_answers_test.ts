// Answers after the end of their request: they reach nobody, least of all a client that now has its
// place.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { type Options, run, sendFile, type Server } from "../mod.ts";
import { type Connection, octets, open, quiet, until, within } from "./support/client.ts";
import { streamOf } from "./support/wire_app.ts";

const FILE = fileURLToPath(import.meta.url);
const CLIENTS = 8;
const LATE = "LATE ".repeat(20);

type Way = (released: Promise<void>) => Promise<Response | Uint8Array | string> | Response;

/** Writes to a stream that its reader may have cancelled. */
function endless(released: Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(to) {
      to.enqueue(new TextEncoder().encode("first"));
      await released;
      for (let i = 0; i < 100; i++) {
        try {
          to.enqueue(new TextEncoder().encode(LATE));
        } catch {
          return; // cancelled, as expected
        }
      }
    },
  });
}

/** Keeps writing to a pipe that is no longer read, and ignores errors. */
function piped(released: Promise<void>): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const write = (text: string) => writer.write(new TextEncoder().encode(text)).catch(() => {});
  writer.closed.catch(() => {});
  void write("first");
  released.then(() => Promise.all([write(LATE), write(LATE)])).then(() =>
    writer.close().catch(() => {})
  );
  return readable;
}

/** How a handler answers late. */
const ways: Record<string, Way> = {
  "a string": async (released) => await released.then(() => LATE),
  "octets": async (released) => await released.then(() => Uint8Array.from(Buffer.from(LATE))),
  "a Response": async (released) => await released.then(() => new Response(LATE)),
  "many octets": async (released) => await released.then(() => new Uint8Array(1 << 22).fill(76)),
  "a long text": async (released) => await released.then(() => LATE.repeat(1 << 14)),
  "a stream": async (released) => await released.then(() => new Response(streamOf(LATE, LATE))),
  "a file": async (released) => await released.then(() => sendFile(FILE)),
  "an error": async (released) => await released.then(() => Promise.reject(new Error(LATE))),
  "a stream that was begun": (released) => new Response(endless(released)),
  "a pipe that was begun": (released) => new Response(piped(released)),
};

/** A handler that waits for `late` on `/late`, and else for `next` to answer with the path. */
function held(way: Way) {
  const late = Promise.withResolvers<void>(), next = Promise.withResolvers<void>();
  const seen = { late: 0, next: 0 };
  const app = async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/late") {
      seen.late++;
      return await way(late.promise);
    }
    seen.next++;
    await next.promise;
    return pathname;
  };
  return { app, late, next, seen };
}

async function clients(server: Server, target: (i: number) => string): Promise<Connection[]> {
  return await Promise.all(Array.from({ length: CLIENTS }, async (_, i) => {
    const connection = await open(server);
    return connection.write(octets({ target: target(i) }, "")).write(octets({ target: target(i) }));
  }));
}

/** Each client gets the two answers to its own requests, and nothing else. */
async function assertOwn(connections: Connection[]): Promise<void> {
  for (const [i, connection] of connections.entries()) {
    for (const _ of ["first", "second"]) {
      const answer = await connection.answer();
      assert.deepEqual([answer.status, answer.text], [200, `/next${i}`]);
    }
    await within(connection.closed, "the end");
    assert.equal(await connection.arrival(), false);
    connection.close();
  }
}

/** Lets everything that was resolved run its course. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets the late answers come while other clients have the places, and checks theirs. */
async function assertUnharmed(server: Server, { late, next, seen }: ReturnType<typeof held>) {
  const others = await clients(server, (i) => `/next${i}`);
  await until(() => seen.next === 2 * CLIENTS, "the next requests");
  late.resolve();
  await turns();
  next.resolve();
  await assertOwn(others);
  await quiet(server);
  server.stop();
}

const options: Options = { port: 0, onError: () => {} };

for (const [name, way] of Object.entries(ways)) {
  test(`${name}, for clients that have left, reaches no client that has connected since`, async () => {
    const handler = held(way);
    const server = run(handler.app, options);
    const gone = await clients(server, () => "/late");
    await until(() => handler.seen.late === 2 * CLIENTS, "the requests");
    gone.forEach(({ socket }) => socket.resetAndDestroy());
    await until(() => server.metrics().requests_in_flight === 0, "nobody to be left");
    await assertUnharmed(server, handler);
  });

  for (const end of ["stop()", "shutdown()'s deadline"]) {
    test(`${name}, after ${end}, reaches no client of the next server on the port`, async () => {
      const handler = held(way);
      const old = run(handler.app, options);
      const gone = await clients(old, () => "/late");
      await until(() => handler.seen.late === 2 * CLIENTS, "the requests");
      await (end === "stop()" ? old.stop() : old.shutdown({ timeout: 1 }));
      await assertUnharmed(run(handler.app, { ...options, port: old.port }), handler);
      await within(Promise.all(gone.map(({ closed }) => closed)), "the end of the old clients");
      gone.forEach((connection) => connection.close());
    });
  }
}
