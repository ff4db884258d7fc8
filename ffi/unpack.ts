/**
 * Gives bytes a path for as long as it takes to load them as a library. Nothing that existed before
 * is used and nothing is left behind, so nobody can substitute something else.
 *
 * @module
 */
import { native } from "./native.ts";
import type { Table } from "./symbols.ts";

/** Calls `use` with the path of the bytes, which is gone when it returns. */
export type Unpack = <T>(octets: Uint8Array, use: (path: string) => T) => T;

/** The functions for a file in memory; musl also resolves this name. */
const LIBC = "libc.so.6";
const libc = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u64"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Table;

const MFD_CLOEXEC = 0x1;
/** Loading needs no execute permission; with vm.memfd_noexec=2 only such files are allowed. */
const MFD_NOEXEC_SEAL = 0x8;

/** An {@linkcode Unpack} that writes nothing to disk (Linux). */
export function inMemory<T>(octets: Uint8Array, use: (path: string) => T): T {
  const { memfd_create, write, close } = native.open(LIBC, libc);
  const name = new TextEncoder().encode("libbjoern\0");
  const sealed = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  const fd = sealed >= 0 ? sealed : memfd_create(name, MFD_CLOEXEC); // before Linux 6.3
  if (fd < 0) {
    throw new Error("memfd_create() is refused");
  }
  try {
    if (write(fd, octets, BigInt(octets.length)) !== octets.length) {
      throw new Error("write() to memory failed");
    }
    return use(`/proc/self/fd/${fd}`);
  } finally {
    close(fd);
  }
}

/** An {@linkcode Unpack} to a file in a new folder, both accessible to this user only. */
export function inFile<T>(octets: Uint8Array, use: (path: string) => T): T {
  const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule("node:fs");
  const { tmpdir } = process.getBuiltinModule("node:os");
  const { join } = process.getBuiltinModule("node:path");
  const folder = mkdtempSync(join(tmpdir(), "bjoern-"));
  try {
    const path = join(folder, "libbjoern");
    writeFileSync(path, octets, { mode: 0o600, flag: "wx" });
    return use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
