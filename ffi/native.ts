/**
 * What the server needs from its runtime: loading the library, being woken through a descriptor,
 * an environment variable, a word about scheduling. `bun.ts` and `deno.ts` are the two
 * implementations; nothing else names a runtime.
 *
 * @module
 */
import { bun } from "./bun.ts";
import { deno } from "./deno.ts";
import type { Functions, Table } from "./symbols.ts";

/** Keeps watching a descriptor until closed. */
export interface Watch {
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Closes the descriptor. */
  close(): void;
}

/** Bytes as Fetch gives them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The runtime. */
export interface Native {
  /** The runtime's name. */
  readonly name: "bun" | "deno";
  /** The system, in Node's words: `"linux"`, `"darwin"`. */
  readonly os: string;
  /** The processor, in Node's words: `"x64"`, `"arm64"`. */
  readonly arch: string;
  /**
   * Whether I/O of the runtime waits while immediates are pending (Deno polls it once per 61 ticks
   * of its loop), so that a busy server has to let it through.
   */
  readonly starves: boolean;
  /** Content codings that `fetch()` decodes. It leaves the fields that tell of them. */
  readonly decodes: readonly string[];
  /** Whether a `Response` made of a string has no Content-Type until the runtime sends it. */
  readonly hidesTextType: boolean;
  /**
   * Whether a `Response` that is made with fields is at once made into what the runtime's own server
   * would send, which costs more than all the rest of it. Fields that are set later do not do that.
   */
  readonly preparesResponses: boolean;
  /** Whether this very process runs on musl rather than on the system's usual C library. */
  usesMusl(): boolean;
  /** Whether there is a file at `path`; also false where the process may not look. */
  sees(path: string): boolean;
  /** Opens functions of the library at `path`; throws what the runtime throws. */
  open<T extends Table>(path: string, table: T): Functions<T>;
  /**
   * Calls `action` in about so many milliseconds, and keeps the process alive until then. Only where
   * `watch()` has to load what it needs, which takes longer than all the rest of a start (Deno:
   * `node:net`, 16 ms): this can be used before.
   */
  after?(ms: number, action: () => void): void;
  /** Calls `wake` whenever octets arrive on the socket `fd`, which it owns from now on. */
  watch(fd: number, wake: () => void): Watch;
  /** Calls `action` when the process ends, unless what is returned is called before. */
  atExit(action: () => void): () => void;
  /** Fields that many responses are made with, in the form in which that costs least. */
  shared(fields: Record<string, string>): HeadersInit;
  /** The fields of `headers`, in any order; with several of a name, several values or a list. */
  fieldsOf(headers: Headers): Iterable<[name: string, value: string | string[]]>;
  /**
   * The copy that a response of bytes has made of them, whose body is used then: at once where the
   * runtime has it at hand, and then only clones of the response have it, too.
   */
  bytesOf(response: Response): Bytes | Promise<Bytes>;
  /** Throws what the runtime throws when the process may not read the file at `path`. */
  checkRead(path: string): void;
  /** Has the runtime's own list of arguments, where it has one beside `process.argv`, be this. */
  showArguments(args: readonly string[]): void;
  /** An environment variable, or `undefined` where it is not set or may not be read. */
  env(name: string): string | undefined;
}

/** The runtime that this process runs in. */
export const native: Native = "Bun" in globalThis ? bun() : deno();
