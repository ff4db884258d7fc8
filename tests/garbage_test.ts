// Garbage is collected in the middle of requests; every answer is compared octet for octet.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Crowd } from "./soak/clients.ts";
import { runtimes, Served, SOAKED } from "./soak/process.ts";
import type { Sample } from "./soak/served.ts";
import { until } from "./support/client.ts";

const ENOUGH = 1000; // answers to compare
const CLIENTS = 24;
const OWN = 4; // descriptors that a runtime may open for itself meanwhile

test("answers are right while garbage is collected and clients come and go", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bjoern-garbage-"));
  const runtime = runtimes[process.versions.bun ? "bun" : "deno"];
  const server = new Served<Sample>(["env", "BJOERN_SOAK_COLLECT=20", ...runtime], SOAKED, folder);
  try {
    const crowd = new Crowd({ port: await server.port() });
    const before = await server.sample();
    crowd.begin(CLIENTS, 2);
    await until(() => crowd.exchanges > ENOUGH || crowd.failures.length > 0, "the clients", 25_000);
    await crowd.rest();
    assert.deepEqual(crowd.failures, []);
    const { connections, requests, descriptors } = await server.quiet();
    assert.deepEqual([connections, requests], [0, 0]);
    const left = descriptors - before.descriptors;
    assert.ok(left <= OWN, `${left} descriptors are left`);
  } finally {
    await server.end();
    rmSync(folder, { recursive: true });
  }
});
