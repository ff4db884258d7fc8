import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";

export interface Ended {
  /** Whether it exited by itself, with status 0. */
  well: boolean;
  /** All output. */
  output: string;
}

const bin = join(import.meta.dirname!, "../node_modules/.bin");
const env = { ...process.env, NO_COLOR: "1", PATH: `${bin}${delimiter}${process.env.PATH}` };

/**
 * Runs a command until it ends or its time is up, then kills every process it started: no server
 * may outlive its test.
 */
export function run(command: string[], minutes = 10): Promise<Ended> {
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // in a process group, to be killed as a whole
    env,
  });
  let output = "";
  const collect = (text: string) => output += text;
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);

  const endAll = () => {
    try {
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    } catch {
      // All have ended.
    }
  };
  const timer = setTimeout(() => {
    collect(`\nended after ${minutes} minutes\n`);
    endAll();
  }, minutes * 60_000);
  process.once("exit", endAll);

  return new Promise((resolve) => {
    let status: number | null = null;
    child.on("error", (reason) => collect(`${command[0]}: ${reason.message}\n`));
    child.on("exit", (code) => {
      status = code;
      endAll();
    });
    child.on("close", () => {
      clearTimeout(timer);
      process.off("exit", endAll);
      resolve({ well: status === 0, output });
    });
  });
}
