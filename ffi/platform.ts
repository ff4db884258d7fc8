/**
 * Which of the libraries belongs to this process.
 *
 * @module
 */

/** The platforms that there is a library for, named as `build.zig` does. */
export const platforms = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
] as const;

/** A platform that there is a library for. */
export type Platform = typeof platforms[number];

/** The platform of `os` and `arch` in Node's words, `undefined` where there is no library for it. */
export function platformOf(os: string, arch: string, isMusl: boolean): Platform | undefined {
  const name = `${os}-${arch}${isMusl ? "-musl" : ""}`;
  return platforms.find((platform) => platform === name);
}

/** What the library's file is called. */
export function fileOf(os: string): string {
  return os === "darwin" ? "libbjoern.dylib" : "libbjoern.so";
}
