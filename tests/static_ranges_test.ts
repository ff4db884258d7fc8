// Parts of files, by the rules of RFC 9110 section 14.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseRanges } from "../contrib/static/ranges.ts";
import { serveStatic } from "../contrib/static.ts";
import { type Answer, octets, open, serve, until } from "./support/client.ts";
import { askFor, folder, openBelow } from "./support/folder.ts";

const BIG = new Uint8Array(300_000).map((_, i) => i % 251);
const HUGE = 40_000_000;
const root = folder({
  "a.txt": "0123456789",
  "empty.txt": "",
  "big.bin": BIG,
  "huge.bin": new Uint8Array(HUGE),
});

function get(target: string, range: string, method = "GET"): Promise<Answer> {
  return askFor(root, { target, method, headers: { Range: range } });
}

/** The parts of a multipart/byteranges body (section 14.6). */
function partsOf(answer: Answer): { fields: string[]; body: Buffer }[] {
  const type = answer.get("content-type")!;
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(type)?.[1];
  assert.ok(boundary, type);
  assert.equal(answer.get("content-range"), undefined);
  const sections = answer.body.toString("latin1").split(`\r\n--${boundary}`);
  assert.equal(sections.shift(), "");
  assert.equal(sections.pop(), "--\r\n");
  return sections.map((section) => {
    const [, head, body] = /^\r\n(.*?)\r\n\r\n(.*)$/s.exec(section)!;
    return { fields: head.split("\r\n"), body: Buffer.from(body, "latin1") };
  });
}

describe("one range", () => {
  const rows: [range: string, body: string, contentRange: string][] = [
    ["bytes=0-4", "01234", "bytes 0-4/10"],
    ["bytes=5-9", "56789", "bytes 5-9/10"],
    ["bytes=0-0", "0", "bytes 0-0/10"],
    ["bytes=9-9", "9", "bytes 9-9/10"],
    ["bytes=9-", "9", "bytes 9-9/10"],
    ["bytes=0-", "0123456789", "bytes 0-9/10"],
    ["bytes=3-", "3456789", "bytes 3-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-1", "9", "bytes 9-9/10"],
    ["bytes=-10", "0123456789", "bytes 0-9/10"],
    ["bytes=-11", "0123456789", "bytes 0-9/10"],
    ["bytes=-99999999999999999999999", "0123456789", "bytes 0-9/10"],
    ["bytes=8-10", "89", "bytes 8-9/10"],
    ["bytes=8-99999999999999999999999", "89", "bytes 8-9/10"],
    ["bytes=0002-0003", "23", "bytes 2-3/10"],
    ["Bytes=2-3", "23", "bytes 2-3/10"],
    ["bytes=, 2-3 ,,", "23", "bytes 2-3/10"],
    // Several that make one: beyond the end, adjacent, overlapping.
    ["bytes=2-3,10-20", "23", "bytes 2-3/10"],
    ["bytes=0-1,2-3", "0123", "bytes 0-3/10"],
    ["bytes=4-5,2-3", "2345", "bytes 2-5/10"],
    ["bytes=0-5,2-3", "012345", "bytes 0-5/10"],
    ["bytes=0-3,2-5,-6", "0123456789", "bytes 0-9/10"],
    [`bytes=${Array(64).fill("0-").join()}`, "0123456789", "bytes 0-9/10"],
  ];
  for (const [range, body, contentRange] of rows) {
    test(`${range.slice(0, 40)}: ${contentRange}`, async () => {
      const answer = await get("/a.txt", range);
      assert.deepEqual([answer.status, answer.text], [206, body]);
      assert.equal(answer.get("content-range"), contentRange);
      assert.equal(answer.get("content-length"), String(body.length));
      assert.equal(answer.get("content-type"), "text/plain; charset=utf-8");
      assert.ok(answer.get("etag") && answer.get("last-modified"));
    });
  }
  test("of a large file", async () => {
    const answer = await get("/big.bin", "bytes=100000-299998");
    assert.ok(answer.body.equals(BIG.subarray(100000, 299999)));
  });
});

test("any number of blanks costs little", () => {
  const blanks = " ".repeat(2_000_000); // quadratic time would take for ever
  assert.equal(parseRanges(`bytes=0${blanks}x`, 10), undefined);
  assert.deepEqual(parseRanges(`bytes=${blanks}0-1${blanks},`, 10), [{ start: 0, end: 2 }]);
});

describe("unsatisfiable", () => {
  const rows: [target: string, range: string, size: number][] = [
    ["/a.txt", "bytes=10-", 10],
    ["/a.txt", "bytes=10-20", 10],
    ["/a.txt", "bytes=99999999999999999999999-", 10],
    ["/a.txt", "bytes=-0", 10],
    ["/a.txt", "bytes=10-,20-30,-0", 10],
    ["/empty.txt", "bytes=0-", 0],
    ["/empty.txt", "bytes=0-0", 0],
    ["/empty.txt", "bytes=-0", 0],
    // More than 64.
    ["/a.txt", `bytes=${Array(65).fill("0-").join()}`, 10],
    ["/big.bin", `bytes=${Array.from({ length: 65 }, (_, i) => `${2 * i}-${2 * i}`)}`, 300_000],
  ];
  for (const [target, range, size] of rows) {
    test(`${target} ${range.slice(0, 40)}`, async () => {
      const answer = await get(target, range);
      assert.equal(answer.status, 416);
      assert.equal(answer.get("content-range"), `bytes */${size}`);
    });
  }
});

describe("ignored", () => {
  const rows = [
    "bytes=5-2",
    "bytes=0-1,5-2",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=--1",
    "bytes=a-b",
    "bytes=1",
    "bytes=0-1,x",
    "bytes=0-1;2-3",
    "bytes=0 - 1",
    "bytes=+0-1",
    "bytes=0x0-1",
    "bytes=1.5-2",
    "bytes=1e0-2",
    "bytes 0-1",
    "bytes =0-1",
    "bytes",
    "0-1",
    "",
    "lines=0-1",
    "bytes=0-1, bytes=4-5",
  ];
  for (const range of rows) {
    test(JSON.stringify(range), async () => {
      const answer = await get("/a.txt", range);
      assert.deepEqual([answer.status, answer.text], [200, "0123456789"]);
      assert.equal(answer.get("content-range"), undefined);
    });
  }
  test("for an empty file", async () => {
    const answer = await get("/empty.txt", "bytes=-5");
    assert.deepEqual([answer.status, answer.get("content-length")], [200, "0"]);
  });
  test("with HEAD", async () => {
    for (const range of ["bytes=0-1", "bytes=10-", "bytes=0-1,4-5"]) {
      const answer = await get("/a.txt", range, "HEAD");
      assert.deepEqual([answer.status, answer.get("content-length")], [200, "10"]);
    }
  });
  test("with a method that is not allowed", async () => {
    assert.equal((await get("/a.txt", "bytes=0-1", "POST")).status, 405);
  });
});

describe("several ranges", () => {
  const rows: [range: string, parts: [contentRange: string, body: string][]][] = [
    ["bytes=0-0,-1", [["0-0", "0"], ["9-9", "9"]]],
    ["bytes=0-1, 4-5, 8-", [["0-1", "01"], ["4-5", "45"], ["8-9", "89"]]],
    ["bytes=8-9,0-1", [["8-9", "89"], ["0-1", "01"]]],
    ["bytes=0-1,20-30,4-5", [["0-1", "01"], ["4-5", "45"]]],
    ["bytes=7-8,0-2,1-3,0-0", [["7-8", "78"], ["0-3", "0123"]]],
    ["bytes=3-5,8-9,2-4", [["2-5", "2345"], ["8-9", "89"]]],
    ["bytes=5-5,0-0,5-6,8-8", [["5-6", "56"], ["0-0", "0"], ["8-8", "8"]]],
  ];
  for (const [range, parts] of rows) {
    test(range, async () => {
      const answer = await get("/a.txt", range);
      assert.equal(answer.status, 206);
      assert.equal(answer.get("content-length"), String(answer.body.length));
      const expected = parts.map(([contentRange, body]) => ({
        fields: [
          "Content-Type: text/plain; charset=utf-8",
          `Content-Range: bytes ${contentRange}/10`,
        ],
        body: Buffer.from(body),
      }));
      assert.deepEqual(partsOf(answer), expected);
    });
  }

  test("that are large", async () => {
    const answer = await get("/big.bin", "bytes=200000-,1-131072,150000-150000");
    const bodies = partsOf(answer).map(({ body }) => body);
    assert.ok(bodies[0].equals(BIG.subarray(200000)));
    assert.ok(bodies[1].equals(BIG.subarray(1, 131073)));
    assert.ok(bodies[2].equals(BIG.subarray(150000, 150001)));
  });

  test("64 of them", async () => {
    const range = `bytes=${Array.from({ length: 64 }, (_, i) => `${2 * i}-${2 * i}`)}`;
    assert.equal(partsOf(await get("/big.bin", range)).length, 64);
  });

  test("the file is closed at the end, when nobody reads on, and when it gets shorter", async () => {
    const own = folder({ "a.bin": BIG });
    const request = new Request("http://a/a.bin", { headers: { range: "bytes=0-1,8-200000" } });
    const handler = serveStatic(own) as (request: Request) => Response;
    await handler(request).bytes();
    assert.deepEqual(openBelow(own), []);
    const reader = handler(request).body!.getReader();
    await reader.read();
    await reader.cancel();
    assert.deepEqual(openBelow(own), []);
    const response = handler(request);
    truncateSync(join(own, "a.bin"), 1000);
    await assert.rejects(response.bytes(), /a\.bin was cut short/);
    assert.deepEqual(openBelow(own), []);
  });

  const ask = octets({ target: "/huge.bin", headers: { Range: `bytes=0-9,20-${HUGE - 1}` } });

  test("whose client leaves: the file is closed", async () => {
    await serve(serveStatic(root), async (server) => {
      const connection = await open(server);
      await connection.write(ask).head();
      connection.close();
    });
    await until(() => openBelow(root).length === 0, "the file is closed");
  });

  test("of a file that gets shorter: the connection is cut and the file closed", async () => {
    const errors: unknown[] = [];
    await serve(serveStatic(root), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(ask);
      await until(() => server.metrics().bytes_sent > 0, "it is being sent");
      truncateSync(join(root, "huge.bin"), 1000);
      connection.socket.resume();
      assert.equal((await connection.answer()).complete, false);
      connection.close();
    }, { onError: (error) => void errors.push(error) });
    await until(() => openBelow(root).length === 0, "the file is closed");
    assert.match(String(errors), /huge\.bin was cut short/);
  });
});
