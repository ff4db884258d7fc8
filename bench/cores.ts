// Pins the server and the load generator to a processor core each.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/** The core of each side; empty when there are fewer than two cores or no `taskset`. */
export interface Cores {
  server?: number;
  load?: number;
}

/** The cores that this process may use: `0-3,8` means five. */
function allowed(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const hasTaskset = () => spawnSync("taskset", ["--version"]).status === 0;

/** Picks the cores, and moves this process, which is a client too, to the load generator's core. */
export function takeCores(): Cores {
  const [server, load] = allowed();
  if (load === undefined || !hasTaskset()) {
    return {};
  }
  spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", `${load}`, `${process.pid}`]);
  return { server, load };
}

/** A command that runs on the given core. */
export function pinned(core: number | undefined, command: string[]): string[] {
  return core === undefined ? command : ["taskset", "--cpu-list", `${core}`, ...command];
}
