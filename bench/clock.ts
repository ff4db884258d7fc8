// The processor time of another process. /proc/PID/stat has it in ticks of 10 ms, too coarse for a
// server that is nearly idle; the kernel's clock of a process is the same sum, of user and system
// time over all threads, also those that have ended, in ns.
import { dlopen } from "bun:ffi";

const symbols = {
  clock_getcpuclockid: { args: ["i32", "buffer"], returns: "i32" },
  clock_gettime: { args: ["i32", "buffer"], returns: "i32" },
} as const;

/** glibc's, or musl's. */
function open() {
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch {
    return dlopen("libc.so", symbols).symbols;
  }
}

let library: ReturnType<typeof open> | undefined;

/** Processor time of a process so far, in µs. Throws when there is no such process. */
export function cpuTime(pid: number): number {
  const { clock_getcpuclockid, clock_gettime } = library ??= open();
  const id = new Int32Array(1);
  const time = new BigInt64Array(2);
  if (clock_getcpuclockid(pid, id) !== 0 || clock_gettime(id[0], time) !== 0) {
    throw new Error("The server has ended");
  }
  return Number(time[0]) * 1e6 + Number(time[1]) / 1e3;
}
