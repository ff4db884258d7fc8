// Static files: which file a path refers to, and whether it may be served.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { StaticOptions } from "../contrib/static.ts";
import type { Answer } from "./support/client.ts";
import { askFor, folder, openBelow } from "./support/folder.ts";

const SECRET = "secret";

const parent = folder({
  "root/index.html": "<h1>Root</h1>",
  "root/a.txt": "0123456789",
  "root/docs/index.html": "<h1>Docs</h1>",
  "root/docs/page.html": "<h1>Page</h1>",
  "root/docs.html": "<h1>Beside</h1>",
  "root/bare/file.txt": "file",
  "root/bare.html": "<h1>Bare</h1>",
  "root/sp ace/ü+%.txt": "odd",
  "root/back\\slash.txt": SECRET,
  "root/.secret": SECRET,
  "root/.git/config": SECRET,
  "root/..rc": SECRET,
  "root/.well-known/security.txt": "Contact: mailto:a@example.com",
  "root/.well-known/.hidden": SECRET,
  "root/docs/.well-known/x": SECRET,
  "root.html": SECRET,
  "root-twin/x.txt": SECRET,
  "outside/secret.txt": SECRET,
  "outside/index.html": SECRET,
});
const root = join(parent, "root");
for (
  const [name, target] of Object.entries({
    "inside.txt": "a.txt",
    "in": "docs",
    "outside.txt": "../outside/secret.txt",
    "out": "../outside",
    "twin.txt": "../root-twin/x.txt",
    "loop": "loop",
    "dangling": "nothing",
  })
) {
  symlinkSync(target, join(root, name));
}
spawnSync("mkfifo", [join(root, "pipe")]);

/** The answer to one request; nothing in the root or beside it is left open. */
async function get(target: string, options: StaticOptions, from = root): Promise<Answer> {
  const answer = await askFor(from, { target }, options);
  assert.deepEqual(openBelow(parent), []);
  return answer;
}

type Row = [
  target: string,
  status: number,
  /** The body, or Location. */
  result?: string,
  options?: StaticOptions,
];

function check(rows: Row[], common: StaticOptions = {}): void {
  for (const [target, status, result, options] of rows) {
    const name = `${target.slice(0, 60)} ${JSON.stringify({ ...common, ...options })}: ${status}`;
    test(name, async () => {
      const answer = await get(target, { ...common, ...options });
      assert.equal(answer.status, status);
      assert.notEqual(answer.text, result === SECRET ? "" : SECRET);
      if (result !== undefined) {
        assert.equal(status === 301 ? answer.get("location") : answer.text, result);
      }
    });
  }
}

describe("paths", () =>
  check([
    ["/", 200, "<h1>Root</h1>"],
    ["/index.html", 200, "<h1>Root</h1>"],
    ["/?a=b", 200, "<h1>Root</h1>"],
    ["/a.txt?a=/../b", 200, "0123456789"],
    ["/docs/", 200, "<h1>Docs</h1>"],
    ["/sp%20ace/%C3%BC+%25.txt", 200, "odd"],
    ["/s%70%20ace/%c3%bc%2B%25.txt", 200, "odd"],
    ["http://localhost/a.txt", 200, "0123456789"],
    ["/nothing", 404, "Not Found"],
    ["/bare/", 404],
    ["/bare", 404],
    ["/a.txt/", 404],
    ["/a.txt/x", 404],
    ["/docs/index.html/", 404],
    ["/pipe", 404],
    ["/loop", 404],
    ["/dangling", 404],
    [`/${"x".repeat(300)}`, 404],
    [`/${"x/".repeat(2500)}`, 404],
  ]));

describe("a folder with an index redirects to its own path", () =>
  check([
    ["/docs", 301, "/docs/"],
    ["/docs?a=b&c=//d", 301, "/docs/?a=b&c=//d"],
    ["/d%6Fcs", 301, "/d%6Fcs/"],
    ["/in", 301, "/in/"],
    ["/docs", 404, undefined, { index: "" }],
    ["/docs/", 404, undefined, { index: "" }],
    ["/docs", 301, "/docs/", { index: "page.html" }],
    ["/docs/", 200, "<h1>Page</h1>", { index: "page.html" }],
    ["/out", 404],
    ["/static", 301, "/static/", { prefix: "/static" }],
    ["/static/docs?q", 301, "/static/docs/?q", { prefix: "/static" }],
    ["//docs", 404],
    ["//evil.example/docs", 404],
    ["//evil.example/%2e%2e/docs", 404],
    ["/%2fevil.example", 404],
    ["/%5cevil.example", 404],
    ["/\\evil.example/..", 400],
    ["/.//docs", 404],
    ["/x/..//docs", 404],
  ]));

describe("extensions may be omitted", () =>
  check([
    ["/docs/page", 200, "<h1>Page</h1>"],
    ["/docs", 301, "/docs/"],
    ["/docs", 200, "<h1>Beside</h1>", { index: "" }],
    ["/bare", 200, "<h1>Bare</h1>"],
    ["/bare/file", 200, "file"],
    ["/docs/page.html", 200],
    ["/docs/page/", 404],
    ["/nothing", 404],
    ["/docs/page", 404, undefined, { extensions: [] }],
    // A sibling of the root is not below it.
    ["/static", 404, undefined, { prefix: "/static", index: "", symlinks: "follow" }],
  ], { extensions: ["html", "txt"] }));

describe("a prefix is removed", () =>
  check([
    ["/static/a.txt", 200, "0123456789"],
    ["/static/", 200, "<h1>Root</h1>"],
    ["/static//a.txt", 404],
    ["/static/../a.txt", 404],
    ["/a.txt", 404],
    ["/statica.txt", 404],
    ["/static/a.txt", 200, undefined, { prefix: "/static/" }],
    ["/a%20b/a.txt", 200, undefined, { prefix: "/a b" }],
    ["/a.txt", 200, undefined, { prefix: "/" }],
  ], { prefix: "/static" }));

describe("nothing leads out of the root", () => {
  const rows: Row[] = [
    "/../outside/secret.txt",
    "/../../../../../../../../etc/passwd",
    "/docs/../../outside/secret.txt",
    "/%2e%2e/outside/secret.txt",
    "/.%2e/outside/secret.txt",
    "/%2E%2E/outside/secret.txt",
    "/docs/%2e%2e/%2e%2e/outside/secret.txt",
    "/..%2foutside%2fsecret.txt",
    "/..%2Foutside/secret.txt",
    "/%2e%2e%2foutside/secret.txt",
    "/docs/..%2f..%2foutside/secret.txt",
    "/%2foutside/secret.txt",
    "/%2fetc%2fpasswd",
    "//etc/passwd",
    "/..%5coutside%5csecret.txt",
    "/%5c..%5coutside%5csecret.txt",
    "/%5c../outside/secret.txt",
    "/..%5c/outside/secret.txt",
    "/back%5cslash.txt",
    "/%252e%252e/outside/secret.txt",
    "/..%252foutside/secret.txt",
    "/....//outside/secret.txt",
    "/..;/outside/secret.txt",
    "/...%2f/outside/secret.txt",
    "/%c0%ae%c0%ae/outside/secret.txt",
    "/%c0%ae%c0%ae%c0%afoutside/secret.txt",
    "/%uff0e%uff0e/outside/secret.txt",
    "/%ef%bc%8e%ef%bc%8e/outside/secret.txt",
    "/../root.html",
    "/../root-twin/x.txt",
    "http://localhost/../outside/secret.txt",
    "http://localhost/%2e%2e%2foutside/secret.txt",
    "/a%00b",
    "/a.txt%00",
    "/a.txt%00.html",
    "/%00/../a.txt%00",
    "//",
    "///",
    "//a.txt",
    "/docs//page.html",
    "/docs//",
    "/%",
    "/a.txt%",
    "/%zz",
    "/%ff",
  ].map((target) => [target, 404]);
  rows.push(["/..\\outside\\secret.txt", 400], ["/back\\slash.txt", 400]); // by the server itself
  check(rows);
  check(rows, { dotfiles: "allow", symlinks: "follow" });
  // The client should resolve dot segments; if it has not, they are resolved here.
  check([
    ["/./a.txt", 200, "0123456789"],
    ["/docs/../a.txt", 200, "0123456789"],
    ["/../../a.txt", 200, "0123456789"],
  ]);
});

describe("names that begin with a dot", () => {
  check([
    ["/.secret", 404],
    ["/%2esecret", 404],
    ["/.git/config", 404],
    ["/..rc", 404],
    ["/.well-known/security.txt", 200, "Contact: mailto:a@example.com"],
    ["/.well-known/.hidden", 404],
    ["/.WELL-KNOWN/security.txt", 404],
    ["/docs/.well-known/x", 404],
  ]);
  check([
    ["/.secret", 200, SECRET],
    ["/.git/config", 200, SECRET],
    ["/..rc", 200, SECRET],
  ], { dotfiles: "allow" });
});

describe("symbolic links", () => {
  check([
    ["/inside.txt", 200, "0123456789"],
    ["/in/page.html", 200, "<h1>Page</h1>"],
    ["/outside.txt", 404],
    ["/out/secret.txt", 404],
    ["/out/", 404],
    ["/twin.txt", 404],
  ]);
  check([
    ["/inside.txt", 404],
    ["/in/page.html", 404],
    ["/in/", 404],
    ["/in", 404],
    ["/outside.txt", 404],
    ["/a.txt", 200],
    ["/docs/", 200],
  ], { symlinks: "never" });
  check([
    ["/inside.txt", 200],
    ["/outside.txt", 200, SECRET],
    ["/out/secret.txt", 200, SECRET],
    ["/out", 301, "/out/"],
    ["/twin.txt", 200, SECRET],
    ["/loop", 404],
    ["/dangling", 404],
  ], { symlinks: "follow" });

  test("the root may be one, whatever the policy", async () => {
    const link = join(parent, "link");
    symlinkSync("root", link);
    assert.equal((await get("/a.txt", { symlinks: "never" }, link)).status, 200);
    rmSync(link);
  });
});
