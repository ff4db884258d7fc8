// Static files: their fields, other answers, and files that change.
import assert from "node:assert/strict";
import { renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { compress } from "../contrib/compress.ts";
import { router } from "../contrib/router.ts";
import { serveStatic, type StaticOptions } from "../contrib/static.ts";
import type { Handler, Info } from "../mod.ts";
import { type Answer, type Ask, ask, octets, open, serve, until } from "./support/client.ts";
import { askFor, CHANGED, folder, openBelow, put } from "./support/folder.ts";

const BIG = new Uint8Array(8_000_000).map((_, i) => i % 251);

const root = folder({
  "index.html": "<h1>Root</h1>",
  "a.txt": "0123456789",
  "empty.txt": "",
  "Makefile": "all:",
  "app.js": "app()",
  "unknown.zzz": "zzz",
  "data.json": "{}",
  "picture.svg": "<svg/>",
  "big.bin": BIG,
  "docs/index.html": "<h1>Docs</h1>",
  "bare/file.txt": "file",
  ".secret": "secret",
});

function get(what: Ask | string, options: StaticOptions = {}, from = root): Promise<Answer> {
  return askFor(from, typeof what === "string" ? { target: what } : what, options);
}

test("a file is sent with the fields that describe it", async () => {
  const answer = await get("/a.txt");
  assert.equal(answer.text, "0123456789");
  const { date: _, ...fields } = Object.fromEntries(answer.fields);
  assert.match(fields.etag, /^"a-[0-9a-f]+"$/);
  assert.deepEqual(fields, {
    "accept-ranges": "bytes",
    "connection": "close",
    "content-length": "10",
    "content-type": "text/plain; charset=utf-8",
    "etag": fields.etag,
    "last-modified": CHANGED,
    "x-content-type-options": "nosniff",
  });
});

test("a large file arrives complete", async () => {
  const answer = await get("/big.bin");
  assert.equal(answer.get("content-length"), String(BIG.length));
  assert.ok(answer.body.equals(BIG));
});

describe("the type depends on the name", () => {
  const rows: [target: string, type: string][] = [
    ["/", "text/html; charset=utf-8"],
    ["/docs/", "text/html; charset=utf-8"],
    ["/a.txt", "text/plain; charset=utf-8"],
    ["/app.js", "text/javascript; charset=utf-8"],
    ["/data.json", "application/json"],
    ["/picture.svg", "image/svg+xml"],
    ["/unknown.zzz", "application/octet-stream"],
    ["/Makefile", "application/octet-stream"],
  ];
  for (const [target, type] of rows) {
    test(`${target}: ${type}`, async () => {
      assert.equal((await get(target)).get("content-type"), type);
    });
  }
});

describe("methods", () => {
  const rows: [method: string, target: string, status: number][] = [
    ["POST", "/a.txt", 405],
    ["PUT", "/", 405],
    ["DELETE", "/docs", 405],
    ["OPTIONS", "/a.txt", 204],
    ["POST", "/nothing", 404],
    ["OPTIONS", "/nothing", 404],
  ];
  for (const [method, target, status] of rows) {
    test(`${method} ${target}: ${status}`, async () => {
      const answer = await get({ method, target });
      assert.equal(answer.status, status);
      assert.equal(answer.get("allow"), status === 404 ? undefined : "GET, HEAD, OPTIONS");
    });
  }
  for (const target of ["/a.txt", "/", "/docs", "/nothing", "/big.bin", "/empty.txt"]) {
    test(`HEAD ${target} has the fields of GET`, async () => {
      const fields = (answer: Answer) => answer.fields.filter(([name]) => name !== "date");
      const head = await get({ method: "HEAD", target });
      const full = await get(target);
      assert.deepEqual([head.status, fields(head)], [full.status, fields(full)]);
    });
  }
});

describe("missing files", () => {
  const notFound: Handler = ({ method, url }) => `${method} ${new URL(url).pathname}`;
  const asks: [ask: Ask, text: string][] = [
    [{ target: "/nothing" }, "GET /nothing"],
    [{ target: "/api", body: "x" }, "POST /api"],
    [{ target: "/.secret" }, "GET /.secret"],
    [{ target: "/%2e%2e%2fx" }, "GET /%2e%2e%2fx"],
    [{ target: "/bare" }, "GET /bare"],
    [{ target: "/a.txt" }, "0123456789"],
  ];
  for (const [what, text] of asks) {
    test(`${what.target} is ${text} with notFound`, async () => {
      assert.equal((await get(what, { notFound })).text, text);
    });
  }
  test("are looked for in the next folder", async () => {
    const notFound = serveStatic(folder({ "a.txt": "hidden", "b.txt": "second" }));
    assert.equal((await get("/a.txt", { notFound })).text, "0123456789");
    assert.equal((await get("/b.txt", { notFound })).text, "second");
  });
});

describe("Cache-Control", () => {
  const rows: [options: StaticOptions, value: string | undefined][] = [
    [{}, undefined],
    [{ maxAge: 0 }, "max-age=0"],
    [{ maxAge: 3600 }, "max-age=3600"],
    [{ maxAge: 31536000, immutable: true }, "max-age=31536000, immutable"],
  ];
  for (const [options, value] of rows) {
    test(`${JSON.stringify(options)}: ${value}`, async () => {
      assert.equal((await get("/a.txt", options)).get("cache-control"), value);
      assert.equal((await get("/nothing", options)).get("cache-control"), undefined);
    });
  }
});

describe("files change", () => {
  test("replacing or removing a file takes effect at once", async () => {
    const own = folder({ "a.txt": "first", "b.txt": "second" });
    await serve(serveStatic(own, { symlinks: "never" }), async (server) => {
      const get = () => ask(server, { target: "/a.txt" });
      const first = await get();
      renameSync(join(own, "b.txt"), join(own, "a.txt"));
      const second = await get();
      assert.deepEqual([first.text, second.text], ["first", "second"]);
      assert.notEqual(first.get("etag"), second.get("etag"));
      put(join(own, "a.txt"), "secund", "Sun, 06 Nov 1994 08:49:38 GMT");
      assert.notEqual((await get()).get("etag"), second.get("etag"));
      rmSync(join(own, "a.txt"));
      assert.equal((await get()).status, 404);
      put(join(own, "a.txt/index.html"), "a folder now");
      assert.equal((await get()).status, 301);
    });
  });

  test("one that is removed while it is sent arrives complete", async () => {
    const own = folder({ "big.bin": BIG });
    await serve(serveStatic(own), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({ target: "/big.bin" }));
      await until(() => server.metrics().bytes_sent > 0, "it is being sent");
      rmSync(join(own, "big.bin"));
      connection.socket.resume();
      assert.ok((await connection.answer()).body.equals(BIG));
      connection.close();
    });
  });

  test("one that gets shorter while it is sent cuts the connection", async () => {
    const own = folder({ "big.bin": new Uint8Array(40_000_000) });
    await serve(serveStatic(own), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({ target: "/big.bin" }));
      await until(() => server.metrics().bytes_sent > 0, "it is being sent");
      truncateSync(join(own, "big.bin"), 1000);
      connection.socket.resume();
      assert.equal((await connection.answer()).complete, false);
      connection.close();
    }, { onError: () => {} });
    await until(() => openBelow(own).length === 0, "the file is closed");
  });

  test("one whose client leaves is closed", async () => {
    await serve(serveStatic(root), async (server) => {
      const connection = await open(server);
      await connection.write(octets({ target: "/big.bin" })).head();
      connection.close();
    });
    await until(() => openBelow(root).length === 0, "the file is closed");
  });

  test("a date in the future is not sent", async () => {
    const own = folder({});
    put(join(own, "a.txt"), "x", "Fri, 31 Dec 2100 00:00:00 GMT");
    const answer = await get("/a.txt", {}, own);
    assert.ok(Date.parse(answer.get("last-modified")!) <= Date.parse(answer.get("date")!));
  });
});

describe("with other modules", () => {
  test("a router passes on what is below a path", async () => {
    const app = router({ "/files/*": serveStatic(root, { prefix: "/files" }) });
    await serve(app, async (server) => {
      assert.equal((await ask(server, { target: "/files/docs/" })).text, "<h1>Docs</h1>");
      assert.equal((await ask(server, { target: "/docs/" })).status, 404);
    });
  });
  test("compress() compresses, and the client's copy is recognised", async () => {
    const own = folder({ "long.txt": "long ".repeat(1000) });
    await serve(compress(serveStatic(own)), async (server) => {
      const headers = { "Accept-Encoding": "gzip" };
      const answer = await ask(server, { target: "/long.txt", headers });
      assert.equal(gunzipSync(answer.body).toString(), "long ".repeat(1000));
      const etag = answer.get("etag")!;
      const again = { target: "/long.txt", headers: { ...headers, "If-None-Match": etag } };
      const unchanged = await ask(server, again);
      assert.equal(unchanged.status, 304);
      for (const field of ["etag", "vary"]) {
        assert.equal(unchanged.get(field), answer.get(field), field);
      }
      const head = await ask(server, { target: "/long.txt", headers, method: "HEAD" });
      assert.deepEqual(
        [head.get("content-encoding"), head.get("etag"), head.get("content-length")],
        ["gzip", etag, undefined],
      );
      const plain = await ask(server, { target: "/long.txt" });
      const known = { "If-None-Match": plain.get("etag")! };
      const same = await ask(server, { target: "/long.txt", headers: known });
      assert.deepEqual([same.status, same.get("etag")], [304, plain.get("etag")]);
    });
    await until(() => openBelow(own).length === 0, "the file is closed");
  });
  test("compress() leaves small files as they are", async () => {
    await serve(compress(serveStatic(folder({ "short.txt": "short" }))), async (server) => {
      const asked = { target: "/short.txt", headers: { "Accept-Encoding": "gzip" } };
      const fields = (answer: Answer) => answer.fields.filter(([name]) => name !== "date");
      const [head, full] = [
        await ask(server, { ...asked, method: "HEAD" }),
        await ask(server, asked),
      ];
      assert.equal(full.text, "short");
      assert.equal(full.get("content-encoding"), undefined);
      assert.deepEqual(fields(head), fields(full));
    });
  });
  test("a prefix matches however its escapes are written", async () => {
    for (const prefix of ["/é", "/%c3%a9", "/%C3%A9"]) {
      await serve(serveStatic(root, { prefix }), async (server) => {
        for (const target of ["/%C3%A9/a.txt", "/%c3%a9/a.txt"]) {
          assert.equal((await ask(server, { target })).status, 200, `${prefix} ${target}`);
        }
      });
    }
  });
  test("a handler works without a server", async () => {
    const handler = serveStatic(pathToFileURL(root)) as (
      request: Request,
      info?: Info,
    ) => Response;
    assert.equal(await handler(new Request("http://a/a.txt")).text(), "0123456789");
    assert.equal(handler(new Request("http://a/x")).status, 404);
    assert.deepEqual(openBelow(root), []);
  });
});

describe("invalid options are TypeErrors", () => {
  const rows: Record<string, [root: unknown, options: unknown, message: RegExp]> = {
    "no folder": [join(root, "nothing"), {}, /root .*nothing cannot be served: .*ENOENT/],
    "a file": [join(root, "a.txt"), {}, /it is not a folder/],
    "no root": [undefined, {}, /root undefined cannot/],
    "another URL": [new URL("http://localhost/"), {}, /root http:\/\/localhost\/ cannot/],
    "an index in a folder": [root, { index: "a/b" }, /index is a file name .*not a\/b/],
    "an index that is false": [root, { index: false }, /index is a file name/],
    "an extension with its dot": [root, { extensions: [".html"] }, /"\.html" is no extension/],
    "an extension with a path": [root, { extensions: ["a/../b"] }, /is no extension/],
    "an extension alone": [root, { extensions: "html" }, /extensions is a list/],
    "a prefix without a slash": [root, { prefix: "x" }, /prefix is a path .*not x/],
    "a prefix of a host": [root, { prefix: "//x" }, /prefix has an empty name/],
    "a prefix with a query": [root, { prefix: "/x?y" }, /prefix is a path/],
    "another coding": [root, { precompressed: ["zstd"] }, /"zstd" is no coding/],
    "a coding alone": [root, { precompressed: "gzip" }, /precompressed is a list/],
    "another policy": [root, { symlinks: "no" }, /symlinks is inside, follow or never, not no/],
    "other dotfiles": [root, { dotfiles: "deny" }, /dotfiles is ignore or allow, not deny/],
    "a time below 0": [root, { maxAge: -1 }, /maxAge is a whole number of seconds, not -1/],
    "part of a second": [root, { maxAge: 0.5 }, /maxAge is/],
    "a time in words": [root, { maxAge: "1d" }, /maxAge is .*not 1d/],
    "immutable for ever": [root, { immutable: true }, /immutable means nothing without maxAge/],
    "no handler": [root, { notFound: "404" }, /notFound is a handler/],
  };
  for (const [name, [from, options, message]] of Object.entries(rows)) {
    test(name, () => {
      const make = () => serveStatic(from as string, options as StaticOptions);
      assert.throws(make, { name: "TypeError", message });
    });
  }
});
