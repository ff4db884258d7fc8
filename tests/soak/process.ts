import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const QUIET = 5_000; // milliseconds for what clients have left behind
const FAREWELL = 5_000; // milliseconds for a server to end by itself

const V8 = ["--expose-gc", "--max-semi-space-size=1", "--single-threaded-gc"];

/**
 * How a runtime is told to run a file, with a collector that can be called. V8 keeps the memory of
 * garbage for the next and lets several threads share it: a hundred MiB that say nothing.
 */
export const runtimes: Record<string, string[]> = {
  bun: ["bun", "--expose-gc", "run"],
  deno: ["deno", "run", "-A", "--no-check", `--v8-flags=${V8.join()}`],
};

function kill(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** Has a program end by signals in the way that ends its servers, too. */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => process.exit(1));
  }
}

/** What is soaked. */
export const SOAKED: string = join(import.meta.dirname!, "served.ts");

/** What a server holds of its clients. */
export interface Held {
  connections: number;
  requests: number;
}

/**
 * A process that serves, and ends with this one, whatever happens. It prints its port, for each line
 * that it reads how it stands, and ends with its input.
 */
export class Served<Sample extends Held = Held> {
  /** How it has ended, if it has. */
  ending: string | undefined;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<unknown>;
  readonly #kill = () => this.#child.pid && this.ending === undefined && kill(this.#child.pid);

  /** `command` is a runtime and what it is run by. */
  constructor(command: string[], file: string, ...more: string[]) {
    const [program, ...args] = [...command, file, ...more];
    // A group of its own, for a server that is run by another program.
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], detached: true });
    process.on("exit", this.#kill);
    this.#lines = createInterface(this.#child.stdout!);
    this.#ended = once(this.#child, "exit");
    this.#child.on("exit", (status, signal) => {
      this.ending = `It has ended by ${signal ?? `status ${status}`}`;
      this.#lines.emit("line", "null");
    });
  }

  async #line(): Promise<string> {
    const [line] = await once(this.#lines, "line");
    return line;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async port(): Promise<number> {
    return Number(await this.#line());
  }

  /** How it stands. */
  async sample(): Promise<Sample> {
    const line = this.#line();
    this.#child.stdin!.write("\n");
    return JSON.parse(await line) ?? Promise.reject(new Error(this.ending));
  }

  /** How it stands when its clients have left: nothing of them may stay. */
  async quiet(): Promise<Sample> {
    const until = performance.now() + QUIET;
    let sample = await this.sample();
    while (sample.connections + sample.requests > 0 && performance.now() < until) {
      await sleep(50);
      sample = await this.sample();
    }
    return sample;
  }

  /** Comes back when it has ended, and tells whether it did by itself. */
  async end(): Promise<boolean> {
    this.#child.stdin!.end();
    let byItself = true;
    const timer = setTimeout(() => {
      byItself = false;
      this.#kill();
    }, FAREWELL);
    await this.#ended;
    clearTimeout(timer);
    process.off("exit", this.#kill);
    return byItself;
  }
}
