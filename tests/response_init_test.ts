// A Response has the status and fields it was made with, on the wire and in its headers, like a
// native one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Response } from "../mod.ts";
import { type Answer, ask, serve } from "./support/client.ts";

const NativeResponse = globalThis.Response;

type Made = [body: BodyInit | null, init?: ResponseInit];

const html = { "content-type": "text/html" };
const inherited = Object.create({ "x-inherited": "1" }, {
  "x-own": { value: "2", enumerable: true },
});

const rows: [what: string, make: () => Made][] = [
  ["a text alone", () => ["a"]],
  ["nothing", () => [null]],
  ["an empty init", () => ["a", {}]],
  ["null as init", () => ["a", null as never]],
  ["a status", () => ["a", { status: 404 }]],
  ["a status without a body", () => [null, { status: 204 }]],
  ["a status as text", () => ["a", { status: "404" as never }]],
  ["a status with a fraction", () => ["a", { status: 200.5 }]],
  ["a status that has no phrase", () => ["a", { status: 299 }]],
  ["a phrase", () => ["a", { status: 201, statusText: "Yes" }]],
  ["an empty phrase", () => ["a", { status: 201, statusText: "" }]],
  ["a type", () => ["a", { headers: html }]],
  ["a type in upper case", () => ["a", { headers: { "Content-Type": "text/html" } }]],
  ["an empty type", () => ["a", { headers: { "content-type": "" } }]],
  ["no type", () => ["a", { headers: { "x-a": "1" } }]],
  ["two fields", () => ["a", { headers: { ...html, "X-A": "1" } }]],
  [
    "a status and fields",
    () => ["a", { status: 500, headers: { ...html, etag: '"a"', Vary: "b" } }],
  ],
  ["one name written in two ways", () => ["a", { headers: { "X-A": "1", "x-a": "2" } }]],
  ["a type written in two ways", () => ["a", { headers: { ...html, "Content-type": "b" } }]],
  ["a name that ends as another", () => ["a", { headers: { "X-A": "1", "a": "2", "A-": "3" } }]],
  ["empty and blank values", () => ["a", { headers: { "x-a": "", "x-b": " ", "x-c": "\t" } }]],
  ["values with space around", () => ["a", { headers: { "x-a": " 1 ", "x-b": "\t2\n" } }]],
  ["values with space within", () => ["a", { headers: { "x-a": "1 \t 2", "x-b": "a, b" } }]],
  ["octets beyond ASCII", () => ["a", { headers: { "x-a": "gr\u00fc\u00dfe", "x-b": "\u00a0" } }]],
  ["a number as value", () => ["a", { headers: { "x-a": 5 as never, "x-b": null as never } }]],
  ["a cookie", () => ["a", { headers: { "set-cookie": "a=1; Path=/", "x-a": "1" } }]],
  ["fields that are the server's", () => ["a", {
    headers: { "transfer-encoding": "chunked", "keep-alive": "timeout=9" },
  }]],
  ["a date", () => ["a", { headers: { date: "Thu, 01 Jan 1970 00:00:00 GMT", "x-a": "1" } }]],
  ["a value of undefined", () => ["a", { headers: { "x-a": undefined as never } }]],
  ["no headers", () => ["a", { headers: undefined, status: undefined }]],
  ["Headers", () => ["a", { headers: new Headers({ ...html, "x-a": "1" }) }]],
  ["pairs", () => ["a", { headers: [["x-a", "1"], ["X-A", "2"], ["set-cookie", "a"]] }]],
  ["a record of no class", () => ["a", { headers: Object.assign(Object.create(null), html) }]],
  ["inherited fields", () => ["a", { headers: inherited }]],
  ["a Response as init", () => ["a", new NativeResponse(null, { status: 201, headers: html })]],
  ["bytes", () => [new Uint8Array(9), { status: 201, headers: { "x-a": "1", "x-b": "2" } }]],
  ["many bytes", () => [new Uint8Array(200_000), { headers: { "x-a": "1", "x-b": "2" } }]],
  ["a buffer", () => [new ArrayBuffer(9), { headers: html }]],
  ["a view", () => [new DataView(new ArrayBuffer(9)), { headers: { "x-a": "1", "x-b": "2" } }]],
  ["a Blob of a type", () => [new Blob(["a"], { type: "image/x" }), { headers: { "x-a": "1" } }]],
  ["a form", () => [new URLSearchParams("a=1"), { status: 201, headers: { "x-a": "1" } }]],
  ["a stream", () => [new Blob(["a"]).stream(), { status: 201, headers: { ...html, "x-a": "1" } }]],
];

const FRAMING = ["content-length", "transfer-encoding"];

/** What is compared: everything but the framing and the current date. */
const seen = ({ status, reason, fields, body }: Answer) => ({
  status,
  reason,
  fields: fields.filter(([name, value]) => !FRAMING.includes(name) && !value.endsWith(" GMT"))
    .sort(),
  dated: fields.filter(([name, value]) => name === "date" && value.includes(" 1970 ")).length,
  body: body.toString("latin1"),
});

describe("on the wire like a native one", () => {
  for (const [what, make] of rows) {
    test(what, async () => {
      const app = (request: Request) =>
        request.url.endsWith("/native") ? new NativeResponse(...make()) : new Response(...make());
      await serve(app, async (server) => {
        const ours = await ask(server, { target: "/ours" });
        assert.deepEqual(seen(ours), seen(await ask(server, { target: "/native" })));
      });
    });
  }
});

describe("its headers are like those of a native one", () => {
  for (const [what, make] of rows) {
    test(what, () => {
      const [body, init] = make();
      const native = new NativeResponse(body, init);
      if (typeof body === "string" && !native.headers.has("content-type")) {
        native.headers.set("content-type", "text/plain;charset=UTF-8"); // Bun leaves it out
      }
      const ours = new Response(...make());
      assert.deepEqual([...ours.headers], [...native.headers]);
      assert.equal(ours.status, native.status);
      assert.equal(ours.statusText, native.statusText);
    });
  }
});

describe("what a native one refuses", () => {
  const bad: [what: string, make: () => Made][] = [
    ["a name with a space", () => ["a", { headers: { "x a": "1" } }]],
    ["an empty name", () => ["a", { headers: { "": "1" } }]],
    ["a line in a name", () => ["a", { headers: { "x\r\na": "1", "x-b": "2" } }]],
    ["a line in a value", () => ["a", { headers: { "x-a": "1\r\nx-b: 2", "x-c": "3" } }]],
    ["a value beyond U+00FF", () => ["a", { headers: { "x-a": "\u20ac", "x-c": "3" } }]],
    ["a status that is too small", () => ["a", { status: 199, headers: { ...html, "x-a": "1" } }]],
    ["a status that is too large", () => ["a", { status: 600, headers: { ...html, "x-a": "1" } }]],
    ["null as headers", () => ["a", { headers: null as never }]],
  ];
  for (const [what, make] of bad) {
    test(what, () => {
      let expected: unknown;
      try {
        new NativeResponse(...make());
      } catch (error) {
        expected = (error as Error).constructor;
      }
      if (expected === undefined) {
        new Response(...make()); // this runtime accepts it
      } else {
        assert.throws(() => new Response(...make()), expected as ErrorConstructor);
      }
    });
  }
});

test("later changes", () => {
  const app = (request: Request) => {
    const headers: Record<string, string> = { "x-a": "1", "x-b": "2" };
    const init = { status: 201, headers };
    const response = new Response("a", init);
    if (request.url.endsWith("/init")) {
      headers["x-a"] = "3";
      init.status = 202;
    } else if (request.url.endsWith("/headers")) {
      response.headers.set("x-a", "3");
      response.headers.delete("x-b");
    } else if (request.url.endsWith("/clone")) {
      return response.clone();
    }
    return response;
  };
  return serve(app, async (server) => {
    const look = async (target: string) => {
      const answer = await ask(server, { target });
      return [answer.status, answer.get("x-a"), answer.get("x-b"), answer.get("content-type")];
    };
    const type = "text/plain;charset=UTF-8";
    assert.deepEqual(await look("/init"), [201, "1", "2", type]);
    assert.deepEqual(await look("/headers"), [201, "3", undefined, type]);
    assert.deepEqual(await look("/clone"), [201, "1", "2", type]);
  });
});

test("properties that override its head", () => {
  class Teapot extends Response {
    override get status() {
      return 418;
    }
  }
  const init = () => ({ status: 201, headers: { "x-a": "1", "x-b": "2" } });
  const app = (request: Request) => {
    const value = new Headers({ "x-a": "3" });
    switch (new URL(request.url).pathname) {
      case "/class":
        return new Teapot("a", init());
      case "/status":
        return Object.defineProperty(new Response("a", init()), "status", { value: 202 });
      default:
        return Object.defineProperty(new Response("a", init()), "headers", { value });
    }
  };
  return serve(app, async (server) => {
    const look = async (target: string) => {
      const answer = await ask(server, { target });
      return [answer.status, answer.get("x-a"), answer.get("x-b")];
    };
    assert.deepEqual(await look("/class"), [418, "1", "2"]);
    assert.deepEqual(await look("/status"), [202, "1", "2"]);
    assert.deepEqual(await look("/headers"), [201, "3", undefined]);
  });
});

test("Response.json() with a status and fields", () => {
  const app = () =>
    Response.json({ a: 1 }, { status: 404, headers: { "x-a": "1", "Content-Type": "a/json" } });
  return serve(app, async (server) => {
    const answer = await ask(server);
    assert.deepEqual(
      [answer.status, answer.get("x-a"), answer.get("content-type"), answer.text],
      [404, "1", "a/json", '{"a":1}'],
    );
  });
});

test("changes to one JSON response do not show in the next", () => {
  const spoiled = Response.json(1);
  spoiled.headers.set("content-type", "a/b");
  spoiled.headers.set("x-a", "1");
  const copy = Response.json(2).clone();
  copy.headers.delete("content-type");
  assert.equal(Response.json(3).headers.get("content-type"), "application/json");
  return serve(() => Response.json(4), async (server) => {
    const answer = await ask(server);
    assert.deepEqual(
      [answer.get("content-type"), answer.get("x-a"), answer.text],
      ["application/json", undefined, "4"],
    );
  });
});

test("nothing from a polluted prototype", async () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  const app = () => {
    prototype["x-spoiled"] = "1";
    try {
      return new Response("a", { headers: { "x-a": "1", "x-b": "2" } });
    } finally {
      delete prototype["x-spoiled"];
    }
  };
  await serve(app, async (server) => {
    const answer = await ask(server);
    assert.equal(answer.get("x-b"), "2");
    assert.equal(answer.get("x-spoiled"), undefined);
  });
});
