// Worker processes: every test starts a supervisor, which starts its workers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { NO_PERMISSIONS, runFile } from "./support/child.ts";
import { ask, octets, open, until, within } from "./support/client.ts";
import { Pressure } from "./support/pressure.ts";
import { Group, Traffic } from "./support/worker_group.ts";

const onLinux = process.platform === "linux";

/** Runs `body` with a folder that is removed afterwards. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "workers-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Ends the group as an operator would. */
async function assertClean(group: Group): Promise<void> {
  group.signal("SIGTERM");
  const { status, signal, err } = await group.ended();
  assert.deepEqual([status, signal, err], [0, null, ""]);
}

const hosts = (folder: string): Record<string, string> => ({
  "a TCP port": "127.0.0.1",
  "a Unix socket": `unix:${join(folder, "s")}`,
  ...(onLinux ? { "an abstract address": `unix:@${join(folder, "s")}` } : {}),
});

for (const name of Object.keys(hosts(""))) {
  test(`workers serve ${name} together, each with a process of its own`, () =>
    inFolder(async (folder) => {
      await using group = await Group.start({ host: hosts(folder)[name], options: { workers: 3 } });
      const ready = await group.events("ready", 3);
      const pids = await group.all(3);
      assert.deepEqual(pids, new Set(ready.map(({ pid }) => pid)));
      assert.ok(!pids.has(group.pid), "the supervisor accepts nothing");
      await assertClean(group);
      await assert.rejects(open(group.target));
      assert.ok(!existsSync(join(folder, "s")), "the socket's file is gone");
    }));
}

test("a worker that is killed loses only its own connections, and is replaced", async () => {
  await using group = await Group.start({ options: { workers: 2 } });
  const [first, second] = await group.events("ready", 2);
  const connections = await Promise.all(Array.from({ length: 16 }, () => open(group.target)));
  const mine: typeof connections = [];
  for (const connection of connections) {
    const { pid } = JSON.parse((await connection.write(octets({}, "")).answer()).text);
    if (pid === second.pid) {
      mine.push(connection);
    }
  }
  group.signal("SIGKILL", first.pid);
  const { worker, status, signal, expected } = await group.event("exited");
  assert.deepEqual([worker, status, signal, expected], [first.worker, null, "SIGKILL", false]);
  for (const connection of mine) {
    assert.equal((await connection.write(octets({}, "")).answer()).status, 200);
  }
  assert.deepEqual(await group.event("restarting"), { type: "restarting", worker, delay: 100 });
  const third = await group.event("ready");
  assert.equal(third.worker, worker);
  assert.deepEqual(await group.all(2), new Set([second.pid, third.pid]));
  connections.forEach((connection) => connection.close());
  await assertClean(group);
});

test("SIGTERM lets running requests finish while new clients are refused", async () => {
  await using group = await Group.start({ options: { workers: 2 } });
  const running = await Promise.all([group.slow(), group.slow(), group.slow()]);
  group.signal("SIGTERM");
  await group.events("draining", 2);
  let isRefused = false;
  await until(() => {
    open(group.target).then((connection) => connection.close(), () => isRefused = true);
    return isRefused;
  }, "new clients to be refused");
  for (const { finish } of running) {
    const answer = await finish();
    assert.deepEqual([answer.text, answer.get("connection")], ["rest", "close"]);
  }
  const { status, err } = await group.ended();
  assert.deepEqual([status, err], [0, ""]);
});

test("a second signal does not wait", async () => {
  await using group = await Group.start({ options: { workers: 2 } });
  const { connection } = await group.slow();
  group.signal("SIGINT");
  await group.events("draining", 2);
  group.signal("SIGTERM");
  await within(connection.closed, "the end of the running request");
  assert.equal((await group.ended()).status, 1);
  connection.close();
});

test("drainTimeout cuts requests that take longer", async () => {
  await using group = await Group.start({ options: { workers: 1, drainTimeout: 50 } });
  const { connection } = await group.slow();
  group.signal("SIGTERM");
  await within(connection.closed, "the cut");
  assert.equal((await group.ended()).status, 0);
  connection.close();
});

test("a worker that ignores SIGTERM is killed in the end", async () => {
  await using group = await Group.start({ options: { workers: 1, drainTimeout: 1 } });
  const hanging = await open(group.target);
  hanging.write(octets({ target: "/hang" }));
  await group.event("hanging");
  group.signal("SIGTERM");
  await group.event("killed");
  assert.equal((await group.event("exited")).signal, "SIGKILL");
  assert.equal((await group.ended()).status, 1);
  hanging.close();
});

test("with a list in --allow-run a worker that hangs is killed too", {
  skip: NO_PERMISSIONS,
}, async () => {
  const permissions = ["--allow-ffi", "--allow-env", `--allow-run=${process.execPath}`];
  await using group = await Group.start({ options: { workers: 1 } }, permissions);
  const hanging = await open(group.target);
  hanging.write(octets({ target: "/hang" }));
  await group.event("hanging");
  group.signal("SIGTERM");
  await group.event("draining");
  group.signal("SIGTERM");
  assert.equal((await group.event("exited")).signal, "SIGKILL");
  assert.equal((await group.ended()).status, 1);
  hanging.close();
});

test("a worker that gets SIGTERM itself finishes its requests, another takes over", async () => {
  await using group = await Group.start({ options: { workers: 1, restartDelay: 0 } });
  const { finish } = await group.slow();
  const { pid } = await group.event("ready");
  group.signal("SIGTERM", pid);
  assert.equal((await finish()).text, "rest");
  const { status, expected } = await group.event("exited");
  assert.deepEqual([status, expected], [0, false]);
  assert.notEqual((await group.event("ready")).pid, pid);
  assert.notEqual((await group.who()).pid, pid);
  await assertClean(group);
});

test("SIGHUP puts new code in place without refusing or losing a request", () =>
  inFolder(async (folder) => {
    const version = join(folder, "version");
    await writeFile(version, "0");
    await using group = await Group.start({ version, options: { workers: 2 } });
    const old = await group.events("ready", 2);
    const traffic = new Traffic(group.target, 8);
    const { finish } = await group.slow();
    for (const next of ["1", "2"]) {
      const before = traffic.answers;
      await until(() => traffic.answers > before + 100, "traffic");
      await writeFile(version, next);
      group.signal("SIGHUP");
      await group.event("reloaded");
      assert.equal((await group.events("ready", 2)).length, 2);
      // A client accepted by an old worker may still get its answer.
      const versions: string[] = [];
      await until(() => {
        group.who().then((who) => versions.push(who.version));
        return versions.slice(-20).length === 20 && versions.slice(-20).every((v) => v === next);
      }, "the new code");
    }
    assert.equal((await finish()).text, "rest");
    const pids = old.map(({ pid }) => pid);
    const exits = [];
    while (exits.length < 2) {
      const exit = await group.event("exited");
      assert.deepEqual([exit.status, exit.signal, exit.expected], [0, null, true]);
      if (pids.includes(exit.pid)) {
        exits.push(exit);
      }
    }
    assert.deepEqual(await traffic.stop(), []);
    await assertClean(group);
  }));

for (const name of Object.keys(hosts(""))) {
  test(`reloads under load on ${name}: clients get exactly the answers that workers have handled`, () =>
    inFolder(async (folder) => {
      await using group = await Group.start({ host: hosts(folder)[name], options: { workers: 2 } });
      const traffic = new Traffic(group.target, 8);
      for (let reloads = 0; reloads < 2; reloads++) {
        const before = traffic.answers;
        await until(() => traffic.answers > before + 100, "traffic");
        group.signal("SIGHUP");
        await group.event("reloaded");
      }
      assert.deepEqual(await traffic.stop(), []);
      await assertClean(group);
      assert.equal(await group.handled(6), traffic.answers);
    }));

  test(`SIGTERM under load on ${name}: clients get exactly the answers that workers have handled`, () =>
    inFolder(async (folder) => {
      await using group = await Group.start({ host: hosts(folder)[name], options: { workers: 2 } });
      const pressure = new Pressure(group.target, 8);
      await until(() => pressure.answers > 1000, "traffic");
      await assertClean(group);
      await pressure.over();
      assert.deepEqual(pressure.faults, []);
      assert.equal(await group.handled(2), pressure.answers);
    }));
}

test("new code that does not start keeps the old workers", () =>
  inFolder(async (folder) => {
    const version = join(folder, "version");
    await writeFile(version, "good");
    await using group = await Group.start({ version, options: { workers: 2 } });
    const old = new Set((await group.events("ready", 2)).map(({ pid }) => pid));
    await writeFile(version, "broken");
    group.signal("SIGHUP");
    await group.event("kept");
    assert.deepEqual((await group.events("exited", 2)).map(({ status }) => status), [9, 9]);
    assert.deepEqual(await group.all(2), old);
    await writeFile(version, "better");
    group.signal("SIGHUP");
    await group.event("reloaded");
    await group.events("exited", 2);
    assert.equal((await group.who()).version, "better");
    await assertClean(group);
  }));

test("a new worker that ends before the others are ready keeps the old ones, too", () =>
  inFolder(async (folder) => {
    const version = join(folder, "version");
    await writeFile(version, "good");
    await using group = await Group.start({ version, options: { workers: 2 } });
    const old = new Set((await group.events("ready", 2)).map(({ pid }) => pid));
    await writeFile(version, "fickle");
    group.signal("SIGHUP");
    await group.event("kept");
    await group.events("exited", 2);
    assert.deepEqual(await group.all(2), old);
    await assertClean(group);
  }));

test("a worker that has served maxRequests is replaced before it ends", async () => {
  await using group = await Group.start({ options: { workers: 2, maxRequests: 50 } });
  const first = await group.events("ready", 2);
  const traffic = new Traffic(group.target, 4);
  const spent = await group.events("spent", 3);
  assert.ok(first.some(({ pid }) => pid === spent[0].pid));
  const [ready, exited] = [await group.event("ready"), await group.event("exited")];
  assert.deepEqual([ready.worker, exited.worker], [spent[0].worker, spent[0].worker]);
  assert.deepEqual([exited.pid, exited.status, exited.expected], [spent[0].pid, 0, true]);
  assert.deepEqual(await traffic.stop(), []);
  await assertClean(group);
});

test("the workers of a supervisor that is killed finish their requests and exit", async () => {
  await using group = await Group.start({ options: { workers: 2 } });
  const running = await Promise.all([group.slow(), group.slow()]);
  group.signal("SIGKILL");
  for (const { finish } of running) {
    assert.equal((await finish()).text, "rest");
  }
  assert.equal((await group.ended()).signal, "SIGKILL"); // with its output closed
  await assert.rejects(open(group.target), { code: "ECONNREFUSED" });
});

test("a worker that dies again and again is started after longer and longer delays", async () => {
  const options = { workers: 1, restartDelay: 1, maxRestartDelay: 3_600_000 };
  await using group = await Group.start({ options });
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    await group.event("ready");
    await assert.rejects(ask(group.target, { target: "/crash" }));
    assert.equal((await group.event("exited")).status, 7);
    delays.push((await group.event("restarting")).delay);
  }
  assert.deepEqual(delays, [1, 2, 4, 8]);
  await group.event("ready");
  await assertClean(group);
});

test("a supervisor whose workers do not start gives up with status 1", () =>
  inFolder(async (folder) => {
    const version = join(folder, "version");
    await writeFile(version, "broken");
    await using group = await Group.start({ version, options: { workers: 2 } });
    assert.deepEqual((await group.events("exited", 2)).map(({ status }) => status), [9, 9]);
    await group.event("failed");
    assert.equal((await group.ended()).status, 1);
  }));

for (const how of ["inherit", "reuse"]) {
  test(`Web Workers of one process serve one port together: ${how}`, async () => {
    await using child = runFile("worker_threads.ts", how);
    const target = { port: Number(await child.line()) };
    const names = new Set<string>();
    await within(
      (async () => {
        while (names.size < 3) {
          const answers = await Promise.all(Array.from({ length: 8 }, () => ask(target)));
          answers.forEach(({ text }) => names.add(text));
        }
      })(),
      "all three to answer",
    );
    assert.deepEqual([...names].sort(), ["0", "1", "2"]);
    child.signal("SIGTERM");
    const { status, err } = await child.ended();
    assert.deepEqual([status, err], [0, ""]);
  });
}
