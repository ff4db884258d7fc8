// The command line as a process: arguments, environment, signals, exit statuses.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bindAndListen, type NetAddr, version } from "../mod.ts";
import { within } from "./support/client.ts";
import { APP, bjoern, bjoernWith, Folder, get, getUnix, said, urlOf } from "./support/cli_run.ts";

test("an app is served until SIGTERM, with status 0", async () => {
  await using child = bjoern(["--port", "0", APP]);
  assert.equal(await get(await urlOf(child)), "default");
  child.signal("SIGTERM");
  assert.deepEqual(await child.ended().then(({ status, err }) => [status, err]), [0, ""]);
});

const argumentRows: { name: string; args: string[]; left: string[] }[] = [
  {
    name: "what stands behind the app is the app's own",
    args: ["-p", "0", APP, "--port", "9", "-x", "--", "y"],
    left: ["--port", "9", "-x", "--", "y"],
  },
  {
    name: "unknown options before the app are the app's too",
    args: ["--verbose", "-p0", "--name=x", "-qz", APP, "--verbose"],
    left: ["--verbose", "--name=x", "-qz", "--verbose"],
  },
  { name: "-- is before the app", args: ["-p", "0", "--", APP, "-p", "9"], left: ["-p", "9"] },
];
for (const { name, args, left } of argumentRows) {
  test(`${name}, in process.argv and in the runtime's own list`, async () => {
    await using child = bjoern(args);
    assert.deepEqual(JSON.parse(await get(`${await urlOf(child)}args`)), [left, left]);
  });
}

test("a named export is served", async () => {
  await using child = bjoern(["-p", "0", `${APP}:api`]);
  assert.equal(await get(await urlOf(child)), "api");
});

test("PORT and HOST come from the environment, options override them", async () => {
  await using child = bjoern(["--host=127.0.0.1", APP], { PORT: "0", HOST: "256.0.0.1" });
  assert.equal(await get(await urlOf(child)), "default");
});

test("--host may include a port", async () => {
  await using child = bjoern(["--host", "127.0.0.1:0", APP], { PORT: "1" });
  const url = await urlOf(child);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d{2,}\/$/);
  assert.equal(await get(url), "default");
});

test("PORT is ignored when the port is given elsewhere", async () => {
  await using flag = bjoern(["-p", "0", APP], { PORT: "tcp://10.0.0.1:80" });
  assert.equal(await get(await urlOf(flag)), "default");
  await using host = bjoern([APP], { HOST: "127.0.0.1:0", PORT: "1" });
  assert.equal(await get(await urlOf(host)), "default");
});

test("an invalid PORT is reported, with status 2", async () => {
  await using child = bjoern([APP], { PORT: "many" });
  const { status, err } = await child.ended();
  assert.equal(status, 2);
  assert.match(err, /^bjoern: The environment's PORT takes a whole number, not "many"\n$/);
});

test("--workers has several processes serve, until SIGTERM, with status 0", async () => {
  await using child = bjoern(["-p", "0", "--workers", "2", APP, "own"]);
  const url = await urlOf(child);
  assert.equal(await get(url), "default");
  assert.deepEqual(JSON.parse(await get(`${url}args`))[0], ["own"]);
  child.signal("SIGTERM");
  const { status, err } = await child.ended();
  assert.equal(status, 0);
  assert.match(
    err,
    /^bjoern: worker 2 \(process \d+\) (ended with status 0|was ended by SIGTERM)$/m,
  );
});

test("--workers 1 is enough for SIGHUP to start a new process", async () => {
  await using child = bjoern(["-p", "0", "--workers", "1", APP]);
  const url = `${await urlOf(child)}pid`;
  const first = await get(url);
  process.kill(child.pid, "SIGHUP");
  let second = first;
  while (second === first) {
    second = await get(url);
  }
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});

test("options after the app belong to the app; a warning names those that look like ours", async () => {
  await using child = bjoern(["-p", "0", APP, "--workers", "2", "-x", "--", "-p", "1"]);
  const own = ["--workers", "2", "-x", "--", "-p", "1"];
  assert.deepEqual(JSON.parse(await get(`${await urlOf(child)}args`))[0], own);
  child.signal("SIGTERM");
  const { err } = await child.ended();
  assert.equal(err, "bjoern: --workers after the app is passed to the app, not to bjoern\n");
});

test("a Unix socket is served with --mode, and its file is removed", async () => {
  using folder = new Folder();
  const path = join(folder.path, "sock");
  await using child = bjoern(["--uds", path, "--mode", "600", APP], { PORT: "80" });
  assert.equal(await urlOf(child), `unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await getUnix(path), "default");
  child.signal("SIGINT");
  assert.equal((await child.ended()).status, 0);
  await assert.rejects(getUnix(path), { code: "ENOENT" });
});

const inheritRows: { name: string; pid: string; args: string[] }[] = [
  { name: "--fd serves an inherited socket", pid: "1", args: ["--fd", "3", APP] },
  { name: "systemd's socket is served when nothing says where", pid: "$$", args: [APP] },
  { name: "--host systemd serves systemd's socket", pid: "$$", args: ["-a", "systemd", APP] },
];
for (const { name, pid, args } of inheritRows) {
  test(name, async () => {
    using listener = bindAndListen("127.0.0.1", 0);
    const url = `http://127.0.0.1:${(listener.addr as NetAddr).port}/`;
    await using child = bjoernWith(listener.fd, pid, args);
    assert.equal(await urlOf(child), url);
    assert.equal(await get(url), "default");
  });
}

for (const at of [3, 4, 5]) {
  test(`workers serve an inherited socket: descriptor ${at}`, async () => {
    using listener = bindAndListen("127.0.0.1", 0);
    const url = `http://127.0.0.1:${(listener.addr as NetAddr).port}/`;
    const args = ["--fd", String(at), "--workers", "1", APP];
    await using child = bjoernWith(listener.fd, "1", args, at);
    assert.equal(await urlOf(child), url);
    assert.equal(await get(url), "default");
    child.signal("SIGTERM");
    assert.equal((await child.ended()).status, 0);
  });
}

test("a descriptor that does not listen is refused before there are workers", async () => {
  const { status, out, err } = await bjoern(["--fd", "0", "--workers", "1", APP]).ended();
  assert.deepEqual([status, out], [1, ""]);
  assert.match(err, /^bjoern: Cannot listen on descriptor 0: .*\n$/);
});

test("a socket from systemd is not used when a port is given", async () => {
  using listener = bindAndListen("127.0.0.1", 0);
  await using child = bjoernWith(listener.fd, "$$", ["-p", "0", APP]);
  const url = await urlOf(child);
  assert.notEqual(new URL(url).port, String((listener.addr as NetAddr).port));
  assert.equal(await get(url), "default");
});

test("sockets from systemd for another process are not used, and reported", async () => {
  using listener = bindAndListen("127.0.0.1", 0);
  await using child = bjoernWith(listener.fd, "1", [join("no", "such", "app.ts")]);
  const { status, err } = await child.ended();
  assert.equal(status, 1);
  assert.match(err, /^bjoern: systemd's sockets are for process 1, not for this one, \d+; /);
});

test("workers serve a socket from systemd, without a warning", async () => {
  using listener = bindAndListen("127.0.0.1", 0);
  await using child = bjoernWith(listener.fd, "$$", ["--workers", "2", APP]);
  const url = await urlOf(child);
  assert.equal(await get(url), "default");
  child.signal("SIGTERM");
  const { status, err } = await child.ended();
  assert.equal(status, 0);
  assert.doesNotMatch(err, /systemd/);
});

test("--reuse-port shares a port", async () => {
  await using first = bjoern(["-p", "0", "--reuse-port", APP]);
  const url = await urlOf(first);
  await using second = bjoern(["-p", new URL(url).port, "--reuse-port", APP]);
  assert.equal(await urlOf(second), url);
});

test("limits are passed to the server", async () => {
  await using child = bjoern(["-p", "0", "--max-body-size", "3", APP]);
  const url = `${await urlOf(child)}length`;
  const status = async (body: string) => (await fetch(url, { method: "POST", body })).status;
  assert.deepEqual([await status("123"), await status("1234")], [200, 413]);
});

for (const backend of ["poll", "select"]) {
  test(`--backend ${backend} serves`, async () => {
    await using child = bjoern(["-p", "0", "--backend", backend, APP]);
    assert.equal(await get(await urlOf(child)), "default");
  });
}

test("--statsd sends the counters", async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  try {
    await once(socket, "listening");
    const message = once(socket, "message");
    const statsd = { port: socket.address().port, ns: "cli", interval: 1 };
    await using child = bjoern(["-p", "0", "--statsd", JSON.stringify(statsd), APP]);
    await get(await urlOf(child));
    const [data] = await within(message, "a datagram");
    assert.match(String(data), /^cli\.conn\.accept\.success:1\|c/);
  } finally {
    socket.close();
  }
});

const logRows: [option: string, line: RegExp][] = [
  ["--access-log", /^127\.0\.0\.1 - - \[.+\] "GET \/ HTTP\/1\.1" 200 7 "-" ".+"$/],
  ["--access-log=common", /^127\.0\.0\.1 - - \[.+\] "GET \/ HTTP\/1\.1" 200 7$/],
  ["--access-log=json", /^\{.*"status":200.*\}$/],
];
for (const [option, line] of logRows) {
  test(`${option} prints a line per request; the next argument is the app`, async () => {
    await using child = bjoern(["-p", "0", option, APP]);
    await get(await urlOf(child));
    assert.match(await child.line(), line);
  });
}

/** Serves, requests `path` and returns once the app handles it. */
async function busy(path: string, ...options: string[]) {
  const child = bjoern(["-p", "0", ...options, APP]);
  const url = await urlOf(child);
  const answer = fetch(url + path);
  answer.catch(() => {}); // checked later
  assert.equal(await child.line(), "waiting");
  return { child, url, answer };
}

test("the first signal lets running requests finish", async () => {
  const { child, answer } = await busy("slow");
  await using _ = child;
  child.signal("SIGTERM");
  const { status, headers } = await answer;
  assert.deepEqual([status, headers.get("connection")], [200, "close"]);
  const end = await child.ended();
  assert.equal(end.status, 0);
  assert.match(end.err, /^bjoern: waiting for a request; send another signal to stop now$/m);
});

test("a second signal does not wait", async () => {
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

test("--drain-timeout cuts requests that take longer", async () => {
  const { child, answer } = await busy("never", "--drain-timeout", "50");
  await using _ = child;
  child.signal("SIGTERM");
  await assert.rejects(answer);
  assert.equal((await child.ended()).status, 0);
});

test("a port in use is reported in one line, with status 1", async () => {
  using other = bindAndListen("127.0.0.1", 0);
  const { port } = other.addr as NetAddr;
  await using child = bjoern(["-p", `${port}`, APP]);
  const { status, err } = await child.ended();
  assert.equal(status, 1);
  assert.match(err, new RegExp(`^bjoern: Cannot listen on 127.0.0.1:${port}: bind: [^\n]+\n$`));
});

test("--help and --version print and exit with status 0", async () => {
  const help = await said("--help");
  assert.equal(help.status, 0);
  assert.match(help.out, /^Usage: bjoern \[options\] app/);
  assert.deepEqual(await said("-v", "--port"), { status: 0, out: `${version}\n`, err: "" });
});

const noApps: [name: string, text: string, app: string, err: RegExp][] = [
  ["there is no such file", "", "nowhere.ts", /^bjoern: Cannot load .+nowhere\.ts: [^\n]+\n$/],
  [
    "it imports a missing file",
    "import './none.ts';",
    "a.ts",
    /^bjoern: Cannot load [^\n]+none\.ts[^\n]+\n$/,
  ],
  ["there is no such export", "export const b = 1", "a.ts:c", /has no export "c": it exports b\n$/],
  ["it is not an app", "export default 42", "a.ts", /a\.ts, export "default": Cannot serve number/],
  ["it throws", "throw new Error('oops');", "a.ts", /^bjoern: [^]*oops[^]*a\.ts:1/],
];
for (const [name, text, app, message] of noApps) {
  test(`an app that cannot be used ends the command with status 1: ${name}`, async () => {
    using folder = new Folder();
    folder.file("a.ts", text);
    await using child = bjoern(["-p", "0", app.startsWith("file:") ? app : join(folder.path, app)]);
    const { status, err } = await child.ended();
    assert.deepEqual([status, err.match(message)?.length], [1, 1], err);
  });
}

test("a colon may be part of the app's file name", async () => {
  using folder = new Folder();
  await using child = bjoern(["-p", "0", folder.file("x:y.ts", "export default () => 'colon'")]);
  assert.equal(await get(await urlOf(child)), "colon");
});

test("--max-requests replaces a worker that has served that many requests", async () => {
  await using child = bjoern(["-p", "0", "--max-requests", "10", APP, "own"]);
  const url = await urlOf(child);
  const pids = new Set<string>();
  while (pids.size < 2) {
    pids.add(await get(`${url}pid`));
  }
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});

test("an app's timers do not keep the process running", async () => {
  await using child = bjoern(["-p", "0", `${APP}:ticking`]);
  assert.equal(await get(await urlOf(child)), "ticking");
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});

test("a closed log pipe does not end the server", async () => {
  await using child = bjoern(["-p", "0", "--access-log", "common", APP]);
  const url = await urlOf(child);
  child.deafen();
  for (let i = 0; i < 5; i++) {
    assert.equal(await get(url), "default");
  }
  child.signal("SIGTERM");
  const { status, err } = await child.ended();
  assert.deepEqual([status, err], [0, ""]);
});
