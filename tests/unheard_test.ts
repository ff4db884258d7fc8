// A full disk behind the outputs: messages are lost, and nothing else.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "./support/child.ts";
import { within } from "./support/client.ts";
import { get, getUnix, urlOf } from "./support/cli_run.ts";

const skip = process.platform !== "linux" && "there is no /dev/full";
const RUN = process.versions.bun ? ["run"] : ["run", "-A", "--no-check"];
const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));
const APP = fileURLToPath(new URL("./support/unheard_app.ts", import.meta.url));

/** Runs a program with its output redirected by a shell. */
function unheard(redirection: string, ...run: string[]): Child {
  const script = `exec "$@" ${redirection}`;
  return new Child(spawn("sh", ["-c", script, "sh", process.execPath, ...RUN, ...run], {
    env: { ...process.env, HOST: "", PORT: "" },
  }));
}

async function endWell(child: Child): Promise<void> {
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
}

const programs: [name: string, ...run: string[]][] = [
  ["a handler that throws", CLI, "--port", "0", APP],
  ["an onError that throws", APP],
  ["a handler of a worker that throws", CLI, "--port", "0", "--workers", "1", APP],
  ["an access log", CLI, "--port", "0", "--access-log", APP],
];
for (const [name, ...run] of programs) {
  test(`${name} still gets 500 when stderr is full`, { skip }, async () => {
    await using child = unheard("2>/dev/full", ...run);
    const url = await urlOf(child);
    for (const _ of [1, 2, 3]) {
      const answer = await fetch(`${url}throws`, { headers: { connection: "close" } });
      assert.equal(answer.status, 500);
      assert.match(await get(url), /^\d+$/);
    }
    await endWell(child);
  });
}

test("a supervisor replaces a worker when stderr is full", { skip }, async () => {
  await using child = unheard("2>/dev/full", CLI, "--port", "0", "--workers", "2", APP);
  const url = await urlOf(child);
  const pids = new Set<string>();
  let isOver = false;
  child.exit.then(() => isOver = true);
  const seen = async (count: number) => {
    while (pids.size < count && !isOver) {
      await get(url).then((pid) => pids.add(pid), () => {}); // one that dies may get it
    }
  };
  await within(seen(2), "both workers");
  process.kill(Number([...pids][0]), "SIGKILL");
  await within(seen(3), "another one");
  assert.equal(pids.size, 3);
  await endWell(child);
});

test("a server that cannot print where it listens still serves", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "bjoern-unheard-"));
  const path = join(folder, "socket");
  try {
    await using child = unheard(">/dev/full", CLI, "--host", `unix:${path}`, "--access-log", APP);
    let answer: string | undefined;
    child.exit.then(() => answer = "it has ended");
    while (answer === undefined) {
      answer = await getUnix(path).catch(() => sleep(5, undefined));
    }
    assert.match(answer, /^\d+$/);
    assert.match(await getUnix(path), /^\d+$/);
    await endWell(child);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
