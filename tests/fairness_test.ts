// A busy server leaves time for the runtime's timers and I/O.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, octets, open, serve, until, within } from "./support/client.ts";
import { MOD, runFile, runText } from "./support/child.ts";

const FETCHES = 60;

/**
 * Requests that may be served during a fetch(), on average: unlike times, counts do not depend on
 * the machine. A turn of this load serves 128. A loop that lets the runtime in takes one or two
 * turns meanwhile (220 requests at most were seen, also on a busy machine), one that starves Deno's
 * I/O takes 500 and more.
 */
const MEANWHILE = 350;

/** A handler with some work to do, which makes turns long. */
function busy(): Response {
  for (const end = performance.now() + 0.05; performance.now() < end;);
  return new Response("Hello, World!");
}

test("timers tick and fetch() is answered while the server is under full load", async () => {
  await using upstream = runText(`
    import { run } from "${MOD}";
    console.log(run(() => "upstream", "127.0.0.1", 0).port);
  `);
  const url = `http://127.0.0.1:${await upstream.line()}/`;
  const ask = async () => assert.equal(await (await fetch(url)).text(), "upstream");
  await serve(busy, async (server) => {
    const served = () => server.metrics().req_success_read;
    const load = runFile("load.ts", String(server.port));
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    try {
      await until(() => served() > 2000, "the load");
      await within(ask(), "the first fetch");
      const [ticksBefore, begin] = [ticks, performance.now()];
      let meanwhile = 0;
      for (let i = 0; i < FETCHES; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1)); // not all at one lucky moment
        const before = served();
        await within(ask(), "a fetch");
        meanwhile += served() - before;
      }
      const missed = (performance.now() - begin) / 10 - (ticks - ticksBefore);
      assert.ok(meanwhile > 0, "there is no load");
      assert.ok(meanwhile / FETCHES < MEANWHILE, `${meanwhile / FETCHES} requests for a fetch`);
      // A turn takes more than 10 ms on a slow machine; a timer that never fires is another matter.
      assert.ok(ticks - ticksBefore > missed / 5, `${ticks - ticksBefore} ticks, ${missed} missed`);
    } finally {
      clearInterval(ticking);
      await load[Symbol.asyncDispose]();
    }
  });
});

test("events are sent without other requests, and requests between them are answered", async () => {
  const listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const app = (request: Request) =>
    request.url.endsWith("/other") ? "other" : new Response(
      new ReadableStream({ start: (controller) => void listeners.add(controller) }),
    );
  await serve(app, async (server) => {
    const connection = (await open(server)).write(octets({ target: "/events" }));
    await until(() => listeners.size === 1, "the listener");
    const [listener] = listeners;
    const head = await connection.head();
    for (let i = 0; i < 20; i++) {
      listener.enqueue(new TextEncoder().encode(`event ${i}`));
      assert.equal(String(await connection.chunk(head)), `event ${i}`);
      assert.equal((await ask(server, { target: "/other" })).text, "other");
    }
    listener.close();
    assert.equal(await connection.chunk(head), undefined);
    connection.close();
  });
});

test("a stream that always has data does not keep others waiting", async () => {
  let pulls = 0;
  const app = (request: Request) => {
    if (request.url.endsWith("/other")) {
      return "other";
    }
    return new Response(
      new ReadableStream({
        pull(controller) {
          pulls++ < 50_000 ? controller.enqueue(new Uint8Array(1000)) : controller.close();
        },
      }),
    );
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    const answer = await connection.write(octets({})).head();
    const reading = (async () => {
      while (await connection.chunk(answer));
    })();
    assert.equal((await ask(server, { target: "/other" })).text, "other");
    assert.ok(pulls < 40_000, `the stream was pulled ${pulls} times before`);
    connection.close();
    await reading;
  });
});
