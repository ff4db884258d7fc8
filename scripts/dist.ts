// `npm run dist`, after Zig has built the libraries: checks them, and makes the files that packages
// have besides the sources. ffi/embedded/ and THIRD_PARTY_LICENSES go into both packages, dist/
// into npm's.
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import manifest from "../deno.json" with { type: "json" };
import { fileOf, type Platform, platforms } from "../ffi/platform.ts";
import { moreSymbols, serverSymbols, toolSymbols } from "../ffi/symbols.ts";
import { readBinary } from "./binary.ts";
import { filesBelow } from "./files.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname!, "..");
const dist = join(root, "dist");

/** In bytes. On arm64 each of the four segments of a macOS library is padded to 16 KiB. */
const largest = (platform: Platform) => (platform === "darwin-arm64" ? 128 : 100) * 1024;

/** What every supported system of the platform has, by version. */
const lowest = {
  gnu: { needs: ["libc.so.6", "libpthread.so.0"], version: "GLIBC_2.17" },
  musl: { needs: ["libc.so"], version: "" },
  darwin: { needs: ["/usr/lib/libSystem.B.dylib"], version: "11.0" },
};

const systemOf = (platform: Platform) => platform.split("-")[0];

function read(platform: Platform): Buffer {
  return readFileSync(join(root, "zig-out/dist", platform, fileOf(systemOf(platform))));
}

function sha256(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}

/** The reasons not to ship a library. */
function faultsOf(platform: Platform, octets: Buffer): string[] {
  const [system, , libc = "gnu"] = platform.split("-");
  const { needs, version } = lowest[system === "darwin" ? "darwin" : libc as "gnu" | "musl"];
  const found = readBinary(octets);
  const isNewer = (a: string) => a.localeCompare(version, "en", { numeric: true }) > 0;
  const functions = Object.keys({ ...serverSymbols, ...moreSymbols, ...toolSymbols }).sort().join();
  return [
    ...found.faults,
    ...found.needs.filter((name) => !needs.includes(name)).map((name) => `it needs ${name}`),
    ...found.versions.filter(isNewer).map((name) => `it needs ${name}`),
    ...found.ballast.map((name) => `it is not stripped of ${name}`),
    ...found.exports.sort().join() === functions ? [] : [`it exports ${found.exports}`],
    ...octets.length > largest(platform) ? [`it is too large: ${octets.length} bytes`] : [],
  ].map((fault) => `${platform}: ${fault}`);
}

/** What `ffi/embedded.ts` loads. */
function embed(platform: Platform, octets: Buffer): void {
  const text = `// The library for ${platform}: \`npm run dist\` makes this file.
export const sha256: string = "${sha256(octets)}";
export const base64: string = "${octets.toString("base64")}";
`;
  writeFileSync(join(root, "ffi/embedded", `${platform}.ts`), text);
}

/** The authors' own texts: libev has a licence file, picohttpparser a comment. */
function licenses(): string {
  const read = (path: string) => readFileSync(join(root, "third_party", path), "utf8").trim();
  const [, comment] = /^\/\*\n(.*?)\*\//s.exec(read("picohttpparser/picohttpparser.c"))!;
  const texts = {
    "libev, http://software.schmorp.de/pkg/libev.html": read("libev/LICENSE"),
    "picohttpparser, https://github.com/h2o/picohttpparser": comment.replace(/^ \* ?/gm, "").trim(),
  };
  return Object.entries(texts)
    .map(([name, text]) => `${name}\n${"=".repeat(name.length)}\n\n${text}\n`)
    .join("\n\n");
}

/** Runs the command on whichever runtime there is: to JavaScript the second line is a string. */
const SHEBANG = `#!/bin/sh
":" //; command -v bun >/dev/null && exec bun "$0" "$@"; exec deno run -A "$(readlink -f "$0")" "$@"`;

async function make(...command: string[]): Promise<void> {
  const { well, output } = await run(command);
  if (!well) throw new Error(output);
}

/** The shared modules in one file: fewer files start faster. */
const CORE = "ffi/core.js";
const SHARED = /^(server|ffi)\//;
/** What few programs need is a module of its own. It must not import the core, which awaits it. */
const RARE = /^ffi\/embedded\b/;

const isShared = (path: string) => SHARED.test(path) && !RARE.test(path) && path !== CORE;

/** Redirects a module's imports of shared modules to the one file. */
function repoint(path: string, needed: Set<string>): void {
  const file = join(dist, path);
  const text = readFileSync(file, "utf8").replace(
    /(\bfrom ")(\..+)(";)/g,
    (line, from, to, end) => {
      const target = posix.join(posix.dirname(path), to);
      if (!isShared(target)) return line;
      needed.add(target);
      const core = posix.relative(posix.dirname(path), CORE);
      return from + (core.startsWith(".") ? core : `./${core}`) + end;
    },
  );
  writeFileSync(file, text);
}

/** Bundles the shared modules into the one file, which exports what the others import. */
async function bundle(): Promise<void> {
  const paths = filesBelow(dist).filter((path) => path.endsWith(".js"));
  const needed = new Set<string>();
  paths.filter((path) => !isShared(path)).forEach((path) => repoint(path, needed));
  const reexports = [...needed].sort().map((path) => `export * from "../${path}";\n`);
  writeFileSync(join(dist, CORE), reexports.join(""));
  const rare = ["node:*", "./embedded*"].map((name) => `--external=${name}`);
  await make("bun", "build", "--target=node", "--outdir=dist/ffi", ...rare, `dist/${CORE}`);
  paths.filter(isShared).forEach((path) => rmSync(join(dist, path)));
}

/** npm's JavaScript and declarations: Deno does not strip types below node_modules. */
async function compile(): Promise<void> {
  await make("tsc", "--project", "tsconfig.dist.json");
  const { name, version } = manifest; // all that the code reads of it
  writeFileSync(join(dist, "deno.json"), `${JSON.stringify({ name, version })}\n`);
  await bundle();
  rmSync(join(dist, "deno.json"));
  const cli = readFileSync(join(dist, "cli.js"), "utf8");
  writeFileSync(join(dist, "cli.js"), cli.replace(/^#!.*/, SHEBANG));
}

async function main(): Promise<number> {
  const made = platforms.map((platform) => ({ platform, octets: read(platform) }));
  for (const { platform, octets } of made) {
    console.log(platform.padEnd(18), String(octets.length).padStart(6), sha256(octets));
  }
  const faults = made.flatMap(({ platform, octets }) => faultsOf(platform, octets));
  if (faults.length > 0) {
    console.error(faults.join("\n"));
    return 1;
  }
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(root, "ffi/embedded"), { recursive: true });
  made.forEach(({ platform, octets }) => embed(platform, octets));
  writeFileSync(join(root, "THIRD_PARTY_LICENSES"), licenses());
  await compile();
  cpSync(join(root, "zig-out/dist"), join(dist, "lib"), { recursive: true });
  return 0;
}

process.exit(await main());
