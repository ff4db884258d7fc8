// `npm run soak -- 30`: half an hour of everything clients do, on both runtimes at once. Each
// answer is compared octet for octet with what its request should get. Now and then the clients
// rest: then nothing of theirs may be left, and the memory in use is sampled after a collection.
// Fails if an answer is wrong, if a connection, request or descriptor is left, or if memory grows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Crowd } from "./clients.ts";
import { exitOnSignals, runtimes, Served, SOAKED } from "./process.ts";
import type { Sample } from "./served.ts";
import { type Trend, trendOf } from "./trend.ts";

exitOnSignals();

const CLIENTS = 6;
const PAUSE = 150; // milliseconds at most: about a tenth of a processor for each side
const WARM_UP = 1 / 3; // of the time, for caches, compiled code, a heap's first shape
const LEAST_WARM_UP = 3; // minutes
const NOTED = 60; // samples in all
const GROWTH = .01; // share of memory, beyond the margin of error
const MIB = 1 << 20;

/** Makes the C library return freed memory at once, whichever thread freed it. */
const TIDY = ["MALLOC_ARENA_MAX=1", "MALLOC_TRIM_THRESHOLD_=131072"];

type Noted = Sample & { minutes: number };

/** A server and its clients. */
class Soak {
  readonly name: string;
  readonly notes: Noted[] = [];
  readonly faults: string[] = [];
  readonly #server: Served<Sample>;
  #crowd: Crowd | undefined;

  constructor(name: string, command: string[], folder: string) {
    this.name = name;
    this.#server = new Served(["nice", "-n", "19", "env", ...TIDY, ...command], SOAKED, folder);
  }

  async begin(): Promise<void> {
    this.#crowd = new Crowd({ port: await this.#server.port() });
    this.note(0, await this.#server.sample());
  }

  note(minutes: number, sample: Sample): void {
    this.notes.push({ ...sample, minutes });
    const { descriptors, answers } = sample;
    const memory = (sample.memory / MIB).toFixed(1).padStart(7);
    console.log(
      `${minutes.toFixed(1).padStart(6)} min  ${this.name.padEnd(5)}${memory} MiB` +
        `${String(descriptors).padStart(5)} descriptors${String(answers).padStart(9)} answers`,
    );
  }

  /** Lets the clients run for a while, then checks what they have left. */
  async run(milliseconds: number, since: number): Promise<void> {
    const crowd = this.#crowd!;
    crowd.begin(CLIENTS, PAUSE);
    await sleep(milliseconds);
    await crowd.rest();
    const sample = await this.#server.quiet();
    const { connections, requests } = sample;
    if (connections + requests > 0) {
      this.faults.push(`${connections} connections and ${requests} requests are left`);
    }
    this.faults.push(...crowd.failures.splice(0).map(({ message }) => message));
    this.note((performance.now() - since) / 60_000, sample);
  }

  /** Reports whether the run has passed. */
  judge(): boolean {
    const whole = this.notes.at(-1)!;
    const cold = Math.max(LEAST_WARM_UP, whole.minutes * WARM_UP);
    const warm = this.notes.filter((note) => note === whole || note.minutes > cold);
    const trend = trendOf(warm.map(({ minutes, memory }) => ({ x: minutes, y: memory })));
    const minutes = whole.minutes - warm[0].minutes;
    const grown = (trend.slope - trend.margin) * minutes;
    const lost = Math.min(...warm.map(({ descriptors }) => descriptors)) -
      this.notes[Math.min(1, this.notes.length - 1)].descriptors;
    const facts = [
      ...this.faults,
      ...(grown > warm[0].memory * GROWTH ? [`Memory grows: ${(grown / MIB).toFixed(1)} MiB`] : []),
      ...(lost > 0 ? [`${lost} descriptors are left`] : []),
    ];
    const answers = whole.answers - warm[0].answers;
    console.log(
      `\n${this.name}: ${whole.answers} answers in ${whole.minutes.toFixed(1)} min, ` +
        `${this.#crowd!.exchanges} of them compared`,
    );
    console.log(`  ${inWords(trend, minutes, answers)}`);
    facts.slice(0, 20).forEach((fact) => console.log(`  ${fact}`));
    console.log(`${facts.length === 0 ? "ok" : "not ok"} - ${this.name}`);
    return facts.length === 0;
  }

  async end(): Promise<void> {
    await this.#server.end();
  }
}

function inWords({ slope, margin }: Trend, minutes: number, answers: number): string {
  if (margin === Infinity) {
    return "too short to tell whether memory grows";
  }
  const [of, by] = [slope, margin].map((it) => (it * minutes / MIB).toFixed(2));
  const most = Math.max(0, (slope + margin) * minutes / answers);
  return `memory after warm-up: ${of} ± ${by} MiB in ${minutes.toFixed(1)} min (95 %), ` +
    `so at most ${most.toFixed(1)} bytes for an answer`;
}

async function main(minutes: number): Promise<number> {
  if (!(minutes > 0)) {
    console.error("npm run soak -- MINUTES");
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), "bjoern-soak-"));
  const soaks = Object.entries(runtimes).map((entry) => new Soak(...entry, folder));
  const since = performance.now(), end = since + minutes * 60_000;
  const each = Math.min(60_000, Math.max(2_000, minutes * 60_000 / NOTED));
  try {
    await Promise.all(soaks.map(async (soak) => {
      await soak.begin();
      while (performance.now() < end) {
        await soak.run(Math.min(each, end - performance.now()), since);
      }
    }));
    const well = soaks.map((soak) => soak.judge()).filter((it) => it).length;
    console.log(`${well} passed, ${soaks.length - well} failed`);
    return well === soaks.length ? 0 : 1;
  } finally {
    await Promise.all(soaks.map((soak) => soak.end()));
    rmSync(folder, { recursive: true });
  }
}

process.exit(await main(Number(process.argv[2] ?? 10)));
