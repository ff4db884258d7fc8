// How workers are set up: options, delays, what is refused, and the one call that does it all.
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { settingsOf } from "../server/options.ts";
import { Server } from "../server/server.ts";
import { supervise, Supervisor } from "../server/supervisor.ts";
import type { Addr, App, Options } from "../server/types.ts";
import { counter, workerNumber, workerRun } from "../server/worker.ts";
import { Backoff } from "../server/workers/backoff.ts";
import { describe, type WorkerEvent } from "../server/workers/events.ts";
import { runWorkers } from "../server/workers/run.ts";
import { MOD, runFile } from "./support/child.ts";
import { ask } from "./support/client.ts";
import { folder } from "./support/folder.ts";

test("delays double up to a maximum, and start over for a worker that has lived that long", () => {
  const backoff = new Backoff(100, 1000);
  assert.deepEqual([0, 5, 999, 0, 0, 0].map((lived) => backoff.after(lived)), [
    ...[100, 200, 400, 800, 1000, 1000],
  ]);
  assert.deepEqual([1000, 0, 0].map((lived) => backoff.after(lived)), [100, 200, 400]);
});

/** A listening socket that gets no connections. */
function dummy() {
  const addr = { transport: "tcp" as const, hostname: "::1", port: 1 };
  return {
    fd: 0,
    addr,
    isClosed: false,
    close() {
      this.isClosed = true;
    },
  };
}

test("a missing program, and one that ends at once, give status 1", async () => {
  for (const command of [["/no/such/program"], ["false"]]) {
    const listener = dummy();
    const events: WorkerEvent[] = [];
    const onEvent = (event: WorkerEvent) => void events.push(event);
    assert.equal(await supervise(listener, { workers: 1, command, onEvent }), 1);
    assert.ok(events.some(({ type }) => type === "failed"));
    assert.ok(listener.isClosed);
    const lines = events.map(describe).join("\n");
    assert.match(
      lines,
      command[0] === "false" ? /ended with status 1/ : /ENOENT.*such\/program|such\/program ENOENT/,
    );
  }
});

test("a worker that does not become ready in time is killed", async () => {
  const types: string[] = [];
  const onEvent = ({ type }: { type: string }) => void types.push(type);
  const options = { workers: 1, command: ["sleep", "60"], startTimeout: 20, onEvent };
  const supervisor = new Supervisor(dummy(), options);
  assert.equal(supervisor.url.href, "http://[::1]:1/");
  assert.equal(supervisor.pids.length, 1);
  assert.equal(await supervisor.ready, false);
  await supervisor.finished;
  assert.ok(types.includes("late"), types.join());
});

test("maxRequests is reported once, up to a tenth late", () => {
  for (let i = 0; i < 50; i++) {
    let [requests, told, at] = [0, 0, 0];
    const count = counter(100, () => {
      told++;
      at = requests;
    });
    // Requests to a replaced app count as well.
    const [first, second] = [count(() => ""), count(() => "")] as (() => string)[];
    for (requests = 1; requests < 300; requests++) {
      (requests < 90 ? first : second)();
    }
    assert.equal(told, 1);
    assert.ok(at >= 100 && at < 110, String(at));
  }
});

test("requests after a reload count towards maxRequests, like those before", async () => {
  let told = 0;
  const server = new Server(() => "old", settingsOf({ port: 0 }), counter(3, () => told++)).start();
  assert.equal((await ask(server)).text, "old");
  server.reload(() => "new");
  assert.equal((await ask(server)).text, "new");
  assert.equal(told, 0);
  await ask(server);
  assert.equal(told, 1);
  await server.shutdown();
});

test("a worker that could not be started is not signalled", async (context) => {
  const { kill } = process;
  const signalled: number[] = [];
  process.kill = (pid) => {
    signalled.push(pid);
    return true;
  };
  context.after(() => process.kill = kill);
  for (const way of ["stop", "shutdown"] as const) {
    const options = { workers: 1, command: ["/no/such/program"], onEvent: () => {} };
    const supervisor = new Supervisor(dummy(), options);
    void supervisor[way]();
    await supervisor.finished;
  }
  assert.deepEqual(signalled, []);
});

test("a process that no supervisor has started is not a worker", () => {
  assert.equal(workerNumber(), undefined);
  assert.throws(() => workerRun(() => ""), {
    message: "This process was not started by a supervisor",
  });
});

for (
  const [options, error] of [
    [{ workers: -1 }, RangeError],
    [{ workers: 1.5 }, RangeError],
    [{ workers: "many" }, TypeError],
    [{ drainTimeout: NaN }, RangeError],
    [{ workers: null }, TypeError],
    [{ command: [] }, TypeError],
    [{ command: "sleep 60" }, TypeError],
    [{ onEvent: "log" }, TypeError],
    [{ handleSignals: "no" }, TypeError],
    [{ maxRequest: 5 }, TypeError],
  ] as const
) {
  test(`a supervisor refuses ${JSON.stringify(options)}`, () => {
    const harmless = { command: ["false"], handleSignals: false, onEvent: () => {} };
    assert.throws(() => new Supervisor(dummy(), { ...harmless, ...options as object }), error);
  });
}

test("one call supervises in the first process and serves in those that it starts", async () => {
  const options = { port: 0, workers: { workers: 2 } };
  await using child = runFile("worker_run.ts", JSON.stringify(options));
  const { addr, pid } = JSON.parse(await child.line());
  assert.equal(await child.line(), "A process can have only one group of workers");
  assert.equal(await child.line(), 'Option workers must be a number or "auto", not "x"');
  const { worker, pid: other } = JSON.parse((await ask(addr)).text);
  assert.ok(worker === 1 || worker === 2);
  assert.notEqual(other, pid);
  child.signal("SIGTERM");
  assert.equal(await child.line(), "finished");
  const { status, err } = await child.ended();
  assert.equal(status, 0);
  assert.match(err, /^bjoern: worker 1 \(process \d+\) was started$/m);
});

test("the supervisor checks the options that the workers would refuse", () => {
  const errors: [app: unknown, options: unknown, error: unknown][] = [
    [undefined, {}, TypeError],
    [() => "", { maxBodySize: -1 }, RangeError],
    [() => "", { host: "fd:999" }, { name: "ListenError" }],
    [() => "", { port: 0, workers: -1 }, RangeError],
    [() => "", { port: 0, workers: { port: 80, command: ["false"] } }, {
      message: "There is no option workers.port",
    }],
    [() => "", { port: 0, workers: "x" }, {
      message: /workers must be a number or "auto", not "x"/,
    }],
  ];
  for (const [app, options, error] of errors) {
    const given = { workers: 1, ...options as Options };
    assert.throws(() => runWorkers(app as App<Addr>, given), error as Error);
  }
});

/** Programs, their output and their status. Their workers run them again. */
const programs: [name: string, text: string, out: string, status: number][] = [
  [
    "an onListen that throws leaves no workers behind",
    `try {
      run(() => "", { port: 0, workers: 1, onListen: () => { throw new Error("no"); } });
    } catch ({ message }) {
      console.log(message);
    }`,
    "no",
    0,
  ],
  [
    "the signal option stops workers too",
    `const controller = new AbortController();
    const server = run(() => "", { port: 0, workers: 1, signal: controller.signal });
    if (workerNumber() === undefined) {
      await server.ready;
      controller.abort();
      await server.finished;
      console.log("over");
    }`,
    "over",
    1,
  ],
  [
    "the signal option has no effect in a worker",
    `const controller = new AbortController();
    const server = run(() => String(process.pid), {
      port: 0,
      workers: 1,
      signal: controller.signal,
    });
    if (workerNumber() !== undefined) {
      controller.abort();
    } else {
      await server.ready;
      const [pid] = server.pids;
      console.log(await (await fetch(server.url)).text() === String(pid));
      await server.shutdown();
    }`,
    "true",
    0,
  ],
  [
    "an onEvent that throws is an uncaught error, and reloads go on",
    `process.on("uncaughtException", ({ message }) => console.log(message));
    const types = [];
    const onEvent = ({ type }) => {
      if (types.push(type) && type === "reloading") throw new Error("no space left");
    };
    const server = run(() => "", { port: 0, workers: { workers: 1, onEvent } });
    if (workerNumber() === undefined) {
      await server.ready;
      console.log(await server.reload());
      console.log(await server.reload());
      await server.shutdown();
    }`,
    "no space left\ntrue\nno space left\ntrue",
    0,
  ],
  [
    "handleSignals: false counts with workers too",
    `const server = run(() => "", { port: 0, workers: 1, handleSignals: false });
    if (workerNumber() === undefined) {
      console.log(process.listenerCount("SIGTERM"));
      await server.ready;
      await server.shutdown();
    }`,
    "0",
    0,
  ],
  [
    "workers: undefined means no workers",
    `const server = run(() => "", { port: 0, workers: undefined });
    console.log(server.constructor.name);
    server.stop();`,
    "Server",
    0,
  ],
  [
    "a reload takes the place of workers that hang while they start",
    `if (workerNumber() !== undefined && process.env.MENDED === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    const server = run(() => "", { port: 0, workers: 1 });
    if (workerNumber() === undefined) {
      process.env.MENDED = "1";
      console.log(await server.reload(), await server.ready);
      await server.shutdown();
    }`,
    "true true",
    0,
  ],
  [
    "shutdown() has a time, for requests that never end",
    `const server = run(() => new Promise(() => {}), {
      port: 0,
      workers: { workers: 1, onEvent: () => {} },
      drainTimeout: 0,
    });
    if (workerNumber() === undefined) {
      await server.ready;
      const asked = fetch(server.url).then(() => "answered", () => "cut");
      while ((await server.metrics()).get(1).requests_in_flight === 0);
      try {
        server.shutdown({ timeout: -1 });
      } catch (error) {
        console.log(error.name);
      }
      await server.shutdown({ timeout: 1 });
      console.log(await asked);
    }`,
    "TypeError\ncut",
    0,
  ],
  [
    "the first timeout of shutdown() counts, and the longest is no short one",
    `const slow = () => new Promise((resolve) => setTimeout(() => resolve("done"), 300));
    const server = run(slow, { port: 0, workers: { workers: 1, onEvent: () => {} } });
    if (workerNumber() === undefined) {
      await server.ready;
      const asked = fetch(server.url, { headers: { connection: "close" } }).then((it) => it.text());
      while ((await server.metrics()).get(1).requests_in_flight === 0);
      server.shutdown({ timeout: 2 ** 31 - 1 });
      server.shutdown();
      await server.finished;
      console.log(await asked, server.status);
    }`,
    "done 0",
    0,
  ],
  [
    "a supervisor has no app to reload",
    `const server = run(() => "", { port: 0, workers: { workers: 1, onEvent: () => {} } });
    if (workerNumber() === undefined) {
      await server.ready;
      try {
        server.reload(() => "new");
      } catch (error) {
        console.log(String(error));
      }
      await server.shutdown();
    }`,
    "TypeError: Workers load their app themselves: reload() takes none",
    0,
  ],
  [
    "a reload that a shutdown interrupts is not reported",
    `const types = [];
    const onEvent = ({ type }) => void types.push(type);
    const server = run(() => "", { port: 0, workers: { workers: 1, onEvent } });
    if (workerNumber() === undefined) {
      await server.ready;
      const reloading = server.reload();
      await new Promise((resolve) => setTimeout(resolve));
      await server.shutdown();
      console.log(await reloading, types.includes("reloading"), types.includes("kept"));
    }`,
    "false true false",
    0,
  ],
  [
    "a worker starts no workers by its own command",
    `const depth = Number(process.env.DEPTH ?? 0);
    console.log(depth);
    if (depth === 3) process.exit(1); // were it so, this would have no end
    process.env.DEPTH = depth + 1;
    const options = { workers: 1, onEvent: () => {} };
    process.exitCode = await supervise(bindAndListen("127.0.0.1", 0), options);`,
    "0\n1",
    1,
  ],
];
for (const [name, text, out, status] of programs) {
  test(name, async () => {
    const head = `import process from "node:process";
      import { bindAndListen, run, supervise, workerNumber } from "${MOD}";`;
    const path = join(folder({ "program.ts": `${head}\n${text}` }), "program.ts");
    await using child = runFile(path);
    const exit = await child.ended();
    assert.deepEqual([exit.out.trimEnd(), exit.status], [out, status], exit.err);
  });
}
