// Ends and reloads under load, counted on both sides: what a handler has got is answered.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Child, runFile } from "./support/child.ts";
import { octets, open, type Target, until, within } from "./support/client.ts";
import type { Count, Given } from "./support/drain_app.ts";
import { Pressure } from "./support/pressure.ts";

const CLIENTS = 12;
const ENOUGH = 2000; // answers, before something happens

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
  test(`SIGTERM under load loses no request that a handler has got, over ${name}`, async () => {
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

  test(`the deadline cuts what would last for ever, and nothing else, over ${name}`, async () => {
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

  test(`reload() under load loses no request, and no new one gets the old app: ${name}`, async () => {
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
