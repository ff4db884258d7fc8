/**
 * What the server needs from its runtime: loading the library, being woken through a descriptor,
 * environment variables, hints about scheduling. `bun.ts` and `deno.ts` are the two
 * implementations; nothing else depends on a runtime.
 *
 * @module
 */
import { bun } from "./bun.ts";
import { deno } from "./deno.ts";
import type { Functions, Table } from "./symbols.ts";

/** Watches a descriptor until closed. */
export interface Watch {
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process exit. */
  unref(): void;
  /** Closes the descriptor. */
  close(): void;
}

/** Bytes as returned by Fetch. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The runtime. */
export interface Native {
  /** The runtime's name. */
  readonly name: "bun" | "deno";
  /** The system, by Node's name: `"linux"`, `"darwin"`. */
  readonly os: string;
  /** The processor, by Node's name: `"x64"`, `"arm64"`. */
  readonly arch: string;
  /**
   * Whether I/O of the runtime waits while immediates are pending (Deno polls it once per 61 ticks
   * of its loop), so that a busy server must give way to it.
   */
  readonly starves: boolean;
  /** Content codings that `fetch()` decodes, without removing the corresponding fields. */
  readonly decodes: readonly string[];
  /** Whether a `Response` made from a string has no Content-Type until the runtime sends it. */
  readonly hidesTextType: boolean;
  /**
   * Whether creating a `Response` with fields at once prepares it for the runtime's own server,
   * which costs more than everything else. Fields set later do not cause that.
   */
  readonly preparesResponses: boolean;
  /** Whether this process uses musl rather than the system's usual C library. */
  usesMusl(): boolean;
  /** Whether there is a file at `path`; false if the process may not check. */
  sees(path: string): boolean;
  /** Opens functions of the library at `path`; throws what the runtime throws. */
  open<T extends Table>(path: string, table: T): Functions<T>;
  /**
   * Calls `action` in about `ms` milliseconds, and keeps the process alive until then. Only present
   * if `watch()` must load something that takes longer than the rest of the start (Deno:
   * `node:net`, 16 ms): this can be used before that.
   */
  after?(ms: number, action: () => void): void;
  /** Calls `wake` whenever bytes arrive on the socket `fd`, of which it takes ownership. */
  watch(fd: number, wake: () => void): Watch;
  /** Calls `action` when the process exits, unless the returned function is called before. */
  atExit(action: () => void): () => void;
  /** Fields shared by many responses, in the form that is cheapest to use. */
  shared(fields: Record<string, string>): HeadersInit;
  /** The fields of `headers`, in any order; repeated names as several values or as a list. */
  fieldsOf(headers: Headers): Iterable<[name: string, value: string | string[]]>;
  /**
   * The copy of the bytes that a response was made from, whose body is then used: at once if the
   * runtime has it at hand, in which case only clones of the response share it.
   */
  bytesOf(response: Response): Bytes | Promise<Bytes>;
  /** Throws the runtime's error if the process may not read the file at `path`. */
  checkRead(path: string): void;
  /** Sets the runtime's own list of arguments, if it has one besides `process.argv`. */
  showArguments(args: readonly string[]): void;
  /** An environment variable, or `undefined` if it is not set or may not be read. */
  env(name: string): string | undefined;
}

/** The current runtime. */
export const native: Native = "Bun" in globalThis ? bun() : deno();
