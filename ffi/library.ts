/**
 * Finds and loads the C library, once per process or Worker.
 *
 * Everything asynchronous happens when this module is loaded: `run()` awaits nothing.
 *
 * @module
 */
import { native } from "./native.ts";
import { fileOf, type Platform, platformOf, platforms } from "./platform.ts";
import {
  type Library,
  type More,
  moreSymbols,
  serverSymbols,
  type Tools,
  toolSymbols,
} from "./symbols.ts";
import { inFile, inMemory, type Unpack } from "./unpack.ts";

/** The `BJ_ABI` of `csrc/bjoern.h` that this code is written for. */
export const ABI = 6;

/**
 * The C library cannot be found or does not belong to this version.
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

/** The library's functions. */
interface Loaded {
  readonly library: Library;
  readonly more: () => More;
  readonly tools: () => Tools;
}

/** Where the library may be. */
interface Place {
  /** Its name in errors. */
  readonly name: string;
  /** Throws an error that says why it is missing. */
  load(): Loaded;
}

function checkAbi(name: string, library: { bj_abi(): number }): void {
  const abi = library.bj_abi();
  if (abi !== ABI) {
    throw new LibraryError(`${name} has ABI ${abi}, this version needs ${ABI}`);
  }
}

/** Another version may lack functions: its ABI is then a better message than a function's name. */
function open(path: string): Library {
  try {
    return native.open(path, serverSymbols);
  } catch (error) {
    const { bj_abi } = serverSymbols;
    checkAbi(path, native.open(path, { bj_abi }));
    throw error;
  }
}

/** A file is reopened for functions not needed at once. */
function file(path: string): Place {
  let more: More | undefined;
  let tools: Tools | undefined;
  return {
    name: path,
    load: () => ({
      library: open(path),
      more: () => more ??= native.open(path, moreSymbols),
      tools: () => tools ??= native.open(path, toolSymbols),
    }),
  };
}

const everything = { ...serverSymbols, ...moreSymbols, ...toolSymbols };

/** An unpacked library has a path only while it is opened. */
function unpacked(name: string, octets: Uint8Array, unpack: Unpack): Place {
  const load = () => {
    const all = unpack(octets, (path) => native.open(path, everything));
    return { library: all, more: () => all, tools: () => all };
  };
  return { name, load };
}

const platform = platformOf(native.os, native.arch, native.usesMusl());

/** The file in the npm package; in a checkout, the one built by `zig build`. */
function packaged(): string | undefined {
  const { url } = import.meta;
  const folder = url.endsWith(".ts") ? "../zig-out/lib" : `../lib/${platform}`;
  const place = new URL(`${folder}/${fileOf(native.os)}`, url);
  return place.protocol === "file:" ? decodeURIComponent(place.pathname) : undefined;
}

/** The library from a module: in memory, as /tmp may be mounted noexec. */
async function embeddedPlaces(platform: Platform): Promise<Place[]> {
  const name = `embedded ${platform}`;
  try {
    const { embedded } = await import("./embedded.ts"); // not needed by most programs
    const octets = await embedded(platform);
    const onDisk = unpacked(`${name}, in a temporary file`, octets, inFile);
    return native.os === "linux"
      ? [unpacked(`${name}, in memory`, octets, inMemory), onDisk]
      : [onDisk];
  } catch (error) {
    const load = () => {
      throw error;
    };
    return [{ name, load }];
  }
}

/** Where to look, in this order. */
async function findPlaces(): Promise<Place[]> {
  if (platform === undefined) {
    return [];
  }
  const path = packaged();
  if (path === undefined) {
    return await embeddedPlaces(platform);
  }
  return native.sees(path) ? [file(path)] : [file(path), ...await embeddedPlaces(platform)];
}

const places = await findPlaces();

function load(place: Place): Loaded {
  const loaded = place.load();
  checkAbi(place.name, loaded.library);
  return loaded;
}

/** Why there is nothing to try. */
function unsupported(): string {
  const { os, arch } = native;
  return os === "win32"
    ? "There is no bjoern library for Windows. Run the program in WSL, where Linux's is used."
    : `There is no bjoern library for ${os}-${arch}, only for ${platforms.join(", ")}. ` +
      "Build it with `zig build`, and name it in BJOERN_LIBRARY.";
}

/** A hint for a library that cannot be loaded. */
function advice(errors: unknown[]): string {
  return errors.some((error) => error instanceof Error && error.name === "NotCapable")
    ? "Run the program with --allow-ffi."
    : "Build it with `zig build`, or name it in BJOERN_LIBRARY.";
}

function find(): Loaded {
  const chosen = native.env("BJOERN_LIBRARY");
  const errors: unknown[] = [];
  const failures: string[] = [];
  for (const place of chosen ? [file(chosen)] : places) {
    try {
      return load(place);
    } catch (error) {
      if (error instanceof LibraryError) {
        throw error;
      }
      errors.push(error);
      failures.push(`  ${place.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new LibraryError(
    failures.length === 0
      ? unsupported()
      : `Cannot load the bjoern library. Tried:\n${failures.join("\n")}\n` +
        advice(errors),
  );
}

let loaded: Loaded | undefined;

/** Functions needed before a server's first response; throws a {@linkcode LibraryError}. */
export function library(): Library {
  return (loaded ??= find()).library;
}

/** Functions needed after it; throws a {@linkcode LibraryError}. */
export function more(): More {
  return (loaded ??= find()).more();
}

/** Functions needed by some programs; throws a {@linkcode LibraryError}. */
export function tools(): Tools {
  return (loaded ??= find()).tools();
}
