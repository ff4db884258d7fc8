// A supervisor that prints its events, and the workers that it starts from this file. The argument
// is JSON: see `Given`. Workers print only that they hang or are busy, and how many requests they
// have handled.
import { existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { bindAndListen, type Result } from "../../mod.ts";
import { Supervisor } from "../../server/supervisor.ts";
import { workerNumber, workerRun } from "../../server/worker.ts";
import type { WorkerEvent } from "../../server/workers/events.ts";
import type { WorkerOptions } from "../../server/workers/options.ts";
import { loadedApp } from "./loaded_app.ts";

/** The test's settings. */
export interface Given {
  host?: string;
  /**
   * A file with the version that the workers report. "broken" does not start. With "fickle", the
   * first worker exits once it is ready, and only then do the others become ready.
   */
  version?: string;
  options?: WorkerOptions;
  /** Requests after which a worker counts as busy. */
  busy?: number;
}

const given: Given = JSON.parse(process.argv[2]);

/** A line of output. */
export type Fact =
  | WorkerEvent
  | { type: "up"; isReady: boolean; port: number; pid: number }
  | { type: "hanging" }
  | { type: "busy"; pid: number }
  | { type: "handled"; pid: number; requests: number };

/** Read once, like an app's code. */
const version = given.version === undefined ? "" : readFileSync(given.version, "utf8");

const loaded = loadedApp(1);
let handled = 0;

/**
 * `/crash` ends the process, `/hang` blocks it, `/kind/text` serves `Pressure`. A POST is echoed;
 * anything else is answered with who has served it.
 */
async function app(request: Request): Promise<Result> {
  const { pathname } = new URL(request.url);
  if (++handled === given.busy) {
    print({ type: "busy", pid: process.pid });
  }
  if (pathname.split("/").length > 2) {
    return loaded(request);
  }
  switch (pathname) {
    case "/crash":
      return process.exit(7);
    case "/hang":
      print({ type: "hanging" });
      for (;;);
  }
  if (request.method === "POST") {
    return new Response(await request.text());
  }
  return Response.json({ worker: workerNumber(), pid: process.pid, version });
}

/** Whether a process exists, or has ended without its parent having noticed. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until the first worker of a fickle version has ended. */
async function whenFirstHasEnded(note: string): Promise<void> {
  while (!existsSync(note) || isThere(Number(readFileSync(note, "utf8")))) {
    await sleep(5);
  }
}

function print(fact: Fact): void {
  writeSync(1, `${JSON.stringify(fact)}\n`); // in one write, as several processes print
}

if (workerNumber() !== undefined) {
  if (version === "broken") {
    process.exit(9);
  }
  const note = `${given.version}.first`;
  if (version === "fickle" && workerNumber() !== 1) {
    await whenFirstHasEnded(note);
  }
  process.on("exit", () => print({ type: "handled", pid: process.pid, requests: handled }));
  workerRun(app, {}, given.options?.maxRequests);
  setInterval(() => {}, 1e6); // an app that would never exit by itself
  if (version === "fickle" && workerNumber() === 1) {
    writeFileSync(note, String(process.pid));
    setTimeout(() => process.exit(9), 50); // gives "ready" time to arrive
  }
} else {
  const listener = bindAndListen(given.host ?? "127.0.0.1", 0);
  const supervisor = new Supervisor(listener, { ...given.options, onEvent: print });
  const isReady = await supervisor.ready;
  print({ type: "up", isReady, port: supervisor.port, pid: process.pid });
  await supervisor.finished;
  process.exitCode = supervisor.status;
}
