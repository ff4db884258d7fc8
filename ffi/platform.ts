/**
 * Which library this process needs.
 *
 * @module
 */

/** The supported platforms, named as in `build.zig`. */
export const platforms = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
] as const;

/** A supported platform. */
export type Platform = typeof platforms[number];

/** The platform for Node's `os` and `arch`, `undefined` if it is not supported. */
export function platformOf(os: string, arch: string, isMusl: boolean): Platform | undefined {
  const name = `${os}-${arch}${isMusl ? "-musl" : ""}`;
  return platforms.find((platform) => platform === name);
}

/** The library's file name. */
export function fileOf(os: string): string {
  return os === "darwin" ? "libbjoern.dylib" : "libbjoern.so";
}
