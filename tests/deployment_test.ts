// Checks that the configurations in docs/deployment.md work as described, with each proxy installed
// here in front of real servers.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { type Addr, bindAndListen, type Info, run } from "../mod.ts";
import { within } from "./support/client.ts";

const folder = mkdtempSync(join(tmpdir(), "bjoern-deployment-"));
const guide = readFileSync(new URL("../docs/deployment.md", import.meta.url), "utf8");
const has = (program: string, option: string) => spawnSync(program, [option]).status === 0;

/** All code blocks of a kind in the guide. */
function blocks(kind: string): string {
  return Array.from(
    guide.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, "gms")),
    ([, it]) => it,
  )
    .join("\n");
}

function freePort(): number {
  const listener = bindAndListen("127.0.0.1", 0);
  const { port } = listener.addr as { port: number };
  listener.close();
  return port;
}

const file = (name: string) => join(folder, name);
const ports = { http: freePort(), connections: freePort() };
const options = { trustProxy: "loopback", mode: 0o666, keepAliveTimeout: 75_000 };
const onPath = run(app, `unix:${file("app.sock")}`, options);
const onPort = run(app, { ...options, port: 0 });
const behindHeader = run(app, { port: 0, proxyProtocol: true });
const servers = [onPath, onPort, behindHeader];

/** The text with this test's files and ports instead of the guide's. */
function here(text: string): string {
  return text.replaceAll("/run/hello/app.sock", file("app.sock"))
    .replaceAll(/\/etc\/(ssl|haproxy)\/example\.org/g, file("tls"))
    .replace("10.0.0.2:8000", `127.0.0.1:${onPort.port}`)
    .replace("127.0.0.1:8001", `127.0.0.1:${behindHeader.port}`)
    .replace("443", "{http}").replace(":443", `:${ports.connections}`) // 443 may begin a port
    .replace("{http}", String(ports.http));
}

const nginxPaths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((name) => `${name}_temp_path ${file(name)};`).join(" ");

interface Proxy {
  program: string;
  /** The argument that prints its version. */
  version: string;
  config: string;
  args: string[];
}

const proxies: Proxy[] = [{
  program: "nginx",
  version: "-v",
  config: `daemon off; master_process off; pid ${file("pid")}; error_log ${file("log")};
    events {} http { access_log off; ${nginxPaths} ${here(blocks("nginx"))} }`,
  args: ["-e", file("log"), "-c", file("nginx")],
}, {
  program: "haproxy",
  version: "-v",
  config: here(blocks("haproxy")),
  args: ["-f", file("haproxy")],
}, {
  program: "caddy",
  version: "version",
  config: `{
      admin off
      auto_https disable_redirects
    }
    ${here(blocks("caddyfile").replace("{", `{\n  tls ${file("tls.pem")} ${file("tls.key")}`))}`
    .replace("example.org {", `https://example.org:${ports.http} {`),
  args: ["run", "--adapter", "caddyfile", "--config", file("caddy")],
}];

let heard = () => {};

/** Two events; the second waits for a request that confirms the first. */
function events(): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      const first = new Promise<void>((resolve) => heard = resolve);
      controller.enqueue(encoder.encode("data: 1\n\n"));
      await first;
      controller.enqueue(encoder.encode("data: 2\n\n"));
      controller.close();
    },
  });
  const headers = { "content-type": "text/event-stream", "x-accel-buffering": "no" };
  return new Response(body, { headers });
}

async function app(incoming: Request, info: Info<Addr>): Promise<Response> {
  const { pathname } = new URL(incoming.url);
  if (pathname === "/events") return events();
  const { length } = await incoming.bytes();
  return Response.json({ url: incoming.url, length, remote: info.remoteAddr });
}

interface Told {
  url: string;
  length: number;
  remote: { hostname: string; port: number };
}

/** Sends a request with forged proxy fields. */
async function ask(
  port: number,
  path: string,
  body?: Buffer,
): Promise<[IncomingMessage, string[]]> {
  const parts: string[] = [];
  const sent = request({
    port,
    path,
    host: "127.0.0.1",
    method: body ? "POST" : "GET",
    headers: { host: "example.org", forwarded: "for=203.0.113.9;proto=gopher" },
    servername: "example.org",
    rejectUnauthorized: false,
    agent: false,
  });
  sent.end(body);
  const answer = await within(
    new Promise<IncomingMessage>((resolve, reject) =>
      sent.on("response", resolve).on("error", reject)
    ),
    `an answer to ${path}`,
  );
  for await (const part of answer) {
    parts.push(String(part));
    if (parts.length === 1) heard();
  }
  return [answer, parts];
}

async function tell(port: number, body?: Buffer): Promise<Told> {
  const [answer, parts] = await ask(port, "/a?b=c", body);
  assert.equal(answer.statusCode, 200);
  return JSON.parse(parts.join(""));
}

/** Whether connections to the port are accepted. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on(
      "error",
      () => resolve(false),
    );
    socket.on("connect", () => socket.destroy());
  });
}

/** Starts a proxy and waits until it serves; tries again while its port is in use. */
async function start(proxy: Proxy, again = 20): Promise<ChildProcess> {
  const { program, config, args } = proxy;
  writeFileSync(file(program), config);
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder };
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout!.on("data", (text) => said += text);
  child.stderr!.on("data", (text) => said += text);
  while (!await accepts(ports.http)) {
    if (child.exitCode !== null) {
      assert.ok(again > 0, said);
      return await start(proxy, again - 1);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return child;
}

before(() => {
  const subject = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=example.org".split(" ");
  spawnSync("openssl", [...subject, "-keyout", file("tls.key"), "-out", file("tls.crt")]);
  const key = readFileSync(file("tls.key"), "utf8");
  writeFileSync(file("tls.pem"), readFileSync(file("tls.crt"), "utf8") + key);
});

after(() => {
  servers.forEach((server) => server.stop());
  rmSync(folder, { recursive: true });
});

for (const proxy of proxies) {
  const skip = !has(proxy.program, proxy.version) || !has("openssl", "version");
  describe(proxy.program, { skip }, () => {
    let child: ChildProcess | undefined;
    before(async () => {
      child = await start(proxy);
    });
    after(async () => {
      child?.kill("SIGKILL");
      await (child && once(child, "exit")); // the next proxy needs the port
    });

    test("the handler sees the client's request and real address, not the forged fields", async () => {
      const { url, remote } = await tell(ports.http);
      assert.match(url, /^https:\/\/example\.org(:\d+)?\/a\?b=c$/);
      assert.equal(remote.hostname, "127.0.0.1");
    });

    test("a body arrives complete", async () => {
      assert.equal((await tell(ports.http, Buffer.alloc(3_000_000))).length, 3_000_000);
    });

    test("events arrive one by one", async () => {
      const [, parts] = await ask(ports.http, "/events");
      assert.equal(parts.join(""), "data: 1\n\ndata: 2\n\n");
    });

    if (proxy.program === "haproxy") {
      test("the PROXY protocol conveys the client's address", async () => {
        const { url, remote } = await tell(ports.connections);
        assert.equal(url, "http://example.org/a?b=c");
        assert.equal(remote.hostname, "127.0.0.1");
        assert.equal(behindHeader.metrics().conn_proxy_error, 0);
      });
    }
  });
}
