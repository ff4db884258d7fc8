// request.headers behaves like a native Headers with the same fields, before and after it becomes
// one.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, test } from "node:test";
import type { Handler } from "../mod.ts";
import { ask, serve } from "./support/client.ts";

const FIELDS: [name: string, value: string][] = [
  ["Host", "localhost"],
  ["Accept", "text/html"],
  ["X-Empty", ""],
  ["X-Latin", "grüße"],
  ["x-twice", "a"],
  ["X-TWICE", "b"],
  ["Cookie", "a=1"],
  ["cookie", "b=2"],
  ["Key", "of a name that is another one's in lower case"],
  ["X-^", "caret"],
  ["X-~", "tilde"],
  ["Connection", "close"],
];

/** The same fields in a native Headers, except for Cookie (RFC 6265 section 5.4). */
function native(): Headers {
  const headers = new Headers(FIELDS.filter(([name]) => name.toLowerCase() !== "cookie"));
  headers.set("cookie", "a=1; b=2");
  return headers;
}

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

const looks: [name: string, look: (headers: Headers) => unknown][] = [
  ...["accept", "ACCEPT", "x-empty", "x-latin", "x-twice", "cookie", "x-none", "x-^", "x-~", "hos"]
    .flatMap((name): [string, (headers: Headers) => unknown][] => [
      [`get("${name}")`, (headers) => headers.get(name)],
      [`has("${name}")`, (headers) => headers.has(name)],
    ]),
  ...["", "a b", "ü", "a:", "a\n", "\u212aey"].map((
    name,
  ): [string, (headers: Headers) => unknown] => [
    `get(${JSON.stringify(name)})`,
    (headers) => caught(() => headers.get(name)),
  ]),
  ["get() without a name", (headers) => caught(() => (headers.get as () => unknown)())],
  ["get() of a number", (headers) => headers.get(5 as never)],
  ["entries", (headers) => [...headers]],
  ["entries()", (headers) => [...headers.entries()]],
  ["keys()", (headers) => [...headers.keys()]],
  ["values()", (headers) => [...headers.values()]],
  ["forEach()", (headers) => {
    const seen: unknown[] = [];
    headers.forEach(function (this: unknown, value, name, all) {
      seen.push([name, value, all === headers, this]);
    }, 5);
    return seen;
  }],
  ["getSetCookie()", (headers) => headers.getSetCookie()],
  ["fromEntries()", (headers) => Object.fromEntries(headers)],
  ["a copy", (headers) => [...new Headers(headers)]],
  ["those of another request", (headers) => [...new Request("http://a/", { headers }).headers]],
  ["those of a response", (headers) => [...new Response(null, { headers }).headers]],
  ["instanceof", (headers) => headers instanceof Headers],
  ["tag", (headers) => Object.prototype.toString.call(headers)],
  ["constructor", (headers) => headers.constructor === Headers],
  ["inspect()", (headers) => inspect(headers)],
  ["own keys", (headers) => Object.keys(headers)],
  ["set()", (headers) => (headers.set("X-New", "1"), [headers.get("x-new"), headers.has("X-NEW")])],
  ["append()", (headers) => (headers.append("Accept", "b"), headers.get("accept"))],
  ["delete()", (headers) => (headers.delete("Accept"), [headers.get("accept"), [...headers]])],
];

describe("request.headers", () => {
  for (const [name, look] of looks) {
    test(name, async () => {
      const seen: unknown[] = [];
      const app: Handler = (request) => {
        seen.push(look(request.headers));
        return "";
      };
      const headers: Record<string, string[]> = {};
      for (const [field, value] of FIELDS.slice(1, -1)) {
        headers[field] = [value];
      }
      await serve(app, async (server) => void await ask(server, { headers }));
      assert.deepEqual(seen, [look(native())]);
    });
  }

  test("a value that was read once stays the same", () =>
    serve((request) => {
      const { headers } = request;
      const before = headers.get("x-a");
      const all = [...headers].length;
      assert.equal(request.headers, headers);
      return `${before} ${all > 0} ${headers.get("x-a")}`;
    }, async (server) => {
      assert.equal((await ask(server, { headers: { "X-A": "1" } })).text, "1 true 1");
    }));

  test("an async handler can read them after its turn", () =>
    serve(async (request) => {
      const { headers } = request;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return `${headers.get("x-a")} ${[...headers].length}`;
    }, async (server) => {
      assert.equal((await ask(server, { headers: { "X-A": "1" } })).text, "1 3");
    }));

  test("reading them too late throws", async () => {
    let kept: Headers | undefined;
    await serve((request) => {
      kept = request.headers;
      return "";
    }, async (server) => {
      await ask(server);
      await ask(server);
    });
    assert.throws(() => kept!.get("host"), { name: "TypeError", message: /over|answered/ });
  });
});
