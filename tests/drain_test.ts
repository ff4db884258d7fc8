// Stops and reloads under load, counted on both sides: every request that reached a handler is
// answered.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Child, runFile } from "./support/child.ts";
import { octets, open, type Target, until, within } from "./support/client.ts";
import type { Count, Given } from "./support/drain_app.ts";
import { Pressure } from "./support/pressure.ts";
import { Group } from "./support/worker_group.ts";
import { CONNECTIONS, IN_FLIGHT, NO_WRK, type Tally, Wrk } from "./support/wrk.ts";

const CLIENTS = 12;
const ENOUGH = 2000; // answers before something happens
const BUSY = 10_000; // requests by wrk before something happens

const path = join(tmpdir(), `bjoern-drain-${process.pid}-${process.versions.bun ? "b" : "d"}`);
const hosts: Record<string, string> = { "TCP": "127.0.0.1", "a Unix socket": `unix:${path}` };

async function start(given: Given): Promise<{ child: Child; target: Target }> {
  const child = runFile("drain_app.ts", JSON.stringify(given));
  const port = Number(await child.line());
  return { child, target: port > 0 ? { port } : { path } };
}

async function busy(pressure: Pressure, more = ENOUGH): Promise<void> {
  const before = pressure.answers;
  await until(() => pressure.answers >= before + more, "traffic");
}

async function countOf(child: Child): Promise<Count> {
  const count: Count = JSON.parse(await child.line());
  const { status, err } = await child.ended();
  assert.deepEqual([status, err], [0, ""]);
  return count;
}

for (const [name, host] of Object.entries(hosts)) {
  test(`SIGTERM under load loses no request that has reached a handler, over ${name}`, async () => {
    const { child, target } = await start({ host });
    await using _ = child;
    const pressure = new Pressure(target, CLIENTS);
    await busy(pressure);
    child.signal("SIGTERM");
    await pressure.over();
    const { handled, answered, aborted } = await countOf(child);
    assert.deepEqual(pressure.faults, []);
    assert.deepEqual([handled, answered, aborted], [pressure.answers, pressure.answers, 0]);
    await assert.rejects(open(target));
  });

  test(`the deadline cuts endless requests, and nothing else, over ${name}`, async () => {
    const { child, target } = await start({ host, drainTimeout: 500 });
    await using _ = child;
    const pressure = new Pressure(target, CLIENTS);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => open(target)));
    waiting.forEach((connection) => connection.write(octets({ target: "/never/x" }, "")));
    await busy(pressure);
    child.signal("SIGTERM");
    await pressure.over();
    await within(Promise.all(waiting.map(({ closed }) => closed)), "the cut");
    const { handled, answered, aborted } = await countOf(child);
    assert.deepEqual(pressure.faults, []);
    assert.deepEqual([handled, answered, aborted], [pressure.answers + 5, pressure.answers, 5]);
    waiting.forEach((connection) => connection.close());
  });

  test(`reload() under load loses no request, and no later one gets the old app: ${name}`, async () => {
    const { child, target } = await start({ host });
    await using _ = child;
    const pressure = new Pressure(target, CLIENTS);
    await busy(pressure);
    child.signal("SIGUSR2");
    assert.equal(await child.line(), "reloaded");
    const late = new Pressure(target, 2);
    await busy(late, 100);
    await Promise.all([pressure.stop(), late.stop()]);
    child.signal("SIGTERM");
    const { handled, aborted } = await countOf(child);
    assert.deepEqual([...pressure.faults, ...late.faults], []);
    assert.deepEqual([handled, aborted], [pressure.answers + late.answers, 0]);
    assert.deepEqual([pressure.unanswered, late.unanswered], [0, 0]);
    assert.equal(late.renewed, late.answers);
    assert.ok(pressure.renewed > 0 && pressure.renewed < pressure.answers);
  });
}

/**
 * A server that ends may close a connection with a request that it has not read yet. A client cut
 * by one worker may connect to another one, which accepts it or not, and be cut again.
 */
function assertEnded({ failed, late, cut, refused }: Tally, workers = 1): void {
  assert.deepEqual({ failed, late }, { failed: 0, late: 0 });
  assert.ok(cut <= workers * CONNECTIONS, `${cut} connections were cut`);
  assert.ok(refused > 0, "new connections are refused");
}

function assertNothingLost({ failed, late, cut, refused }: Tally): void {
  const nothing = { failed: 0, late: 0, cut: 0, refused: 0 };
  assert.deepEqual({ failed, late, cut, refused }, nothing);
}

/** An upload that is streamed back, begun but not complete. */
async function streaming(target: Target) {
  const connection = await open(target);
  const head = "POST /through/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const answer = await connection.write(`${head}4\r\nhalf\r\n`).head();
  assert.equal(`${await connection.chunk(answer)}`, "half");
  const finish = async () => {
    connection.write("4\r\nrest\r\n0\r\n\r\n");
    assert.equal(`${await connection.chunk(answer)}`, "rest");
    assert.equal(await connection.chunk(answer), undefined);
    assert.ok(answer.complete);
    connection.close();
  };
  return { finish };
}

/** Requests in flight are missing from wrk's count. */
function assertInFlight(requests: number): void {
  assert.ok(requests >= 0 && requests <= IN_FLIGHT, `${requests} more were handled than answered`);
}

async function assertRefused(target: Target): Promise<void> {
  await assert.rejects(open(target), { code: "ECONNREFUSED" });
}

test(
  "SIGTERM under wrk: accepted requests are answered, streams end, the deadline cuts the rest",
  { skip: NO_WRK },
  async () => {
    const { child, target } = await start({ host: "127.0.0.1", busy: BUSY, drainTimeout: 1000 });
    await using _ = child;
    const { finish } = await streaming(target);
    const never = await open(target);
    never.write(octets({ target: "/never/x" }, ""));
    await using wrk = new Wrk(target);
    assert.equal(await child.line(), "busy");
    const idle = await open(target);
    child.signal("SIGTERM");
    await within(idle.closed, "the end of an idle connection");
    await assertRefused(target);
    await finish();
    await within(never.closed, "the cut");
    const { handled, answered, aborted } = await countOf(child);
    const tally = await wrk.stop();
    assertEnded(tally);
    const { answers } = tally;
    assert.deepEqual([handled, answered, aborted], [answers + 2, answers + 1, 1]);
    idle.close();
    never.close();
  },
);

test("reload() under wrk loses no request", { skip: NO_WRK }, async () => {
  const { child, target } = await start({ host: "127.0.0.1", busy: BUSY });
  await using _ = child;
  await using wrk = new Wrk(target);
  assert.equal(await child.line(), "busy");
  child.signal("SIGUSR2");
  assert.equal(await child.line(), "reloaded");
  assert.equal(await child.line(), "busy");
  const tally = await wrk.stop();
  child.signal("SIGTERM");
  const { handled, answered, aborted } = await countOf(child);
  assertNothingLost(tally);
  assert.equal(answered + aborted, handled);
  assertInFlight(handled - tally.answers);
});

test("SIGTERM under wrk: workers answer what they have accepted", { skip: NO_WRK }, async () => {
  await using group = await Group.start({ busy: BUSY, options: { workers: 2 } });
  await using wrk = new Wrk(group.target);
  await group.event("busy");
  group.signal("SIGTERM");
  const { status, err } = await group.ended();
  await assertRefused(group.target);
  const tally = await wrk.stop();
  assert.deepEqual([status, err], [0, ""]);
  assertEnded(tally, 2);
  assert.equal(await group.handled(2), tally.answers);
});

/** Waits until one of these workers has had its load. */
async function loaded(group: Group, pids: number[]): Promise<void> {
  while (!pids.includes((await group.event("busy")).pid));
}

test(
  "SIGHUP under wrk replaces workers, no connection is refused or cut",
  { skip: NO_WRK },
  async () => {
    await using group = await Group.start({ busy: BUSY, options: { workers: 2 } });
    await using wrk = new Wrk(group.target);
    const old = await group.events("ready", 2);
    await group.event("busy");
    group.signal("SIGHUP");
    await group.event("reloaded");
    const exits = await group.events("exited", 2);
    assert.deepEqual(exits.map(({ pid }) => pid).sort(), old.map(({ pid }) => pid).sort());
    const fresh = await group.events("ready", 2);
    await loaded(group, fresh.map(({ pid }) => pid));
    const tally = await wrk.stop();
    group.signal("SIGTERM");
    assert.equal((await group.ended()).status, 0);
    assertNothingLost(tally);
    assertInFlight(await group.handled(4) - tally.answers);
  },
);
