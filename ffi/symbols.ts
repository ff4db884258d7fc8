/**
 * The exported functions of `csrc/bjoern.h` in Deno's notation, which both runtimes accept. Opening
 * a function costs time (Deno: 0.2 ms), so they are opened when they are needed.
 * `tests/abi_test.ts` compares the tables with the header.
 *
 * @module
 */

/** A C type in FFI. */
export type Word = "i32" | "u32" | "u64" | "pointer" | "buffer" | "void";

/** The signature of a C function. */
export interface Prototype {
  readonly parameters: readonly Exclude<Word, "void">[];
  readonly result: Word;
}

/** A table of functions. */
export type Table = Readonly<Record<string, Prototype>>;

/** Functions needed before a server's first response. */
export const serverSymbols = {
  bj_abi: { parameters: [], result: "u32" },
  bj_server_new: {
    // options, arena, fields, events, output, commands, error
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "pointer",
  },
  bj_server_listen: {
    // server, host, port, backlog, reuse_port, mode, error
    parameters: ["pointer", "buffer", "u32", "u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  bj_server_address: { parameters: ["pointer", "buffer"], result: "u32" },
  bj_server_turn: { parameters: ["pointer"], result: "u32" },
  bj_server_flush: { parameters: ["pointer", "u32"], result: "void" },
} as const satisfies Table;

/** Functions needed after it. */
export const moreSymbols = {
  bj_server_collect: { parameters: ["pointer", "u32"], result: "void" },
  bj_server_write: { parameters: ["pointer", "u32", "u32", "buffer", "u32"], result: "u32" },
  bj_server_read: { parameters: ["pointer", "u32", "u32", "buffer", "u32"], result: "u32" },
  bj_server_wait: { parameters: ["pointer", "u32"], result: "u32" },
  bj_server_wake_fd: { parameters: ["pointer"], result: "i32" },
  bj_server_park: { parameters: ["pointer"], result: "u32" },
  bj_server_drain: { parameters: ["pointer", "u32"], result: "void" },
  bj_server_counters: { parameters: ["pointer", "buffer"], result: "void" },
  bj_server_close: { parameters: ["pointer"], result: "void" },
  bj_server_free: { parameters: ["pointer"], result: "void" },
} as const satisfies Table;

/** Functions needed by some programs. */
export const toolSymbols = {
  bj_libev_version: { parameters: [], result: "u32" },
  bj_backend: { parameters: ["u32"], result: "u32" },
  bj_listener_open: {
    // host, port, backlog, reuse_port, mode, reason, error
    parameters: ["buffer", "u32", "u32", "u32", "u32", "buffer", "buffer"],
    result: "pointer",
  },
  bj_listener_fd: { parameters: ["pointer"], result: "i32" },
  bj_listener_close: { parameters: ["pointer"], result: "void" },
  bj_address: { parameters: ["i32", "buffer"], result: "i32" },
  bj_server_adopt: { parameters: ["pointer", "i32", "buffer"], result: "i32" },
  bj_server_statsd: {
    // server, host, port, prefix, suffix, interval, error
    parameters: ["pointer", "buffer", "u32", "buffer", "buffer", "u32", "buffer"],
    result: "i32",
  },
  bj_server_proxied: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  bj_server_local: { parameters: ["pointer", "u32", "u32", "buffer"], result: "i32" },
  bj_file_open: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" },
  bj_file_adopt: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  bj_file_read: { parameters: ["i32", "buffer", "u32", "u32", "u32"], result: "i32" },
  bj_file_close: { parameters: ["i32"], result: "void" },
  bj_command_line: { parameters: ["buffer", "u32"], result: "i32" },
} as const satisfies Table;

/** A C pointer from the runtime, only passed back. */
export type Pointer = { readonly pointer: unique symbol };

/** The TypeScript type of a C type. */
interface Words {
  i32: number;
  u32: number;
  u64: bigint;
  pointer: Pointer | null;
  buffer: Uint8Array | Uint32Array | Float64Array;
  void: void;
}

type Values<P extends readonly (keyof Words)[]> = { -readonly [i in keyof P]: Words[P[i]] };

/** The functions of a table, as called from TypeScript. */
export type Functions<T extends Table> = {
  readonly [name in keyof T]: (...words: Values<T[name]["parameters"]>) => Words[T[name]["result"]];
};

/** Functions needed before a server's first response. */
export type Library = Functions<typeof serverSymbols>;

/** Functions needed after it. */
export type More = Functions<typeof moreSymbols>;

/** Functions needed by some programs. */
export type Tools = Functions<typeof toolSymbols>;
