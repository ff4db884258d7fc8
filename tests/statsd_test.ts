// What a statsd server receives, over a real UDP socket.
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import { run, type StatsdOptions } from "../mod.ts";
import { ask, logged, octets, open, quiet, until, within } from "./support/client.ts";

/** A statsd server on a free port, and what it has received. */
class Receiver implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly sizes: number[] = [];
  readonly #socket: Socket = createSocket("udp4");

  async start(): Promise<number> {
    this.#socket.on("message", (message) => {
      this.sizes.push(message.length);
      this.lines.push(...message.toString().split("\n"));
    });
    this.#socket.bind(0, "127.0.0.1");
    await within(once(this.#socket, "listening"), "the receiver");
    return this.#socket.address().port;
  }

  /** The sum of the counts received for a name. */
  count(name: string): number {
    return this.lines.filter((line) => line.startsWith(`${name}:`))
      .reduce((sum, line) => sum + Number(/:(\d+)\|c/.exec(line)![1]), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

/** A line must be a counter in DogStatsD's grammar. */
const LINE = /^[\w.]+:\d+\|c(\|#[^|,]+(,[^|,]+)*)?$/;

async function tellOf(
  options: Omit<StatsdOptions, "port">,
  receiver: Receiver,
  work: (server: ReturnType<typeof run>) => Promise<void>,
): Promise<void> {
  const port = await receiver.start();
  const app = (request: Request) => {
    if (request.url.endsWith("/fail")) {
      throw new Error("meant");
    }
    return "ok";
  };
  const server = run(app, { port: 0, statsd: { interval: 20, ...options, port } });
  await work(server);
  await quiet(server);
  await server.shutdown();
}

test("the names of bjoern, for requests of every kind", async () => {
  await using receiver = new Receiver();
  const errors = await logged(() =>
    tellOf({}, receiver, async (server) => {
      const kept = await open(server);
      for (let i = 0; i < 3; i++) {
        await kept.write(octets({}, "")).answer();
      }
      kept.close();
      await ask(server, { target: "/fail" });
      await ask(server, { headers: { Host: "a b" } });
      const left = await open(server);
      left.write("GET / HT");
      await until(() => server.metrics().req_active === 1, "half a request");
      left.close();
    })
  );
  assert.equal(errors.length, 1);
  await until(() => receiver.count("bjoern.req.aborted") === 1, "all of it");
  const expected = {
    "conn.accept.success": 4,
    "conn.accept.error": 0,
    "req.error.client_disconnected": 1,
    "req.error.read": 0,
    "req.error.parse": 1,
    "req.error.internal": 1,
    "req.success.read": 4,
    "req.active": 1,
    "req.done": 5,
    "req.aborted": 1,
    "resp.active": 0,
    "resp.done": 5,
    "resp.done.keepalive": 3,
    "resp.conn.close": 2,
    "resp.aborted": 0,
  };
  const told = Object.keys(expected).map((name) => [name, receiver.count(`bjoern.${name}`)]);
  assert.deepEqual(Object.fromEntries(told), expected);
  for (const line of receiver.lines) {
    assert.match(line, LINE);
  }
});

describe("options", () => {
  const rows: [options: Omit<StatsdOptions, "port">, line: string][] = [
    [{}, "bjoern.resp.done:1|c"],
    [{ ns: "" }, "resp.done:1|c"],
    [{ ns: "my.shop" }, "my.shop.resp.done:1|c"],
    [{ ns: "shop.", tags: "env:test,web" }, "shop.resp.done:1|c|#env:test,web"],
    [{ tags: ["env:test", "web"] }, "bjoern.resp.done:1|c|#env:test,web"],
    [{ tags: "env:test, web" }, "bjoern.resp.done:1|c|#env:test,web"],
    [{ tags: "" }, "bjoern.resp.done:1|c"],
    [{ tags: [] }, "bjoern.resp.done:1|c"],
    [{ host: "" }, "bjoern.resp.done:1|c"],
  ];
  for (const [options, line] of rows) {
    test(`${JSON.stringify(options)} makes ${line}`, async () => {
      await using receiver = new Receiver();
      await tellOf(options, receiver, async (server) => void await ask(server));
      await until(() => receiver.lines.includes(line), line);
    });
  }

  test("enable: false sends nothing", async () => {
    await using receiver = new Receiver();
    await tellOf({ enable: false }, receiver, async (server) => void await ask(server));
    assert.deepEqual(receiver.lines, []);
  });

  test("counts are collected, several lines a datagram", async () => {
    await using receiver = new Receiver();
    await tellOf({ interval: 60_000 }, receiver, async (server) => {
      for (let i = 0; i < 20; i++) {
        await ask(server);
      }
    });
    await until(() => receiver.count("bjoern.resp.done") === 20, "the count");
    assert.equal(receiver.sizes.length, 1);
    assert.ok(receiver.lines.includes("bjoern.resp.done:20|c"));
  });

  test("long tags are spread over datagrams of at most 1432 bytes", async () => {
    await using receiver = new Receiver();
    const tags = Array.from({ length: 60 }, (_, i) => `tag${i}:value${i}`);
    await tellOf({ tags }, receiver, async (server) => void await ask(server));
    await until(() => receiver.count("bjoern.resp.conn.close") === 1, "the count");
    assert.ok(receiver.sizes.every((size) => size <= 1432));
  });

  test("without a listener nothing happens", async () => {
    const receiver = new Receiver();
    const port = await receiver.start();
    await receiver[Symbol.asyncDispose]();
    const server = run(() => "ok", { port: 0, statsd: { port, interval: 1 } });
    for (let i = 0; i < 10; i++) {
      assert.equal((await ask(server)).text, "ok");
    }
    await quiet(server);
    server.stop();
  });

  const refused: [options: StatsdOptions, name: string, message: RegExp][] = [
    [5 as never, "TypeError", /statsd/],
    [{ enable: "false" as never }, "TypeError", /statsd\.enable.*string/],
    [{ prefix: "a" } as never, "TypeError", /^There is no option statsd\.prefix$/],
    [{ port: 0 }, "RangeError", /statsd\.port.*0/],
    [{ port: "8125" as never }, "TypeError", /statsd\.port must be a number, not string/],
    [{ ns: "a:b" }, "TypeError", /statsd\.ns.*a:b/],
    [{ ns: 5 as never }, "TypeError", /statsd\.ns.*number/],
    [{ tags: "a|b" }, "TypeError", /statsd\.tags/],
    [{ tags: ["a,b"] }, "TypeError", /statsd\.tags/],
    [{ tags: 5 as never }, "TypeError", /statsd\.tags.*number/],
    [{ tags: [5] as never }, "TypeError", /statsd\.tags.*number/],
    [{ tags: "x".repeat(1300) }, "RangeError", /1200/],
    [{ interval: 0 }, "RangeError", /statsd\.interval/],
    [{ host: "no.such.host.invalid" }, "Error", /no\.such\.host\.invalid:8125.*getaddrinfo/],
  ];
  for (const [statsd, name, message] of refused) {
    test(`${JSON.stringify(statsd).slice(0, 50)} is refused by a ${name}`, () => {
      assert.throws(() => run(() => "", { port: 0, statsd }), { name, message });
    });
  }
});

test("metrics() has the same counts, and more", async () => {
  const server = run(() => "ok", { port: 0 });
  for (let i = 0; i < 3; i++) {
    await ask(server);
  }
  await quiet(server);
  const metrics = server.metrics();
  assert.equal(metrics.resp_done, 3);
  assert.equal(metrics.conn_accept_success, 3);
  assert.ok(metrics.bytes_received > 0 && metrics.bytes_sent > 0);
  const { bounds, counts, sum } = metrics.request_duration_seconds;
  assert.equal(counts.length, bounds.length + 1);
  assert.equal(counts.reduce((a, b) => a + b), 3);
  assert.ok(sum >= 0 && bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]));
  server.stop();
  assert.equal(server.metrics().resp_done, 3, "also afterwards");
});
