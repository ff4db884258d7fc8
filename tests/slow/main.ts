// `npm run slow`: hundreds of slow clients against real servers, next to one well-behaved client.
// Needs slowhttptest, and Linux for its /proc. Fails if a connection outlasts its timeout, if
// anything of the attack is left, or if an answer to the good client is wrong.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { exitOnSignals, runtimes, Served } from "../soak/process.ts";
import { type Attack, attacks } from "./attacks.ts";
import { Visitor, type Visits } from "./visitor.ts";
import { Witness } from "./witness.ts";

exitOnSignals();

const CALM = 3000; // milliseconds of visits before the attack
const SLACK = 1000; // milliseconds of tolerance for a busy machine
const MIB = 1 << 20;
const SERVED = join(import.meta.dirname!, "served.ts");

/** The result of an attack. */
interface Course {
  attack: Attack;
  /** The lifetime of each connection in milliseconds. */
  lives: number[];
  before: Visits;
  during: Visits;
  /** Bytes of memory before the attack, and at most. */
  resident: number;
  peak: number;
  /** What is left of the attack in the end. */
  left: number;
}

/** Runs an attack, with the visitor sending requests before and throughout. */
async function watch(attack: Attack, served: Served): Promise<Course> {
  const port = await served.port();
  const visitor = new Visitor(port);
  const calm = performance.now() + CALM;
  const before = await visitor.visit(() => performance.now() > calm);
  const witness = new Witness(port, served.pid);
  const { resident } = witness;
  let isOver = false;
  const attacked = attack.begin(port).finally(() => isOver = true);
  const [during] = await Promise.all([visitor.visit(() => isOver), attacked])
    .finally(() => witness.stop());
  visitor.leave();
  const { connections, requests } = await served.quiet();
  const { lives, peak } = witness;
  return { attack, lives, before, during, resident, peak, left: connections + requests };
}

const columns = ["opened", "in time", "longest", "p50", "p99", "max", "p50", "p99", "max"];
const last = ["right answers", "MiB before, peak"];
const HEAD = `${" ".repeat(17)}${columns.map((it) => it.padStart(8)).join("")}  ${last.join("  ")}`;

/** Prints a line of the table, and returns whether the attack was withstood. */
function tell({ attack, lives, before, during, resident, peak, left }: Course): boolean {
  const inTime = lives.filter((life) => life <= attack.most + SLACK).length;
  const times = [before, during].flatMap(({ p50, p99, max }) => [p50, p99, max]);
  const facts = [lives.length, inTime, `${(Math.max(...lives) / 1000).toFixed(1)} s`];
  const all = [...facts, ...times.map((it) => it.toFixed(1))].map((it) => `${it}`.padStart(8));
  const answers = `${before.answers + during.answers}`.padStart(13);
  const memory = `${(resident / MIB).toFixed()}, ${(peak / MIB).toFixed()}`.padStart(16);
  console.log(`${attack.name.padEnd(17)}${all.join("")}  ${answers}  ${memory}`);
  if (left > 0) console.log(`  ${left} of its connections and requests are left`);
  return inTime === lives.length && lives.length > 0 && left === 0;
}

async function play(runtime: string, attack: Attack): Promise<boolean> {
  const served = new Served(runtimes[runtime], SERVED);
  try {
    return tell(await watch(attack, served));
  } catch (error) {
    console.log(`${attack.name}: ${(error as Error).message}`);
    return false;
  } finally {
    await served.end();
  }
}

async function main(): Promise<number> {
  if (process.platform !== "linux" || spawnSync("slowhttptest", ["-h"]).error) {
    console.log("This needs Linux and slowhttptest (apt-get install slowhttptest).");
    return 1;
  }
  let [passed, failed] = [0, 0];
  for (const runtime of Object.keys(runtimes)) {
    console.log(`${runtime.padEnd(49)}ms before, during\n${HEAD}`);
    for (const attack of attacks) {
      await play(runtime, attack) ? passed++ : failed++;
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

process.exit(await main());
