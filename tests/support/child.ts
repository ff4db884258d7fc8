// Child processes on the runtime that the test runs on.
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "./client.ts";

/** The URL that test programs import from: `import { run } from "${MOD}";`. */
export const MOD: string = new URL("../../mod.ts", import.meta.url).href;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The runtime's arguments before a file to run, or `-` for standard input. */
const ARGUMENTS = process.versions.bun ? ["run"] : ["run", "-A", "--no-check", "--ext=ts"];

/** How a process ended, and its output. */
export interface Exit {
  status: number | null;
  signal: string | null;
  out: string;
  err: string;
}

/** A running program. */
export class Child implements AsyncDisposable {
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess;
  #out = "";
  #err = "";
  #read = 0;
  #hasEnded = false;
  #wake = () => {};

  constructor(child: ChildProcess) {
    this.#process = child;
    child.stdout?.on("data", (data) => {
      this.#out += data;
      this.#wake();
    });
    child.stderr!.on("data", (data) => this.#err += data);
    this.exit = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, signal) => {
        this.#hasEnded = true;
        this.#wake();
        resolve({ status, signal, out: this.#out, err: this.#err });
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The next line of its output. */
  async line(): Promise<string> {
    let end = this.#out.indexOf("\n", this.#read);
    while (end < 0) {
      if (this.#hasEnded) {
        throw new Error(`It ended without a line: ${this.#out}${this.#err}`);
      }
      await within(new Promise<void>((resolve) => this.#wake = resolve), "a line of a process");
      end = this.#out.indexOf("\n", this.#read);
    }
    const line = this.#out.slice(this.#read, end);
    this.#read = end + 1;
    return line;
  }

  /** Waits until it exits on its own. */
  async ended(): Promise<Exit> {
    try {
      return await within(this.exit, "the end of a process");
    } catch (error) {
      throw new Error(`${error}: ${this.#out}${this.#err}`);
    }
  }

  /** Sends a signal, but not by its own `kill()`, after which Deno takes the process for ended. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGUSR2"): void {
    process.kill(this.pid, name);
  }

  /** Closes the reading end of its standard output. */
  deafen(): void {
    this.#process.stdout!.destroy();
  }

  /** Kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) {
      this.#process.kill("SIGKILL");
      await this.exit;
    }
  }
}

function start(
  file: string,
  args: string[],
  env: Record<string, string>,
  how = ARGUMENTS,
  out: "pipe" | number = "pipe",
): ChildProcess {
  return spawn(process.execPath, [...how, file, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["pipe", out, "pipe"],
  });
}

/** Runs a program given as text, in Deno with these permissions; it prints to `out`. */
export function runText(
  text: string,
  env: Record<string, string> = {},
  permissions = ["-A"],
  out: "pipe" | number = "pipe",
): Child {
  const how = ARGUMENTS.flatMap((argument) => argument === "-A" ? permissions : [argument]);
  const child = start("-", [], env, how, out);
  child.stdin!.on("error", () => {});
  child.stdin!.end(text);
  return new Child(child);
}

/** Why permissions cannot be tested here; `false` if they can. */
export const NO_PERMISSIONS: string | false = process.versions.bun
  ? "this runtime has no permissions"
  : false;

/** Runs a file of this folder with these permissions, if the runtime has any. */
export function runFileWith(
  permissions: readonly string[],
  env: Record<string, string> | undefined,
  name: string,
  ...args: string[]
): Child {
  const own = ["--deny-sys", ...permissions]; // given none, child_process in Deno grants all
  const how = ARGUMENTS.flatMap((argument) => argument === "-A" ? own : [argument]);
  const path = fileURLToPath(new URL(name, import.meta.url));
  return new Child(start(path, args, { HOST: "", PORT: "", ...env }, how));
}

/** Runs a file of this folder. */
export function runFile(name: string, ...args: string[]): Child {
  return runFileIn({}, name, ...args);
}

/** The same with additional environment variables. */
export function runFileIn(env: Record<string, string>, name: string, ...args: string[]): Child {
  const child = start(fileURLToPath(new URL(name, import.meta.url)), args, env);
  child.stdin!.end();
  return new Child(child);
}
