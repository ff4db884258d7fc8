/**
 * Bun's side of `native.ts`.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { later } from "./later.ts";
import type { Native, Watch } from "./native.ts";
import type { Functions, Table } from "./symbols.ts";

interface Socket {
  ref(): void;
  unref(): void;
  end(): void;
}

interface Bun {
  connect(options: { fd: number; socket: { data(): void } }): Promise<Socket>;
}

interface Ffi {
  dlopen(path: string, table: Record<string, unknown>): { symbols: unknown };
}

// The one place where Bun's own names are cast to what is used of them.
const { Bun: runtime } = globalThis as unknown as { Bun: Bun };
const { dlopen } = await import("bun:ffi") as unknown as Ffi;

function open<T extends Table>(path: string, table: T): Functions<T> {
  const own = Object.fromEntries(
    Object.entries(table).map((
      [name, { parameters, result }],
    ) => [name, { args: parameters, returns: result }]),
  );
  return dlopen(path, own).symbols as Functions<T>;
}

/** The loader may be installed beside glibc: what counts is what is mapped. */
function usesMusl(): boolean {
  const loader = `/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  return existsSync(loader) && readFileSync("/proc/self/maps", "utf8").includes("/ld-musl-");
}

async function connect(fd: number, wake: () => void): Promise<Watch> {
  const socket = await runtime.connect({ fd, socket: { data: wake } });
  return {
    ref: () => socket.ref(),
    unref: () => socket.unref(),
    close: () => socket.end(),
  };
}

function atExit(action: () => void): () => void {
  process.on("exit", action);
  return () => process.off("exit", action);
}

/** Bun's own way to all fields at once. */
function fieldsOf(headers: Headers): [name: string, value: string | string[]][] {
  return Object.entries((headers as unknown as { toJSON(): Record<string, string> }).toJSON());
}

/** Bun. */
export const bun: Native = {
  name: "bun",
  os: process.platform,
  arch: process.arch,
  starves: false,
  loadsWatch: false,
  hidesTextType: true,
  decodes: ["gzip", "deflate", "br", "zstd"],
  usesMusl,
  sees: existsSync,
  open,
  watch: (fd, wake) => later(connect(fd, wake)),
  atExit,
  fieldsOf,
  checkRead: () => {},
  showArguments: () => {}, // Bun.argv is process.argv itself
  env: (name) => process.env[name],
};
