// Connections that begin with a PROXY header, of both versions, over real sockets.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Addr, type Info, type Options, run } from "../mod.ts";
import { octets, open, quiet, serve, type Target } from "./support/client.ts";
import { turns } from "./support/wire_app.ts";

function see(_request: Request, { remoteAddr, peerAddr, localAddr }: Info<Addr>): string {
  const text = (addr: Addr) =>
    addr.transport === "tcp" ? `${addr.hostname} ${addr.port}` : `unix ${addr.path}`;
  return [remoteAddr, peerAddr, localAddr].map(text).join(" | ");
}

/** A version 2 header: command, family and protocol, and the block after them. */
function binary(command: number, kind: number, ...block: (number[] | string)[]): Buffer {
  const body = Buffer.concat(block.map((part) => Buffer.from(part as string, "latin1")));
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n....", "latin1");
  head[12] = command;
  head[13] = kind;
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}

const V4 = [1, 2, 3, 4, 10, 0, 0, 1, 0x12, 0x34, 1, 0xbb];
const V6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 80],
];
const LINE = "PROXY TCP4 1.2.3.4 10.0.0.1 4660 443\r\n";
const NAMED = "1.2.3.4 4660 | 1.2.3.4 4660 | 10.0.0.1 443";
const NAMED_6 = "2001:db8::7 65535 | 2001:db8::7 65535 | fe80::1 80";

/** Headers, and the addresses seen after them; if absent, the connection's own. */
const rows: [name: string, header: string | Buffer, seen?: string][] = [
  ["TCP4", LINE, NAMED],
  ["TCP6", "PROXY TCP6 2001:DB8::7 fe80::1 65535 80\r\n", NAMED_6],
  ["UNKNOWN", "PROXY UNKNOWN whatever it is\r\n"],
  ["binary TCP4", binary(0x21, 0x11, V4), NAMED],
  ["binary TCP6", binary(0x21, 0x21, V6), NAMED_6],
  ["with more behind the addresses", binary(0x21, 0x11, V4, "\x02\0\x05a.org"), NAMED],
  ["a Unix socket", binary(0x21, 0x31, "/from".padEnd(108, "\0"), "/to".padEnd(108, "\0"))],
  ["unspecified", binary(0x21, 0, "whatever")],
  ["LOCAL", binary(0x20, 0)],
  ["LOCAL with addresses", binary(0x20, 0x11, V4)],
];

/** Sends a header in pieces of `size` octets, then two requests; returns both bodies. */
async function tell(target: Target, header: string | Buffer, size = Infinity): Promise<string[]> {
  const connection = await open(target);
  try {
    const all = Buffer.from(header);
    for (let at = 0; at < all.length; at += size) {
      connection.write(all.subarray(at, at + size));
      await turns(1);
    }
    connection.write(octets({}, "")).write(octets({}));
    return [(await connection.answer()).text, (await connection.answer()).text];
  } finally {
    connection.close();
  }
}

/** Expects the connection to be closed without an answer. */
async function silence(target: Target, header: string | Buffer): Promise<void> {
  const connection = await open(target);
  let received = 0;
  connection.socket.on("data", (data: Buffer) => received += data.length);
  await connection.write(Buffer.from(header)).closed;
  connection.close();
  assert.equal(received, 0);
}

test("the header sets the addresses of a connection, whole and octet by octet", async () => {
  await serve(see, async (server) => {
    const { hostname, port } = server.addr;
    for (const [name, header, seen] of rows) {
      for (const size of [Infinity, 1]) {
        const [first, second] = await tell(server, header, size);
        assert.equal(second, first, name);
        if (seen !== undefined) {
          assert.equal(first, seen, name);
        } else {
          assert.match(first, /^(127\.0\.0\.1 \d+) \| \1 \| /, name);
          assert(first.endsWith(` | ${hostname} ${port}`), name);
        }
      }
    }
    assert.equal(server.metrics().conn_proxy_error, 0);
  }, { proxyProtocol: true });
});

test("a connection without a header is closed without an answer, and counted", async () => {
  const bad = [
    ...[octets({}), "\r\n\r\nGET", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "PROXY TCP4 a b 1 2\r\n"],
    ...["PROXY UNKNOWN\n", `PROXY ${"x".repeat(200)}`, "proxy unknown\r\n", "\x16\x03\x01\x02\0"],
    ...[binary(0x21, 0x11, V4.slice(1)), binary(0x22, 0x11, V4), binary(0x11, 0x11, V4)],
    ...[binary(0x21, 0x51, V4), binary(0x21, 0x11, V4, "x".repeat(5000))],
  ] as (string | Buffer)[];
  const asked: unknown[] = [];
  await serve((request) => String(asked.push(request)), async (server) => {
    for (const header of bad) {
      await silence(server, header);
    }
    assert.equal(server.metrics().conn_proxy_error, bad.length);
    assert.equal(server.metrics().req_error_parse, 0);
  }, { proxyProtocol: true });
  assert.equal(asked.length, 0);
});

test("a second header is not a request", async () => {
  await serve(see, async (server) => {
    const connection = await open(server);
    connection.write(LINE).write(octets({}, "")).write(LINE);
    assert.equal((await connection.answer()).text, NAMED);
    assert.equal((await connection.answer()).status, 400);
    await connection.closed;
    connection.close();
  }, { proxyProtocol: true });
});

test("without the option, a header is a bad request", async () => {
  await serve(see, async (server) => {
    for (const header of [LINE, binary(0x20, 0)]) {
      const connection = await open(server);
      assert.equal((await connection.write(header).answer()).status, 400);
      connection.close();
    }
  });
});

test("only the peers in the option may send a header", async () => {
  const allowed: Options["proxyProtocol"][] = ["loopback", ["10.0.0.0/8", "127.0.0.1"]];
  for (const proxyProtocol of allowed) {
    await serve(see, async (server) => {
      assert.deepEqual(await tell(server, LINE), [NAMED, NAMED]);
    }, { proxyProtocol });
  }
  await serve(see, async (server) => {
    await silence(server, "");
    assert.equal(server.metrics().conn_proxy_error, 1);
  }, { proxyProtocol: ["::1", "uniquelocal", "linklocal", "127.0.0.2"] });
});

test("a health check that sends only LOCAL is not an error", async () => {
  await serve(see, async (server) => {
    const connection = await open(server);
    connection.write(binary(0x20, 0));
    connection.socket.end();
    await connection.closed;
    const { conn_proxy_error, req_aborted, req_done } = server.metrics();
    assert.deepEqual([conn_proxy_error, req_aborted, req_done], [0, 0, 0]);
  }, { proxyProtocol: "loopback" });
});

test("an incomplete header times out like a head", async () => {
  await serve(see, async (server) => {
    for (const begun of ["", "PROXY ", LINE]) {
      await silence(server, begun);
    }
    assert.equal(server.metrics().timeouts, 3);
  }, { proxyProtocol: true, headTimeout: 20 });
});

test("trustProxy applies to the peer in the header", async () => {
  const app = (_request: Request, info: Info) => info.remoteAddr.hostname;
  const answer = async (trustProxy: Options["trustProxy"]) => {
    let told = "";
    await serve(app, async (server) => {
      const connection = await open(server);
      connection.write(LINE).write(octets({ headers: { "X-Forwarded-For": "8.8.8.8" } }));
      told = (await connection.answer()).text;
      connection.close();
    }, { proxyProtocol: true, trustProxy });
    return told;
  };
  assert.equal(await answer("loopback"), "1.2.3.4");
  assert.equal(await answer("1.2.3.0/24"), "8.8.8.8");
});

test("clients of a Unix socket have addresses, too", async () => {
  const path = `/tmp/bjoern-proxy-${crypto.randomUUID()}`;
  const server = run(see, `unix:${path}`, { proxyProtocol: "loopback" });
  try {
    assert.deepEqual(await tell({ path }, LINE), [NAMED, NAMED]);
    const own = `unix  | unix  | unix ${path}`;
    assert.deepEqual(await tell({ path }, binary(0x20, 0)), [own, own]);
    await quiet(server);
  } finally {
    server.stop();
  }
});

test("run() reports an invalid proxyProtocol", () => {
  const rows: [value: unknown, reason: RegExp][] = [
    ["localhost", /^TypeError: Option proxyProtocol has "localhost", which is neither/],
    ["", /^TypeError: Option proxyProtocol is empty: use true for all, false for none/],
    [[], /^TypeError: Option proxyProtocol is empty/],
    [1, /^TypeError: Option proxyProtocol must have addresses as strings, not 1/],
    [null, /^TypeError: /],
  ];
  for (const [proxyProtocol, reason] of rows) {
    assert.throws(() => run(() => "", { port: 0, proxyProtocol } as Options), reason);
  }
});
