// What Linux reports about a process in /proc; for processor time see clock.ts.
import { readdirSync, readFileSync } from "node:fs";

function field(path: string, name: string): number {
  const line = readFileSync(path, "utf8").split("\n").find((line) => line.startsWith(`${name}:`));
  return Number.parseInt(line?.slice(name.length + 1) ?? "0");
}

/** Resident memory of a process in MiB. */
export const resident = (pid: number): number => field(`/proc/${pid}/status`, "VmRSS") / 1024;

/** Voluntary context switches of all threads of a process: about one for each time it was woken. */
export function wakeUps(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.map((id) => field(`/proc/${pid}/task/${id}/status`, "voluntary_ctxt_switches"))
    .reduce((sum, count) => sum + count, 0);
}
