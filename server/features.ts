/**
 * Version and features of this build.
 *
 * @module
 */
import { ABI, tools } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import { Backend } from "./records.ts";
import manifest from "../deno.json" with { type: "json" };

/** The package's version. */
export const version: string = manifest.version;

/** The result of {@linkcode features}. */
export interface Features {
  /** The current runtime. */
  readonly runtime: "bun" | "deno";
  /**
   * The default backend, which `LIBEV_FLAGS` can choose; `undefined` if that names none available
   * here.
   */
  readonly backend: "epoll" | "kqueue" | "poll" | "select" | undefined;
  /** All available values of the option `backend`. */
  readonly backends: readonly ("epoll" | "kqueue" | "poll" | "select")[];
  /** libev's version, such as `"4.33"`. */
  readonly libev: string;
  /** The version of the interface between TypeScript and C. */
  readonly abi: number;
  /** Whether files are sent with `sendfile(2)`. */
  readonly sendfile: boolean;
  /** Whether `reusePort` spreads connections over processes (Linux only). */
  readonly reusePort: boolean;
  /** Whether abstract Unix sockets are supported (Linux only). */
  readonly abstractSockets: boolean;
  /** Always true: statsd is an option, not a build setting. */
  readonly statsd: boolean;
}

type Name = Features["backends"][number];

/**
 * The features of this build.
 *
 * @throws {LibraryError} If the C library cannot be loaded.
 *
 * @example
 * ```ts
 * import { features } from "@x/bjoern";
 *
 * console.log(features().backend); // epoll, or kqueue on macOS
 * ```
 */
export function features(): Features {
  const { bj_backend, bj_libev_version } = tools();
  const names = Object.keys(Backend).filter((name) => name !== "auto") as Name[];
  const number = bj_libev_version();
  const isLinux = process.platform === "linux";
  return {
    runtime: native.name,
    backend: names.find((name) => Backend[name] === bj_backend(Backend.auto)),
    backends: names.filter((name) => bj_backend(Backend[name]) !== 0),
    libev: `${number >>> 16}.${number & 0xffff}`,
    abi: ABI,
    sendfile: true,
    reusePort: isLinux,
    abstractSockets: isLinux,
    statsd: true,
  };
}
