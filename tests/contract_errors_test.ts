// Handlers that fail in every possible way: the client gets a plain 500 or sees that the answer is
// incomplete, the error is reported once, and the next request works.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Handler } from "../mod.ts";
import { type Answer, ask, logged, octets, open, serve, until, within } from "./support/client.ts";

const secret = new Error("secret of the handler");
const encoder = new TextEncoder();

/** Serves `result` once, then "fine", on the same connection or the next; returns the log. */
async function failing(
  result: () => unknown,
  check: (answer: Answer) => void,
): Promise<unknown[][]> {
  const app = (request: Request) => request.url.endsWith("/fine") ? "fine" : result();
  return await logged(async () => {
    await serve(app, async (server) => {
      check(await ask(server));
      assert.equal((await ask(server, { target: "/fine" })).text, "fine");
      // Requests around it on one connection are answered in order, as long as it stays open.
      const connection = await open(server);
      connection.write(octets({ target: "/fine" }, "")).write(octets({}, ""));
      assert.equal((await connection.answer()).text, "fine");
      check(await connection.answer());
      connection.close();
    }, { onError: undefined });
  });
}

function assertPlain(answer: Answer): void {
  assert.equal(answer.status, 500);
  assert.equal(answer.reason, "Internal Server Error");
  assert.equal(answer.get("content-type")?.toLowerCase(), "text/plain;charset=utf-8");
  assert.ok(answer.complete);
  assert.equal(answer.text, answer.reason);
  assert.equal(answer.get("server"), undefined);
}

/** A stream of one chunk. */
function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(text));
      controller.close();
    },
  });
}

const never = (value: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve(value) });
const failures: Record<string, () => unknown> = {
  "throws an Error": () => {
    throw secret;
  },
  "throws a string": () => {
    throw "secret";
  },
  "throws undefined": () => {
    throw undefined;
  },
  "rejects at once": () => Promise.reject(secret),
  "rejects later": async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw secret;
  },
  "returns undefined": () => undefined,
  "returns null": () => null,
  "returns a number": () => 200,
  "returns a boolean": () => true,
  "returns an object": () => ({ status: 200, body: "secret" }),
  "returns a Request": () => new Request("http://secret/"),
  "returns a function": () => () => new Response("secret"),
  "returns an ArrayBuffer": () => new ArrayBuffer(1),
  "resolves to undefined": () => Promise.resolve(undefined),
  "resolves to an object": () => Promise.resolve({}),
  "returns a thenable of a number": () => never(5),
  "returns a thenable of a thenable of null": () => never(never(null)),
  "returns a thenable that rejects": () => ({
    then: (_: unknown, reject: (e: Error) => void) => reject(secret),
  }),
  "returns a thenable that throws": () => ({
    then() {
      throw secret;
    },
  }),
  "returns an object whose then throws": () => ({
    get then() {
      throw secret;
    },
  }),
  "returns a Response whose status cannot be sent": () => Response.error(),
  "returns a stream that errors at once": () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(secret) })),
  "returns a stream that throws at once": () =>
    new Response(
      new ReadableStream({
        pull() {
          throw secret;
        },
      }),
    ),
  "returns a slow stream with headers that cannot be sent": () =>
    new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), {
      headers: { "X-Long": "x".repeat(300_000) },
    }),
  "returns a stream with a malformed Content-Length": () =>
    new Response(streamOf("x"), { headers: { "Content-Length": "many" } }),
  ...Object.fromEntries(
    [5, null, undefined, {}, [1]].map((chunk) => [
      `returns a stream that begins with ${JSON.stringify(chunk)}`,
      () =>
        new Response(
          new ReadableStream({ start: (controller) => controller.enqueue(chunk as never) }),
        ),
    ]),
  ),
};

for (const [name, result] of Object.entries(failures)) {
  test(`a handler that ${name} is answered by a plain 500 and logged once`, async () => {
    const lines = await failing(result, assertPlain);
    assert.equal(lines.length, 2, `logged for two requests: ${lines.join("\n")}`);
  });
}

test("what is logged is the error itself, or says what the handler returned", async () => {
  assert.equal((await failing(failures["throws an Error"], assertPlain))[0].at(-1), secret);
  const [[, method, target, error]] = await failing(failures["returns a number"], assertPlain);
  assert.deepEqual([method, target], ["GET", "/"]);
  assert.ok(error instanceof TypeError);
  assert.match(error.message, /must return a Response, a string or a Uint8Array, not number/);
});

test("a thenable that resolves to a Response is an answer", async () => {
  await serve(() => never(new Response("then")), async (server) => {
    assert.equal((await ask(server)).text, "then");
  });
});

test("a promise that never settles holds its request until the client leaves", async () => {
  const app = (request: Request) => request.url.endsWith("/fine") ? "fine" : { then: () => {} };
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({}));
    assert.equal((await ask(server, { target: "/fine" })).text, "fine");
    assert.equal(server.metrics().requests_in_flight, 1);
    connection.socket.resetAndDestroy();
  });
});

/** A stream of `chunks`, then an error. */
function broken(...chunks: unknown[]): Response {
  return new Response(
    new ReadableStream({
      pull(controller) {
        chunks.length > 0 ? controller.enqueue(chunks.shift() as never) : controller.error(secret);
      },
    }),
  );
}

const midway: Record<string, () => Response> = {
  "errors after a chunk": () => broken(encoder.encode("begun")),
  "errors after many chunks": () =>
    broken(...Array.from({ length: 50 }, () => new Uint8Array(9999))),
  "has a number after a chunk": () => broken(encoder.encode("begun"), 5),
  "is shorter than its Content-Length": () =>
    new Response(streamOf("begun"), { headers: { "Content-Length": "6" } }),
};
for (const [name, make] of Object.entries(midway)) {
  test(`an answer that ${name} is visibly cut, and logged once`, async () => {
    const lines = await failing(make, (answer) => {
      assert.equal(answer.status, 200);
      assert.equal(answer.complete, false);
    });
    assert.equal(lines.length, 2);
  });
}

const mistakes: [name: string, part: () => unknown, init: ResponseInit, status: number][] = [
  ["a chunk of the wrong type", () => 123, {}, 500],
  ["a malformed Content-Length", () => "x", { headers: { "content-length": "x" } }, 500],
  ["more than its Content-Length", () => "xyz", { headers: { "content-length": "1" } }, 200],
];
for (const [name, part, init, status] of mistakes) {
  test(`a stream with ${name} is reported, even if its cancel() never settles`, async () => {
    const errors: unknown[] = [];
    const app = () => {
      const stream = new ReadableStream({
        pull: (controller) => controller.enqueue(part()),
        cancel: () => new Promise<void>(() => {}),
      });
      return new Response(stream, init);
    };
    await serve(app, async (server) => {
      assert.equal((await ask(server)).status, status);
      await until(() => errors.length === 1, "the error");
    }, { onError: (error) => void errors.push(error) });
  });
}

test("bytes that are transferred before they are sent cut the answer and are reported", async () => {
  const bytes = new Uint8Array(30_000_000);
  const errors: unknown[] = [];
  const app = () => bytes;
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.socket.pause();
    connection.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => server.metrics().bytes_sent > 0, "the first bytes");
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    connection.socket.resume();
    await within(connection.closed, "the cut");
    assert.match(String(errors), /^TypeError: .*transferred/);
  }, { onError: (error) => void errors.push(error) });
});

test("an answer longer than its Content-Length ends there, and is logged once", async () => {
  const make = () => new Response(streamOf("begun"), { headers: { "Content-Length": "3" } });
  const lines = await failing(make, (answer) => {
    assert.equal(answer.status, 200);
    assert.ok(answer.text === "beg" || answer.text.length < 3);
  });
  assert.equal(lines.length, 2);
});

test("chunks of every kind of bytes are written, strings too", async () => {
  const chunks = [
    "é",
    encoder.encode("b"),
    encoder.encode("c").buffer,
    new DataView(encoder.encode("xdx").buffer, 1, 1),
    new Uint8Array(),
    "",
    "end",
  ];
  const app = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          chunks.forEach((chunk) => controller.enqueue(chunk as never));
          controller.close();
        },
      }),
    );
  await serve(app, async (server) => {
    const answer = await ask(server);
    assert.deepEqual([answer.text, answer.complete], ["ébcdend", true]);
  });
});

type OnError = (error: unknown) => Response | undefined | Promise<Response | undefined>;

/** What a client gets and what is logged when a handler throws `secret` with this `onError`. */
async function asking(onError: OnError): Promise<[Answer, unknown[][]]> {
  let answer: Answer | undefined;
  const told: unknown[] = [];
  const app = (request: Request) => {
    if (request.url.endsWith("/fine")) {
      return "fine";
    }
    throw secret;
  };
  const lines = await logged(async () => {
    await serve(app, async (server) => {
      answer = await ask(server);
      assert.equal((await ask(server, { target: "/fine" })).text, "fine");
    }, {
      onError(error) {
        told.push(error);
        return onError(error);
      },
    });
  });
  assert.deepEqual(told, [secret]);
  return [answer!, lines];
}

const hooks: Record<string, OnError> = {
  "a Response": () => new Response("sorry", { status: 503, headers: { "X-A": "1" } }),
  "a promise of a Response": () =>
    Promise.resolve(new Response("sorry", { status: 503, headers: { "X-A": "1" } })),
  "a Response of a stream": () =>
    new Response(new Response("sorry").body, { status: 503, headers: { "X-A": "1" } }),
};
for (const [name, onError] of Object.entries(hooks)) {
  test(`onError may answer with ${name}, and nothing is logged`, async () => {
    const [answer, lines] = await asking(onError);
    assert.deepEqual([answer.status, answer.text, answer.get("x-a")], [503, "sorry", "1"]);
    assert.ok(answer.complete);
    assert.deepEqual(lines, []);
  });
}

test("onError may answer without a body", async () => {
  const [answer] = await asking(() => new Response(null, { status: 204 }));
  assert.deepEqual([answer.status, answer.text], [204, ""]);
});

test("the client gets a plain 500 if onError returns nothing", async () => {
  for (const onError of [() => undefined, () => Promise.resolve(undefined)]) {
    const [answer] = await asking(onError);
    assertPlain(answer);
  }
});

test("an onError that does not return a Response is logged, and the client gets a plain 500", async () => {
  const [answer, lines] = await asking(() => "sorry" as never);
  assertPlain(answer);
  assert.equal(lines.length, 2);
  assert.match(String(lines[1]), /onError must return a Response or nothing, not string/);
});

test("an onError that fails is logged with the first error, and the client gets a plain 500", async () => {
  const second = new Error("secret of the hook");
  const used = new Response("used");
  await used.text();
  const hooks: OnError[] = [
    () => {
      throw second;
    },
    () => Promise.reject(second),
    () => used,
    () => Response.error(),
  ];
  for (const hook of hooks) {
    const [answer, lines] = await asking(hook);
    assertPlain(answer);
    assert.ok(lines.flat().includes(secret));
    assert.ok(lines.flat().length > 1);
  }
});

test("onError gets the error of a stream that fails midway, and the answer is still cut", async () => {
  const told = Promise.withResolvers<unknown>();
  const onError = (error: unknown) => {
    told.resolve(error);
    return new Response("too late", { status: 503 });
  };
  await serve(() => broken(encoder.encode("begun")), async (server) => {
    const answer = await ask(server);
    assert.deepEqual([answer.status, answer.complete], [200, false]);
    assert.equal(await within(told.promise, "onError"), secret);
  }, { onError });
});

test("a client that leaves is not an error of the handler", async () => {
  const lines = await logged(async () => {
    const over = Promise.withResolvers<void>();
    const app = async (request: Request) => {
      try {
        return await request.text();
      } finally {
        over.resolve();
      }
    };
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
      );
      assert.equal((await connection.answer()).status, 100);
      connection.socket.resetAndDestroy();
      await within(over.promise, "the end of the handler");
    }, { onError: undefined });
  });
  assert.deepEqual(lines, []);
});

test("a handler that gives up because its client has left is not reported", async () => {
  const errors: unknown[] = [];
  const ends: unknown[] = [];
  const app: Handler = (request, info) => {
    info.completed.catch((error) => ends.push([error.name, info.sent.status]));
    return new Promise((_, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
    });
  };
  await serve(app, async (server) => {
    for (const leave of ["end", "resetAndDestroy"] as const) {
      const connection = await open(server);
      connection.write(octets({}, ""));
      await until(() => server.pendingRequests === 1, "the request");
      connection.socket[leave]();
      await until(() => server.pendingRequests === 0, "its end");
    }
    await until(() => ends.length === 2, "both ends");
    assert.equal(server.metrics().req_error_internal, 0);
  }, { onError: (error) => void errors.push(error) });
  assert.deepEqual(errors, []);
  assert.deepEqual(ends, [["AbortError", 0], ["AbortError", 0]]);
});

describe("onError gets the request", () => {
  const rows: [name: string, app: () => never | Promise<never>][] = [
    ["thrown at once", () => {
      throw secret;
    }],
    ["thrown later", async () => {
      await new Promise((resolve) => setTimeout(resolve));
      throw secret;
    }],
  ];
  for (const [name, app] of rows) {
    test(name, () =>
      serve(app, async (server) => {
        const answer = await ask(server, {
          target: "/broken?a=b",
          headers: { "X-Id": "7" },
          body: "sent along",
        });
        assert.equal(answer.status, 503);
        assert.equal(answer.text, "POST /broken?a=b 7 sent along, from 127.0.0.1");
      }, {
        onError: async (error, request, info) => {
          assert.equal(error, secret);
          const { pathname, search } = new URL(request.url);
          assert.ok(info.remoteAddr.transport === "tcp");
          return new Response(
            `${request.method} ${pathname}${search} ${request.headers.get("x-id")} ` +
              `${await request.text()}, from ${info.remoteAddr.hostname}`,
            { status: 503 },
          );
        },
      }));
  }
});

test("info.sent has the status that was sent, even if the handler did not choose it", async () => {
  const sent: unknown[] = [];
  const app: Handler = (request, info) => {
    const note = () => void sent.push(info.sent);
    info.completed.then(note, note);
    assert.deepEqual(info.sent, { status: 0, bytes: 0 });
    if (request.url.endsWith("/fail")) {
      throw secret;
    }
    return request.url.endsWith("/stream")
      ? new Response(streamOf("12345"), { status: 201 })
      : "text";
  };
  await serve(app, async (server) => {
    for (const target of ["/", "/stream", "/fail"]) {
      await ask(server, { target });
    }
    await ask(server, { method: "HEAD" });
    await until(() => sent.length === 4, "the ends");
  }, { onError: () => new Response("sorry", { status: 502 }) });
  assert.deepEqual(sent, [
    { status: 200, bytes: 4 },
    { status: 201, bytes: 5 },
    { status: 502, bytes: 5 },
    { status: 200, bytes: 0 },
  ]);
});
