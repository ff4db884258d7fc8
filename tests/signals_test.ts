// What signals do to a process with a server, with real processes and signals.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { type Child, MOD, runText } from "./support/child.ts";
import { type Connection, octets, open, within } from "./support/client.ts";

/** A server whose requests wait until "/go" is requested; prints its port, then each path. */
function program(options: string): Child {
  return runText(`
    import process from "node:process";
    import { run } from "${MOD}";
    let go;
    const gone = new Promise((resolve) => go = resolve);
    const server = run(async (request) => {
      const { pathname } = new URL(request.url);
      console.log(pathname);
      if (pathname === "/go") go();
      if (pathname === "/wait") await gone;
      return "done";
    }, { port: 0, ${options} });
    console.log(server.port);
  `);
}

async function begin(child: Child): Promise<[port: number, waiting: Connection]> {
  const port = Number(await child.line());
  const waiting = await open({ port });
  waiting.write(octets({ target: "/wait" }, ""));
  assert.equal(await child.line(), "/wait");
  return [port, waiting];
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  describe(`handleSignals and ${signal}`, () => {
    test("a running request finishes, an idle connection is closed at once, status 0", async () => {
      await using child = program("handleSignals: true");
      const [port, waiting] = await begin(child);
      const idle = await open({ port });
      idle.write(octets({ target: "/" }, ""));
      assert.equal((await idle.answer()).text, "done");
      assert.equal(await child.line(), "/");
      const other = await open({ port });
      other.write(octets({ target: "/wait" }, ""));
      assert.equal(await child.line(), "/wait");
      child.signal(signal);
      await within(idle.closed, "the idle connection's end");
      await assert.rejects(open({ port }), { code: "ECONNREFUSED" });
      waiting.write(octets({ target: "/go" }, ""));
      const answer = await waiting.answer();
      assert.equal(answer.text, "done");
      const last = await other.answer();
      assert.equal(last.text, "done");
      const { status, signal: killedBy, err } = await child.ended();
      assert.deepEqual([status, killedBy, err], [0, null, ""]);
    });

    test("a second one ends running requests", async () => {
      await using child = program("handleSignals: true");
      const [port, waiting] = await begin(child);
      const idle = await open({ port });
      child.signal(signal);
      await within(idle.closed, "the first signal's effect");
      child.signal(signal);
      await within(waiting.closed, "the second signal's effect");
      assert.equal((await child.ended()).status, 0);
    });

    test("drainTimeout ends running requests, too", async () => {
      await using child = program("handleSignals: true, drainTimeout: 50");
      const [, waiting] = await begin(child);
      child.signal(signal);
      await within(waiting.closed, "the end");
      assert.equal((await child.ended()).status, 0);
    });

    test("without handleSignals the signal ends the process", async () => {
      await using child = program("");
      await begin(child);
      child.signal(signal);
      assert.equal((await child.ended()).signal, signal);
    });
  });
}

test("the user's own listeners still run, and decide", async () => {
  await using child = runText(`
    import process from "node:process";
    import { run } from "${MOD}";
    const server = run(() => "ok", { port: 0 });
    let count = 0;
    process.on("SIGTERM", () => {
      console.log("signal", ++count);
      if (count === 3) server.shutdown();
    });
    console.log(server.port);
  `);
  const port = Number(await child.line());
  for (const count of [1, 2, 3]) {
    child.signal("SIGTERM");
    assert.equal(await child.line(), `signal ${count}`);
    if (count < 3) {
      const connection = await open({ port });
      assert.equal((await connection.write(octets({})).answer()).text, "ok");
      connection.close();
    }
  }
  assert.equal((await child.ended()).status, 0);
});

test("a handled signal removes the socket file", async () => {
  const path = join(tmpdir(), `bjoern-signals-${process.pid}-${process.versions.bun ? "b" : "d"}`);
  await using child = runText(`
    import { run } from "${MOD}";
    run(() => "", "unix:${path}", { handleSignals: true, onListen: () => console.log("up") });
  `);
  assert.equal(await child.line(), "up");
  assert.ok(existsSync(path));
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
  assert.equal(existsSync(path), false);
});

test("the listeners are removed with the server", async () => {
  await using child = runText(`
    import process from "node:process";
    import { run } from "${MOD}";
    const before = process.listenerCount("SIGTERM");
    for (let i = 0; i < 20; i++) {
      const server = run(() => "", { port: 0, handleSignals: true });
      server.stop();
      await server.finished;
    }
    console.log(process.listenerCount("SIGTERM") - before);
  `);
  assert.equal(await child.line(), "0");
  const { status, err } = await child.ended();
  assert.deepEqual([status, err], [0, ""]);
});

test("SIGPIPE does not end the process: clients that leave in the middle of a file and of a stream", async () => {
  await using child = runText(`
    import { run, sendFile } from "${MOD}";
    import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
    import { tmpdir } from "node:os";
    import { join } from "node:path";
    const folder = mkdtempSync(join(tmpdir(), "bjoern-sigpipe-"));
    const path = join(folder, "file");
    const fd = openSync(path, "w");
    ftruncateSync(fd, 1 << 26);
    closeSync(fd);
    const stream = () => new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65536)) });
    const server = run((request) =>
      request.url.endsWith("/file") ? sendFile(path)
        : request.url.endsWith("/stream") ? new Response(stream()) : "alive", { port: 0 });
    server.finished.then(() => rmSync(folder, { recursive: true }));
    console.log(server.port);
    process.on("SIGTERM", () => server.stop());
  `);
  const port = Number(await child.line());
  for (const target of ["/file", "/stream", "/file", "/stream"]) {
    const connection = await open({ port });
    connection.write(octets({ target }, ""));
    await connection.head();
    connection.socket.resetAndDestroy();
  }
  const connection = await open({ port });
  assert.equal((await connection.write(octets({})).answer()).text, "alive");
  connection.close();
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});
