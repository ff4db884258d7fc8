// Compressed responses.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { brotliDecompressSync, createGunzip, gunzipSync, inflateSync } from "node:zlib";
import { compress, type CompressOptions } from "../contrib/compress.ts";
import type { App, Handler, Result } from "../mod.ts";
import { type Answer, ask, octets, open, serve, until, within } from "./support/client.ts";

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(100);
const PLAIN = { "content-type": "text/plain" };

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  deflate: inflateSync,
};

function decoded(answer: Answer): string {
  const encoding = answer.get("content-encoding");
  return encoding === undefined ? answer.text : DECODERS[encoding](answer.body).toString();
}

function get(
  result: () => Result,
  accept: string | undefined,
  options: CompressOptions = {},
  method = "GET",
  patchGlobals = true,
): Promise<Answer> {
  let answer: Answer | undefined;
  const headers: Record<string, string> = accept === undefined ? {} : { "Accept-Encoding": accept };
  return serve(compress(result as Handler, options), async (server) => {
    answer = await ask(server, { headers, method });
    assert.ok(answer.complete);
  }, { patchGlobals }).then(() => answer!);
}

describe("the client's preferred coding is used", () => {
  const rows: [accept: string | undefined, encoding: string | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["deflate", "deflate"],
    ["br", "br"],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["gzip;q=0.5 , br ; q=0.501", "br"],
    ["br;q=0, gzip", "gzip"],
    ["*", "br"],
    ["*;q=0", undefined],
    ["br;q=0, *", "gzip"],
    ["gzip;q=0, br;q=0, *;q=0.1", "deflate"],
    ["identity", undefined],
    ["identity, gzip;q=0.5", undefined],
    ["identity;q=0.5, gzip", "gzip"],
    ["identity;q=0, gzip;q=0.1", "gzip"],
    ["gzip;q=2", undefined],
    ["gzip;q=x", undefined],
    ["zstd", undefined],
    [",,gzip,", "gzip"],
  ];
  for (const [accept, encoding] of rows) {
    test(`${accept}: ${encoding}`, async () => {
      const answer = await get(() => TEXT, accept);
      assert.equal(answer.get("content-encoding"), encoding);
      assert.equal(answer.get("vary"), "Accept-Encoding");
      assert.equal(answer.get("content-length"), String(answer.body.length));
      assert.equal(decoded(answer), TEXT);
    });
  }
  test("among those offered", async () => {
    const options: CompressOptions = { encodings: ["deflate", "gzip"] };
    assert.equal(
      (await get(() => TEXT, "br, gzip, deflate", options)).get("content-encoding"),
      "deflate",
    );
    assert.throws(() => compress(() => "", { encodings: ["zip" as never] }), TypeError);
  });
});

describe("left unchanged", () => {
  const respond =
    (headers: Record<string, string>, status = 200, body: BodyInit | null = TEXT) => () =>
      new Response(body, { status, headers: { ...PLAIN, ...headers } });
  const rows: Record<string, () => Result> = {
    "a small string": () => "small",
    "a small response": respond({}, 200, "small"),
    "a response with a small Content-Length": respond({ "content-length": "5" }, 200, "small"),
    "an image": respond({ "content-type": "image/png" }),
    "an archive": respond({ "content-type": "application/zip" }),
    "a response without a type": () => new Response(Buffer.from(TEXT)),
    "bytes": () => Buffer.from(TEXT),
    "a body that is already encoded": respond({ "content-encoding": "gzip" }),
    "a part": respond({ "content-range": "bytes 0-4499/9000" }, 206),
    "a response with no-transform": respond({ "cache-control": "public, no-transform" }),
    "a response without a body": respond({}, 204, null),
    "a response that has not changed": respond({ etag: '"x"' }, 304, null),
    "an empty body": respond({}, 200, ""),
  };
  for (const [name, make] of Object.entries(rows)) {
    test(name, async () => {
      const original = await make();
      const response = original instanceof Response ? original : new Response(original as BodyInit);
      const answer = await get(make, "gzip, br");
      assert.equal(
        answer.get("content-encoding"),
        response.headers.get("content-encoding") ?? undefined,
      );
      assert.equal(answer.get("etag"), response.headers.get("etag") ?? undefined);
      assert.ok(answer.body.equals(Buffer.from(await response.arrayBuffer())));
    });
  }
});

describe("compressed", () => {
  for (
    const type of [
      "text/html;charset=UTF-8",
      "application/json",
      "application/problem+json",
      "application/javascript",
      "image/svg+xml",
      "application/atom+xml",
      "application/wasm",
      "Text/CSS",
    ]
  ) {
    test(type, async () => {
      const make = () => new Response(TEXT, { headers: { "content-type": type } });
      const answer = await get(make, "gzip");
      assert.equal(answer.get("content-encoding"), "gzip");
      assert.equal(answer.get("content-type"), type);
    });
  }
  test("a text when the native Response is not replaced", async () => {
    const answer = await get(() => TEXT, "gzip", {}, "GET", false);
    assert.equal(answer.get("content-encoding"), "gzip");
    assert.match(answer.get("content-type") ?? "", /^text\/plain/);
  });
  test("a text with just the default type", async () => {
    const answer = await get(() => new Response(TEXT, { status: 201 }), "gzip");
    assert.equal(answer.get("content-encoding"), "gzip");
    assert.equal(answer.get("content-type"), "text/plain;charset=UTF-8");
  });
  test("status, fields and cookies are kept", async () => {
    const make = () => {
      const response = new Response(TEXT, {
        status: 404,
        statusText: "Gone Fishing",
        headers: PLAIN,
      });
      response.headers.append("set-cookie", "a=1");
      response.headers.append("set-cookie", "b=2");
      return response;
    };
    const answer = await get(make, "br");
    assert.deepEqual([answer.status, answer.reason], [404, "Gone Fishing"]);
    assert.deepEqual(answer.all("set-cookie"), ["a=1", "b=2"]);
  });
  const tags: [etag: string, weak: string][] = [['"x"', 'W/"x"'], ['W/"x"', 'W/"x"']];
  for (const [etag, weak] of tags) {
    test(`ETag ${etag} becomes ${weak}, and is unchanged for others`, async () => {
      const make = () => new Response(TEXT, { headers: { ...PLAIN, etag } });
      assert.equal((await get(make, "gzip")).get("etag"), weak);
      assert.equal((await get(make, "identity")).get("etag"), etag);
    });
  }
  const varies: [vary: string, expected: string][] = [
    ["Origin", "Origin, Accept-Encoding"],
    ["accept-encoding", "accept-encoding"],
    ["*", "*"],
  ];
  for (const [vary, expected] of varies) {
    test(`Vary: ${vary} becomes ${expected}`, async () => {
      const make = () => new Response(TEXT, { headers: { ...PLAIN, vary } });
      for (const accept of ["gzip", undefined]) {
        assert.equal((await get(make, accept)).get("vary"), expected);
      }
    });
  }
  test("only above the threshold, which can be set", async () => {
    assert.equal((await get(() => "x".repeat(1023), "gzip")).get("content-encoding"), undefined);
    assert.equal((await get(() => "x".repeat(1024), "gzip")).get("content-encoding"), "gzip");
    const none: CompressOptions = { threshold: 0 };
    assert.equal((await get(() => "x", "gzip", none)).get("content-encoding"), "gzip");
  });
  test("what the filter selects", async () => {
    const options: CompressOptions = { filter: (type) => type === "image/png" };
    const make = () => new Response(TEXT, { headers: { "content-type": "image/png" } });
    assert.equal((await get(make, "gzip", options)).get("content-encoding"), "gzip");
    assert.equal((await get(() => TEXT, "gzip", options)).get("content-encoding"), "gzip");
  });
});

describe("HEAD has the fields of GET", () => {
  const makes: Record<string, () => Result> = {
    "a string": () => TEXT,
    "a response": () => new Response(TEXT, { headers: { ...PLAIN, etag: '"x"' } }),
    "a small one": () => "small",
  };
  for (const [name, make] of Object.entries(makes)) {
    test(name, async () => {
      const fields = (answer: Answer) => answer.fields.filter(([field]) => field !== "date");
      const [head, full] = [await get(make, "gzip", {}, "HEAD"), await get(make, "gzip")];
      assert.deepEqual(fields(head), fields(full));
    });
  }
  test("an answer without a body", async () => {
    const length = { "content-length": String(TEXT.length) };
    const make = () => new Response(null, { headers: { ...PLAIN, ...length, etag: '"x"' } });
    const answer = await get(make, "gzip", {}, "HEAD");
    assert.equal(answer.get("content-encoding"), "gzip");
    assert.equal(answer.get("etag"), 'W/"x"');
    assert.equal(answer.get("content-length"), undefined);
    const whole = await get(make, "gzip");
    assert.deepEqual([whole.get("content-encoding"), whole.get("etag")], [undefined, '"x"']);
  });
});

/** Leaves no connection behind when its server ends. */
const closing = { headers: { connection: "close" } };

test("the head of a response from fetch() does not wait for its body", async () => {
  const events = Promise.withResolvers<void>();
  const source = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await events.promise;
          controller.enqueue(new TextEncoder().encode("data: late\n\n"));
          controller.close();
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  await serve(source, async (upstream) => {
    await serve(compress(() => fetch(upstream.url, closing)), async (server) => {
      const connection = await open(server);
      connection.write(octets({ headers: { "Accept-Encoding": "gzip" } }));
      const head = await connection.head();
      assert.equal(head.get("content-encoding"), "gzip");
      events.resolve();
      connection.close();
    });
  });
});

describe("streams", () => {
  const encoder = new TextEncoder();
  for (const encoding of Object.keys(DECODERS)) {
    test(`come out in ${encoding} as they went in`, async () => {
      const line = (i: number) => `${i} ${"x".repeat(i * 7)}\n`;
      const parts = Array.from({ length: 200 }, (_, i) => i % 50 === 0 ? "" : line(i));
      const make = () => {
        const left = [...parts];
        const body = new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve));
            const part = left.shift();
            return part === undefined
              ? controller.close()
              : controller.enqueue(encoder.encode(part));
          },
        });
        return new Response(body, { headers: PLAIN });
      };
      const answer = await get(make, encoding);
      assert.equal(answer.get("content-encoding"), encoding);
      assert.equal(answer.get("transfer-encoding"), "chunked");
      assert.equal(decoded(answer), parts.join(""));
    });
  }

  test("each part is sent at once", async () => {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const app = () => {
      const body = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) });
      controller.enqueue(encoder.encode("part 0"));
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    await serve(compress(app), async (server) => {
      const connection = await open(server);
      connection.write(octets({ headers: { "Accept-Encoding": "gzip" } }));
      const answer = await connection.head();
      const gunzip = createGunzip();
      let text = "";
      gunzip.on("data", (data: Buffer) => text += data.toString());
      for (let i = 0; i < 5; i++) {
        while (!text.endsWith(`part ${i}`)) {
          const part = await connection.chunk(answer) ?? assert.fail("the end");
          await new Promise((resolve) => gunzip.write(part, resolve));
          await new Promise((resolve) => setTimeout(resolve));
        }
        if (i < 4) {
          controller.enqueue(encoder.encode(`part ${i + 1}`));
        }
      }
      controller!.close();
      for (let part = await connection.chunk(answer); part; part = await connection.chunk(answer)) {
        gunzip.write(part);
      }
      assert.ok(answer.complete);
      connection.close();
    });
  });

  test("that fail cut the connection", async () => {
    const app = () => {
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve));
          if (sent++ > 3) {
            throw new Error("no more");
          }
          controller.enqueue(encoder.encode("part"));
        },
      });
      return new Response(body, { headers: PLAIN });
    };
    const errors: unknown[] = [];
    await serve(compress(app), async (server) => {
      const answer = await ask(server, { headers: { "Accept-Encoding": "br" } });
      assert.equal(answer.complete, false);
    }, { onError: (error) => void errors.push(error) });
    assert.match(String(errors), /no more/);
  });

  test("whose client leaves are cancelled", async () => {
    const cancelled = Promise.withResolvers<void>();
    const app = () => {
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve));
          controller.enqueue(crypto.getRandomValues(new Uint8Array(16384)));
        },
        cancel: () => cancelled.resolve(),
      });
      return new Response(body, { headers: PLAIN });
    };
    await serve(compress(app), async (server) => {
      const connection = await open(server);
      await connection.write(octets({ headers: { "Accept-Encoding": "gzip" } })).head();
      connection.close();
      await within(cancelled.promise, "cancel()");
      await until(() => server.pendingRequests === 0, "no request");
    });
  });
});

test("errors of the app are left to the server", async () => {
  const errors: unknown[] = [];
  const app: App = { fetch: () => Promise.reject(new Error("broken")) };
  await serve(compress(app), async (server) => {
    assert.equal((await ask(server, { headers: { "Accept-Encoding": "gzip" } })).status, 500);
  }, { onError: (error) => void errors.push(error) });
  assert.match(String(errors), /broken/);
});
