// Limits of bodies that are read straight from the connection: large ones of known length.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Info, type Options, RequestError } from "../mod.ts";
import { ask, type Connection, open, serve, until, within } from "./support/client.ts";

const SIZE = 4_000_000;
const HEAD = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n`;

type Read = (request: Request) => Promise<unknown>;

async function readParts(request: Request, pause?: () => Promise<unknown>): Promise<void> {
  for await (const part of request.body!) {
    assert.ok(part.length > 0);
    await pause?.();
  }
}

/** How handlers read; the last one is always behind. */
const ways: [name: string, read: Read][] = [
  ["as a whole", (request) => request.bytes()],
  ["as a stream", (request) => readParts(request)],
  ["as a stream, slowly", (request) => readParts(request, () => sleep(5))],
];

/** What a handler gets to know. */
interface Told {
  read: unknown;
  signal: unknown;
  completed: unknown;
}

/**
 * Runs a server whose handler reads by `read`, and a client that has sent a head and part of the
 * body. `body` gets a promise of what the handler is told when reading fails.
 */
async function reading(
  read: Read,
  options: Options,
  body: (connection: Connection, told: Promise<Told>) => Promise<void>,
): Promise<void> {
  const told = Promise.withResolvers<Told>();
  const app = async (request: Request, { completed }: Info) => {
    if (request.method === "GET") {
      return "served";
    }
    const signal = new Promise((resolve) =>
      request.signal.addEventListener("abort", () => resolve(request.signal.reason))
    );
    const ends = [read(request), completed].map((it) => it.then(() => "success", (error) => error));
    const [ended, isCompleted] = await Promise.all(ends);
    told.resolve({ read: ended, signal: await signal, completed: isCompleted });
    return "";
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(HEAD).write(new Uint8Array(100_000));
    await until(() => server.metrics().bytes_received > 100_000, "a part of the body");
    await body(connection, told.promise);
    assert.equal((await ask(server)).text, "served");
    connection.close();
  }, options);
}

/** The handler gets the same error in every way. */
async function checkTold(told: Promise<Told>, name: string, status: number): Promise<void> {
  const { read, signal, completed } = await within(told, "what the handler is told");
  assert.ok(read instanceof RequestError);
  assert.deepEqual([read.name, read.status], [name, status]);
  assert.equal(signal, read);
  assert.equal(completed, read);
}

async function checkLate(connection: Connection, told: Promise<Told>): Promise<void> {
  const answer = await connection.answer();
  assert.deepEqual([answer.status, answer.get("connection")], [408, "close"]);
  await within(connection.closed, "the end of the connection");
  await checkTold(told, "TimeoutError", 408);
}

const leaving: [name: string, leave: (connection: Connection) => void][] = [
  ["closes its side", ({ socket }) => socket.end()],
  ["resets", ({ socket }) => socket.resetAndDestroy()],
];

const OFF: Options = { headTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 0, writeTimeout: 0 };

for (const [name, read] of ways) {
  test(`bodyTimeout cuts a client that sends nothing more: read ${name}`, async () => {
    await reading(read, { ...OFF, bodyTimeout: 50 }, checkLate);
  });

  test(`minBodyRate cuts a client that sends octet by octet: read ${name}`, async () => {
    const options = { ...OFF, bodyTimeout: 100, minBodyRate: 1_000_000 };
    await reading(read, options, async (connection, told) => {
      let isOver = false;
      connection.arrival().finally(() => isOver = true);
      while (!isOver) {
        connection.write("x");
        await sleep(1);
      }
      await checkLate(connection, told);
    });
  });

  test(`requestTimeout blames a client that does not send everything: read ${name}`, async () => {
    await reading(read, { ...OFF, requestTimeout: 100 }, checkLate);
  });

  for (const [how, leave] of leaving) {
    test(`a client that pauses is not cut, and one that ${how} is reported: read ${name}`, async () => {
      await reading(read, OFF, async (connection, told) => {
        await sleep(50);
        leave(connection);
        await checkTold(told, "AbortError", 0);
      });
    });
  }

  test(`a body of the maximum size arrives from a client that closes its side: read ${name}`, async () => {
    await serve(async (request: Request) => {
      await read(request);
      return "all of it";
    }, async (server) => {
      const connection = await open(server);
      connection.write(HEAD).write(new Uint8Array(SIZE)).socket.end();
      const answer = await connection.answer();
      assert.deepEqual([answer.status, answer.text], [200, "all of it"]);
      connection.close();
    }, { maxBodySize: SIZE });
  });
}

const limits: [name: string, limit: Options["maxBodySize"]][] = [
  ["maxBodySize", SIZE - 1],
  ["the result of maxBodySize", () => SIZE - 1],
];
for (const [name, maxBodySize] of limits) {
  test(`a Content-Length over ${name} is refused before there is a body or a handler`, async () => {
    await serve(() => assert.fail("refused"), async (server) => {
      const connection = await open(server);
      assert.equal((await connection.write(HEAD).answer()).status, 413);
      connection.close();
    }, { maxBodySize });
  });
}

for (const [name, read] of ways) {
  test(`chunks over maxBodySize are refused as they arrive: read ${name}`, async () => {
    const told = Promise.withResolvers<unknown>();
    const app = async (request: Request) => {
      await read(request).then(told.resolve, told.resolve);
      return "";
    };
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let sent = 0; sent < SIZE; sent += 100_000) {
        connection.write("186a0\r\n").write(new Uint8Array(100_000)).write("\r\n");
      }
      assert.equal((await connection.answer()).status, 413);
      const error = await within(told.promise, "the reader");
      assert.ok(error instanceof RequestError && error.status === 413);
      connection.close();
    }, { maxBodySize: 1_000_000 });
  });
}

const CHUNKS = `${HEAD.split("Content")[0]}Transfer-Encoding: chunked\r\n\r\n`;
const CHUNK = `2710\r\n${"x".repeat(10_000)}\r\n`;
const PART = "x".repeat(10_000);
const gone: [name: string, first: string, part: string, leave: (it: Connection) => void][] = [
  ["closes its side in the middle", HEAD, PART, ({ socket }) => socket.end()],
  ["closes the connection", HEAD, PART, ({ socket }) => socket.destroy()],
  ["resets the connection", HEAD, PART, ({ socket }) => socket.resetAndDestroy()],
  ["resets the connection in a chunk", CHUNKS, CHUNK, ({ socket }) => socket.resetAndDestroy()],
];
test("a handler that has stopped reading is told of a client that leaves", async () => {
  await Promise.all(gone.map(async ([name, first, part, leave]) => {
    const told = Promise.withResolvers<unknown>();
    const app = async (request: Request) => {
      const reader = request.body!.getReader();
      await reader.read();
      await reader.read();
      request.signal.addEventListener("abort", () => told.resolve(request.signal.reason));
      await told.promise;
      return "";
    };
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write(first);
      // More than is buffered for a handler, until the server stops reading.
      let calm = 0, before = -1;
      await until(() => {
        const { bytes_received } = server.metrics();
        connection.write(part);
        calm = bytes_received === before ? calm + 1 : 0;
        before = bytes_received;
        return calm === 5;
      }, "the server to stop reading");
      leave(connection);
      const reason = await within(told.promise, `the signal when it ${name}`);
      assert.ok(reason instanceof RequestError && reason.name === "AbortError");
      connection.close();
    });
  }));
});
