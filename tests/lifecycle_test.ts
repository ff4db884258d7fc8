// How servers end in a process that goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Info, listen, run, type Server } from "../mod.ts";
import { MOD, runText } from "./support/child.ts";
import { ask, octets, open, serve, until, within } from "./support/client.ts";

const port0 = { port: 0 };

/** A handler that answers when told to. */
function gate() {
  const gates: (() => void)[] = [];
  const app = () => new Promise<string>((resolve) => gates.push(() => resolve("late")));
  return { app, gates };
}

test("shutdown closes idle connections at once and lets the running ones finish", async () => {
  const { app, gates } = gate();
  await serve(app, async (server) => {
    const idle = await open(server);
    const begun = await open(server);
    begun.write("GET / HT");
    const running = await open(server);
    running.write(octets({}, ""));
    await until(() => gates.length === 1, "the request");
    let isFinished = false;
    const shutdown = server.shutdown().then(() => isFinished = true);
    server.finished.then(() => assert.ok(isFinished));
    await within(idle.closed, "the idle connection to be closed");
    await assert.rejects(open(server), { code: "ECONNREFUSED" });
    assert.equal(isFinished, false);
    gates[0]();
    const answer = await running.answer();
    assert.equal(answer.text, "late");
    assert.equal(answer.get("connection"), "close");
    await within(running.closed, "the answered connection to be closed");
    begun.close();
    await within(shutdown, "the shutdown");
    await within(server.finished, "finished");
  });
});

test("shutdown finishes a request that is being received and all pipelined ones", async () => {
  const texts: string[] = [];
  const app = async (request: Request) => {
    texts.push(await request.text());
    return "done";
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    const what = octets({ body: "12345678" }, "");
    connection.write(what).write(what).write(what.subarray(0, what.length - 4));
    await until(() => server.metrics().resp_done === 2, "the first two answers");
    const shutdown = server.shutdown();
    connection.write("5678");
    for (const expected of [200, 200, 200]) {
      assert.equal((await connection.answer()).status, expected);
    }
    await within(connection.closed, "the end");
    await within(shutdown, "the shutdown");
    assert.deepEqual(texts, ["12345678", "12345678", "12345678"]);
    connection.close();
  });
});

test("shutdown cuts what is left after its timeout", async () => {
  const { app, gates } = gate();
  let signal: AbortSignal | undefined;
  await serve((request: Request) => {
    signal = request.signal;
    return app();
  }, async (server) => {
    const connection = await open(server);
    connection.write(octets({}));
    await until(() => gates.length === 1, "the request");
    await within(server.shutdown({ timeout: 30 }), "the shutdown");
    await within(connection.closed, "the cut");
    assert.ok(signal?.aborted);
    gates[0]();
    connection.close();
  });
});

test("shutdown waits as long as it takes when its timeout has no end", async () => {
  for (const timeout of [Infinity, 2 ** 31, Number.MAX_VALUE]) {
    const { app, gates } = gate();
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write(octets({}));
      await until(() => gates.length === 1, "the request");
      const stopped = server.shutdown({ timeout });
      await new Promise((resolve) => setTimeout(resolve, 5)); // by then a timer would have fired
      gates[0]();
      assert.equal((await connection.answer()).status, 200);
      await within(stopped, "the shutdown");
      connection.close();
    });
  }
});

test("draining aborts when a shutdown begins, so that a response without an end can end", async () => {
  const app = (request: Request, { draining }: Info) => {
    const signal = AbortSignal.any([request.signal, draining]);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("here"));
        signal.addEventListener("abort", () => {
          controller.enqueue(Buffer.from("bye"));
          controller.close();
        });
      },
    });
    return new Response(body);
  };
  const server = run(app, port0);
  assert.equal(server.draining.aborted, false);
  const connection = await open(server);
  const answer = await connection.write(octets({}, "")).head();
  assert.equal(String(await connection.chunk(answer)), "here");
  const ended = server.shutdown();
  assert.ok(server.draining.aborted);
  assert.equal(server.draining.reason.name, "AbortError");
  assert.equal(String(await connection.chunk(answer)), "bye");
  assert.equal(await connection.chunk(answer), undefined);
  await within(ended, "the shutdown");
  await connection.closed;
});

test("draining does not abort for a request that is answered", async () => {
  const signals: AbortSignal[] = [];
  const server = run((_request: Request, { draining }: Info) => {
    signals.push(draining);
    return "";
  }, port0);
  await ask(server);
  await ask(server, { method: "HEAD" });
  await server.shutdown();
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false]);
  assert.ok(server.draining.aborted);
});

test("draining aborts when the server is stopped, and stays so", async () => {
  const server = run(() => "", port0);
  const { draining } = server;
  let signals = 0;
  draining.addEventListener("abort", () => signals++);
  server.stop();
  await server.shutdown();
  assert.ok(draining.aborted);
  assert.equal(server.draining, draining);
  assert.equal(signals, 1);
});

test("draining is already aborted for requests that a draining server still accepts", async () => {
  const { app, gates } = gate();
  const seen: boolean[] = [];
  await serve((_request: Request, info: Info) => {
    seen.push(info.draining.aborted);
    return app();
  }, async (server) => {
    const connection = await open(server);
    const request = octets({}, "");
    connection.write(request).write(request.subarray(0, 9));
    await until(() => gates.length === 1, "the first request");
    const shutdown = server.shutdown();
    connection.write(request.subarray(9));
    await until(() => gates.length === 2, "the second request");
    gates.forEach((answer) => answer());
    await connection.answer();
    await connection.answer();
    await within(shutdown, "the shutdown");
    assert.deepEqual(seen, [false, true]);
    connection.close();
  });
});

test("shutdown refuses invalid times, and the server goes on", async () => {
  await serve(() => "on", async (server) => {
    for (const time of [NaN, -1, "1", null] as number[]) {
      assert.throws(() => server.shutdown({ timeout: time }), {
        name: "TypeError",
        message: /timeout/,
      });
      assert.throws(() => server.shutdown({ patience: time }), {
        name: "TypeError",
        message: /pati/,
      });
    }
    for (const options of [1000, null, { timeoutMs: 5 }] as object[]) {
      assert.throws(() => server.shutdown(options), { name: "TypeError", message: /shutdown\(\)/ });
    }
    assert.equal((await ask(server)).text, "on");
  });
});

test("shutdown may be called again, with a new deadline", async () => {
  const { app, gates } = gate();
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({}));
    await until(() => gates.length === 1, "the request");
    const first = server.shutdown();
    const second = server.shutdown({ timeout: 10 });
    await within(Promise.all([first, second]), "both");
    await within(server.shutdown(), "a third");
    connection.close();
  });
});

test("shutdown may be called after the end, and keeps nothing alive", async () => {
  await using child = runText(`import { run } from "${MOD}";
    const server = run(() => "", { port: 0 });
    server.stop();
    await server.shutdown({ timeout: 60_000 });
    console.log("over");`);
  assert.equal((await child.ended()).out, "over\n");
});

test("shutdown accepts fractions of milliseconds", async () => {
  const server = run(() => "", port0);
  await within(server.shutdown({ timeout: 0.5, patience: 1.5 }), "the shutdown");
});

test("a request whose handler stops the server at once is aborted", async () => {
  const { promise, resolve } = Promise.withResolvers<[Request, unknown, unknown]>();
  const app = (request: Request, info: Info) => {
    server.stop();
    const text = request.text().catch((error) => error);
    const completed = info.completed.catch((error) => error);
    resolve(Promise.all([request, text, completed]));
    return text as Promise<string>;
  };
  const server = run(app, port0);
  const connection = await open(server);
  connection.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  const [request, text, completed] = await within(promise, "the request's end");
  assert.equal((text as Error).name, "AbortError");
  assert.equal((completed as Error).name, "AbortError");
  assert.ok(request.signal.aborted);
  assert.equal(server.pendingRequests, 0);
  await within(server.finished, "finished");
  connection.close();
});

test("stop closes every connection now, aborts what runs and frees the port", async () => {
  const { app, gates } = gate();
  const errors: unknown[] = [];
  const server = run((request: Request) => {
    request.signal.addEventListener("abort", () => errors.push(request.signal.reason));
    return app();
  }, port0);
  const idle = await open(server);
  const running = await open(server);
  running.write(octets({}));
  await until(() => gates.length === 1, "the request");
  server.stop();
  server.stop();
  await within(Promise.all([idle.closed, running.closed, server.finished]), "the end");
  assert.equal((errors[0] as Error).name, "AbortError");
  gates[0]();
  const again = run(() => "again", "127.0.0.1", server.port);
  assert.equal((await ask(again)).text, "again");
  again.stop();
  idle.close();
  running.close();
});

test("stop ends streams in both directions", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const read = Promise.withResolvers<unknown>();
  const server = run((request: Request) => {
    request.text().catch(read.resolve);
    return new Response(
      new ReadableStream({ pull: () => new Promise(() => {}), cancel: cancelled.resolve }),
    );
  }, port0);
  const connection = await open(server);
  connection.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  await until(() => server.metrics().requests_in_flight === 1, "the request");
  server.stop();
  assert.ok(await within(read.promise, "the reader") instanceof Error);
  assert.ok(await within(cancelled.promise, "the stream") instanceof Error);
  connection.close();
});

test("the signal option stops the server, before and after it runs", async () => {
  const controller = new AbortController();
  const server = run(() => "", { port: 0, signal: controller.signal });
  const connection = await open(server);
  controller.abort();
  await within(Promise.all([server.finished, connection.closed]), "the end");
  await assert.rejects(open(server));
  connection.close();
  await within(run(() => "", { port: 0, signal: AbortSignal.abort() }).finished, "the end");
  const waiting = new AbortController();
  const listening = listen(() => "", { port: 0, signal: waiting.signal });
  waiting.abort();
  await within(listening.finished, "the end of one that has not begun");
});

test("await using shuts the server down", async () => {
  let server: Server;
  {
    await using used = run(() => "used", port0);
    server = used;
    assert.equal((await ask(used)).text, "used");
  }
  await within(server.finished, "finished");
  await assert.rejects(open(server));
});

for (const way of ["shutdown", "stop"] as const) {
  for (const when of ["at once", "after a wait"]) {
    test(`${way} from inside of a handler, ${when}, ends the server cleanly`, async () => {
      const errors: unknown[] = [];
      const server = run(
        when === "at once" ? () => end() : async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return end();
        },
        { port: 0, onError: (error) => void errors.push(error) },
      );
      const end = () => {
        void server[way]();
        return "the last";
      };
      const connections = await Promise.all([open(server), open(server), open(server)]);
      // Several requests in one turn: those after the end find no server.
      connections.forEach((connection) => connection.write(octets({}, "")).write(octets({}, "")));
      for (const connection of way === "shutdown" ? connections : []) {
        let answer = await connection.answer();
        if (answer.get("connection") !== "close") {
          answer = await connection.answer();
        }
        assert.deepEqual([answer.text, answer.get("connection")], ["the last", "close"]);
      }
      await within(Promise.all(connections.map(({ closed }) => closed)), "the end");
      await within(server.finished, "finished");
      connections.forEach((connection) => connection.close());
      assert.deepEqual(errors, []);
    });
  }
}

test("shutdown waits for waitUntil() no longer than its timeout", async () => {
  const server = run((_: Request, info: Info) => {
    info.waitUntil(new Promise(() => {}));
    return "done";
  }, port0);
  await ask(server);
  await within(server.shutdown({ timeout: 20 }), "the shutdown");
});

test("stop() does not wait for waitUntil(), even after a shutdown", async () => {
  for (const isDrained of [false, true]) {
    const server = run((_: Request, info: Info) => {
      info.waitUntil(new Promise(() => {}));
      return "done";
    }, port0);
    await ask(server);
    if (isDrained) {
      server.shutdown();
      await until(() => server.stopped, "the drained server");
    }
    server.stop();
    await within(server.finished, "the end");
  }
});

test("waitUntil() may be called again by work that it waits for", async () => {
  const ends: string[] = [];
  const server = run((_: Request, info: Info) => {
    info.waitUntil((async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      info.waitUntil(new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => {
        ends.push("inner");
      }));
      ends.push("outer");
    })());
    return "done";
  }, port0);
  await ask(server);
  await server.shutdown();
  assert.deepEqual(ends, ["outer", "inner"]);
});

test("waitUntil() ignores values that are not promises", async () => {
  const values = [undefined, 7, { then: (done: () => void) => done() }];
  const server = run((_: Request, info: Info) => {
    values.forEach((value) => info.waitUntil(value as Promise<unknown>));
    return "done";
  }, port0);
  assert.equal((await ask(server)).text, "done");
  await within(server.shutdown(), "the shutdown");
});

test("a promise given to waitUntil() that rejects is passed to onError", async () => {
  const told: unknown[] = [];
  const server = run((_: Request, info: Info) => {
    info.waitUntil(Promise.reject(new Error("late")));
    return "done";
  }, {
    ...port0,
    onError: (error, request) => void told.push((error as Error).message, request.method),
  });
  await ask(server);
  await server.shutdown();
  assert.deepEqual(told, ["late", "GET"]);
});
