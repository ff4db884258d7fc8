// What trusted proxies say about a request sets its address and its URL; what others say does not.
import assert from "node:assert/strict";
import { isIP } from "node:net";
import { describe, test } from "node:test";
import { type Addr, type Info, type Options, run } from "../mod.ts";
import { readForwarded } from "../server/forwarded.ts";
import { trustOf } from "../server/trust.ts";
import { type Ask, ask, quiet, serve } from "./support/client.ts";

/** A request as a handler sees it. */
interface Seen {
  url: string;
  remote: string;
  port: number;
  peer: string;
  host: string;
  ip: { address: string; family: string } | null;
}

function see(request: Request, info: Info<Addr>): string {
  const { remoteAddr: remote, peerAddr: peer } = info;
  const seen: Seen = {
    url: request.url,
    remote: remote.transport === "tcp" ? remote.hostname : "unix",
    port: remote.transport === "tcp" ? remote.port : -1,
    peer: peer.transport === "tcp" ? peer.hostname : "unix",
    host: request.headers.get("host") ?? "",
    ip: info.requestIP(),
  };
  return JSON.stringify(seen);
}

interface Row extends Ask {
  name: string;
  /** The request's fields. */
  headers: Record<string, string | string[]>;
  trust?: Options["trustProxy"];
  /** The client's address; the peer's by default. */
  remote?: string;
  port?: number;
  /** Scheme and authority of the URL. */
  origin?: string;
  url?: string;
}

async function check(rows: Row[]): Promise<void> {
  for (const row of rows) {
    await serve(see, async (server) => {
      const seen: Seen = JSON.parse((await ask(server, row)).text);
      assert.equal(seen.peer, "127.0.0.1", row.name);
      assert.equal(seen.remote, row.remote ?? "127.0.0.1", row.name);
      assert.equal(seen.ip?.address, seen.remote, row.name);
      assert.equal(seen.url, row.url ?? `${row.origin ?? "http://localhost"}/`, row.name);
      if (row.remote !== undefined) {
        assert.equal(seen.port, row.port ?? 0, row.name);
      }
    }, { trustProxy: row.trust ?? "loopback" });
  }
}

const FOR = "X-Forwarded-For";
const PROTO = "X-Forwarded-Proto";
const HOST = "X-Forwarded-Host";
const ALL = { [FOR]: "1.2.3.4", [PROTO]: "https", [HOST]: "example.org" };

test("nobody is believed unless the option says so", async () => {
  const headers = { ...ALL, Forwarded: "for=1.2.3.4;proto=https;host=example.org" };
  const nobody: Options["trustProxy"][] = [false, 0, "", [], "10.0.0.0/8", ["::1", "127.0.0.2"]];
  await check(nobody.map((trust) => ({ name: String(trust), trust, headers })));
});

test("trusted proxies are given by name, address, network or distance", async () => {
  const somebody: Options["trustProxy"][] = [
    ...["loopback", "127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", " ::1 , loopback ", 1, 7],
    ["uniquelocal", "loopback"],
    ["linklocal,127.0.0.1/32"],
    "::ffff:127.0.0.0/104",
  ];
  const expected = { remote: "1.2.3.4", origin: "https://example.org" };
  await check(
    somebody.map((trust) => ({ name: String(trust), trust, headers: ALL, ...expected })),
  );
});

test("X-Forwarded-For is followed from the right past trusted proxies", async () => {
  const trust = "loopback, 10.0.0.0/8, 2001:db8::/32";
  const chain = (name: string, value: string | string[], remote?: string, port?: number) => ({
    ...{ name, trust, remote, port },
    headers: { [FOR]: value },
  });
  await check([
    chain("one", "1.2.3.4", "1.2.3.4"),
    chain("a client's forgery before it", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
    chain("past two proxies", "9.9.9.9, 1.2.3.4, 10.0.0.2, 10.0.0.1", "1.2.3.4"),
    chain("past one of IPv6", "1.2.3.4,2001:DB8::1", "1.2.3.4"),
    chain("several lines", ["9.9.9.9", "1.2.3.4, 10.0.0.2", "10.0.0.1"], "1.2.3.4"),
    chain("all of them trusted", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    chain("behind an unknown one", "1.2.3.4, unknown, 10.0.0.2", "10.0.0.2"),
    chain("behind garbage", "1.2.3.4, <script>, 10.0.0.2", "10.0.0.2"),
    chain("behind nothing", "1.2.3.4,, 10.0.0.2", "10.0.0.2"),
    chain("with a port", "1.2.3.4:5678", "1.2.3.4", 5678),
    chain("with too large a port", "1.2.3.4:65536", "1.2.3.4", 0),
    chain("IPv6", "2001:DB9:0:0:0::7", "2001:db9::7"),
    chain("IPv6 in brackets", "[2001:db9::7]", "2001:db9::7"),
    chain("IPv6 in brackets with a port", "[2001:db9::7]:99", "2001:db9::7", 99),
    chain("IPv4 in IPv6", "::ffff:1.2.3.4", "1.2.3.4"),
    chain("trusted IPv4 in IPv6", "1.2.3.4, ::ffff:10.0.0.1", "1.2.3.4"),
  ]);
});

test("a number of hops counts the peer, however long the list is", async () => {
  const list = "9.9.9.9, 3.3.3.3, 2.2.2.2, 1.1.1.1";
  const rows: [hops: number, remote: string][] = [
    ...[[1, "1.1.1.1"], [2, "2.2.2.2"], [4, "9.9.9.9"], [5, "9.9.9.9"]] as [number, string][],
  ];
  await check(rows.map(([trust, remote]) => ({
    ...{ name: `${trust} hops`, trust, remote },
    headers: { [FOR]: list },
  })));
});

test("an invalid address is not taken for the client", async () => {
  const values = [
    ...["", "unknown", "_hidden", "example.org", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1"],
    ...["1.2.3.4:", "1.2.3.4:x", "[1.2.3.4]", "::1::", "[::1", "::1]", "fe80::1%eth0", "1.2.3.4 x"],
    ...['"1.2.3.4"', "1.2.3.4;", "[::1]:123456", "%31.2.3.4", "\u00e9", "0x7f.1", "2130706433"],
    ",".repeat(8000),
  ];
  await check(values.map((value) => ({ name: value, headers: { [FOR]: value } })));
});

test("scheme and host are those from the farthest trusted proxy", async () => {
  const trust = "loopback, 10.0.0.0/8";
  const row = (name: string, headers: Row["headers"], origin?: string): Row => {
    const list = headers[FOR] ?? [];
    const remote = [list].flat().length === 0 ? undefined : "1.2.3.4";
    return { name, trust, headers, origin, remote };
  };
  const through = { [FOR]: "1.2.3.4, 10.0.0.1" };
  await check([
    row("scheme alone", { [PROTO]: "https" }, "https://localhost"),
    row("in capitals", { [PROTO]: "HTTPS" }, "https://localhost"),
    row("another scheme", { [PROTO]: "ftp" }),
    row("a scheme with more", { [PROTO]: "https://evil/" }),
    row("host alone", { [HOST]: "example.org" }, "http://example.org"),
    row("host with its port", { [HOST]: "Example.ORG:8080" }, "http://example.org:8080"),
    row("default port", { [HOST]: "example.org:443", [PROTO]: "https" }, "https://example.org"),
    row("the other port", { [HOST]: "example.org:80", [PROTO]: "https" }, "https://example.org:80"),
    row("the Host's port", { Host: "a:443", [PROTO]: "https" }, "https://a"),
    row("IPv6", { [HOST]: "[2001:DB8::1]:8080" }, "http://[2001:db8::1]:8080"),
    row("two hops, one value", { ...through, [PROTO]: "https" }, "https://localhost"),
    row("two hops, two values", { ...through, [HOST]: "x, y.org, b" }, "http://y.org"),
    row("one hop, two values", { [HOST]: "evil.org, a.org" }, "http://a.org"),
    ...["a b", "a/b", "u@a", "a?b", "a#b", "[::1", "a:x", "a:99999", "1.2.3.4.5", "", "a\\b", "<"]
      .map((host) => row(`host ${host}`, { [HOST]: host })),
  ]);
});

test("Forwarded is read if there is no X-Forwarded field", async () => {
  const trust = "loopback, 10.0.0.0/8";
  const row = (value: string | string[], remote?: string, origin?: string, port?: number): Row => ({
    ...{ name: String(value), trust, remote, origin, port },
    headers: { Forwarded: value },
  });
  await check([
    row("for=1.2.3.4;proto=https;host=example.org", "1.2.3.4", "https://example.org"),
    row("For=1.2.3.4 ; PROTO=HTTPS ;;Host=example.org;by=_me", "1.2.3.4", "https://example.org"),
    row('for="1.2.3.4:99"', "1.2.3.4", undefined, 99),
    row('for="1.2.3.4:_port"', "1.2.3.4"),
    row('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17", undefined, 4711),
    row('for="[2001:db8:cafe::17]"', "2001:db8:cafe::17"),
    row('for="\\1.2.3.\\4"', "1.2.3.4"),
    row('host="example.org:8080"', undefined, "http://example.org:8080"),
    row("proto=https", undefined, "https://localhost"),
    row("for=9.9.9.9, for=1.2.3.4, for=10.0.0.1", "1.2.3.4"),
    row(["for=9.9.9.9", "for=1.2.3.4,for=10.0.0.1"], "1.2.3.4"),
    row("for=9.9.9.9;host=evil, for=1.2.3.4;host=a, for=10.0.0.1;host=b", "1.2.3.4", "http://a"),
    row("for=1.2.3.4, for=10.0.0.1;proto=https", "1.2.3.4", "https://localhost"),
    row("for=9.9.9.9, for=unknown, for=10.0.0.1", "10.0.0.1"),
    row("for=9.9.9.9, for=_secret, for=10.0.0.1", "10.0.0.1"),
    row("for=9.9.9.9, proto=https, for=10.0.0.1", "10.0.0.1", "https://localhost"),
    // A client's quotation mark, before what the proxy adds.
    row('for="9.9.9.9, for=1.2.3.4', "1.2.3.4"),
    row('for=", for=1.2.3.4;by="x, y"', "1.2.3.4"),
    row('="", for=1.2.3.4;host="a,for=9.9.9.9"', "1.2.3.4"),
    row('x="\\", for=1.2.3.4', "1.2.3.4"),
    row(',",=",", for=1.2.3.4', "1.2.3.4"),
    // No elements at all.
    ...[
      "",
      ",",
      ";",
      "for",
      "for=",
      "=",
      "for=1.2.3.4;for=5.6.7.8",
      "for = 1.2.3.4",
      'for="1.2.3.4',
    ]
      .map((value) => row(value)),
    ...['for="1.2.3.4"x', "for=1.2.3.4 5.6.7.8", '"', '="', '""', "for=[::1]", "for=::1", 'a="\\"']
      .map((value) => row(value)),
    row('="'.repeat(4000)),
    row('x=",'.repeat(4000)),
  ]);
});

test("any X-Forwarded field hides Forwarded, which most proxies pass through unchanged", async () => {
  const Forwarded = "for=9.9.9.9;proto=https;host=evil.org";
  await check([
    { name: "for", headers: { Forwarded, [FOR]: "1.2.3.4" }, remote: "1.2.3.4" },
    { name: "proto", headers: { Forwarded, [PROTO]: "http" } },
    { name: "host", headers: { Forwarded, [HOST]: "a" }, origin: "http://a" },
  ]);
});

test("paths stay as they are, in every form of the target", async () => {
  const rows: [target: string, url: string, method?: string][] = [
    ["/a?b=%20", "https://example.org/a?b=%20"],
    ["/a/../b", "https://example.org/b"],
    ["//evil.org/x", "https://example.org//evil.org/x"],
    ["*", "https://example.org/*", "OPTIONS"],
    ["http://other.org:81/a?b", "https://example.org/a?b"],
  ];
  await check(rows.map(([target, url, method]) => ({
    ...{ name: target, target, url, method, headers: ALL, remote: "1.2.3.4" },
  })));
  const own = { [PROTO]: "https" };
  await check([
    { name: "own host", target: "http://other.org/a", url: "https://other.org/a", headers: own },
    {
      name: "own scheme",
      target: "https://other.org/",
      url: "https://a/",
      headers: { [HOST]: "a" },
    },
  ]);
});

test("no forgery of a client throws, or becomes anything but an address", () => {
  const alphabet = [
    '"',
    "=",
    ",",
    ";",
    "\\",
    " ",
    "[",
    "]",
    ":",
    ".",
    "%",
    "for",
    "host",
    "1.2.3.4",
  ];
  let state = 1;
  const next = (most: number) => (state = Math.imul(state, 48271) >>> 1) % most;
  const invent = () => Array.from({ length: next(12) }, () => alphabet[next(14)]).join("");
  const peer: Addr = { transport: "unix", path: "" };
  for (let i = 0; i < 20_000; i++) {
    const values: Record<string, string> = i % 2 === 0
      ? { forwarded: `${invent()},for=1.1.1.1` }
      : { "x-forwarded-for": `${invent()},1.1.1.1`, "x-forwarded-host": invent() };
    for (const hops of [1, 3]) {
      const told = readForwarded(trustOf(hops)!, peer, (name) => values[name] ?? null);
      const address = told?.client?.hostname ?? "none";
      assert(isIP(address) !== 0, `${JSON.stringify(values)}: ${address}`);
      assert(hops > 1 || address === "1.1.1.1", JSON.stringify(values));
    }
  }
});

test("an untrusted client cannot claim https", async () => {
  const target = "https://other.org:444/a";
  await check([
    { name: "trusted", target, url: target, headers: {} },
    { name: "not", trust: "10.0.0.1", target, url: "http://other.org:444/a", headers: {} },
  ]);
});

test("the fields themselves are unchanged", async () => {
  await serve(see, async (server) => {
    const seen: Seen = JSON.parse((await ask(server, { headers: ALL })).text);
    assert.equal(seen.host, "localhost");
  }, { trustProxy: 1 });
});

test("a handler that reads the request later sees the same", async () => {
  const later = async (request: Request, info: Info) => {
    await new Promise((resolve) => setTimeout(resolve));
    return see(request, info);
  };
  await serve(later, async (server) => {
    const seen: Seen = JSON.parse((await ask(server, { headers: ALL })).text);
    assert.deepEqual([seen.url, seen.remote, seen.peer], [
      "https://example.org/",
      "1.2.3.4",
      "127.0.0.1",
    ]);
  }, { trustProxy: "loopback" });
});

describe("the peer on a Unix socket counts as local", () => {
  const rows: [trust: Options["trustProxy"], remote: string][] = [
    ["loopback", "1.2.3.4"],
    ["127.0.0.1", "1.2.3.4"],
    [1, "1.2.3.4"],
    ["::1", "unix"],
    ["10.0.0.0/8", "unix"],
    [false, "unix"],
  ];
  for (const [trustProxy, remote] of rows) {
    test(`trustProxy: ${trustProxy}`, async () => {
      const path = `/tmp/bjoern-trust-${crypto.randomUUID()}`;
      const server = run(see, `unix:${path}`, { trustProxy } as Options);
      try {
        const seen: Seen = JSON.parse((await ask({ path }, { headers: ALL })).text);
        assert.deepEqual([seen.remote, seen.peer], [remote, "unix"]);
        await quiet(server);
      } finally {
        server.stop();
      }
    });
  }
});

test("run() reports an invalid trustProxy", () => {
  const rows: [value: unknown, reason: RegExp][] = [
    [true, /^TypeError: Option trustProxy cannot be true.*List or count the proxies/],
    ["localhost", /^TypeError: Option trustProxy has "localhost", which is neither an address/],
    ["10.0.0.0/33", /^TypeError: .*"10.0.0.0\/33"/],
    ["::/129", /^TypeError: .*"::\/129"/],
    ["10.0.0.0/8/8", /^TypeError: /],
    ["10.0.0.0/", /^TypeError: /],
    ["fe80::1%eth0", /^TypeError: /],
    [["loopback", 5], /^TypeError: Option trustProxy must have addresses as strings, not 5/],
    [{}, /^TypeError: /],
    [null, /^TypeError: /],
    [-1, /^RangeError: Option trustProxy must count hops in whole numbers from 0: -1/],
    [1.5, /^RangeError: /],
    [NaN, /^RangeError: /],
  ];
  for (const [trustProxy, reason] of rows) {
    assert.throws(() => run(() => "", { port: 0, trustProxy } as Options), reason);
  }
});
