// requestTimeout: the only limit that includes the handler's time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Info, RequestError } from "../mod.ts";
import { ask, octets, open, serve, within } from "./support/client.ts";

const HASTE = { requestTimeout: 30, headTimeout: 0, bodyTimeout: 0, writeTimeout: 0 };
const UPLOAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n";

/** What a handler is told when its request ends early. */
function ending(request: Request, { completed }: Info): Promise<unknown[]> {
  const aborted = new Promise<unknown>((resolve) =>
    request.signal.addEventListener("abort", () => resolve(request.signal.reason))
  );
  return Promise.all([aborted, completed.then(() => "completed", (reason) => reason)]);
}

/** Fails unless signal and completed have the same reason. */
async function checkEnd(told: Promise<unknown[]>, status: number): Promise<void> {
  const [reason, same] = await within(told, "the end");
  assert.ok(reason instanceof RequestError);
  assert.equal(reason, same);
  assert.deepEqual([reason.name, reason.status], ["TimeoutError", status]);
}

test("a handler that takes longer is told, its client gets 503, others get their answers", async () => {
  let told: Promise<unknown[]> | undefined;
  const late = Promise.withResolvers<string>();
  await serve((request: Request, info: Info) => {
    if (request.url.endsWith("/quick")) {
      return "quick";
    }
    told = ending(request, info);
    return late.promise;
  }, async (server) => {
    const connection = await open(server);
    connection.write(octets({}, "")).write(octets({ target: "/quick" }, ""));
    const answer = await connection.answer();
    assert.deepEqual([answer.status, answer.get("connection")], [503, "close"]);
    assert.equal(answer.text, "Service Unavailable");
    await within(connection.closed, "the end of the connection");
    await checkEnd(told!, 503);
    late.resolve("nobody hears this");
    assert.equal((await ask(server, { target: "/quick" })).text, "quick");
    connection.close();
    assert.equal(server.metrics().timeouts, 1);
  }, HASTE);
});

test("a client that does not complete its head or body gets 408", async () => {
  const failed = Promise.withResolvers<unknown>();
  let told: Promise<unknown[]> | undefined;
  await serve(async (request: Request, info: Info) => {
    told = ending(request, info);
    await request.bytes().catch(failed.resolve);
    return "";
  }, async (server) => {
    for (const half of ["GET / HTTP/1.1\r\nHos", `${UPLOAD}half`]) {
      const connection = await open(server);
      assert.equal((await connection.write(half).answer()).status, 408);
      await within(connection.closed, "the end of the connection");
      connection.close();
    }
    assert.ok(await within(failed.promise, "the reader") instanceof RequestError);
    await checkEnd(told!, 408);
  }, HASTE);
});

test("a body that the handler does not read is not the client's fault: 503", async () => {
  await serve(() => new Promise<string>(() => {}), async (server) => {
    const connection = await open(server);
    connection.write(UPLOAD).write(new Uint8Array(3_000_000));
    assert.equal((await connection.answer()).status, 503);
    await within(connection.closed, "the end of the connection");
    connection.close();
  }, HASTE);
});

test("a response under way is cut, and its stream cancelled", async () => {
  let told: Promise<unknown[]> | undefined;
  const cancelled = Promise.withResolvers<unknown>();
  await serve((request: Request, info: Info) => {
    told = ending(request, info);
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("begun")),
        pull: () => new Promise(() => {}),
        cancel: cancelled.resolve,
      }),
    );
  }, async (server) => {
    const connection = await open(server);
    const answer = await connection.write(octets({})).answer();
    assert.deepEqual([answer.text, answer.complete], ["begun", false]);
    await checkEnd(told!, 0);
    assert.ok(await within(cancelled.promise, "cancel()") instanceof RequestError);
    connection.close();
  }, HASTE);
});

test("a response that the client does not take in time is cut", async () => {
  const completed = Promise.withResolvers<unknown>();
  const sizes = [
    () => new Response("x".repeat(20_000_000)),
    () => new Response(new Uint8Array(20_000_000)),
  ];
  for (const make of sizes) {
    await serve((_request: Request, info: Info) => {
      info.completed.then(completed.resolve, completed.resolve);
      return make();
    }, async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}));
      assert.ok(await within(completed.promise, "completed") instanceof RequestError);
      connection.socket.resume();
      await within(connection.closed, "the cut");
      connection.close();
    }, HASTE);
  }
});

test("requests that are quick enough are not affected, pipelined or not", async () => {
  const ends: Promise<void>[] = [];
  await serve((request: Request, info: Info) => {
    ends.push(info.completed);
    return request.text();
  }, async (server) => {
    const connection = await open(server);
    for (let i = 0; i < 100; i++) {
      const what = octets({ body: `body ${i}` }, "");
      connection.write(what.subarray(0, i)).write(what.subarray(i));
    }
    for (let i = 0; i < 100; i++) {
      assert.equal((await connection.answer()).text, `body ${i}`);
    }
    await within(Promise.all(ends), "completed");
    connection.close();
    assert.equal(server.metrics().timeouts, 0);
  }, { requestTimeout: 60_000 });
});
