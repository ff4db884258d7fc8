/**
 * The library of each platform as a module, for where there is no file to load: in a program compiled
 * into one file, and on JSR, which has only modules. `npm run dist` makes them.
 *
 * @module
 */
import type { Platform } from "./platform.ts";

/** A library as text. */
export interface Embedded {
  /** Its octets. */
  readonly base64: string;
  /** Their sum, in hexadecimal. */
  readonly sha256: string;
}

/** Literals, so that bundlers and JSR see them; only the one that is asked for is evaluated. */
const modules: Record<Platform, () => Promise<Embedded>> = {
  "linux-x64": () => import("./embedded/linux-x64.ts"),
  "linux-arm64": () => import("./embedded/linux-arm64.ts"),
  "linux-x64-musl": () => import("./embedded/linux-x64-musl.ts"),
  "linux-arm64-musl": () => import("./embedded/linux-arm64-musl.ts"),
  "darwin-x64": () => import("./embedded/darwin-x64.ts"),
  "darwin-arm64": () => import("./embedded/darwin-arm64.ts"),
};

/** The library's octets. Throws an Error when they are not there or not the ones that were built. */
export async function embedded(platform: Platform): Promise<Uint8Array> {
  const { base64, sha256 } = await modules[platform]();
  const octets = Uint8Array.fromBase64(base64);
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", octets)).toHex();
  if (sum !== sha256) {
    throw new Error(`its SHA-256 sum is ${sum}, expected ${sha256}`);
  }
  return octets;
}
