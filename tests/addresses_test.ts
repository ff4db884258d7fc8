// Every way to specify where a server listens, with real sockets.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { after, describe, test } from "node:test";
import { type Addr, bindAndListen, type Info, run, type Server, serverRun } from "../mod.ts";
import { ask, open, quiet, type Target, within } from "./support/client.ts";
import { Child, MOD } from "./support/child.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-addresses-")));
after(() => rmSync(folder, { recursive: true }));

const hasIpv6 = Object.values(networkInterfaces()).flat().some((it) => it?.address === "::1");
const isLinux = process.platform === "linux";

/** Answers with both addresses of the connection. */
const app = (_: Request, info: Info<Addr>) =>
  JSON.stringify({ remote: info.remoteAddr, local: info.localAddr });

interface Told {
  remote: { hostname: string };
  local: { hostname: string; port: number };
}

async function tell(target: Target): Promise<Told> {
  return JSON.parse((await ask(target)).text);
}

/** What a client that connects over TCP sees of a server. */
async function over(server: Server<Addr>, host: string): Promise<Told> {
  assert.ok(server.addr.transport === "tcp");
  const response = await fetch(`http://${host}:${server.port}/`, {
    headers: { connection: "close" },
  });
  return await response.json();
}

describe("TCP", () => {
  const rows: [host: string, listens: string, asked: string, seen: string][] = [
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"],
    ["127.0.0.1:0", "127.0.0.1", "127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0", "127.0.0.1", "127.0.0.1"],
    ...(hasIpv6
      ? [
        ["::1", "::1", "[::1]", "::1"],
        ["[::1]", "::1", "[::1]", "::1"],
        ["[::1]:0", "::1", "[::1]", "::1"],
        ["::", "::", "[::1]", "::1"],
        ["::", "::", "127.0.0.1", "127.0.0.1"],
      ] as [string, string, string, string][]
      : []),
  ];
  for (const [host, listens, asked, seen] of rows) {
    test(`${host}, asked at ${asked}`, async () => {
      const server = run(app, host.endsWith(":0") ? { host } : { host, port: 0 });
      try {
        assert.equal(server.addr.hostname, listens);
        assert.ok(server.port > 0);
        const { remote, local } = await over(server, asked);
        assert.equal(remote.hostname, seen);
        assert.deepEqual([local.hostname, local.port], [seen, server.port]);
        await quiet(server);
      } finally {
        server.stop();
      }
    });
  }

  test("a host name", async () => {
    const server = run(app, "localhost", 0);
    const host = server.addr.hostname.includes(":") ? "[::1]" : "127.0.0.1";
    assert.equal((await over(server, host)).local.port, server.port);
    server.stop();
  });

  test("an invalid port is refused", () => {
    for (const host of ["127.0.0.1:70000", "localhost:65536", "[::1]:99999"]) {
      const expected = { name: "RangeError", message: /^Option host names port \d+/ };
      assert.throws(() => run(() => "", host), expected);
      assert.throws(() => bindAndListen(host), expected);
    }
  });

  test("a port that is given twice must be the same", () => {
    assert.throws(() => run(app, "127.0.0.1:1", 2), { name: "TypeError", message: /port 1.*2/ });
  });

  test("reusePort lets several servers share a port", { skip: !isLinux }, async () => {
    const first = run(() => "first", { port: 0, reusePort: true });
    const second = run(() => "second", { port: first.port, reusePort: true });
    const answers = new Set<string>();
    for (let i = 0; i < 200 && answers.size < 2; i++) {
      answers.add((await ask(first)).text);
    }
    assert.deepEqual([...answers].sort(), ["first", "second"]);
    first.stop();
    second.stop();
    assert.throws(() => {
      const alone = run(app, { port: 0 });
      try {
        run(app, { port: alone.port, reusePort: true });
      } finally {
        alone.stop();
      }
    }, { code: "EADDRINUSE" });
  });
});

describe("Unix sockets", () => {
  test("a path, relative or not; its mode; its file is removed with the server", async () => {
    for (const path of [join(folder, "a"), relative(process.cwd(), join(folder, "b"))]) {
      const server = run(app, `unix:${path}`, { mode: 0o620 });
      assert.deepEqual(server.addr, { transport: "unix", path });
      assert.equal(server.port, 0);
      assert.equal(statSync(path).mode & 0o777, 0o620);
      assert.deepEqual(await tell({ path }), {
        remote: { transport: "unix", path: "" },
        local: { transport: "unix", path },
      });
      await quiet(server);
      await server.shutdown();
      assert.equal(existsSync(path), false);
    }
  });

  test("the file is removed even if the process has changed its directory", () => {
    const path = join(folder, "moved");
    const here = process.cwd();
    process.chdir(folder);
    const server = run(app, "unix:moved");
    process.chdir(here);
    assert.ok(existsSync(path));
    server.stop();
    assert.equal(existsSync(path), false);
  });

  test("a live socket is refused, and still served", async () => {
    const path = join(folder, "live");
    const server = run(app, `unix:${path}`);
    assert.throws(() => run(app, `unix:${path}`), { name: "ListenError", code: "EADDRINUSE" });
    await tell({ path });
    server.stop();
  });

  test("the file of a killed server is replaced", async () => {
    const path = join(folder, "stale");
    const killed = start(`run(() => "", "unix:${path}"); console.log("up");`);
    assert.equal(await killed.line(), "up");
    await killed[Symbol.asyncDispose](); // by SIGKILL
    assert.ok(existsSync(path));
    const server = run(app, `unix:${path}`);
    await tell({ path });
    server.stop();
    assert.equal(existsSync(path), false);
  });

  test("a folder that is not writable", { skip: process.getuid?.() === 0 }, () => {
    chmodSync(folder, 0o500);
    assert.throws(() => run(app, `unix:${join(folder, "x")}`), { code: "EACCES" });
    chmodSync(folder, 0o700);
  });

  test("an abstract name has no file", { skip: !isLinux }, async () => {
    const path = `@bjoern-${process.pid}-${performance.now()}`;
    const server = run(app, `unix:${path}`);
    assert.deepEqual(server.addr, { transport: "unix", path });
    assert.throws(() => run(app, `unix:${path}`), { code: "EADDRINUSE" });
    assert.deepEqual(await tell({ path: `\0${path.slice(1)}` }), {
      remote: { transport: "unix", path: "" },
      local: { transport: "unix", path },
    });
    server.stop();
  });
});

const ARGUMENTS = process.versions.bun ? ["run"] : ["run", "-A", "--no-check", "--ext=ts"];

/** A program with `fds` as descriptors 3 and up, and the variables that systemd would set. */
function start(text: string, fds: number[] = [], env: Record<string, string> = {}): Child {
  const script = 'LISTEN_PID=$$ exec "$@"';
  const child = spawn("sh", ["-c", script, "sh", process.execPath, ...ARGUMENTS, "-"], {
    env: { ...process.env, LISTEN_FDS: String(fds.length), ...env },
    stdio: ["pipe", "pipe", "pipe", ...fds],
  });
  child.stdin!.end(`import { run, listen } from "${MOD}";\n${text}`);
  return new Child(child);
}

/** Serves on an inherited socket, and ends. */
const INHERITED = `
  import process from "node:process";
  const server = run((_, info) => [process.pid, JSON.stringify(info.localAddr)].join(" "), HOST);
  process.on("SIGTERM", () => server.shutdown());
  console.log(JSON.stringify(server.addr));
`;

describe("inherited descriptors", () => {
  const rows: [host: string, said: string][] = [
    ['"fd:3"', "by address"],
    ["3", "by number"],
    ['"systemd"', "by systemd"],
    ['"systemd:web"', "by its name in systemd"],
  ];
  for (const [host, said] of rows) {
    test(`${said}: the socket is served, and stays open when the server ends`, async () => {
      using listener = bindAndListen("127.0.0.1", 0);
      const { addr } = listener;
      const env = { LISTEN_FDNAMES: said.includes("name") ? "web" : "" };
      for (let round = 0; round < 2; round++) {
        await using child = start(INHERITED.replace("HOST", host), [listener.fd], env);
        assert.deepEqual(JSON.parse(await child.line()), addr);
        const { text } = await ask(addr as never);
        assert.match(text, /^\d+ /);
        assert.notEqual(Number.parseInt(text), process.pid);
        assert.deepEqual(JSON.parse(text.slice(text.indexOf(" "))), addr);
        child.signal("SIGTERM");
        assert.equal((await child.ended()).status, 0);
      }
    });
  }

  test("the second of two sockets, by name", async () => {
    using first = bindAndListen("127.0.0.1", 0);
    const path = join(folder, "second");
    using second = bindAndListen(`unix:${path}`);
    await using child = start(
      INHERITED.replace("HOST", '"systemd:admin"'),
      [first.fd, second.fd],
      { LISTEN_FDNAMES: "web:admin" },
    );
    assert.deepEqual(JSON.parse(await child.line()), { transport: "unix", path });
    child.signal("SIGTERM");
    assert.equal((await child.ended()).status, 0);
    assert.ok(existsSync(path), "the file is the listener's");
  });

  const refused: [host: string, code: string][] = [
    ['"systemd:none"', "ENOENT"],
    ['"fd:99"', "EBADF"],
  ];
  for (const [host, code] of refused) {
    test(`${host} is refused by ${code}`, async () => {
      using listener = bindAndListen("127.0.0.1", 0);
      await using child = start(
        `try { run(() => "", ${host}); } catch (error) { console.log(error.name, error.code); }`,
        [listener.fd],
        { LISTEN_FDNAMES: "web" },
      );
      assert.equal(await child.line(), `ListenError ${code}`);
    });
  }

  test("systemd has passed no socket", () => {
    assert.throws(() => run(app, "systemd"), { code: "ENOENT", message: /LISTEN_FDS/ });
    assert.throws(() => run(app, "fd:x"), TypeError);
  });
});

describe("bindAndListen()", () => {
  test("servers accept from it in turn; it stays open", async () => {
    const listener = bindAndListen("127.0.0.1", 0, { listenBacklog: 8 });
    assert.ok(listener.addr.transport === "tcp" && listener.addr.port > 0);
    for (const text of ["first", "second"]) {
      const server = serverRun(listener, () => text);
      assert.deepEqual(server.addr, listener.addr);
      assert.equal((await ask(server)).text, text);
      await quiet(server);
      await server.shutdown();
    }
    const waiting = await open(listener.addr as never); // in the backlog
    listener.close();
    listener.close();
    await within(waiting.closed, "the end");
    await assert.rejects(open(listener.addr as never), { code: "ECONNREFUSED" });
  });

  test("an address may include the port", () => {
    using listener = bindAndListen("127.0.0.1:0");
    assert.ok(listener.addr.transport === "tcp" && listener.addr.port > 0);
    assert.throws(() => bindAndListen("127.0.0.1:1", 2), TypeError);
  });

  test("two servers accept from one", async () => {
    using listener = bindAndListen("127.0.0.1", 0);
    const first = serverRun(listener, () => "one of them");
    const second = run(() => "one of them", listener.fd);
    for (let i = 0; i < 20; i++) {
      assert.equal((await ask(first)).text, "one of them");
    }
    first.stop();
    assert.equal((await ask(second)).text, "one of them");
    second.stop();
  });

  test("the file of a path is removed with it", () => {
    const path = join(folder, "bound");
    const listener = bindAndListen(`unix:${path}`, undefined, { mode: 0o600 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    listener.close();
    assert.equal(existsSync(path), false);
  });

  test("and with its process", async () => {
    const path = join(folder, "exit");
    await using child = start(
      `import { bindAndListen } from "${MOD}";
       const listener = bindAndListen("unix:${path}");
       console.log(listener.addr.path);`,
    );
    assert.equal(await child.line(), path);
    assert.equal((await child.ended()).status, 0);
    assert.equal(existsSync(path), false);
  });

  test("refuses what cannot be bound", () => {
    using taken = bindAndListen("127.0.0.1", 0);
    const { port } = taken.addr as { port: number };
    const is = (code: string) => ({ name: "ListenError", code });
    assert.throws(() => bindAndListen("127.0.0.1", port), is("EADDRINUSE"));
    assert.throws(() => bindAndListen("192.0.2.1", 0), is("EADDRNOTAVAIL"));
    assert.throws(() => bindAndListen("fd:0"), TypeError);
    assert.throws(() => bindAndListen("127.0.0.1", -1), RangeError);
  });
});
