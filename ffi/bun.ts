/**
 * Bun's implementation of `native.ts`. Without `node:fs`, which takes 2 ms to load.
 *
 * @module
 */
import { later } from "./later.ts";
import type { Bytes, Native, Watch } from "./native.ts";
import type { Functions, Table } from "./symbols.ts";

interface Socket {
  ref(): void;
  unref(): void;
  end(): void;
}

interface Bun {
  peek<T>(promise: Promise<T>): T | Promise<T>;
  file(path: string): { readonly size: number };
  connect(options: { fd: number; socket: { data(): void } }): Promise<Socket>;
}

interface Ffi {
  dlopen(path: string, table: Record<string, unknown>): { symbols: unknown };
}

const NativeResponse = globalThis.Response;

// The only place where Bun's API is cast to the part used here.
const { Bun: runtime } = globalThis as unknown as { Bun: Bun };

function open<T extends Table>(path: string, table: T): Functions<T> {
  const own = Object.fromEntries(
    Object.entries(table).map((
      [name, { parameters, result }],
    ) => [name, { args: parameters, returns: result }]),
  );
  const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as Ffi;
  return dlopen(path, own).symbols as Functions<T>;
}

function sees(path: string): boolean {
  return runtime.file(path).size > 0;
}

/** musl may be installed next to glibc: what counts is which one this process uses. */
function usesMusl(): boolean {
  const loader = `/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  return sees(loader) && !isGlibc();
}

/** musl also resolves the library's name, but lacks this function. */
function isGlibc(): boolean {
  try {
    open("libc.so.6", { gnu_get_libc_version: { parameters: [], result: "pointer" } });
    return true;
  } catch {
    return false;
  }
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

/** Bun's method that returns all fields at once. */
function fieldsOf(headers: Headers): [name: string, value: string | string[]][] {
  return Object.entries((headers as unknown as { toJSON(): Record<string, string> }).toJSON());
}

/** Bun reads available data before returning. */
function bytesOf(response: Response): Bytes | Promise<Bytes> {
  const reading = NativeResponse.prototype.bytes.call(response);
  const bytes = runtime.peek(reading);
  return bytes instanceof Uint8Array ? bytes : reading;
}

/** Bun. */
export function bun(): Native {
  return {
    name: "bun",
    os: process.platform,
    arch: process.arch,
    starves: false,
    hidesTextType: true,
    preparesResponses: false,
    decodes: ["gzip", "deflate", "br", "zstd"],
    usesMusl,
    sees,
    open,
    watch: (fd, wake) => later(connect(fd, wake)),
    atExit,
    shared: (fields) => new Headers(fields),
    fieldsOf,
    bytesOf,
    checkRead: () => {},
    showArguments: () => {}, // Bun.argv is process.argv itself
    env: (name) => process.env[name],
  };
}
