// The processor time of another process. /proc/PID/stat counts it in ticks of 10 ms, too coarse for
// a nearly idle server. The kernel's clock of a process is in ns and covers the same: user and
// system time of all threads, ended ones included.
import { dlopen } from "bun:ffi";

const symbols = {
  clock_getcpuclockid: { args: ["i32", "buffer"], returns: "i32" },
  clock_gettime: { args: ["i32", "buffer"], returns: "i32" },
} as const;

/** Opens glibc or musl. */
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
