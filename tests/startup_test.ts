// How servers start, and why they do not.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { listen, ListenError, type Options, run, serverRun } from "../mod.ts";
import { ask, octets, open, quiet, serve, within } from "./support/client.ts";

const port0 = { port: 0 };

test("port 0 takes a free port, given by addr, url and port", async () => {
  await serve(() => "", async (server) => {
    assert.ok(server.port > 0 && server.port < 65536);
    assert.deepEqual(server.addr, { transport: "tcp", hostname: "127.0.0.1", port: server.port });
    assert.ok(server.url instanceof URL);
    assert.equal(server.url.href, `http://127.0.0.1:${server.port}/`);
    assert.equal(await (await fetch(server.url, { headers: { Connection: "close" } })).text(), "");
  });
});

test("run() takes host, port and options in several ways", async () => {
  const withMore = { fetch: () => "x", stop() {} };
  const servers = [
    run(() => "x", "127.0.0.1", 0),
    run(() => "x", "127.0.0.1", 0, { maxFields: 5 }),
    run(() => "x", { host: "127.0.0.1", port: 0 }),
    run({ fetch: () => "x" }, { port: 0 }),
    run(withMore, "localhost", 0),
    run(
      class {
        static fetch = () => "x";
      },
      port0,
    ),
    run({ default: { fetch: () => "x" } } as never, port0),
    run(
      new (class {
        text = "x";
        fetch() {
          return this.text;
        }
      })(),
      port0,
    ),
  ];
  assert.equal(new Set(servers.map(({ port }) => port)).size, servers.length);
  for (const server of servers) {
    assert.equal((await ask(server)).text, "x");
    await quiet(server);
    server.stop();
  }
});

test("an IPv6 address has brackets in the url", async () => {
  const probe = createServer();
  const hasIPv6 = await new Promise((resolve) => {
    probe.on("error", () => resolve(false)).listen(0, "::1", () => resolve(true));
  });
  probe.close();
  if (!hasIPv6) {
    return;
  }
  const server = run((_request, info) => info.remoteAddr.hostname, "::1", 0);
  assert.equal(server.addr.hostname, "::1");
  assert.equal(server.url.href, `http://[::1]:${server.port}/`);
  assert.equal(await (await fetch(server.url)).text(), "::1");
  server.stop();
});

test("a server can be awaited by mistake: it is not a promise", async () => {
  const server = run(() => "", port0);
  assert.equal(await server, server);
  server.stop();
});

test("onListen gets the address", () => {
  let told: unknown;
  const server = run(() => "", { port: 0, onListen: (address) => told = address });
  assert.deepEqual(told, server.addr);
  server.stop();
});

test("listen() binds the port, run() without arguments begins to accept", async () => {
  const first = listen(() => "first", port0);
  const second = listen(() => "second", "127.0.0.1", 0);
  const connection = await open(second);
  connection.write(octets({}));
  assert.equal(run(), second);
  assert.equal((await connection.answer()).text, "second");
  assert.equal((await ask(first)).text, "first");
  connection.close();
  for (const server of [first, second]) {
    await quiet(server);
    await within(server.shutdown(), "the shutdown");
  }
  assert.throws(() => run(), { message: /listen\(/ });
});

test("a server that only listens can be stopped, and the port is free", async () => {
  const server = listen(() => "", port0);
  await within(server.shutdown(), "the shutdown");
  const again = run(() => "again", "127.0.0.1", server.port);
  assert.equal((await ask(again)).text, "again");
  again.stop();
});

test("reload() hands the next requests to another app", async () => {
  await serve(() => "old", async (server) => {
    const connection = await open(server);
    assert.equal((await connection.write(octets({}, "")).answer()).text, "old");
    server.reload({ fetch: () => "new" });
    assert.equal((await connection.write(octets({}, "")).answer()).text, "new");
    assert.throws(() => server.reload({} as never), TypeError);
    connection.close();
  });
});

test("a handler has no `this`, which would expose the server's internals", async () => {
  const app = function (this: unknown) {
    return typeof this;
  };
  await serve(app, async (server) => {
    assert.equal((await ask(server)).text, "undefined");
  });
});

const refused: [
  name: string,
  start: () => unknown,
  expected: { name: string; message: RegExp; code?: string },
][] = [
  ["null", () => run(null as never), { name: "TypeError", message: /Cannot serve null/ }],
  ["a string", () => run("x" as never), {
    name: "TypeError",
    message: /Cannot serve string.*fetch/,
  }],
  ["an object without fetch", () => run({} as never), { name: "TypeError", message: /fetch/ }],
  ["a bad port", () => run(() => "", "127.0.0.1", 65536), {
    name: "RangeError",
    message: /port.*65535.*65536/,
  }],
  ["a port of text behind the host", () => run(() => "", "127.0.0.1", "9199" as never), {
    name: "TypeError",
    message: /port.*string/,
  }],
  ["invalid options", () => run(() => "", "127.0.0.1", 0, true as never), {
    name: "TypeError",
    message: /Options.*boolean/,
  }],
  ["a port that would be lost", () => run({ port: 1, fetch: () => "" } as never), {
    name: "TypeError",
    message: /^An app's "port" would be lost: it is an option/,
  }],
  ["options of Bun.serve", () => run({ routes: {}, fetch: () => "" } as never), {
    name: "TypeError",
    message: /contrib\/router/,
  }],
  ["TLS", () => run(() => "", { tls: {} } as never), {
    name: "TypeError",
    message: /no option tls: use a proxy in front/,
  }],
  ["no host", () => run(() => "", { host: "" }), {
    name: "TypeError",
    message: /empty.*0\.0\.0\.0/,
  }],
  ["a URL as host", () => run(() => "", { host: "http://127.0.0.1:80" }), {
    name: "TypeError",
    message: /not a URL/,
  }],
  ["a port as host", () => run(() => "", 9999), {
    name: "ListenError",
    message: /descriptor 9999: .*for a port use \{ port \}/,
  }],
  ["no app", () => run(undefined as never), { name: "TypeError", message: /Cannot serve/ }],
  ["no listener", () => serverRun(null as never, () => ""), {
    name: "TypeError",
    message: /descriptor/,
  }],
  ["a broken port", () => run(() => "", "127.0.0.1", 1.5), { name: "RangeError", message: /port/ }],
  ["a port of text", () => run(() => "", { port: "80" as never }), {
    name: "TypeError",
    message: /port.*string/,
  }],
  ["a host of another type", () => run(() => "", { host: true as never }), {
    name: "TypeError",
    message: /host/,
  }],
  ["NUL in the host", () => run(() => "", "a\0b"), { name: "TypeError", message: /NUL/ }],
  ["an invalid onError", () => run(() => "", { onError: 1 as never }), {
    name: "TypeError",
    message: /onError/,
  }],
  ...(["reusePort", "keepAlive", "handleSignals", "patchGlobals"] as const).map((
    name,
  ): (typeof refused)[number] => [
    `${name} of text`,
    () => run(() => "", { port: 0, [name]: "false" } as Options),
    { name: "TypeError", message: new RegExp(`${name}.*boolean.*string`) },
  ]),
  ["an invalid signal", () => run(() => "", { port: 0, signal: {} as never }), {
    name: "TypeError",
    message: /signal.*AbortSignal/,
  }],
  ["an unknown backend", () => run(() => "", { port: 0, backend: "iocp" as never }), {
    name: "TypeError",
    message: /backend.*epoll.*iocp/,
  }],
  ["an unknown option", () => run(() => "", { port: 0, maxBodySzie: 1 } as Options), {
    name: "TypeError",
    message: /no option maxBodySzie$/,
  }],
  ["an option of others", () => run(() => "", { port: 0, hostname: "::" } as Options), {
    name: "TypeError",
    message: /no option hostname: use host/,
  }],
  ["workers for one process", () => listen(() => "", { port: 0, workers: 2 } as Options), {
    name: "TypeError",
    message: /no option workers: use run/,
  }],
  ["an unknown host", () => run(() => "", "no.such.host.invalid", 0), {
    name: "ListenError",
    code: "ENOTFOUND",
    message: /no\.such\.host\.invalid/,
  }],
  ["a foreign address", () => run(() => "", "192.0.2.1", 1234), {
    name: "ListenError",
    code: "EADDRNOTAVAIL",
    message: /192\.0\.2\.1:1234/,
  }],
  ["a path without a folder", () => run(() => "", "unix:/no/such/folder/a"), {
    name: "ListenError",
    code: "ENOENT",
    message: /unix:\/no\/such/,
  }],
  ["a path too long", () => run(() => "", `unix:/${"x".repeat(200)}`), {
    name: "ListenError",
    code: "ENAMETOOLONG",
    message: /unix:/,
  }],
  ["no descriptor", () => serverRun(-1, () => ""), { name: "TypeError", message: /descriptor/ }],
  ["a closed descriptor", () => serverRun(9999, () => ""), {
    name: "ListenError",
    code: "EBADF",
    message: /descriptor 9999/,
  }],
  ["a descriptor that is not a socket", () => serverRun({ fd: 2 }, () => ""), {
    name: "ListenError",
    message: /descriptor 2/,
  }],
  ...([
    "maxHeadSize",
    "maxFields",
    "keepAliveTimeout",
    "spin",
    "listenBacklog",
    "maxBodySize",
  ] as const)
    .map((
      name,
    ): (typeof refused)[number] => [
      `${name} of -1`,
      () => run(() => "", { port: 0, [name]: -1 } as Options),
      { name: "RangeError", message: new RegExp(`${name}.*-1`) },
    ]),
];
for (const [name, start, expected] of refused) {
  test(`${name} is refused by a ${expected.name} that says so`, () => {
    assert.throws(start, expected);
  });
}

test("a port that is in use is refused by a ListenError that names it", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  assert.throws(() => run(() => "", "127.0.0.1", port), (error) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.code, "EADDRINUSE");
    assert.match(error.message, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: `));
    return true;
  });
  await new Promise((resolve) => taken.close(resolve));
});

test(
  "a failed start leaves no descriptor open",
  { skip: process.platform !== "linux" },
  () => {
    const count = () => readdirSync("/proc/self/fd").length;
    const attempts = [
      () => run(() => "", "unix:/no/such/folder/a"),
      () => run(() => "", { port: 0, statsd: { host: "no.such.host.invalid" } }),
      () => serverRun(0, () => ""),
      () =>
        run(() => "", {
          port: 0,
          onListen: () => {
            throw new Error("meant");
          },
        }),
    ];
    for (const attempt of attempts) {
      assert.throws(attempt); // the library stays loaded
    }
    const before = count();
    for (let i = 0; i < 20; i++) {
      for (const attempt of attempts.slice(0, 3)) {
        assert.throws(attempt);
      }
      listen(() => "", port0).stop();
    }
    assert.equal(count(), before);
  },
);

test("an onListen that throws frees the port", async () => {
  let port = 0;
  assert.throws(() =>
    run(() => "", {
      port: 0,
      onListen: (address) => {
        port = (address as { port: number }).port;
        throw new Error("meant");
      },
    }), /meant/);
  const server = run(() => "again", "127.0.0.1", port);
  assert.equal((await ask(server)).text, "again");
  server.stop();
});

test("run() does not start a server that was stopped before", () => {
  listen(() => "", port0).stop();
  assert.throws(() => run(), /Must call listen/);
});

test("keepAlive: false closes each connection after its first request", () =>
  serve(() => "once", async (server) => {
    const connection = await open(server);
    const answer = await connection.write(octets({}, "")).answer();
    assert.equal(answer.get("connection"), "close");
    await within(connection.closed, "the end");
  }, { keepAlive: false }));
