// Clients that give and take as little as they can, to leave no room for others: slow heads, slow
// bodies, slow readers, and idle connections. Each is cut, and others are served meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { type Info, type Options, RequestError, sendFile, type Server } from "../mod.ts";
import { ask, type Connection, octets, open, serve, within } from "./support/client.ts";

const COUNT = 8;
const OFF: Options = { headTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 0, writeTimeout: 0 };

/** Opens slow clients that send their first octets. */
function openAll(server: Server, first: string): Promise<Connection[]> {
  return Promise.all(
    Array.from({ length: COUNT }, async () => (await open(server)).write(first)),
  );
}

/** Each client does `step` over and over, with others served in between, until all are cut. */
async function drip(
  server: Server,
  clients: Connection[],
  step: (client: Connection) => void,
): Promise<void> {
  let left = clients.length;
  clients.forEach(({ closed }) => closed.then(() => left--));
  while (left > 0) {
    clients.forEach(step);
    assert.equal((await ask(server)).text, "served");
  }
}

/** All clients got a 408. */
async function checkLate(clients: Connection[]): Promise<void> {
  for (const client of clients) {
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.get("connection")], [408, "close"]);
    client.close();
  }
}

const heads: [name: string, first: string, next: string][] = [
  ["a target", "GET /", "a"],
  ["a field", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "a"],
  ["field by field", "GET / HTTP/1.1\r\nHost: a\r\n", "X: a\r\n"],
];
for (const [name, first, next] of heads) {
  test(`slow headers: ${name} that never ends is cut by headTimeout`, async () => {
    await serve(() => "served", async (server) => {
      const clients = await openAll(server, first);
      await drip(server, clients, (client) => client.write(next));
      await checkLate(clients);
      assert.equal(server.metrics().timeouts, COUNT);
    }, { ...OFF, headTimeout: 100, maxHeadSize: 65535, maxTargetSize: 65535, maxFields: 1000 });
  });
}

const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const bodies: [name: string, first: string, next: string][] = [
  ["a short body", `${POST}Content-Length: 9000\r\n\r\n`, "a"],
  ["a long body", `${POST}Content-Length: 9000000\r\n\r\n`, "a"],
  ["a chunk", `${POST}Transfer-Encoding: chunked\r\n\r\n9000\r\n`, "a"],
  ["a body in chunks", `${POST}Transfer-Encoding: chunked\r\n\r\n`, "1\r\na\r\n"],
  ["a chunk's extension", `${POST}Transfer-Encoding: chunked\r\n\r\n1;a=`, "a"],
  ["a trailer", `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: `, "a"],
];
for (const [name, first, next] of bodies) {
  test(`slow body: ${name} that comes octet by octet is cut by bodyTimeout`, async () => {
    const errors: unknown[] = [];
    await serve(async (request: Request, { completed }: Info) => {
      completed.catch(() => {});
      await request.bytes().catch((error) => errors.push(error));
      return "served";
    }, async (server) => {
      const clients = await openAll(server, first);
      await drip(server, clients, (client) => client.write(next));
      await checkLate(clients);
      assert.equal(errors.length, COUNT);
      assert.ok(errors.every((error) => error instanceof RequestError && error.status === 408));
    }, { ...OFF, bodyTimeout: 100, minBodyRate: 1_000_000 });
  });
}

/** A client that requests much and reads nothing. */
class Reader {
  /** How its connection ends. */
  readonly end: Promise<unknown>;
  readonly #socket: Socket;

  constructor({ port }: Server) {
    this.#socket = connect({ port, host: "127.0.0.1" }, () => this.#socket.pause());
    this.#socket.write(octets({ target: "/large" }, ""));
    this.end = once(this.#socket, "error").then(([error]) => error.code);
  }

  /** Starts reading, to the end. */
  resume(): void {
    this.#socket.resume();
  }
}

const LARGE = 20_000_000; // more than any kernel buffers
type Cancel = (reason: unknown) => void;
const pull = (to: ReadableStreamDefaultController) => to.enqueue(new Uint8Array(100_000));
const large: [name: string, make: (cancel: Cancel) => Response][] = [
  ["a text", () => new Response("x".repeat(LARGE))],
  ["bytes", () => new Response(new Uint8Array(LARGE))],
  ["a file", () => sendFile(process.execPath)],
  ["a stream", (cancel) => new Response(new ReadableStream({ pull, cancel }))],
];
for (const [name, make] of large) {
  test(`slow read: a client that reads nothing of ${name} is reset by writeTimeout`, async () => {
    const ends: Promise<unknown>[] = [];
    const cancelled: unknown[] = [];
    let left = COUNT;
    await serve((request: Request, { completed }: Info) => {
      if (!request.url.endsWith("/large")) {
        return "served";
      }
      ends.push(completed.then(() => "completed", (reason) => reason).finally(() => left--));
      return make((reason) => cancelled.push(reason));
    }, async (server) => {
      const readers = Array.from({ length: COUNT }, () => new Reader(server));
      while (left > 0) {
        assert.equal((await ask(server)).text, "served");
      }
      const reasons = await Promise.all(ends);
      for (const reason of reasons) {
        assert.ok(reason instanceof RequestError && reason.name === "TimeoutError", `${reason}`);
      }
      assert.equal(cancelled.length, name === "a stream" ? COUNT : 0);
      assert.ok(cancelled.every((reason) => reasons.includes(reason)));
      // Nothing is kept for a client that reads later, neither here nor in the kernel.
      readers.forEach((reader) => reader.resume());
      for (const { end } of readers) {
        assert.equal(await within(end, "the reset"), "ECONNRESET");
      }
      assert.equal(server.metrics().timeouts, COUNT);
    }, { ...OFF, writeTimeout: 100 });
  });
}

test("a client that connects and waits is cut by headTimeout, without an answer", async () => {
  await serve(() => "served", async (server) => {
    const clients = await openAll(server, "");
    await drip(server, clients, () => {});
    for (const client of clients) {
      assert.equal(await client.arrival(), false);
      client.close();
    }
  }, { ...OFF, headTimeout: 100 });
});

test("a client that waits after its first request is cut by keepAliveTimeout", async () => {
  await serve(() => "served", async (server) => {
    const clients = await openAll(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await drip(server, clients, () => {});
    for (const client of clients) {
      assert.equal((await client.answer()).text, "served");
      assert.equal(await client.arrival(), false);
      client.close();
    }
    assert.equal(server.metrics().timeouts, 0);
  }, { ...OFF, keepAliveTimeout: 100 });
});

test("a refused client that keeps sending instead of closing is cut", async () => {
  await serve(() => "served", async (server) => {
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    const ended = once(socket, "end"), reset = once(socket, "error");
    socket.resume().write("no request\r\n\r\n");
    await within(ended, "the refusal");
    let isReset = false;
    reset.then(() => isReset = true);
    while (!isReset) {
      socket.write("a");
      assert.equal((await ask(server)).text, "served");
    }
    socket.destroy();
  }, OFF);
});
