// Responses that are reused, made elsewhere or by a subclass, and the Response class itself.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import zlib from "node:zlib";
import { Response as Exported, run } from "../mod.ts";
import { ask, logged, open, serve, within } from "./support/client.ts";

// Saved before any server runs.
const Native = globalThis.Response;

type Coding = (data: Uint8Array) => Uint8Array<ArrayBuffer>;

class Early extends Native {
  constructor(body: string) {
    super(body, { headers: { "X-Early": "1" } });
  }
}

test("a Response can be sent once: the second time is an error, and the next request works", async () => {
  const make: Record<string, () => Response> = {
    text: () => new Response("text"),
    bytes: () => new Response(new Uint8Array(3)),
    stream: () => new Response(new Response("stream").body),
    early: () => new Native("early"),
  };
  for (const [name, one] of Object.entries(make)) {
    let kept: Response | undefined;
    const app = (request: Request) => request.url.endsWith("/other") ? "other" : kept ??= one();
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    await serve(app, async (server) => {
      assert.equal((await ask(server)).status, 200);
      const second = await ask(server);
      assert.equal(second.status, 500, name);
      assert.doesNotMatch(second.text, /used/);
      assert.equal((await ask(server, { target: "/other" })).text, "other");
    }, { onError });
    assert.deepEqual(errors.map((error) => error instanceof TypeError), [true], name);
  }
});

test("a Response without a body may be sent again and again", async () => {
  let kept: Response | undefined;
  const app = () => kept ??= new Response(null, { status: 202, headers: { "X-A": "1" } });
  await serve(app, async (server) => {
    for (const _ of [1, 2, 3]) {
      const { status, body, ...answer } = await ask(server);
      assert.deepEqual([status, body.length], [202, 0]);
      assert.equal(new Map(answer.fields).get("x-a"), "1");
    }
  });
});

test("a Response can be sent any number of times by its clones", async () => {
  const kinds: Record<string, () => BodyInit> = {
    text: () => "content",
    bytes: () => Buffer.from("content"),
    blob: () => new Blob(["content"]),
    stream: () => new Native("content").body!,
  };
  for (const [name, kind] of Object.entries(kinds)) {
    let kept: Response | undefined;
    const app = () =>
      (kept ??= new Response(kind(), { status: 201, headers: { "Content-Type": "a/b" } })).clone();
    await serve(app, async (server) => {
      for (const _ of [1, 2, 3]) {
        const answer = await ask(server);
        assert.deepEqual([answer.status, answer.text], [201, "content"], name);
        assert.equal(answer.get("content-type"), "a/b");
      }
    });
  }
});

test("a status or headers that overrides a Response's own is what is sent", async () => {
  const created = (response: Response) => Object.defineProperty(response, "status", { value: 201 });
  const app = ({ url }: Request) => {
    class Created extends Response {
      override get status(): number {
        return 201;
      }
    }
    class Marked extends Response {
      override get headers(): Headers {
        return new Headers({ "x-mark": "1" });
      }
    }
    switch (new URL(url).pathname) {
      case "/class":
        return new Created("x");
      case "/init":
        return new Created("x", { status: 200 });
      case "/property":
        return created(new Response("x"));
      case "/json":
        return created(Response.json(1));
      default:
        return new Marked("x");
    }
  };
  await serve(app, async (server) => {
    for (const target of ["/class", "/init", "/property", "/json"]) {
      assert.equal((await ask(server, { target })).status, 201, target);
    }
    assert.equal((await ask(server)).get("x-mark"), "1");
  });
});

test("a clone of a large Response has a Content-Length", async () => {
  const large = 5_000_000;
  for (const body of ["x".repeat(large), new Uint8Array(large)]) {
    let kept: Response | undefined;
    await serve(() => (kept ??= new Response(body)).clone(), async (server) => {
      for (const _ of [1, 2]) {
        const answer = await ask(server);
        assert.equal(answer.get("content-length"), String(large));
        assert.equal(answer.body.length, large);
      }
    });
    assert.equal((await kept!.bytes()).length, large);
  }
  let clone: Response | undefined;
  const errors: unknown[] = [];
  await serve(() => clone ??= new Response("once").clone(), async (server) => {
    assert.equal((await ask(server)).text, "once");
    assert.equal((await ask(server)).status, 500);
  }, { onError: (error) => void errors.push(error) });
  assert.match(String(errors), /^TypeError: .*used already/);
});

const looks: Record<string, (response: Response) => Response> = {
  nothing: (response) => response,
  "its body": (response) => response.body ? response : response,
  "its headers": (response) => response.headers ? response : response,
  "a clone": (response) => response.clone(),
};
for (const [name, look] of Object.entries(looks)) {
  test(`bytes get no Content-Type, whatever was done with the Response: ${name}`, () =>
    serve(() => look(new Response(Buffer.from("content"))), async (server) => {
      const answer = await ask(server);
      assert.deepEqual([answer.text, answer.get("content-type")], ["content", undefined]);
    }));
}

test("a Response whose body was read is an error, but reading a clone is not", async () => {
  const app = async (request: Request) => {
    const response = new Response("content");
    const read = request.url.endsWith("/clone") ? response.clone() : response;
    assert.equal(await read.text(), "content");
    return response;
  };
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  await serve(app, async (server) => {
    assert.equal((await ask(server)).status, 500);
    assert.equal((await ask(server, { target: "/clone" })).text, "content");
  }, { onError });
  assert.deepEqual(errors.map((error) => error instanceof TypeError), [true]);
});

test("a Response whose body is locked by a reader is an error", async () => {
  const app = () => {
    const response = new Response("content");
    response.body!.getReader();
    return response;
  };
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  await serve(app, async (server) => {
    assert.equal((await ask(server)).status, 500);
    assert.equal((await ask(server, { method: "HEAD" })).status, 500);
  }, { onError });
  assert.deepEqual(errors.map((error) => error instanceof TypeError), [true, true]);
});

test("HEAD has the fields of GET, whatever the Response is", async () => {
  const parts = () =>
    new ReadableStream({
      start(to) {
        to.enqueue(new Uint8Array(3));
        to.enqueue(new Uint8Array(4));
        to.close();
      },
    });
  const make: Record<string, () => Response> = {
    text: () => new Native("content"),
    nothing: () => new Native(""),
    bytes: () => new Native(new Uint8Array(70_000)),
    blob: () => new Native(new Blob(["content"])),
    parts: () => new Native(parts()),
    length: () => new Native(parts(), { headers: { "Content-Length": "7" } }),
    clone: () => new Response("content").clone(),
    subclass: () => new Early("early"),
  };
  for (const [name, one] of Object.entries(make)) {
    await serve(() => one(), async (server) => {
      const [get, head] = [await ask(server), await ask(server, { method: "HEAD" })];
      const told = ["content-length", "transfer-encoding", "content-type"];
      assert.deepEqual(told.map((field) => head.get(field)), told.map((field) => get.get(field)));
      assert.deepEqual([head.status, head.body.length], [200, 0], name);
    });
  }
});

test("HEAD does not wait for a slow stream, and cancels it", async () => {
  const cancelled = Promise.withResolvers<void>();
  const app = () => new Native(new ReadableStream({ cancel: () => cancelled.resolve() }));
  await serve(app, async (server) => {
    assert.equal((await ask(server, { method: "HEAD" })).get("transfer-encoding"), "chunked");
    await within(cancelled.promise, "the cancellation");
  });
});

test("Response.error() is not an answer", async () => {
  const lines = await logged(async () => {
    await serve(() => Response.error(), async (server) => {
      assert.equal((await ask(server)).status, 500);
    }, { onError: undefined });
  });
  assert.equal(lines.length, 1);
});

test("subclasses of Response are answers, whenever they were declared", async () => {
  const app = (request: Request) => {
    class Late extends Response {
      readonly kind = "late";
    }
    const late = new Late("late", { headers: { "X-Late": "1" } });
    const early = new Early("early");
    assert.ok(late instanceof Late && late instanceof Response && late instanceof Native);
    assert.ok(early instanceof Early && early instanceof Response && !(early instanceof Late));
    return request.url.endsWith("/late") ? late : early;
  };
  await serve(app, async (server) => {
    const late = await ask(server, { target: "/late" });
    assert.deepEqual([late.text, late.get("x-late")], ["late", "1"]);
    const early = await ask(server, { target: "/early" });
    assert.deepEqual([early.text, early.get("x-early")], ["early", "1"]);
  });
});

/** Serves what fetch() gets from an upstream server that runs `app`. */
async function proxied(
  app: () => unknown,
  check: (answer: Awaited<ReturnType<typeof ask>>) => Promise<void> | void,
  onError?: (error: unknown) => void,
): Promise<void> {
  const upstream = run(app, { port: 0 });
  try {
    await serve((_request: Request) => fetch(upstream.url), async (server) => {
      await check(await ask(server));
    }, onError && { onError });
  } finally {
    upstream.stop();
  }
}

for (const size of [0, 5, 100_000, 3_000_000]) {
  test(`a response from fetch() is passed on: ${size} octets`, async () => {
    const body = "x".repeat(size);
    const headers = { "Content-Type": "text/x-kind", "X-Up": "ü", Connection: "close" };
    await proxied(() => new Response(body, { status: 203, headers }), (answer) => {
      assert.deepEqual([answer.status, answer.complete], [203, true]);
      assert.equal(answer.get("content-type"), "text/x-kind");
      assert.equal(answer.get("x-up"), "ü");
      assert.equal(answer.text, body);
    });
  });
}

test("a chunked response from fetch() is passed on", async () => {
  const parts = ["one", "two", "three"];
  const app = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          const part = parts.shift();
          part ? controller.enqueue(Buffer.from(part)) : controller.close();
        },
      }),
    );
  await proxied(app, (answer) => {
    assert.ok(answer.complete);
    assert.equal(answer.text, "onetwothree");
  });
});

test("a body that fetch() has decoded is passed on under another head, too", async () => {
  const text = "the same again, ".repeat(500);
  const upstream = run(
    () =>
      new Response(zlib.gzipSync(text), { headers: { "Content-Encoding": "gzip", "X-Up": "1" } }),
    { port: 0 },
  );
  try {
    await serve(async () => {
      const response = await fetch(upstream.url);
      return new Response(response.body, response);
    }, async (server) => {
      const answer = await ask(server);
      assert.deepEqual([answer.status, answer.complete], [200, true]);
      assert.equal(answer.get("x-up"), "1");
      assert.equal(answer.get("content-encoding"), undefined);
      assert.equal(answer.text, text);
    });
  } finally {
    upstream.stop();
  }
});

/** Answers to HEAD that are passed on: with the length that the upstream has sent, or with none. */
const heads: [name: string, make: () => Response, length: string | undefined][] = [
  ["a length", () => new Response("hello"), "5"],
  ["no length", () => new Response(new Blob(["hello"]).stream()), undefined],
  [
    "the length of an encoded body",
    () => new Response(zlib.gzipSync("hello"), { headers: { "Content-Encoding": "gzip" } }),
    String(zlib.gzipSync("hello").length),
  ],
];
for (const [name, make, length] of heads) {
  test(`the answer to HEAD has the upstream's length or none: ${name}`, async () => {
    const upstream = run(make, { port: 0 });
    try {
      await serve(async ({ method, url }: Request) => {
        const response = await fetch(upstream.url, { method });
        return url.endsWith("/new") ? new Response(response.body, response) : response;
      }, async (server) => {
        for (const target of ["/", "/new"]) {
          const answer = await ask(server, { method: "HEAD", target });
          assert.deepEqual([answer.status, answer.complete], [200, true]);
          assert.equal(answer.get("content-length"), length);
        }
      });
    } finally {
      upstream.stop();
    }
  });
}

/** Ways to pass on a request. */
const passing: Record<string, (request: Request, url: URL) => Request> = {
  "a copy with another URL": (request, url) => new Request(url, request),
  "the copy of a copy": (request, url) => new Request(new Request(url, request)),
};
for (const [name, pass] of Object.entries(passing)) {
  test(`a request that is passed on keeps its length: ${name}`, async () => {
    const upstream = run(async (request: Request) => {
      const fields = ["content-length", "transfer-encoding", "x-a"].map((field) =>
        request.headers.get(field)
      );
      return Response.json([request.method, ...fields, await request.text()]);
    }, { port: 0 });
    try {
      await serve((request: Request) => fetch(pass(request, upstream.url)), async (server) => {
        const answer = await ask(server, { method: "PUT", body: "hello", headers: { "X-A": "1" } });
        assert.deepEqual(JSON.parse(answer.text), ["PUT", "5", null, "1", "hello"]);
      });
    } finally {
      upstream.stop();
    }
  });
}

/** Content codings: how the upstream encodes and the client decodes. */
const codings: Record<string, [encode: Coding, decode: Coding]> = {
  identity: [Buffer.from, Buffer.from],
  gzip: [zlib.gzipSync, zlib.gunzipSync],
  deflate: [zlib.deflateSync, zlib.inflateSync],
  br: [zlib.brotliCompressSync, zlib.brotliDecompressSync],
  zstd: [zlib.zstdCompressSync, zlib.zstdDecompressSync],
};

for (const [coding, [encode]] of Object.entries(codings)) {
  test(`the client can read a body whether fetch() has decoded it or not: ${coding}`, async () => {
    const text = Buffer.from("the same again, ".repeat(5000));
    const headers: HeadersInit = coding === "identity" ? {} : { "Content-Encoding": coding };
    await proxied(() => new Response(encode(text), { headers }), (answer) => {
      assert.equal(answer.status, 200);
      assert.ok(answer.complete);
      const [, decode] = codings[answer.get("content-encoding") ?? "identity"];
      assert.ok(text.equals(decode(answer.body)), "the content is another");
    });
  });
}

test("a body that the handler has encoded keeps its encoding", async () => {
  const body = zlib.gzipSync("text");
  const headers = { "Content-Encoding": "gzip" };
  for (const kind of [body, new Blob([body]), new Native(body).body]) {
    await serve(() => new Response(kind, { headers }), async (server) => {
      const answer = await ask(server);
      assert.equal(answer.get("content-encoding"), "gzip");
      assert.deepEqual(answer.body, body);
    });
  }
});

test("an upstream that cannot be reached is an error", async () => {
  const gone = run(() => "", { port: 0 });
  const { url } = gone;
  gone.stop();
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new Response("no upstream", { status: 502 });
  };
  await serve(() => fetch(url), async (server) => {
    assert.equal((await ask(server)).status, 502);
  }, { onError });
  assert.equal(errors.length, 1);
});

test("the client sees when an upstream breaks off midway", async () => {
  const broken = () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.from("begun"));
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.error(new Error("upstream broke"));
        },
      }),
    );
  const errors: unknown[] = [];
  await logged(async () => {
    await proxied(broken, (answer) => {
      assert.ok(!answer.complete);
    }, (error) => void errors.push(error));
  });
  assert.equal(errors.length, 1);
});

test("while a server runs, Response looks like the native one in every respect", async () => {
  const isPatched = () => globalThis.Response !== Native;
  assert.ok(!isPatched());
  await serve(() => "", async () => {
    assert.ok(isPatched());
    assert.equal(globalThis.Response, Exported);
    assert.equal(Response.name, "Response");
    assert.equal(Object.prototype.toString.call(new Response()), "[object Response]");
    const made = [
      new Response("x"),
      Response.json(1),
      Response.redirect("http://a/"),
      new Early(""),
    ];
    for (const response of [...made, new Native(), new Response("x").clone(), Response.error()]) {
      assert.ok(response instanceof Response);
      assert.ok(response instanceof Native);
    }
    for (const other of [null, undefined, "x", {}, Object.create(null), new Request("http://a/")]) {
      assert.ok(!((other as unknown) instanceof Response));
    }
    for (const name of Object.getOwnPropertyNames(Native)) {
      assert.ok(name in Response, name);
    }
    for (const name of Object.getOwnPropertyNames(Native.prototype)) {
      assert.ok(name in Response.prototype, name);
    }
    assert.throws(() => (Response as unknown as () => void)(), TypeError);
    assert.throws(() => new Response("", { status: 99 }), RangeError);
    assert.throws(() => new Response("", { headers: { "a b": "" } }), TypeError);
    assert.equal(await new Response("read").text(), "read");
    await Promise.resolve();
  });
  assert.ok(!isPatched());
});

test("the native Response is restored when the last server stops", async () => {
  const first = run(() => "", { port: 0 });
  const second = run(() => "", { port: 0 });
  const third = run(() => "", { port: 0, patchGlobals: false });
  first.stop();
  assert.notEqual(globalThis.Response, Native);
  await second.shutdown();
  assert.equal(globalThis.Response, Native);
  third.stop();
  assert.equal(globalThis.Response, Native);
});

test("patchGlobals: false leaves Response alone, and the answers are the same", async () => {
  await serve(
    (request: Request) =>
      request.url.endsWith("/native") ? new Response("native") : new Exported("exported"),
    async (server) => {
      assert.equal(globalThis.Response, Native);
      assert.equal((await ask(server, { target: "/native" })).text, "native");
      assert.equal((await ask(server, { target: "/exported" })).text, "exported");
    },
    { patchGlobals: false },
  );
});

test("a global Response set by other code is left in place", () => {
  const server = run(() => "", { port: 0 });
  class Other extends Response {}
  globalThis.Response = Other;
  try {
    server.stop();
    assert.equal(globalThis.Response, Other);
  } finally {
    globalThis.Response = Native;
  }
});

test("several servers answer side by side, each by its own handler", async () => {
  await serve(() => "first", async (first) => {
    await serve(() => new Response("second"), async (second) => {
      const a = await open(first);
      const b = await open(second);
      for (const _ of [1, 2, 3]) {
        a.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        b.write("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        assert.equal((await b.answer()).text, "second");
        assert.equal((await a.answer()).text, "first");
      }
      a.close();
      b.close();
    });
  });
});

test("a Response made from another one's body has that text, its own head and the right length", async () => {
  const app = () =>
    new Response(new Response("again").body, {
      status: 201,
      headers: { "Content-Length": "3", "X-A": "1" },
    });
  await serve(app, async (server) => {
    for (let i = 0; i < 2; i++) {
      const answer = await ask(server);
      assert.deepEqual([answer.status, answer.text, answer.complete], [201, "again", true]);
      assert.deepEqual([answer.get("content-length"), answer.get("x-a")], ["5", "1"]);
      assert.equal(answer.get("content-type"), undefined);
    }
  });
});

test("a Response made from a partly read body is an error", async () => {
  const app = async () => {
    const first = new Response("again");
    await first.body!.getReader().read();
    return new Response(first.body);
  };
  await serve(app, async (server) => {
    assert.equal((await ask(server)).status, 500);
  }, { onError: () => {} });
});

test("sending a large response leaves its source and its clone intact", async () => {
  const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
  const blob = new Blob([bytes]);
  const clones: Response[] = [];
  const bodies: BodyInit[] = [bytes, bytes.buffer, new DataView(bytes.buffer), blob];
  let made = 0;
  const app = () => {
    const response = new Response(bodies[made++ % bodies.length]);
    clones.push(response.clone());
    return made > bodies.length ? new Response(bodies[made % bodies.length]) : response;
  };
  await serve(app, async (server) => {
    for (let i = 0; i < 3 * bodies.length; i++) {
      assert.deepEqual(new Uint8Array((await ask(server)).body), bytes);
    }
    for (const clone of clones) {
      assert.deepEqual(await clone.bytes(), bytes);
    }
    assert.deepEqual(await blob.bytes(), bytes);
    assert.equal(bytes[250], 250);
  });
});
