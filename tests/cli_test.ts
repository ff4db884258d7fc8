// The command line as a process: arguments, environment, signals, exit statuses.
import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { main } from "../cli.ts";
import { type Child, runFileIn } from "./support/child.ts";

const APP = fileURLToPath(new URL("./support/cli_app.ts", import.meta.url));

function bjoern(args: string[], env: Record<string, string> = {}): Child {
  return runFileIn(env, "../../cli.ts", ...args);
}

/** The URL that the command line prints. */
async function urlOf(child: Child): Promise<string> {
  const [, url] = /^Listening on (.+)$/.exec(await child.line()) ?? [];
  return url;
}

async function get(url: string): Promise<string> {
  return await (await fetch(url, { headers: { connection: "close" } })).text();
}

function getUnix(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/", headers: { host: "unix" } }, (answer) => {
      answer.setEncoding("utf8").on("data", resolve);
    }).on("error", reject).end();
  });
}

/** What `main` prints and returns for arguments that serve nothing. */
async function said(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const said = { status: 0, out: "", err: "" };
  console.log = (...words: unknown[]) => void (said.out += words.join(" "));
  console.error = (...words: unknown[]) => void (said.err += words.join(" "));
  try {
    said.status = await main(args);
  } finally {
    Object.assign(console, { log, error });
  }
  return said;
}

test("an app is served until SIGTERM, with status 0", async () => {
  await using child = bjoern(["--port", "0", APP]);
  assert.equal(await get(await urlOf(child)), "default");
  child.signal("SIGTERM");
  assert.deepEqual(await child.ended().then(({ status, err }) => [status, err]), [0, ""]);
});

test("what stands behind the app is the app's own", async () => {
  await using child = bjoern(["-p", "0", APP, "--port", "9", "-x", "--", "y"]);
  const args = await get(`${await urlOf(child)}args`);
  assert.deepEqual(JSON.parse(args), ["--port", "9", "-x", "--", "y"]);
});

test("a named export is served", async () => {
  await using child = bjoern(["-p", "0", `${APP}:api`]);
  assert.equal(await get(await urlOf(child)), "api");
});

test("PORT and HOST come from the environment, options come first", async () => {
  await using child = bjoern(["--host=127.0.0.1", APP], { PORT: "0", HOST: "256.0.0.1" });
  assert.equal(await get(await urlOf(child)), "default");
});

test("a Unix socket is served and its file removed", async () => {
  const path = join(tmpdir(), `bjoern-cli-${process.pid}.sock`);
  await using child = bjoern(["--uds", path, APP]);
  assert.equal(await urlOf(child), `unix:${path}`);
  assert.equal(await getUnix(path), "default");
  child.signal("SIGINT");
  assert.equal((await child.ended()).status, 0);
  await assert.rejects(getUnix(path), { code: "ENOENT" });
});

/** Serves, asks for `path` and returns when the app has begun to answer. */
async function busy(path: string, ...options: string[]) {
  const child = bjoern(["-p", "0", ...options, APP]);
  const url = await urlOf(child);
  const answer = fetch(url + path);
  answer.catch(() => {}); // looked at later
  assert.equal(await child.line(), "waiting");
  return { child, url, answer };
}

test("the first signal lets running requests finish", async () => {
  const { child, answer } = await busy("slow");
  await using _ = child;
  child.signal("SIGTERM");
  const { status, headers } = await answer;
  assert.deepEqual([status, headers.get("connection")], [200, "close"]);
  assert.equal((await child.ended()).status, 0);
});

test("the second signal does not wait", async () => {
  const { child, url, answer } = await busy("never");
  await using _ = child;
  child.signal("SIGTERM");
  for (let refused = false; !refused;) {
    refused = await get(url).then(() => false, () => true);
  }
  child.signal("SIGINT");
  await assert.rejects(answer);
  assert.equal((await child.ended()).status, 0);
});

test("--drain-timeout cuts what takes longer", async () => {
  const { child, answer } = await busy("never", "--drain-timeout", "50");
  await using _ = child;
  child.signal("SIGTERM");
  await assert.rejects(answer);
  assert.equal((await child.ended()).status, 0);
});

test("a port in use is said and ends with status 1", async () => {
  const other: NetServer = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  await using child = bjoern(["-p", `${port}`, APP]);
  const { status, err } = await child.ended();
  assert.equal(status, 1);
  assert.match(err, new RegExp(`Cannot listen on 127.0.0.1:${port}: bind: `));
  await new Promise((resolve) => other.close(resolve));
});

test("--help and --version print and end with status 0", async () => {
  const help = await said("--help");
  assert.equal(help.status, 0);
  assert.match(help.out, /^Usage: bjoern \[options\] app/);
  const version = await said("-v");
  assert.deepEqual([version.status, version.out], [0, "0.1.0"]);
});

const wrong: [args: string[], message: RegExp][] = [
  [[], /no app given/],
  [["--bogus", APP], /--bogus/],
  [["--port", "many", APP], /--port takes a whole number, not "many"/],
  [["--drain-timeout", "-1", APP], /drain-timeout/],
  [[`${APP}:nothing`], /has no export "nothing"/],
];
for (const [args, message] of wrong) {
  test(`wrong arguments are said, with status 2: ${args.join(" ").replace(APP, "app")}`, async () => {
    const { status, err } = await said(...args);
    assert.equal(status, 2);
    assert.match(err, message);
  });
}

test("an app that is not there is said, with status 1", async () => {
  const { status, err } = await said("nowhere.ts");
  assert.equal(status, 1);
  assert.match(err, /nowhere\.ts/);
});
