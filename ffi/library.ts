/**
 * Finds and loads the C library, once per process or Worker.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import process from "node:process";
import { native } from "./native.ts";
import { type Library, serverSymbols, type Tools, toolSymbols } from "./symbols.ts";

/** The `BJ_ABI` of `csrc/bjoern.h` that this code is written for. */
export const ABI = 3;

/**
 * The C library cannot be found or is not the one that belongs to this version.
 *
 * @example
 * ```ts
 * import { LibraryError } from "@x/bjoern";
 *
 * new LibraryError("no library") instanceof Error; // true
 * ```
 */
export class LibraryError extends Error {
  /** Always `"LibraryError"`. */
  override readonly name = "LibraryError";
}

function candidates(): string[] {
  const chosen = native.env("BJOERN_LIBRARY");
  if (chosen) {
    return [chosen];
  }
  const file = process.platform === "darwin" ? "libbjoern.dylib" : "libbjoern.so";
  return [fileURLToPath(new URL(`../zig-out/lib/${file}`, import.meta.url))];
}

function open(path: string): Library {
  const library = native.open(path, serverSymbols);
  const abi = library.bj_abi();
  if (abi !== ABI) {
    throw new LibraryError(`${path} has ABI ${abi}, this version needs ${ABI}: build it again`);
  }
  return library;
}

/** Where it was found. */
interface Found {
  path: string;
  library: Library;
}

function find(): Found {
  const failures: string[] = [];
  for (const path of candidates()) {
    try {
      return { path, library: open(path) };
    } catch (error) {
      if (error instanceof LibraryError) {
        throw error;
      }
      failures.push(`  ${path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new LibraryError(
    `Cannot load the bjoern library. Tried:\n${failures.join("\n")}\n` +
      "Build it with `zig build`, or name it in BJOERN_LIBRARY.",
  );
}

let found: Found | undefined;
let opened: Tools | undefined;

/** What every server needs of the library; throws a {@linkcode LibraryError}. */
export function library(): Library {
  return (found ??= find()).library;
}

/** The rest of it; throws a {@linkcode LibraryError}. */
export function tools(): Tools {
  return opened ??= native.open((found ??= find()).path, toolSymbols);
}
