// Workers that are terminated while they serve: nobody else notices, and nothing is left of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runFile } from "./support/child.ts";
import { ask, type Connection, open, type Target, until, within } from "./support/client.ts";
import { Pressure } from "./support/pressure.ts";

const CLIENTS = 8;
const LOOKS = 60; // checks, until the thread's descriptors are closed
const ENOUGH = 200; // answers before something happens

async function busy(pressure: Pressure): Promise<void> {
  const before = pressure.answers;
  await until(() => pressure.answers >= before + ENOUGH, "traffic");
}

async function refused(target: Target): Promise<void> {
  let isRefused = false;
  await until(() => {
    open(target).then((connection) => connection.close(), () => isRefused = true);
    return isRefused;
  }, "the port to be free");
}

/** Incomplete requests. */
const begun: Record<string, string> = {
  "a head": "GET /now/x HTTP/1.1\r\nHo",
  "a body": "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhalf",
  "an answer": "POST /through/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
  "a handler": "GET /never/x HTTP/1.1\r\nHost: a\r\n\r\n",
  "nothing": "",
};

async function beginAll(target: Target): Promise<Connection[]> {
  const all = [...Object.values(begun), ...Object.values(begun)];
  return await Promise.all(all.map(async (what) => (await open(target)).write(what)));
}

/** Answers that are correct as far as they go. */
function assertCut({ faults }: Pressure): void {
  const messages = faults.map((error) => (error as Error).message);
  assert.deepEqual(messages.filter((message) => !/is cut|without an answer/.test(message)), []);
}

test("a Worker that is terminated takes its own clients along, and no others", async () => {
  const rounds = ["parked", "busy", "busy", "busy"];
  await using child = runFile("worker_host.ts");
  const host = { port: Number(await child.line()) };
  const others = new Pressure(host, CLIENTS);
  const tell = async (target: string) => (await ask(host, { target })).text;
  /** The number of open descriptors once the thread has ended. */
  const settled = async () => {
    let least = Infinity;
    for (let i = 0; i < LOOKS; i++) {
      least = Math.min(least, Number(await tell("/descriptors")));
    }
    return least;
  };
  let isLeaking = true;
  let before = -1;
  for (const how of rounds) {
    const worker = { port: Number(await tell("/start")) };
    const connections = await beginAll(worker);
    const clients = new Pressure(worker, how === "busy" ? CLIENTS : 0);
    await (how === "busy" ? busy(clients) : busy(others));
    await tell("/terminate");
    await within(Promise.all(connections.map(({ closed }) => closed)), "the end of its clients");
    await clients.over();
    assertCut(clients);
    connections.forEach((connection) => connection.close());
    await refused(worker);
    await busy(others);
    const now = await settled();
    // A runtime may open some for itself, but not every time.
    isLeaking &&= now > before;
    before = now;
  }
  assert.ok(!isLeaking, `${before} descriptors are open`);
  await others.stop();
  assert.deepEqual(others.faults, []);
  await tell("/end");
  const { status, signal, err } = await child.ended();
  assert.deepEqual([status, signal, err], [0, null, ""]);
});

test("a process that exits while its Workers serve ends with its status", async () => {
  await using child = runFile("worker_host.ts");
  const host = { port: Number(await child.line()) };
  const loads: Pressure[] = [];
  for (let i = 0; i < 2; i++) {
    const worker = { port: Number((await ask(host, { target: "/start" })).text) };
    loads.push(new Pressure(worker, CLIENTS));
  }
  await Promise.all(loads.map(busy));
  await assert.rejects(ask(host, { target: "/exit" }));
  const { status, signal, err } = await child.ended();
  assert.deepEqual([status, signal, err], [7, null, ""]);
  for (const load of loads) {
    await load.over();
    assertCut(load);
  }
});
