// The access log.
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { accessLog, type LogEntry, type LogOptions } from "../contrib/log.ts";
import type { App, Handler, Options, Server } from "../mod.ts";
import { MOD, runText } from "./support/child.ts";
import { type Ask, ask, logged, octets, open, serve, until } from "./support/client.ts";

/** Serves a logged app, and returns the lines of its log. */
async function linesOf(
  app: App,
  body: (server: Server, lines: string[]) => Promise<void>,
  options: LogOptions = {},
  serverOptions: Options = {},
): Promise<string[]> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  await serve(
    accessLog(app, { ...options, write }),
    (server) => body(server, lines),
    serverOptions,
  );
  return lines;
}

/** The entry of a single request. */
async function entryOf(app: App, what: Ask = {}, serverOptions: Options = {}): Promise<LogEntry> {
  const [line, ...rest] = await linesOf(
    app,
    async (server, lines) => {
      await ask(server, what);
      await until(() => lines.length > 0, "a line");
    },
    { format: "json" },
    serverOptions,
  );
  assert.deepEqual(rest, []);
  return JSON.parse(line);
}

const TIME = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]`;

describe("formats", () => {
  const what: Ask = {
    target: "/a?b=c",
    headers: { "Referer": "http://example.org/", "User-Agent": "test/1.0" },
  };
  const line = async (options: LogOptions) => {
    const [first] = await linesOf(() => "hello", async (server, lines) => {
      await ask(server, what);
      await until(() => lines.length > 0, "a line");
    }, options);
    return first;
  };
  const common = String.raw`127\.0\.0\.1 - - ${TIME} "GET /a\?b=c HTTP/1\.1" 200 5`;
  test("common", async () => {
    assert.match(await line({ format: "common" }), new RegExp(`^${common}$`));
  });
  test("combined, which is the default", async () => {
    const combined = new RegExp(`^${common} "http://example\\.org/" "test/1\\.0"$`);
    assert.match(await line({ format: "combined" }), combined);
    assert.match(await line({}), combined);
  });
  test("json", async () => {
    const { time, duration, ...entry } = JSON.parse(await line({ format: "json" }));
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000);
    assert.ok(duration > 0 && duration < 60_000);
    assert.deepEqual(entry, {
      remoteAddr: "127.0.0.1",
      method: "GET",
      target: "/a?b=c",
      version: "1.1",
      status: 200,
      bytes: 5,
      referer: "http://example.org/",
      userAgent: "test/1.0",
      aborted: false,
    });
  });
  test("a function, which may skip lines", async () => {
    const format = ({ status, target }: LogEntry) => status === 200 ? undefined : target;
    const app: Handler = (_request, info) =>
      info.rawTarget === "/no" ? new Response("no", { status: 404 }) : "yes";
    const lines = await linesOf(app, async (server, lines) => {
      await ask(server, { target: "/yes" });
      await ask(server, { target: "/no" });
      await until(() => lines.length > 0, "a line");
    }, { format });
    assert.deepEqual(lines, ["/no"]);
  });
  test("an unknown one is refused", () => {
    assert.throws(() => accessLog(() => "", { format: "apache" as never }), TypeError);
  });
});

describe("status and bytes", () => {
  const encoder = new TextEncoder();
  const stream = (...parts: string[]) =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve));
        const part = parts.shift();
        return part === undefined ? controller.close() : controller.enqueue(encoder.encode(part));
      },
    });
  const rows: [name: string, handler: Handler, status: number, bytes: number][] = [
    ["a string", () => "grüße", 200, 7],
    ["bytes", () => new Uint8Array(9), 200, 9],
    ["a response", () => new Response("grüße", { status: 201, headers: { "x-a": "1" } }), 201, 7],
    ["a response of bytes", () => new Response(new Uint8Array(70_000)), 200, 70_000],
    ["a promise", () => Promise.resolve(new Response("x")), 200, 1],
    ["no body", () => new Response(null, { status: 204 }), 204, 0],
    ["JSON", () => Response.json({ a: 1 }), 200, 7],
    ["a redirect", () => Response.redirect("http://example.org/"), 302, 0],
    ["a stream", () => new Response(stream("a", "bc", "def")), 200, 6],
    [
      "a stream with its length",
      () => new Response(stream("a", "bc"), { headers: { "content-length": "3" } }),
      200,
      3,
    ],
    ["an empty stream", () => new Response(stream()), 200, 0],
  ];
  for (const [name, handler, status, bytes] of rows) {
    test(`of ${name}`, async () => {
      const entry = await entryOf(handler);
      assert.deepEqual([entry.status, entry.bytes, entry.aborted], [status, bytes, false]);
    });
  }

  test("HEAD sends none", async () => {
    for (const [, handler, status] of rows) {
      const entry = await entryOf(handler, { method: "HEAD" });
      assert.deepEqual([entry.status, entry.bytes], [status, 0]);
    }
  });

  test("logging changes nothing on the wire", async () => {
    for (const [name, handler] of rows) {
      const seen: unknown[] = [];
      for (const app of [handler, accessLog(handler, { write: () => {} })]) {
        await serve(app, async (server) => {
          const { status, fields, body, complete } = await ask(server);
          seen.push([
            status,
            fields.filter(([field]) => field !== "date").sort(),
            body.length,
            complete,
          ]);
        });
      }
      assert.equal(JSON.stringify(seen[1]), JSON.stringify(seen[0]), name);
    }
  });

  const failing: Record<string, () => unknown> = {
    "a handler that throws": () => {
      throw new Error("broken");
    },
    "a handler that rejects": () => Promise.reject(new Error("broken")),
    "an invalid result": () => undefined,
  };
  for (const [name, handler] of Object.entries(failing)) {
    test(`${name} is 500, and the error goes to onError once`, async () => {
      const errors: unknown[] = [];
      const entry = await entryOf(handler as Handler, {}, {
        onError: (error) => void errors.push(error),
      });
      assert.equal(entry.status, 500);
      assert.equal(errors.length, 1);
    });
  }
});

test("what clients send cannot forge a line", async () => {
  const [line] = await linesOf(() => "x", async (server, lines) => {
    const connection = await open(server);
    connection.write(
      'GET /?"\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: a"b\\c\xe9\t\r\n' +
        "Connection: close\r\n\r\n",
    );
    await connection.answer();
    connection.close();
    await until(() => lines.length > 0, "a line");
  });
  assert.ok(line.includes(String.raw`"GET /?\"\\ HTTP/1.1"`), line);
  assert.ok(line.endsWith(String.raw`"-" "a\"b\\c\xe9"`), line);
});

test("a client on a Unix socket has no address", async () => {
  const folder = await mkdtemp(join(tmpdir(), "log-"));
  const path = join(folder, "socket");
  const [line] = await linesOf(
    () => "x",
    async (_server, lines) => {
      await ask({ path });
      await until(() => lines.length > 0, "a line");
    },
    { format: "common" },
    { host: `unix:${path}` },
  );
  await rm(folder, { recursive: true });
  assert.ok(line.startsWith("- - - ["), line);
});

describe("clients that leave", () => {
  test("before the response get a line with 499, and no error", async () => {
    const complaints = await logged(async () => {
      const [line, ...rest] = await linesOf(
        (request) =>
          new Promise((_, reject) => {
            request.signal.addEventListener("abort", () => reject(request.signal.reason));
          }),
        async (server, lines) => {
          const connection = await open(server);
          connection.write(octets({}));
          await until(() => server.pendingRequests === 1, "the request");
          connection.socket.resetAndDestroy();
          await until(() => lines.length > 0, "a line");
        },
        { format: "json" },
        { onError: undefined },
      );
      const { status, aborted } = JSON.parse(line);
      assert.deepEqual([status, aborted], [499, true]);
      assert.deepEqual(rest, []);
    });
    assert.deepEqual(complaints, []);
  });

  test("during the response get a line with its status and what was sent", async () => {
    const complaints = await logged(async () => {
      const [line] = await linesOf(
        () =>
          new Response(
            new ReadableStream({
              async pull(controller) {
                await new Promise((resolve) => setTimeout(resolve));
                controller.enqueue(new Uint8Array(1000));
              },
            }),
          ),
        async (server, lines) => {
          const connection = await open(server);
          await connection.write(octets({})).head();
          connection.close();
          await until(() => lines.length > 0, "a line");
        },
        { format: "json" },
        { onError: undefined },
      );
      const { status, aborted, bytes } = JSON.parse(line);
      assert.deepEqual([status, aborted], [200, true]);
      assert.ok(bytes >= 1000 && bytes % 1000 === 0);
    });
    assert.deepEqual(complaints, []);
  });

  test("without a request get no line", async () => {
    const lines = await linesOf(() => "x", async (server, lines) => {
      for (const sent of ["", "GET / HT", octets({}, "")]) {
        const connection = await open(server);
        connection.write(sent);
        if (typeof sent !== "string") {
          await connection.answer();
          await until(() => lines.length > 0, "a line");
        }
        connection.close();
      }
    });
    assert.equal(lines.length, 1);
  });
});

test("every one of many pipelined requests has its line", async () => {
  const count = 500;
  const lines = await linesOf((_request, info) => info.rawTarget, async (server, lines) => {
    const connection = await open(server);
    for (let i = 0; i < count; i++) {
      connection.write(octets({ target: `/${i}` }, ""));
    }
    for (let i = 0; i < count; i++) {
      assert.equal((await connection.answer()).text, `/${i}`);
    }
    await until(() => lines.length === count, "all lines");
    connection.close();
  }, { format: ({ target }) => target });
  assert.deepEqual(lines, Array.from({ length: count }, (_, i) => `/${i}`));
});

describe("a failing log is reported, and serving goes on", () => {
  const broken = () => {
    throw new Error("disk full");
  };
  const rows: [name: string, options: LogOptions][] = [
    ["its format throws", { format: broken, write: () => {} }],
    ["its write throws", { write: broken }],
    ["its write rejects", { write: () => Promise.reject(new Error("disk full")) }],
  ];
  for (const [name, options] of rows) {
    test(name, async () => {
      const complaints = await logged(() =>
        serve(accessLog(() => "served", options), async (server) => {
          assert.equal((await ask(server)).text, "served");
          assert.equal((await ask(server)).text, "served");
        })
      );
      assert.equal(complaints.length, 2);
      assert.match(String(complaints[0]), /access log.*disk full/);
    });
  }
});

test("a full disk behind standard output is reported once, and serving goes on", {
  skip: process.platform !== "linux" && "there is no /dev/full",
}, async () => {
  const program = `
    import { run } from "${MOD}";
    import { accessLog } from "${new URL("./contrib/log.ts", MOD).href}";
    const server = run(accessLog(() => "served"), { port: 0 });
    for (let i = 0; i < 5; i++) {
      console.error(await (await fetch(server.url)).text());
      await new Promise((resolve) => setTimeout(resolve));
    }
    await server.shutdown();
    console.error("over", process.exitCode ?? 0);`;
  const full = openSync("/dev/full", "w");
  await using child = runText(program, {}, undefined, full);
  closeSync(full);
  const { status, err } = await child.ended();
  assert.equal(err.match(/^served$/gm)?.length, 5, err);
  assert.equal(err.match(/An access log has failed/g)?.length, 1, err);
  assert.match(err, /^over 0$/m);
  assert.equal(status, 0);
});

test("many logs share one listener on standard output", () => {
  const before = process.stdout.listenerCount("error");
  for (let i = 0; i < 20; i++) {
    accessLog(() => "");
  }
  assert.ok(process.stdout.listenerCount("error") <= before + 1);
});

test("off returns the app itself", () => {
  const app = () => "x";
  assert.equal(accessLog(app, { format: "off" }), app);
});
