import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { cpuTime } from "./clock.ts";
import { resident, wakeUps } from "./procfs.ts";

/** Long enough for a slow start on a busy machine. */
const PATIENCE = 15_000;

/** As in production: without NODE_ENV Bun.serve is slower and chatty. */
const env = { ...process.env, NODE_ENV: "production", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/** Running processes, so that none outlives the suite. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A contestant's process. */
export class Program {
  /** Where it listens. */
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts a program and waits for its first line, which is the port. */
  static async start([command, ...args]: string[]): Promise<Program> {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
    running.add(child);
    child.once("exit", () => running.delete(child));
    try {
      return new Program(child, await firstLine(child));
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  get #pid(): number {
    return this.#child.pid!;
  }

  /** Processor time so far, in µs. */
  get cpu(): number {
    return cpuTime(this.#pid);
  }

  /** Resident memory in MiB. */
  get memory(): number {
    return resident(this.#pid);
  }

  /** How often it has been woken so far. */
  get wakeUps(): number {
    return wakeUps(this.#pid);
  }

  /** Kills it: what it would do on exit does not matter here. */
  async stop(): Promise<void> {
    if (running.has(this.#child)) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
  }
}

function firstLine(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = "";
    let errors = "";
    const fail = (why: string) => reject(new Error(`${why} ${errors.trim().slice(-500)}`.trim()));
    const timer = setTimeout(() => fail("It did not start in time."), PATIENCE);
    child.stderr!.setEncoding("utf8").on(
      "data",
      (text: string) => errors = (errors + text).slice(-4096),
    );
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("\n")) {
        clearTimeout(timer);
        resolve(Number.parseInt(output));
      }
    });
    child.once("error", ({ message }) => fail(message));
    child.once("close", () => {
      clearTimeout(timer);
      fail("It ended before it listened.");
    });
  });
}
