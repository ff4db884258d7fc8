// Precompressed files: which one a client gets (RFC 9110 section 12.5.3).
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { StaticOptions } from "../contrib/static.ts";
import type { Answer } from "./support/client.ts";
import { askFor, folder } from "./support/folder.ts";

const APP = "console.log('hello')\n".repeat(20);
const BR = brotliCompressSync(APP);
const GZ = gzipSync(APP);

const parent = folder({
  "root/app.js": APP,
  "root/app.js.br": BR,
  "root/app.js.gz": GZ,
  "root/style.css": APP,
  "root/style.css.gz": GZ,
  "root/plain.txt": APP,
  "root/index.html": APP,
  "root/index.html.gz": GZ,
  "root/ghost.txt.gz": GZ,
  "root/folder.txt": APP,
  "root/folder.txt.gz/x": "",
  "root/linked.txt": APP,
  "root/same.txt": "0123456789",
  "root/same.txt.gz": "9876543210",
  "secret.gz": GZ,
});
const root = join(parent, "root");
symlinkSync("../secret.gz", join(root, "linked.txt.gz"));

const BOTH: StaticOptions = { precompressed: ["br", "gzip"] };

function get(
  target: string,
  accept: string | undefined,
  options = BOTH,
  more: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const headers: Record<string, string> = { ...more.headers };
  if (accept !== undefined) {
    headers["Accept-Encoding"] = accept;
  }
  return askFor(root, { method: more.method, target, headers }, options);
}

describe("the client's preferred coding is used", () => {
  const rows: [target: string, accept: string | undefined, coding: string | undefined][] = [
    ["/app.js", undefined, undefined],
    ["/app.js", "", undefined],
    ["/app.js", "gzip, deflate, br, zstd", "br"],
    ["/app.js", "gzip", "gzip"],
    ["/app.js", "x-gzip", "gzip"],
    ["/app.js", "BR", "br"],
    ["/app.js", "gzip, br;q=0.9", "gzip"],
    ["/app.js", "gzip;q=0.5, br;q=0.501", "br"],
    ["/app.js", "br;q=0, gzip", "gzip"],
    ["/app.js", "br;q=0, gzip;q=0", undefined],
    ["/app.js", "*", "br"],
    ["/app.js", "*;q=0", undefined],
    ["/app.js", "br;q=0, *", "gzip"],
    ["/app.js", "identity, gzip;q=0.5", undefined],
    ["/app.js", "identity;q=0.5, gzip", "gzip"],
    ["/app.js", "identity;q=0, gzip;q=0.1", "gzip"],
    ["/app.js", "gzip;q=2", undefined],
    ["/app.js", "zstd", undefined],
    ["/style.css", "br, gzip", "gzip"],
    ["/style.css", "br", undefined],
    ["/plain.txt", "br, gzip", undefined],
    ["/folder.txt", "gzip", undefined],
    ["/linked.txt", "gzip", undefined],
    ["/", "gzip", "gzip"],
  ];
  for (const [target, accept, coding] of rows) {
    test(`${target} ${accept}: ${coding}`, async () => {
      const answer = await get(target, accept);
      const expected = { br: BR, gzip: GZ }[coding ?? ""] ?? APP;
      assert.equal(answer.get("content-encoding"), coding);
      assert.equal(answer.get("vary"), "Accept-Encoding");
      assert.equal(answer.get("content-length"), String(expected.length));
      assert.equal(answer.body.toString("latin1"), expected.toString("latin1"));
    });
  }
  test("in the order of the option", async () => {
    const options: StaticOptions = { precompressed: ["gzip", "br"] };
    assert.equal((await get("/app.js", "br, gzip", options)).get("content-encoding"), "gzip");
  });
  test("among those in the option", async () => {
    const options: StaticOptions = { precompressed: ["gzip"] };
    assert.equal((await get("/app.js", "br", options)).get("content-encoding"), undefined);
    const answer = await get("/app.js", "br, gzip", {});
    assert.equal(answer.get("content-encoding"), undefined);
    assert.equal(answer.get("vary"), undefined);
  });
  test("through a link that the policy allows", async () => {
    const answer = await get("/linked.txt", "gzip", { ...BOTH, symlinks: "follow" });
    assert.equal(gunzipSync(answer.body).toString(), APP);
  });
});

test("the type is that of the uncompressed file", async () => {
  const type = (await get("/app.js", "br")).get("content-type");
  assert.equal(type, "text/javascript; charset=utf-8");
});

test("a compressed file is served as such under its own name", async () => {
  const answer = await get("/app.js.gz", "gzip");
  assert.equal(answer.get("content-encoding"), undefined);
  assert.equal(answer.get("content-type"), "application/gzip");
});

test("without the uncompressed file there is nothing", async () => {
  assert.equal((await get("/ghost.txt", "gzip")).status, 404);
});

test("each coding has its own ETag, which conditions refer to", async () => {
  const codings = ["br", "gzip", "identity"];
  const etags = await Promise.all(
    codings.map(async (coding) => (await get("/app.js", coding)).get("etag")!),
  );
  assert.equal(new Set(etags).size, 3);
  for (const coding of codings) {
    for (const etag of etags) {
      const headers = { "If-None-Match": etag };
      const answer = await get("/app.js", coding, BOTH, { headers });
      const isSame = etags.indexOf(etag) === codings.indexOf(coding);
      assert.equal(answer.status, isSame ? 304 : 200);
      assert.equal(answer.get("vary"), "Accept-Encoding");
    }
  }
});

test("even if a file is as large and old as its compressed form", async () => {
  const [plain, coded] = [await get("/same.txt", undefined), await get("/same.txt", "gzip")];
  assert.equal(plain.get("last-modified"), coded.get("last-modified"));
  assert.notEqual(plain.get("etag"), coded.get("etag"));
});

test("HEAD has the fields of GET", async () => {
  const fields = (answer: Answer) => answer.fields.filter(([name]) => name !== "date");
  const head = await get("/app.js", "br", BOTH, { method: "HEAD" });
  assert.deepEqual(fields(head), fields(await get("/app.js", "br")));
});

test("a range refers to the compressed file", async () => {
  const answer = await get("/app.js", "gzip", BOTH, { headers: { Range: "bytes=2-5" } });
  assert.deepEqual([answer.status, answer.get("content-encoding")], [206, "gzip"]);
  assert.equal(answer.get("content-range"), `bytes 2-5/${GZ.length}`);
  assert.ok(answer.body.equals(GZ.subarray(2, 6)));
});

test("several ranges of a compressed file get all of it", async () => {
  const answer = await get("/app.js", "gzip", BOTH, { headers: { Range: "bytes=0-1,4-5" } });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(GZ));
});
