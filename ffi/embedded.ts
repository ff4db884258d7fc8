/**
 * The library of each platform as a module, for use without a file: in a program compiled
 * into one file, and on JSR, which has only modules. `npm run dist` makes them.
 *
 * @module
 */
import type { Platform } from "./platform.ts";

/** A library as base64. */
export interface Embedded {
  /** Its bytes. */
  readonly base64: string;
  /** Their SHA-256 sum in hexadecimal. */
  readonly sha256: string;
}

/** Literals, so that bundlers and JSR see them; only the one needed is evaluated. */
const modules: Record<Platform, () => Promise<Embedded>> = {
  "linux-x64": () => import("./embedded/linux-x64.ts"),
  "linux-arm64": () => import("./embedded/linux-arm64.ts"),
  "linux-x64-musl": () => import("./embedded/linux-x64-musl.ts"),
  "linux-arm64-musl": () => import("./embedded/linux-arm64-musl.ts"),
  "darwin-x64": () => import("./embedded/darwin-x64.ts"),
  "darwin-arm64": () => import("./embedded/darwin-arm64.ts"),
};

/** The library's bytes. Throws an Error if they are missing or not the ones built. */
export async function embedded(platform: Platform): Promise<Uint8Array> {
  const { base64, sha256 } = await modules[platform]();
  const octets = Uint8Array.fromBase64(base64);
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", octets)).toHex();
  if (sum !== sha256) {
    throw new Error(`its SHA-256 sum is ${sum}, expected ${sha256}`);
  }
  return octets;
}
