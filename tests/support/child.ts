// Processes of the runtime that the test runs in.
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { within } from "./client.ts";

/** What a program imports: `import { run } from "${MOD}";`. */
export const MOD: string = new URL("../../mod.ts", import.meta.url).href;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How a runtime is told to run a file, or with `-` what comes on standard input. */
const ARGUMENTS = process.versions.bun ? ["run"] : ["run", "-A", "--no-check", "--ext=ts"];

/** How a process ended, and what it has said. */
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

  /** The next line that it prints. */
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

  /** Waits until it has ended by itself. */
  async ended(): Promise<Exit> {
    try {
      return await within(this.exit, "the end of a process");
    } catch (error) {
      throw new Error(`${error}: ${this.#out}${this.#err}`);
    }
  }

  /** Sends it a signal. Not by its own `kill()`: Deno then takes the signal for its end. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGUSR2"): void {
    process.kill(this.pid, name);
  }

  /** Closes the reading end of its standard output. */
  deafen(): void {
    this.#process.stdout!.destroy();
  }

  /** Ends it. */
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

/** Runs the text of a program, in Deno with all permissions or these; what it prints goes to `out`. */
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

/** Why what is about permissions cannot be tested here; `false` where it can. */
export const NO_PERMISSIONS: string | false = process.versions.bun
  ? "this runtime has no permissions"
  : false;

/** Runs a file beside this one with these permissions, where there are any. */
export function runFileWith(
  permissions: readonly string[],
  env: Record<string, string> | undefined,
  name: string,
  ...args: string[]
): Child {
  const own = ["--deny-sys", ...permissions]; // Deno's child_process makes all of none
  const how = ARGUMENTS.flatMap((argument) => argument === "-A" ? own : [argument]);
  const path = fileURLToPath(new URL(name, import.meta.url));
  return new Child(start(path, args, { HOST: "", PORT: "", ...env }, how));
}

/** Runs a file beside this one. */
export function runFile(name: string, ...args: string[]): Child {
  return runFileIn({}, name, ...args);
}

/** The same with more in its environment. */
export function runFileIn(env: Record<string, string>, name: string, ...args: string[]): Child {
  const child = start(fileURLToPath(new URL(name, import.meta.url)), args, env);
  child.stdin!.end();
  return new Child(child);
}
