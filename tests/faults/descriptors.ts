// A real server that runs out of descriptors: `bun tests/faults/descriptors.ts deno run -A
// --no-check`. Connected clients go on, new ones wait, waiting costs next to nothing, and all are
// served once there is room.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const NEWCOMERS = 40;
const ROOM = 4; // descriptors left for clients, and for gaps between those in use
const SETTLED = 1000; // milliseconds for what a runtime opens late: Deno panics if it cannot
const STUCK = 1500; // milliseconds over which processor time is measured
const MOST_LOAD = 0.2; // share of one processor
const PATIENCE = 5000;

class Client {
  answers = 0;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1", () => this.ask());
    this.socket.on("error", () => {});
    this.socket.on("data", (data) => this.answers += String(data).split("HTTP/1.1 200").length - 1);
  }

  ask(): void {
    this.socket.write(REQUEST);
  }
}

async function until(condition: () => boolean): Promise<boolean> {
  const end = Date.now() + PATIENCE;
  while (!condition() && Date.now() < end) await sleep(20);
  return condition();
}

/** Processor time so far, in seconds. */
function load(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")
    .slice(11, 13).map(Number);
  return (user + system) / 100;
}

function limit(pid: number, most: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${most}:`]);
}

function highest(pid: number): number {
  return Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number));
}

let failed = 0;

function check(well: boolean, fact: string, detail: string): void {
  console.log(`${well ? "ok" : "not ok"} - ${fact} (${detail})`);
  if (!well) failed++;
}

async function start(command: string[]): Promise<{ child: ChildProcess; port: number }> {
  const file = join(import.meta.dirname!, "served.ts");
  const child = spawn(command[0], [...command.slice(1), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout!, "data");
  return { child, port: Number(new URL(String(line).trim()).port) };
}

async function starve(pid: number, port: number): Promise<void> {
  const before = [1, 2, 3].map(() => new Client(port));
  check(await until(() => before.every((c) => c.answers === 1)), "a server answers", "3 clients");

  await sleep(SETTLED);
  limit(pid, highest(pid) + 1 + ROOM);
  const after = Array.from({ length: NEWCOMERS }, () => new Client(port));
  const waiting = () => after.filter((c) => c.answers === 0).length;
  await sleep(300);
  const start = load(pid);
  await sleep(STUCK);
  const used = (load(pid) - start) / (STUCK / 1000);
  check(used < MOST_LOAD, "waiting for descriptors does not spin", `${(used * 100).toFixed(0)}%`);
  check(waiting() > 0, "without descriptors newcomers wait", `${waiting()} of ${NEWCOMERS}`);

  for (const c of before) c.ask();
  check(await until(() => before.every((c) => c.answers === 2)), "clients go on", "3 clients");

  limit(pid, 1024);
  check(await until(() => waiting() === 0), "newcomers are served later", `${NEWCOMERS} clients`);
  for (const c of [...before, ...after]) c.socket.destroy();
}

const { child, port } = await start(process.argv.slice(2));
await starve(child.pid!, port);
child.kill("SIGKILL");
process.exit(failed > 0 ? 1 : 0);
