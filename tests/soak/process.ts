import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const QUIET = 5_000; // milliseconds for what clients leave behind to go
const FAREWELL = 5_000; // milliseconds for a server to exit by itself

const V8 = ["--expose-gc", "--max-semi-space-size=1", "--single-threaded-gc"];

/**
 * How a runtime runs a file with its collector exposed. V8 keeps the memory of collected garbage
 * for reuse and lets several threads share it: 100 MiB that would mean nothing.
 */
export const runtimes: Record<string, string[]> = {
  bun: ["bun", "--expose-gc", "run"],
  deno: ["deno", "run", "-A", "--no-check", `--v8-flags=${V8.join()}`],
};

function kill(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has just exited.
  }
}

/** Makes a program exit on signals in a way that also ends its servers. */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => process.exit(1));
  }
}

/** The server under test. */
export const SOAKED: string = join(import.meta.dirname!, "served.ts");

/** What a server still holds of its clients. */
export interface Held {
  connections: number;
  requests: number;
}

/**
 * A server process that ends with this one, whatever happens. It prints its port, then a sample for
 * each line it reads, and exits at the end of its input.
 */
export class Served<Sample extends Held = Held> {
  /** How it has exited, if it has. */
  ending: string | undefined;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<unknown>;
  readonly #kill = () => this.#child.pid && this.ending === undefined && kill(this.#child.pid);

  /** `command` is a runtime and its arguments. */
  constructor(command: string[], file: string, ...more: string[]) {
    const [program, ...args] = [...command, file, ...more];
    // In a group of its own, to kill the server along with a program that runs it.
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

  /** A sample of its state. */
  async sample(): Promise<Sample> {
    const line = this.#line();
    this.#child.stdin!.write("\n");
    return JSON.parse(await line) ?? Promise.reject(new Error(this.ending));
  }

  /** A sample once its clients have left, and should have left nothing. */
  async quiet(): Promise<Sample> {
    const until = performance.now() + QUIET;
    let sample = await this.sample();
    while (sample.connections + sample.requests > 0 && performance.now() < until) {
      await sleep(50);
      sample = await this.sample();
    }
    return sample;
  }

  /** Waits until it has exited, and returns whether it did so by itself. */
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
