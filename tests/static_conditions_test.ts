// Conditional requests for files, by the rules of RFC 9110 section 13.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Answer } from "./support/client.ts";
import { askFor, CHANGED, folder, put } from "./support/folder.ts";

const root = folder({ "a.txt": "0123456789", "docs/index.html": "docs" });
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";

function get(headers: Record<string, string | string[]>, method = "GET"): Promise<Answer> {
  return askFor(root, { target: "/a.txt", method, headers });
}

const ETAG = (await get({})).get("etag")!;
const WEAK = `W/${ETAG}`;

type Row = [headers: Record<string, string | string[]>, status: number];

describe("preconditions", () => {
  const rows: Row[] = [
    [{}, 200],

    [{ "If-None-Match": ETAG }, 304],
    [{ "If-None-Match": WEAK }, 304],
    [{ "If-None-Match": "*" }, 304],
    [{ "If-None-Match": `"x", ${ETAG}` }, 304],
    [{ "If-None-Match": `"x",${WEAK},"y"` }, 304],
    [{ "If-None-Match": ['"x"', ETAG] }, 304],
    [{ "If-None-Match": `"a, b", "", ${ETAG}` }, 304],
    [{ "If-None-Match": '"x"' }, 200],
    [{ "If-None-Match": '""' }, 200],
    [{ "If-None-Match": "" }, 200],
    [{ "If-None-Match": ETAG.slice(1, -1) }, 200],
    [{ "If-None-Match": ETAG.slice(0, -1) }, 200],
    [{ "If-None-Match": `"x${ETAG.slice(1)}` }, 200],
    [{ "If-None-Match": `w/"x"` }, 200],

    [{ "If-Modified-Since": CHANGED }, 304],
    [{ "If-Modified-Since": AFTER }, 304],
    [{ "If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT" }, 304],
    [{ "If-Modified-Since": "Sun Nov  6 08:49:37 1994" }, 304],
    [{ "If-Modified-Since": "Tue, 01 Jan 2999 00:00:00 GMT" }, 304],
    [{ "If-Modified-Since": BEFORE }, 200],
    [{ "If-Modified-Since": "Sunday, 06-Nov-94 08:49:36 GMT" }, 200],
    [{ "If-Modified-Since": "Sun Nov  6 08:49:36 1994" }, 200],
    [{ "If-Modified-Since": "Sunday, 06-Nov-93 08:49:37 GMT" }, 200],
    // A malformed date is ignored, and so are two dates.
    [{ "If-Modified-Since": "" }, 200],
    [{ "If-Modified-Since": "2100" }, 200],
    [{ "If-Modified-Since": "Sun, 06 Nov 2094 08:49:37" }, 200],
    [{ "If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 +0000" }, 200],
    [{ "If-Modified-Since": "Sun, 06 Xxx 2094 08:49:37 GMT" }, 200],
    [{ "If-Modified-Since": "Sun, 6 Nov 2094 08:49:37 GMT" }, 200],
    [{ "If-Modified-Since": "2094-11-06T08:49:37Z" }, 200],
    [{ "If-Modified-Since": [AFTER, AFTER] }, 200],

    // The tag takes precedence over the date.
    [{ "If-None-Match": '"x"', "If-Modified-Since": AFTER }, 200],
    [{ "If-None-Match": ETAG, "If-Modified-Since": BEFORE }, 304],

    [{ "If-Match": ETAG }, 200],
    [{ "If-Match": "*" }, 200],
    [{ "If-Match": `"x", ${ETAG}` }, 200],
    [{ "If-Match": WEAK }, 412],
    [{ "If-Match": '"x"' }, 412],
    [{ "If-Match": "" }, 412],

    [{ "If-Unmodified-Since": CHANGED }, 200],
    [{ "If-Unmodified-Since": AFTER }, 200],
    [{ "If-Unmodified-Since": BEFORE }, 412],
    [{ "If-Unmodified-Since": "Sun Nov  6 08:49:36 1994" }, 412],
    [{ "If-Unmodified-Since": "yesterday" }, 200],

    [{ "If-Match": ETAG, "If-Unmodified-Since": BEFORE }, 200],
    [{ "If-Match": '"x"', "If-Unmodified-Since": AFTER }, 412],

    // If-Match takes precedence over If-None-Match.
    [{ "If-Match": '"x"', "If-None-Match": ETAG }, 412],
    [{ "If-Match": ETAG, "If-None-Match": ETAG }, 304],
    [{ "If-Unmodified-Since": BEFORE, "If-Modified-Since": AFTER }, 412],
    [{ "If-Unmodified-Since": AFTER, "If-Modified-Since": AFTER }, 304],
    [{ "If-Match": ETAG, "If-None-Match": '"x"', "If-Modified-Since": AFTER }, 200],
  ];
  for (const [headers, status] of rows) {
    for (const method of ["GET", "HEAD"]) {
      test(`${method} ${JSON.stringify(headers)}: ${status}`, async () => {
        const answer = await get(headers, method);
        assert.equal(answer.status, status);
        assert.equal(answer.text, status === 200 && method === "GET" ? "0123456789" : answer.text);
      });
    }
  }

  test("304 has the fields of a 200 that a cache needs, and no others", async () => {
    const options = { maxAge: 60, precompressed: ["br"] as const };
    const what = { target: "/a.txt", headers: { "If-None-Match": "*" } };
    const { status, fields, body } = await askFor(root, what, options);
    assert.deepEqual([status, body.length], [304, 0]);
    const { date: _, ...others } = Object.fromEntries(fields);
    assert.deepEqual(others, {
      "cache-control": "max-age=60",
      "connection": "close",
      "etag": ETAG,
      "vary": "Accept-Encoding",
    });
  });

  // They apply only if the answer would be 200 without them (13.2.1).
  const others: [
    target: string,
    method: string,
    headers: Record<string, string>,
    status: number,
  ][] = [
    ["/nothing", "GET", { "If-Match": "*" }, 404],
    ["/nothing", "GET", { "If-None-Match": "*" }, 404],
    ["/docs", "GET", { "If-Match": '"x"' }, 301],
    ["/a.txt", "DELETE", { "If-Match": '"x"' }, 405],
    ["/docs/", "GET", { "If-Modified-Since": CHANGED }, 304],
  ];
  for (const [target, method, headers, status] of others) {
    test(`${method} ${target} ${JSON.stringify(headers)}: ${status}`, async () => {
      assert.equal((await askFor(root, { target, method, headers })).status, status);
    });
  }
});

describe("conditions and ranges", () => {
  const [some, none] = [{ Range: "bytes=2-3" }, { Range: "bytes=10-" }];
  const rows: Row[] = [
    [{ ...some, "If-Range": ETAG }, 206],
    [{ ...some, "If-Range": WEAK }, 200],
    [{ ...some, "If-Range": '"x"' }, 200],
    [{ ...some, "If-Range": `${ETAG}, "x"` }, 200],
    [{ ...some, "If-Range": "*" }, 200],
    [{ ...some, "If-Range": "" }, 200],
    [{ ...some, "If-Range": CHANGED }, 206],
    [{ ...some, "If-Range": "Sun Nov  6 08:49:37 1994" }, 206],
    [{ ...some, "If-Range": BEFORE }, 200],
    [{ ...some, "If-Range": AFTER }, 200],
    [{ ...some, "If-Range": "today" }, 200],
    [{ "If-Range": ETAG }, 200],
    [{ ...none }, 416],
    [{ ...none, "If-Range": ETAG }, 416],
    [{ ...none, "If-Range": '"x"' }, 200],
    [{ ...some, "If-None-Match": ETAG }, 304],
    [{ ...none, "If-None-Match": ETAG }, 304],
    [{ ...some, "If-None-Match": '"x"' }, 206],
    [{ ...some, "If-Match": '"x"' }, 412],
    [{ ...none, "If-Match": '"x"' }, 412],
    [{ ...some, "If-Match": ETAG, "If-Range": ETAG }, 206],
    [{ ...some, "If-Match": ETAG, "If-Range": '"x"' }, 200],
    [{ ...some, "If-Unmodified-Since": BEFORE }, 412],
    [{ ...some, "If-Modified-Since": CHANGED }, 304],
  ];
  for (const [headers, status] of rows) {
    test(`${JSON.stringify(headers)}: ${status}`, async () => {
      const answer = await get(headers);
      assert.equal(answer.status, status);
      assert.equal(answer.text, { 200: "0123456789", 206: "23", 304: "" }[status] ?? answer.text);
    });
  }

  test("a date within the current second is not enough to send a part", async () => {
    put(join(root, "new.txt"), "0123456789", "Fri, 31 Dec 2100 00:00:00 GMT");
    const target = "/new.txt";
    const date = (await askFor(root, { target })).get("last-modified")!;
    const headers = { ...some, "If-Range": date };
    assert.equal((await askFor(root, { target, headers })).status, 200);
  });

  test("a range of a file that has changed gets all of the new file", async () => {
    put(join(root, "changing.txt"), "first version");
    const target = "/changing.txt";
    const etag = (await askFor(root, { target })).get("etag")!;
    put(join(root, "changing.txt"), "other version", AFTER);
    for (const validator of [etag, CHANGED]) {
      const headers = { ...some, "If-Range": validator };
      const answer = await askFor(root, { target, headers });
      assert.deepEqual([answer.status, answer.text], [200, "other version"]);
    }
  });
});
