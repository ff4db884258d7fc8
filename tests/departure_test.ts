// Clients that leave during an answer: the handler is told, whatever the answer is made of.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";
import { type Info, RequestError, run, sendFile } from "../mod.ts";
import { ask, type Connection, octets, open, serve, until, within } from "./support/client.ts";

const LARGE = 20_000_000; // more than any kernel buffers
const pull = (to: ReadableStreamDefaultController) => to.enqueue(new Uint8Array(100_000));
const answers: [name: string, make: () => Response][] = [
  ["a text", () => new Response("x".repeat(LARGE))],
  ["bytes", () => new Response(new Uint8Array(LARGE))],
  ["a file", () => sendFile(process.execPath)],
  ["a stream", () => new Response(new ReadableStream({ pull }))],
];
const leaving: [name: string, leave: (connection: Connection) => void][] = [
  ["resets", ({ socket }) => socket.resetAndDestroy()],
  ["closes", ({ socket }) => socket.destroy()],
];

for (const [what, make] of answers) {
  for (const [how, leave] of leaving) {
    test(`a client ${how} in the middle of ${what}: its handlers are told, others are served`, async () => {
      const told: Promise<unknown[]>[] = [];
      await serve(async (request: Request, { completed }: Info) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/") {
          return "served";
        }
        const aborted = new Promise((resolve) =>
          request.signal.addEventListener("abort", () => resolve(request.signal.reason))
        );
        told.push(Promise.all([aborted, completed.catch((reason) => reason)]));
        return pathname === "/large" ? make() : `${await aborted}`;
      }, async (server) => {
        const connection = await open(server);
        connection.write(octets({ target: "/large" }, "")).write(octets({ target: "/next" }, ""));
        await connection.arrival();
        connection.socket.pause();
        assert.equal((await ask(server)).text, "served");
        assert.equal(told.length, 2);
        leave(connection);
        for (const reasons of await within(Promise.all(told), "what the handlers are told")) {
          assert.equal(reasons[0], reasons[1]);
          assert.ok(reasons[0] instanceof RequestError && reasons[0].name === "AbortError");
        }
        assert.equal((await ask(server)).text, "served");
      }, { writeTimeout: 0 });
    });
  }
}

/** A handler that waits until the client has left; `told` collects the reasons. */
function waiting(told: Promise<unknown>[]) {
  return async ({ signal }: Request): Promise<string> => {
    const aborted = new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(signal.reason))
    );
    told.push(aborted);
    return `${await aborted}`;
  };
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
/** After these the server stops reading, so it does not read the client's end either. */
const paused: [name: string, sent: string, requests: number][] = [
  ["as many requests as may be pipelined", GET.repeat(64), 64],
  ["a body that nobody reads", `${POST}Content-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`, 1],
  ["half a chunk", `${POST}Transfer-Encoding: chunked\r\n\r\n${chunk(600_000).slice(0, -9)}`, 1],
  ["chunks", `${POST}Transfer-Encoding: chunked\r\n\r\n${chunk(1_000_000)}0\r\n\r\n`, 1],
];
for (const [what, sent, requests] of paused) {
  test(`a client closes after ${what}: its handlers are told`, async () => {
    const told: Promise<unknown>[] = [];
    await serve(waiting(told), async (server) => {
      const connection = await open(server);
      connection.write(sent);
      await until(() => told.length === requests, "the requests");
      await until(() => connection.socket.writableLength === 0, "the rest to be on its way");
      connection.close();
      for (const reason of await within(Promise.all(told), "what the handlers are told")) {
        assert.ok(reason instanceof RequestError && reason.name === "AbortError");
      }
    });
  });
}

test("requests that are only read after the client's end are told, too", async () => {
  const told: Promise<unknown>[] = [];
  await serve(waiting(told), async (server) => {
    const connection = await open(server);
    connection.write(GET.repeat(3));
    await until(() => told.length === 1, "the first request");
    connection.socket.end();
    await until(() => told.length === 3, "the last request");
    await within(Promise.all(told), "what the handlers are told");
    connection.close();
  }, { maxPipelined: 1 });
});

test("a client closes its side and then resets: its handler is told of both", async () => {
  const told: Promise<unknown>[] = [];
  const ends: Promise<unknown>[] = [];
  await serve((request: Request, info: Info) => {
    const { signal } = request;
    told.push(new Promise((resolve) => signal.addEventListener("abort", resolve)));
    ends.push(info.completed.catch((reason) => reason));
    return new Promise<string>(() => {});
  }, async (server) => {
    const connection = await open(server);
    connection.write(GET);
    await until(() => told.length === 1, "the request");
    connection.socket.end();
    await within(told[0], "that it has closed its side");
    connection.socket.resetAndDestroy();
    assert.equal((await within(ends[0], "the end") as Error).name, "AbortError");
    assert.equal(server.pendingRequests, 0);
  });
});

test("a silent stream is cancelled when its client closes its side", async () => {
  const silent = Promise.withResolvers<void>();
  const app = ({ url }: Request) => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("a"));
        if (url.endsWith("/talks")) {
          timer = setInterval(() => controller.enqueue(Buffer.from("b")), 1000);
          silent.promise.then(() => controller.close());
        }
      },
      cancel() {
        assert.equal(timer, undefined);
        silent.resolve();
      },
    });
    silent.promise.finally(() => clearInterval(timer));
    return new Response(body);
  };
  await serve(app, async (server) => {
    const [quiet, talks] = [await open(server), await open(server)];
    const answer = await talks.write(octets({ target: "/talks" }, "")).head();
    await quiet.write(octets({ target: "/quiet" }, "")).head();
    talks.socket.end();
    quiet.socket.end();
    await within(silent.promise, "the cancel");
    let text = "";
    for (let part; (part = await talks.chunk(answer)) !== undefined;) {
      text += part;
    }
    assert.match(text, /^abbb+$/);
    await within(quiet.closed, "the end");
    talks.close();
  });
});

test("the answer to a HEAD that is passed on ends once, even if the client is gone", async () => {
  const upstream = run(() => new Response(new Blob(["hello"]).stream()), { port: 0 });
  const told = Promise.withResolvers<void>();
  const app = async (request: Request) => {
    if (request.method === "GET") {
      return "served";
    }
    request.signal.addEventListener("abort", () => told.resolve());
    const response = await fetch(upstream.url, { method: "HEAD" });
    await told.promise;
    return response;
  };
  try {
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
      await until(() => server.pendingRequests === 1, "the request");
      connection.socket.resetAndDestroy();
      await within(told.promise, "the abort");
      assert.equal((await ask(server)).text, "served");
      assert.equal(server.pendingRequests, 0);
    });
  } finally {
    upstream.stop();
  }
});
