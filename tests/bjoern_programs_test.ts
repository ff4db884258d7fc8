// The programs in bjoern's tests folder, as tests: with the environ API as they were, and with the
// Fetch API where it can express the same.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { closeSync, createReadStream, openSync } from "node:fs";
import { mkdtemp, open as openFile, rm, stat, writeFile } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { type Body, type Environ, environ, type EnvironApp } from "../contrib/environ.ts";
import { type ForeignApp, type Handler, listen, type Options, run, type Server } from "../mod.ts";
import { type Ask, ask, octets, open, serve, until, within } from "./support/client.ts";

type Check = (server: Server) => Promise<void>;

/** A test for each API. */
function both(
  name: string,
  faces: { environ: EnvironApp; fetch: ForeignApp },
  check: Check,
  options?: Options,
): void {
  test(`${name}, environ`, () => serve(environ(faces.environ), check, options));
  test(`${name}, Fetch`, () => serve(faces.fetch, check, options));
}

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const left = chunks.map((chunk) => Buffer.from(chunk as string));
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      return chunk === undefined ? controller.close() : controller.enqueue(new Uint8Array(chunk));
    },
  });
}

/** Each line of a body formatted like a Python dict. */
function dump(pairs: Iterable<[string, unknown]>): string {
  return [...pairs].map(([name, value]) => `${name}: ${String(value)}\n`).join("");
}

const silent: Options = { onError: () => {} };

both("204.py: no body, no framing, and the connection goes on", {
  environ: (_env, startResponse) => {
    startResponse("204 no content", []);
    return "";
  },
  fetch: () => new Response(null, { status: 204, statusText: "no content" }),
}, async (server) => {
  const connection = await open(server);
  for (let i = 0; i < 3; i++) {
    const answer = await connection.write(octets({}, "")).answer();
    assert.deepEqual([answer.status, answer.reason], [204, "no content"]);
    assert.deepEqual([...answer.all("content-length"), ...answer.all("transfer-encoding")], []);
  }
  connection.close();
});

describe("all-kinds-of-errors.py: invalid answers get 500, and the server goes on", () => {
  const wrong: unknown[] = [undefined, null, 7, {}, [[]], Symbol("s"), () => "x"];
  const thrown: unknown[] = [new Error("e"), "a string", null, undefined, { status: 200 }];
  const calls: (() => unknown)[] = [
    ...wrong.map((value) => () => value),
    ...wrong.map((value) => () => Promise.resolve(value)),
    ...thrown.map((value) => () => {
      throw value;
    }),
    ...thrown.map((value) => () => Promise.reject(value)),
  ];
  const nth = (path: string) => calls[Number(path.slice(1))];
  const check: Check = async (server) => {
    for (const i of calls.keys()) {
      const answer = await ask(server, { target: `/${i}` });
      assert.equal(answer.status, 500, String(calls[i]));
      assert.equal(answer.get("connection"), "close");
    }
  };
  both(
    "values and errors",
    {
      environ: (env, startResponse) => {
        startResponse("200 OK", []);
        return nth(env.PATH_INFO)() as Body;
      },
      fetch: (_request: Request, info: { rawTarget: string }) => nth(info.rawTarget)(),
    },
    check,
    silent,
  );
});

both("empty.py: 200 without a body", {
  environ: (_env, startResponse) => {
    startResponse("200 ok", []);
    return "";
  },
  fetch: () => new Response("", { statusText: "ok" }),
}, async (server) => {
  const answer = await ask(server);
  assert.deepEqual([answer.status, answer.reason, answer.text], [200, "ok", ""]);
  assert.equal(answer.get("content-length"), "0");
});

both("env.py: shows the request", {
  environ: (env, startResponse) => {
    startResponse("200 yo", [["Content-Type", "text/plain"]]);
    return dump(Object.entries(env));
  },
  fetch: ((request, info) =>
    dump([
      ["REQUEST_METHOD", request.method],
      ["REQUEST_URI", info.rawTarget],
      ["REMOTE_ADDR", info.remoteAddr.hostname],
      ["SERVER_PORT", info.localAddr.port],
      ["HTTP_X_A", request.headers.get("x-a")],
    ])) satisfies Handler,
}, async (server) => {
  const { text } = await ask(server, { target: "/a?b", headers: { "X-A": "c" } });
  assert.match(text, /^REQUEST_METHOD: GET$/m);
  assert.match(text, /^REQUEST_URI: \/a\?b$/m);
  assert.match(text, /^REMOTE_ADDR: 127\.0\.0\.1$/m);
  assert.match(text, new RegExp(`^SERVER_PORT: ${server.port}$`, "m"));
  assert.match(text, /^HTTP_X_A: c$/m);
});

describe("expect100.py", () => {
  const head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  both("100 comes before the body, 417 for what is no 100-continue", {
    environ: async (env, startResponse) => {
      const body = await env["wsgi.input"].text();
      startResponse("200 OK", []);
      return body;
    },
    fetch: async (request: Request) => await request.text(),
  }, async (server) => {
    const waits = await open(server);
    waits.write(`${head}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n`);
    assert.equal((await waits.head()).status, 100);
    assert.equal((await waits.write("abc").answer()).text, "abc");
    const cases: [fields: string, body: string, status: number][] = [
      ["Content-Length: 0\r\nExpect: 100-Continue\r\n", "", 200],
      ["Content-Length: 3\r\nExpect: 100-continue\r\n", "abc", 200],
      ["Content-Length: 3\r\nExpect: badness\r\n", "", 417],
      ["Content-Length: 3\r\nExpect: badness\r\n", "abc", 417],
    ];
    for (const [fields, body, status] of cases) {
      const connection = await open(server);
      const answer = await connection.write(`${head}${fields}\r\n${body}`).answer();
      assert.equal(answer.status, status, fields);
      connection.close();
    }
    waits.close();
  });
});

describe("file.py and filewrapper.py: files in every way to send them", () => {
  const files = { small: randomBytes(888), large: randomBytes(88_888) };
  let folder: string;
  const path = (name: string) => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bjoern-"));
    await writeFile(path("small"), files.small);
    await writeFile(path("large"), files.large);
  });
  after(() => rm(folder, { recursive: true }));

  const endless = { read: () => "ab" };
  const reading = async function* (name: string) {
    const file = await openFile(path(name));
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(1000), 0, 1000, null);
        if (bytesRead === 0) {
          return;
        }
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  };
  type Way = (env: Environ, name: string) => Body | Promise<Body>;
  const ways: Record<string, Way> = {
    "iter(read)": (_env, name) => reading(name),
    "the file itself": (_env, name) => createReadStream(path(name)),
    "file_wrapper(file)": async (env, name) => env["wsgi.file_wrapper"](await openFile(path(name))),
    "file_wrapper({ fd })": (env, name) => {
      const fd = openSync(path(name), "r");
      return env["wsgi.file_wrapper"]({ fd, close: () => closeSync(fd) });
    },
    "file_wrapper(file, 1)": async (env, name) =>
      env["wsgi.file_wrapper"](await openFile(path(name)), name === "small" ? 1 : 1000),
  };
  for (const [way, make] of Object.entries(ways)) {
    for (const [name, content] of Object.entries(files)) {
      for (const isTold of [true, false]) {
        test(`${way}, ${name}, ${isTold ? "with" : "without"} Content-Length`, async () => {
          const app: EnvironApp = async (env, startResponse) => {
            startResponse("200 OK", isTold ? [["Content-Length", String(content.length)]] : []);
            return await make(env, name);
          };
          await serve(environ(app), async (server) => {
            const connection = await open(server);
            for (let i = 0; i < 2; i++) {
              const answer = await connection.write(octets({}, "")).answer();
              assert.ok(answer.complete);
              assert.ok(answer.body.equals(content));
              const isKnown = isTold || way.startsWith("file_wrapper"); // of a real file
              const framing = isKnown ? "content-length" : "transfer-encoding";
              assert.equal(answer.get(framing), isKnown ? String(content.length) : "chunked");
            }
            connection.close();
          });
        });
      }
    }
  }

  test("an endless pseudo-file ends at its Content-Length", async () => {
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", [["Content-Length", "9"]]);
      return env["wsgi.file_wrapper"](endless);
    };
    await serve(environ(app), async (server) => {
      const connection = await open(server);
      for (let i = 0; i < 2; i++) {
        assert.equal((await connection.write(octets({}, "")).answer()).text, "ababababa");
      }
      connection.close();
    });
  });

  test("a file's stream is byte-exact, Fetch", async () => {
    const app = (_request: Request, { rawTarget }: { rawTarget: string }) => {
      const blocks = createReadStream(path(rawTarget.slice(1)))[Symbol.asyncIterator]();
      return new Response(
        new ReadableStream({
          async pull(controller) {
            const { done, value } = await blocks.next();
            return done ? controller.close() : controller.enqueue(value);
          },
        }),
      );
    };
    await serve(app, async (server) => {
      for (const [name, content] of Object.entries(files)) {
        const answer = await ask(server, { target: `/${name}` });
        assert.ok(answer.body.equals(content));
        assert.equal(answer.get("transfer-encoding"), "chunked");
      }
    });
  });
});

describe("headers.py: long and non-ASCII fields", () => {
  const long = "a".repeat(1000);
  both("long ones and latin-1 values are sent", {
    environ: (_env, startResponse) => {
      startResponse("200 OK", [["X-Latin", "\xdc\xe4"], [long, long]]);
      return ["yo"];
    },
    fetch: () => new Response("yo", { headers: { "X-Latin": "\xdc\xe4", [long]: long } }),
  }, async (server) => {
    const answer = await ask(server);
    assert.equal(answer.get("x-latin"), "\xdc\xe4");
    assert.equal(answer.get(long), long);
  });
  both(
    "an invalid name gets 500",
    {
      environ: (_env, startResponse) => {
        startResponse("200 OK", [["\xdc", "\xe4"]]);
        return ["yo"];
      },
      fetch: () => new Response("yo", { headers: { "\xdc": "\xe4" } }),
    },
    async (server) => assert.equal((await ask(server)).status, 500),
    silent,
  );
});

describe("hello.py: four kinds of body", () => {
  const text = "Hello, World!";
  const parts = ["Hello, ", "World!"];
  const length = { "Content-Length": String(text.length) };
  const bodies: [EnvironApp, Handler][] = [
    [(_env, start) => (start("200 OK", []), parts), () => new Response(streamOf(...parts))],
    [(_env, start) => (start("200 OK", []), Buffer.from(text)), () => Buffer.from(text)],
    [
      function* (_env, start) {
        start("200 OK", Object.entries(length));
        yield* parts;
      },
      () => new Response(streamOf(...parts), { headers: length }),
    ],
    [(_env, start) => (start("200 OK", []), [text]), () => text],
  ];
  for (const [i, [environApp, fetchApp]] of bodies.entries()) {
    both(`kind ${i}`, { environ: environApp, fetch: fetchApp as ForeignApp }, async (server) => {
      const connection = await open(server);
      for (let n = 0; n < 3; n++) {
        assert.equal((await connection.write(octets({}, "")).answer()).text, text);
      }
      connection.close();
    });
  }
});

describe("hello_unix.py: on Unix sockets", () => {
  const hello: EnvironApp = (env, startResponse) => {
    startResponse("200 OK", []);
    return [`Hello ${env.PATH_INFO}`];
  };
  for (const form of ["absolute", "relative"]) {
    test(`a path that is ${form}, and the file is gone afterwards`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "bjoern-"));
      const absolute = join(folder, "socket");
      const path = form === "absolute" ? absolute : relative(process.cwd(), absolute);
      await serve(environ(hello), async () => {
        assert.equal((await ask({ path: absolute }, { target: "/unix" })).text, "Hello /unix");
      }, { host: `unix:${path}` });
      await assert.rejects(stat(absolute), { code: "ENOENT" });
      await rm(folder, { recursive: true });
    });
  }
  test("an abstract name", { skip: platform() !== "linux" }, async () => {
    const name = `bjoern-${process.pid}-${randomBytes(4).toString("hex")}`;
    await serve(environ(hello), async () => {
      assert.equal((await ask({ path: `\0${name}` })).text, "Hello /");
    }, { host: `unix:@${name}` });
  });
});

both("huge.py: 1 MiB in 1024 parts with its length", {
  environ: function* (_env, startResponse) {
    startResponse("200 OK", [["Content-Length", String(1024 * 1024)]]);
    for (let i = 0; i < 1024; i++) {
      yield "x".repeat(1024);
    }
  },
  fetch: () =>
    new Response(streamOf(...Array(1024).fill("x".repeat(1024))), {
      headers: { "Content-Length": String(1024 * 1024) },
    }),
}, async (server) => {
  const answer = await ask(server);
  assert.ok(answer.complete);
  assert.equal(answer.text, "x".repeat(1024 * 1024));
});

describe("interrupt-during-request.py: a stop lets the running response finish", () => {
  const chunks = ["aaaaa", "bbbbb", "ccccc"];
  let server: Server;
  let finished: Promise<void>;
  const next = (i: number) => {
    if (i === 1) {
      finished = server.shutdown();
    }
    return chunks[i];
  };
  const apps: Record<string, ForeignApp> = {
    environ: environ(async function* (_env, startResponse) {
      startResponse("200 OK", []);
      for (const i of chunks.keys()) {
        yield next(i);
        await new Promise((resolve) => setTimeout(resolve));
      }
    }) as ForeignApp,
    Fetch: () => {
      let i = 0;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve));
            if (i === chunks.length) {
              controller.close();
            } else {
              controller.enqueue(new TextEncoder().encode(next(i++)));
            }
          },
        }),
      );
    },
  };
  for (const [face, app] of Object.entries(apps)) {
    test(`${face}`, async () => {
      server = run(app, { port: 0 });
      const answer = await ask(server);
      assert.deepEqual([answer.text, answer.complete], [chunks.join(""), true]);
      await within(finished, "finished");
      await assert.rejects(open(server));
    });
  }
});

describe("keep-alive-behaviour.py: the truth table", () => {
  type Row = [
    minor: number,
    error: number,
    length: number,
    asks: number,
    chunked: number,
    alive: number,
  ];
  const rows: Row[] = [
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0],
    [0, 0, 1, 0, 0, 0],
    [0, 0, 1, 1, 0, 1],
    [0, 1, 0, 0, 0, 0],
    [0, 1, 0, 1, 0, 0],
    [0, 1, 1, 0, 0, 0],
    [0, 1, 1, 1, 0, 0],
    // bjoern ends this body by closing; chunked, the client can see that it is complete.
    [1, 0, 0, 0, 1, 0],
    [1, 0, 0, 1, 1, 1],
    [1, 0, 1, 0, 0, 0],
    [1, 0, 1, 1, 0, 1],
    [1, 1, 0, 0, 0, 0],
    [1, 1, 0, 1, 0, 0],
    [1, 1, 1, 0, 0, 0],
    [1, 1, 1, 1, 0, 0],
  ];
  const text = "Hello, World!";
  const app = (error: number, length: number): EnvironApp =>
    function* (_env, startResponse) {
      if (error) {
        throw new Error("on purpose");
      }
      startResponse("200 OK", length ? [["Content-Length", String(text.length)]] : []);
      yield* ["Hello, ", "World!"];
    };
  const fetchApp = (error: number, length: number) => () => {
    if (error) {
      throw new Error("on purpose");
    }
    const headers: HeadersInit = length ? { "Content-Length": String(text.length) } : {};
    return new Response(streamOf("Hello, ", "World!"), { headers });
  };

  for (const [minor, error, length, asks, chunked, alive] of rows) {
    const name = `1.${minor}, ${error ? "500" : "200"}, ${length ? "" : "no "}Content-Length, ` +
      `keep-alive ${asks ? "" : "not "}asked: ${chunked ? "" : "not "}chunked, ` +
      `${alive ? "" : "not "}alive`;
    const head = (keep: boolean) =>
      `GET / HTTP/1.${minor}\r\nHost: h\r\nConnection: ${keep ? "Keep-Alive" : "close"}\r\n\r\n`;
    both(name, { environ: app(error, length), fetch: fetchApp(error, length) }, async (server) => {
      const connection = await open(server);
      for (let i = 0; i < (alive ? 5 : 1); i++) {
        const isLast = i === 4;
        const answer = await connection.write(head(asks === 1 && !isLast)).answer();
        assert.equal(answer.status, error ? 500 : 200);
        assert.equal(answer.text, error ? "Internal Server Error" : text);
        assert.ok(answer.complete);
        assert.equal(answer.get("transfer-encoding"), chunked ? "chunked" : undefined);
        const isClosed = answer.get("connection")?.toLowerCase() === "close";
        assert.equal(isClosed || minor === 0, !alive || isLast || minor === 0);
      }
      await within(connection.closed, "the end of the connection");
      connection.close();
    }, silent);
  }
});

test("listen.py: listen(), then run(); an empty last part does no harm", async () => {
  const app: EnvironApp = function* (_env, startResponse) {
    startResponse("200 OK", []);
    yield* ["Hello", " ", "World", ""];
  };
  const server = listen(environ(app), "127.0.0.1", 0);
  assert.equal(run(), server);
  try {
    const answer = await ask(server);
    assert.deepEqual([answer.text, answer.complete], ["Hello World", true]);
  } finally {
    server.stop();
  }
});

test("not-callable.py: an app that cannot be called is refused at the start", () => {
  assert.throws(() => environ(new Date() as never), TypeError);
  assert.throws(() => run(new Date() as never, { port: 0 }), TypeError);
});

describe("pure-req.py: requests as octets", () => {
  const body = "x".repeat(1000);
  const get = (target: string, version: string, fields = "") =>
    `GET ${target} HTTP/${version}\r\nHost: h\r\n${fields}\r\n`;
  type Row = [send: string, status: number, seen?: Record<string, string | undefined>];
  const rows: Row[] = [
    [get("/", "1.1", "Connection: Keep-Alive\r\n"), 200, { SERVER_PROTOCOL: "HTTP/1.1" }],
    [get("/", "1.1"), 200],
    [get("/", "1.1", "Connection: close\r\n"), 200],
    [get("/", "1.0", "Connection: Keep-Alive\r\n"), 200, { SERVER_PROTOCOL: "HTTP/1.0" }],
    [get("/%20%20%", "1.1"), 400],
    [get("/%20abc", "1.0"), 200, { PATH_INFO: "/ abc" }],
    [
      get("/", "1.1", "Content-Fype: a\r\nContent-Tength: 3\r\nContent-Type: b\r\n"),
      200,
      { HTTP_CONTENT_FYPE: "a", HTTP_CONTENT_TENGTH: "3", CONTENT_TYPE: "b" },
    ],
    [
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n${body}`,
      200,
      { CONTENT_LENGTH: "1000", body },
    ],
    [get("/", "1.1", "Foo_Bar: bad\r\n"), 200, { HTTP_FOO_BAR: undefined }],
    [get("/", "1.1", "Foo-Bar: good\r\nFoo_Bar: bad\r\n"), 200, { HTTP_FOO_BAR: "good" }],
  ];
  const app: EnvironApp = async (env, startResponse) => {
    const seen = { ...env, body: await env["wsgi.input"].text() };
    startResponse("200 OK", []);
    const texts = Object.entries(seen).filter(([, value]) => typeof value === "string");
    return JSON.stringify(Object.fromEntries(texts));
  };
  for (const [i, [send, status, seen = {}]] of rows.entries()) {
    test(`request ${i}: ${send.split("\r\n", 1)[0]}`, () =>
      serve(environ(app), async (server) => {
        const connection = await open(server);
        const answer = await connection.write(send).answer();
        connection.close();
        assert.equal(answer.status, status);
        const got = status === 200 ? JSON.parse(answer.text) : {};
        for (const [name, value] of Object.entries(seen)) {
          assert.equal(got[name], value, name);
        }
      }));
  }
});

describe("slow_client.py: a client that does not read does not hold up others", () => {
  const huge = 8 * 1024 * 1024;
  both("a fast one is answered meanwhile", {
    environ: (env, startResponse) => {
      startResponse(env.PATH_INFO === "/tuple" ? "200 OK" : "404 Not Found", []);
      return env.PATH_INFO === "/tuple"
        ? (function* () {
          for (let i = 0; i < huge / 65536; i++) {
            yield new Uint8Array(65536);
          }
        })()
        : ["no"];
    },
    fetch: ((_request, { rawTarget }) =>
      rawTarget === "/tuple"
        ? new Response(streamOf(...Array(huge / 65536).fill(Buffer.alloc(65536))))
        : new Response("no", { status: 404 })) satisfies Handler,
  }, async (server) => {
    const slow = await open(server);
    slow.socket.pause();
    slow.write(octets({ target: "/tuple" }));
    await until(() =>
      server.metrics().bytes_sent > 0, "the first bytes");
    for (let i = 0; i < 20; i++) {
      assert.equal((await ask(server)).status, 404);
    }
    slow.socket.resume();
    const answer = await slow.answer();
    assert.deepEqual([answer.body.length, answer.complete], [huge, true]);
    slow.close();
  });
});

describe("test_exc_info_reference.py: replacing a failed response", () => {
  test("startResponse again, environ", () => {
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("200 alright", []);
      try {
        throw new Error("on purpose");
      } catch (error) {
        startResponse("500 error", [], error);
        return ["error"];
      }
    };
    return serve(environ(app, { errors: { write: () => {} } }), async (server) => {
      for (let i = 0; i < 10; i++) {
        const answer = await ask(server);
        assert.deepEqual([answer.status, answer.reason, answer.text], [500, "error", "error"]);
      }
    });
  });
  test("onError, Fetch", () => {
    const fail = () => {
      throw new Error("on purpose");
    };
    return serve(fail, async (server) => {
      const answer = await ask(server);
      assert.deepEqual([answer.status, answer.text], [503, "Error: on purpose"]);
    }, { onError: (error) => new Response(String(error), { status: 503 }) });
  });
});

test("test_signal.py: the user's own signal handlers run", async () => {
  const signal = Promise.withResolvers<void>();
  const onSignal = () => signal.resolve();
  process.on("SIGTERM", onSignal);
  try {
    await serve(
      environ((_env, startResponse) => (startResponse("200 OK", []), "x")),
      async (server) => {
        await ask(server);
        process.kill(process.pid, "SIGTERM");
        await within(signal.promise, "the signal");
        assert.equal((await ask(server)).text, "x");
      },
    );
  } finally {
    process.off("SIGTERM", onSignal);
  }
});

test("test_wsgi_compliance.py: the environ is what wsgiref.validate asks for", async () => {
  const app: EnvironApp = async (env, startResponse) => {
    const needed = ["REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "PATH_INFO"];
    for (const name of [...needed, "QUERY_STRING", "SERVER_PROTOCOL"]) {
      assert.equal(typeof Reflect.get(env, name), "string", name);
    }
    assert.ok(!("HTTP_CONTENT_TYPE" in env) && !("HTTP_CONTENT_LENGTH" in env));
    assert.deepEqual(env["wsgi.version"], [1, 0]);
    assert.ok(["http", "https"].includes(env["wsgi.url_scheme"]));
    assert.ok(env.PATH_INFO.startsWith("/"));
    assert.match(env.CONTENT_LENGTH ?? "0", /^\d+$/);
    for (const name of ["read", "readline", "readlines", Symbol.asyncIterator]) {
      assert.equal(typeof Reflect.get(env["wsgi.input"], name), "function");
    }
    assert.equal((await env["wsgi.input"].read()).length, Number(env.CONTENT_LENGTH ?? 0));
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return ["fine"];
  };
  await serve(environ(app), async (server) => {
    assert.equal((await ask(server)).text, "fine");
    const headers = { "Content-Type": "text/x" };
    assert.equal((await ask(server, { body: "some text", headers })).text, "fine");
  });
});

describe("pull request 164: a matrix over TCP and a Unix socket", () => {
  const app: EnvironApp = (env, startResponse) => {
    const { REQUEST_METHOD, HTTP_X_AUTH_USER, HTTP_X_STATUS = "200" } = env;
    startResponse(`${HTTP_X_STATUS} Fine`, [["X-Method", REQUEST_METHOD]]);
    return [HTTP_X_AUTH_USER ?? "nobody"];
  };
  const check = async (target: { port: number } | { path: string }) => {
    const user = async (name: string) => (await ask(target, { headers: { [name]: "admin" } })).text;
    assert.equal(await user("X-Auth-User"), "admin");
    for (const name of ["X-Auth_User", "X_Auth_User", "X_Auth-User"]) {
      assert.equal(await user(name), "nobody", `CVE-2015-0219: ${name}`);
    }
    for (const method of ["DELETE", "GET", "OPTIONS", "POST", "PATCH", "PUT"]) {
      assert.equal((await ask(target, { method })).get("x-method"), method);
    }
    for (const status of [200, 201, 202, 203, 204]) {
      const what: Ask = { headers: { "X-Status": String(status) } };
      const answer = await ask(target, what);
      assert.deepEqual([answer.status, answer.text], [status, status === 204 ? "" : "nobody"]);
    }
  };
  test("TCP", () => serve(environ(app), check));
  test("Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bjoern-"));
    const path = join(folder, "socket");
    await serve(environ(app), () => check({ path }), { host: `unix:${path}` });
    await rm(folder, { recursive: true });
  });
});
