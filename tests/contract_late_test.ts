// What a handler can still do with a request while and after others are served.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Info, RequestError } from "../mod.ts";
import { ask, type Connection, octets, open, serve, until, within } from "./support/client.ts";

/** Requests `/next`: shows that others are served, and overwrites what was received before. */
async function next(port: number): Promise<void> {
  const target = `/next?${"other client's data ".repeat(50).replaceAll(" ", "+")}`;
  const answer = await ask({ port }, { target, headers: { "X-Secret": "other".repeat(100) } });
  assert.equal(answer.text, "next");
}

test("handlers that read after a wait get their own request, however many others came meanwhile", async () => {
  const count = 300;
  const release = Promise.withResolvers<void>();
  let waiting = 0;
  const app = async (request: Request, info: Info) => {
    waiting++;
    await release.promise;
    const id = request.headers.get("x-id");
    const body = await request.text();
    assert.equal(request.method, `M${id}`);
    assert.equal(info.rawTarget, `/${id}?${"q".repeat(Number(id))}`);
    assert.equal(new URL(request.url).pathname, `/${id}`);
    assert.equal(request.headers.get("host"), `host-${id}`);
    assert.equal(request.headers.get("x-long"), `long ${id} `.repeat(20).trim());
    assert.equal(info.remoteAddr.hostname, "127.0.0.1");
    assert.equal(body, `body of ${id}, `.repeat(Number(id) * 7));
    return `answer to ${id}`;
  };
  await serve(app, async (server) => {
    const connections: Connection[] = [];
    for (let at = 0; at < count; at += 15) {
      const connection = await open(server);
      connections.push(connection);
      for (let id = at; id < at + 15; id++) {
        const headers = { Host: `host-${id}`, "X-Id": `${id}`, "X-Long": `long ${id} `.repeat(20) };
        const target = `/${id}?${"q".repeat(id)}`;
        const body = `body of ${id}, `.repeat(id * 7);
        connection.write(octets({ method: `M${id}`, target, headers, body }, ""));
      }
    }
    await until(() => waiting === count, "all requests");
    release.resolve();
    for (const [i, connection] of connections.entries()) {
      for (let id = 15 * i; id < 15 * i + 15; id++) {
        assert.equal((await connection.answer()).text, `answer to ${id}`);
      }
      connection.close();
    }
  });
});

const uses: Record<string, (request: Request, info: Info) => unknown> = {
  method: (request) => request.method,
  url: (request) => request.url,
  headers: (request) => request.headers.get("host"),
  body: (request) => request.body,
  text: (request) => request.text(),
  bytes: (request) => request.bytes(),
  clone: (request) => request.clone(),
  "new Request": (request) => new Request(request),
  rawTarget: (_request, info) => info.rawTarget,
  remoteAddr: (_request, info) => info.remoteAddr,
  requestIP: (_request, info) => info.requestIP(),
};

for (const [name, use] of Object.entries(uses)) {
  test(`a request kept after its response throws a TypeError: ${name}`, async () => {
    let kept: [Request, Info] | undefined;
    const app = (request: Request, info: Info) => {
      if (request.url.includes("/next")) {
        return "next";
      }
      kept = [request, info];
      return "kept";
    };
    await serve(app, async (server) => {
      assert.equal((await ask(server, { method: "PUT", body: "mine" })).text, "kept");
      await next(server.port);
      // A URL that was read before stays available: the request has its own copy.
      if (name === "url") {
        assert.equal(kept![0].url, "http://localhost/");
      } else {
        await assert.rejects(async () => await use(...kept!), {
          name: "TypeError",
          message: /over/,
        });
      }
    });
  });
}

const unread: Record<string, (request: Request) => () => Promise<unknown>> = {
  "a stream": ({ body }) => () => new Response(body).text(),
  "a reader": ({ body }) => {
    const reader = body!.getReader();
    return async () => new TextDecoder().decode((await reader.read()).value);
  },
  "a clone": (request) => {
    const clone = request.clone();
    return () => clone.text();
  },
};
/** Breaks off in its first turn. */
function broken(): Response {
  let parts = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        return parts++ === 0
          ? controller.enqueue(new Uint8Array(10))
          : controller.error(new Error("no more"));
      },
    }),
  );
}
for (const [name, take] of Object.entries(unread)) {
  test(`${name} of a body, read after a response that broke off, never shows another's`, async () => {
    let read: (() => Promise<unknown>) | undefined;
    const app = (request: Request) => {
      if (request.url.includes("/next")) {
        return "next";
      }
      read = take(request);
      return broken();
    };
    await serve(app, async (server) => {
      const body = "mine ".repeat(20);
      assert.equal((await ask(server, { body })).complete, false);
      await next(server.port);
      const reading = within(read!(), "the end of the body", 3000);
      if (name === "a clone") { // a clone already has its own copy of what was received
        assert.equal(await reading, body);
      } else {
        await assert.rejects(reading, RequestError);
      }
    }, { onError: () => {} });
  });
  for (const isWhole of [true, false]) {
    const part = isWhole ? "whole" : "half";
    test(`${name} of a ${part} body, read after the response, never shows another's`, async () => {
      let read: (() => Promise<unknown>) | undefined;
      const app = (request: Request) => {
        if (request.url.includes("/next")) {
          return "next";
        }
        read = take(request);
        return "kept";
      };
      await serve(app, async (server) => {
        const connection = await open(server);
        const what = octets({ body: "mine" });
        connection.write(isWhole ? what : what.subarray(0, what.length - 2));
        assert.equal((await connection.answer()).text, "kept");
        await next(server.port);
        const result = await within(read!(), "the end of the body", 3000).catch((error) => {
          assert.ok(error instanceof TypeError || error instanceof RequestError, `${error}`);
        });
        assert.ok(result === undefined || isWhole && result === "mine", `${result}`);
        connection.close();
      });
    });
  }
}

test("waitUntil() keeps a request readable after the response, and shutdown waits for it", async () => {
  const release = Promise.withResolvers<void>();
  let later: Promise<unknown[]> | undefined;
  const app = (request: Request, info: Info) => {
    if (request.url.includes("/next")) {
      return "next";
    }
    later = (async () => {
      await release.promise;
      return [request.method, request.headers.get("x-id"), info.rawTarget, await request.text()];
    })();
    info.waitUntil(later);
    return "first";
  };
  await serve(app, async (server) => {
    const headers = { "X-Id": "17" };
    assert.equal((await ask(server, { headers, target: "/a", body: "mine" })).text, "first");
    await next(server.port);
    let isFinished = false;
    const finished = server.shutdown().then(() => isFinished = true);
    let isClosed = false;
    await until(() => {
      open(server).then((connection) => connection.close(), () => isClosed = true);
      return isClosed;
    }, "the server to stop");
    assert.equal(isFinished, false);
    release.resolve();
    assert.deepEqual(await later, ["POST", "17", "/a", "mine"]);
    await within(finished, "finished");
  });
});

const LARGE = 8 * 1024 * 1024;
const large = new Uint8Array(LARGE).map((_, i) => (i * 31 + (i >> 8)) & 255);
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("a large upload waits for a handler that reads late, and arrives complete", async () => {
  const release = Promise.withResolvers<void>();
  const app = async (request: Request) => {
    if (request.url.includes("/next")) {
      return "next";
    }
    await release.promise;
    return hash(await request.bytes());
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({ body: large }));
    const { socket } = connection;
    // The kernel's buffers take some of it, but the server must not take the rest.
    let before = -1;
    let calm = 0;
    await until(() => {
      const { bytes_received } = server.metrics();
      calm = bytes_received > 0 && bytes_received === before ? calm + 1 : 0;
      before = bytes_received;
      return calm === 20;
    }, "the upload to stand still");
    assert.ok(before < LARGE / 2, `${before} octets were taken that nobody has read`);
    assert.ok(socket.writableLength > 0 || before < LARGE);
    await next(server.port);
    release.resolve();
    assert.equal((await connection.answer()).text, hash(large));
    connection.close();
  });
});

test("a large upload that is read slowly in parts arrives complete", async () => {
  const app = async (request: Request) => {
    const sum = createHash("sha256");
    for await (const part of request.body!) {
      sum.update(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return sum.digest("hex");
  };
  await serve(app, async (server) => {
    const parts = Array.from({ length: 64 }, (_, i) => large.subarray(i << 17, (i + 1) << 17));
    const answers = [ask(server, { body: large }), ask(server, { body: parts })];
    assert.deepEqual((await Promise.all(answers)).map(({ text }) => text), [
      hash(large),
      hash(large),
    ]);
  });
});

test("a handler that starts to read while the server sleeps gets what arrives later", async () => {
  const steps = Array.from({ length: 4 }, () => ({
    go: Promise.withResolvers<void>(),
    got: Promise.withResolvers<number>(),
  }));
  const app = async (request: Request) => {
    const reader = request.body!.getReader();
    for (const { go, got } of steps) {
      await go.promise;
      got.resolve((await reader.read()).value!.length);
    }
    return "all";
  };
  // A timeout would wake it, too.
  const timeless = { headTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 0 };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n");
    for (const [i, { go, got }] of steps.entries()) {
      const waits = i % 2 === 1; // either the handler waits for data, or data for the handler
      if (waits) {
        go.resolve();
      }
      connection.write(new Uint8Array(1000));
      await new Promise((resolve) => setTimeout(resolve, 20)); // by now it most likely sleeps
      go.resolve();
      assert.equal(await got.promise, 1000);
    }
    assert.equal((await connection.answer()).text, "all");
    connection.close();
  }, { spin: 0, ...timeless });
});

test("the parts of a body expose no other memory", async () => {
  const exact = ({ buffer, byteLength }: Uint8Array) => buffer.byteLength === byteLength;
  const app = async (request: Request) => {
    if (request.url.endsWith("/whole")) {
      const bytes = await request.bytes();
      return exact(bytes) ? hash(bytes) : "more";
    }
    const sum = createHash("sha256");
    for await (const part of request.body!) {
      assert.ok(exact(part));
      sum.update(part);
    }
    return sum.digest("hex");
  };
  await serve(app, async (server) => {
    const whole = await ask(server, { target: "/whole", body: large });
    const parts = await ask(server, { target: "/parts", body: large });
    assert.deepEqual([whole.text, parts.text], [hash(large), hash(large)]);
  });
});

test("an upload that is streamed back at once arrives complete", async () => {
  await serve((request: Request) => new Response(request.body), async (server) => {
    const answer = await ask(server, { body: large });
    assert.ok(answer.complete);
    assert.equal(hash(answer.body), hash(large));
  });
});

test("a client that leaves in the middle of an upload makes the reader reject", async () => {
  const failed = Promise.withResolvers<unknown>();
  const app = async (request: Request, info: Info) => {
    info.completed.catch(() => {});
    await request.bytes().catch(failed.resolve);
    return "";
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    await until(() => server.metrics().requests_in_flight === 1, "the request");
    connection.close();
    const error = await within(failed.promise, "the rejection");
    assert.ok(error instanceof RequestError);
    assert.equal(error.name, "AbortError");
  });
});

test("signal aborts when the client leaves, and completed rejects", async () => {
  const aborted = Promise.withResolvers<unknown>();
  const completed = Promise.withResolvers<unknown>();
  const app = async (request: Request, info: Info) => {
    assert.ok(request.signal instanceof AbortSignal);
    assert.equal(request.signal, request.signal);
    assert.equal(request.signal.aborted, false);
    info.completed.then(() => completed.resolve("resolved"), completed.resolve);
    request.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
    await aborted.promise;
    return "nobody hears this";
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({}));
    await until(() => server.metrics().requests_in_flight === 1, "the request");
    connection.socket.resetAndDestroy();
    assert.equal((await within(aborted.promise, "the signal") as Error).name, "AbortError");
    assert.ok(await within(completed.promise, "completed") instanceof Error);
  });
});

test("signal never aborts after a response that was sent, and completed resolves", async () => {
  const signals: AbortSignal[] = [];
  const completed: Promise<void>[] = [];
  const app = async (request: Request, info: Info) => {
    signals.push(request.signal);
    completed.push(info.completed);
    await Promise.resolve();
    return request.url.endsWith("/stream") ? new Response(new Response("streamed").body) : "text";
  };
  await serve(app, async (server) => {
    for (const target of ["/", "/stream"]) {
      const connection = await open(server);
      assert.ok((await connection.write(octets({ target }, "")).answer()).complete);
      connection.close();
    }
    await within(Promise.all(completed), "completed");
    await until(() => server.metrics().connections_open === 0, "the clients to be gone");
    assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false]);
  });
});

test("completed rejects when the response breaks off midway", async () => {
  const completed = Promise.withResolvers<unknown>();
  const app = (_: Request, info: Info) => {
    info.completed.then(() => completed.resolve("resolved"), completed.resolve);
    let parts = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (parts++ === 2) {
            throw new Error("no more");
          }
          controller.enqueue(new Uint8Array(1000));
        },
      }),
    );
  };
  await serve(app, async (server) => {
    assert.equal((await ask(server)).complete, false);
    const reason = await within(completed.promise, "completed");
    assert.ok(reason instanceof RequestError, String(reason));
    assert.match(reason.message, /could not be completed/);
  }, { onError: () => {} });
});

test("an error in a stream's cancel() after a complete response aborts nothing", async () => {
  const signals: AbortSignal[] = [];
  const errors: unknown[] = [];
  const app = (request: Request, info: Info) => {
    signals.push(request.signal);
    const stream = new ReadableStream({
      cancel: () => Promise.reject(new Error("no cancel")),
    });
    info.completed.then(() => ends.push("sent"), () => ends.push("broken"));
    return new Response(stream, { headers: { "content-length": "5" } });
  };
  const ends: string[] = [];
  await serve(app, async (server) => {
    assert.equal((await ask(server, { method: "HEAD" })).status, 200);
    await until(() => errors.length === 1 && ends.length === 1, "the end");
    assert.deepEqual([signals[0].aborted, ends], [false, ["sent"]]);
  }, { onError: (error) => void errors.push(error) });
});

test("signal is already aborted if it is first read after the client has left", async () => {
  const left = Promise.withResolvers<void>();
  const late = Promise.withResolvers<AbortSignal>();
  const app = async (request: Request) => {
    if (request.url.endsWith("/left")) {
      left.resolve();
      return "";
    }
    await left.promise;
    late.resolve(request.signal);
    return "";
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({}));
    connection.socket.end();
    await until(() => server.metrics().requests_in_flight === 1, "the request");
    // A turn after the client has left.
    await ask(server, { target: "/left" });
    const { aborted, reason } = await within(late.promise, "the signal");
    assert.deepEqual([aborted, reason?.name], [true, "AbortError"]);
  });
});

for (const kind of ["stream", "bytes", "text"]) {
  test(`signal and completed, first read while a ${kind} is being sent, settle when it ends`, async () => {
    const asked = Promise.withResolvers<[AbortSignal, Promise<void>]>();
    const large = "x".repeat(20_000_000);
    let others = 0;
    const app = (request: Request, info: Info) => {
      if (!request.url.endsWith("/first")) {
        return `${++others}`;
      }
      const ask = () => asked.resolve([request.signal, info.completed]);
      const stream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue(new Uint8Array(large.length));
          await new Promise((resolve) => setImmediate(resolve));
          ask();
          controller.close();
        },
      });
      info.waitUntil(new Promise<void>((resolve) => setImmediate(() => resolve(ask()))));
      return new Response(
        kind === "stream" ? stream : kind === "bytes" ? new Uint8Array(large.length) : large,
      );
    };
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({ target: "/first" }));
      const [signal, completed] = await within(asked.promise, "the question");
      assert.equal(server.metrics().resp_done, 0);
      connection.socket.resume();
      assert.equal((await connection.answer()).body.length, large.length);
      await within(completed, "completed");
      connection.close();
      await server.shutdown();
      assert.equal(signal.aborted, false);
    });
  });
}

test("completed rejects and a stream is cancelled when the client leaves midway", async () => {
  const completed = Promise.withResolvers<unknown>();
  const cancelled = Promise.withResolvers<unknown>();
  const app = (_request: Request, info: Info) => {
    info.completed.then(() => completed.resolve("resolved"), completed.resolve);
    let pulls = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          // Far more than the buffers of client and server hold.
          assert.ok(pulls++ < 2000, "nobody reads this");
          controller.enqueue(new Uint8Array(65536));
        },
        cancel: cancelled.resolve,
      }),
    );
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    await connection.write(octets({})).head();
    connection.socket.resetAndDestroy();
    assert.ok(await within(cancelled.promise, "cancel()") instanceof Error);
    assert.ok(await within(completed.promise, "completed") instanceof Error);
  });
});
