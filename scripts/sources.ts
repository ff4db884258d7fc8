// Fetches the third-party sources into third_party/, each pinned by its sha256: from their authors,
// or else from the Debian mirror that apt is configured with. Sources already there are kept.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { debianMirrors } from "./mirrors.ts";

/** A file, or the folder `inside` a tarball. */
export interface Download {
  url: string;
  sha256: string;
  inside?: string;
}

export interface Source {
  name: string;
  /** From the authors. */
  upstream: Download[];
  /** The same from Debian; addresses are relative to a mirror's. */
  debian: Download[];
}

const root = join(import.meta.dirname!, "..");
const picohttpparser =
  "https://raw.githubusercontent.com/h2o/picohttpparser/f8d0513f1a7a111f2597d643b073935a8afaf9e5/";

const sources: Source[] = [
  {
    name: "libev",
    upstream: [{
      url: "http://dist.schmorp.de/libev/Attic/libev-4.33.tar.gz",
      sha256: "507eb7b8d1015fbec5b935f34ebed15bf346bed04a11ab82b8eee848c4205aea",
      inside: "libev-4.33",
    }],
    debian: [{
      url: "pool/main/libe/libev/libev_4.33.orig.tar.gz",
      sha256: "507eb7b8d1015fbec5b935f34ebed15bf346bed04a11ab82b8eee848c4205aea",
      inside: "libev-4.33",
    }],
  },
  {
    name: "picohttpparser",
    upstream: [{
      url: picohttpparser + "picohttpparser.c",
      sha256: "38d61775ebbb3cfb1e6842d0293308ca8c77ab96705b9e3f31b45597e861df25",
    }, {
      url: picohttpparser + "picohttpparser.h",
      sha256: "9630a0215f776d30445bc02eeec48cd4d83b7f3c22e2c37b19c1ab5e498aaf50",
    }],
    // Debian has no such package, but feersum's has an unchanged copy of the two files.
    debian: [{
      url: "pool/main/f/feersum/feersum_1.505.orig.tar.gz",
      sha256: "7c5b61c70e242e90dbba61e80767169bd4f2352049df906267200a5a1e54828b",
      inside: "Feersum-1.505/picohttpparser-git",
    }],
  },
];

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The sum of each file that is compiled; build.zig checks the same ones. */
function pins(source: Source): { file: string; sum: string }[] {
  const lines = readFileSync(join(import.meta.dirname!, "sources.sha256"), "utf8").split("\n");
  const prefix = `third_party/${source.name}/`;
  return lines.map((line) => line.split("  "))
    .filter(([, path]) => path?.startsWith(prefix))
    .map(([sum, path]) => ({ sum, file: path.slice(prefix.length) }));
}

function isIntact(source: Source, folder: string): boolean {
  return pins(source).every(({ file, sum }) => {
    const path = join(folder, file);
    return existsSync(path) && sha256(readFileSync(path)) === sum;
  });
}

async function download({ url, sha256: expected }: Download, seconds: number): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(seconds * 1000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const data = new Uint8Array(await response.arrayBuffer());
  const got = sha256(data);
  if (got !== expected) throw new Error(`its sha256 is ${got}`);
  return data;
}

function unpack(tarball: Uint8Array, inside: string, folder: string): void {
  const depth = inside.split("/").length;
  const { status, stderr, error } = spawnSync(
    "tar",
    ["-xzf", "-", "-C", folder, `--strip-components=${depth}`, inside],
    { input: tarball, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`tar: ${error?.message ?? stderr.trim()}`);
}

/** Fills a new folder, and moves it into place once it is complete and correct. */
async function install(source: Source, origin: Download[], seconds: number, folder: string) {
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const item of origin) {
      const data = await download(item, seconds).catch((reason) => {
        throw new Error(`${item.url}: ${reason.message}; expected sha256 ${item.sha256}`);
      });
      if (item.inside) unpack(data, item.inside, unfinished);
      else writeFileSync(join(unfinished, basename(item.url)), data);
    }
    if (!isIntact(source, unfinished)) throw new Error(`its files differ from sources.sha256`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Puts the source into `parent` unless it is there. Returns whether it did; throws on failure. */
async function bring(source: Source, parent: string, mirrors: string[]): Promise<boolean> {
  const folder = join(parent, source.name);
  if (isIntact(source, folder)) return false;
  const fromMirror = (mirror: string) =>
    source.debian.map((item) => ({ ...item, url: mirror + item.url }));
  // Finding out that the authors cannot be reached must not take long.
  const origins = [
    { items: source.upstream, seconds: 10 },
    ...mirrors.map((mirror) => ({ items: fromMirror(mirror), seconds: 60 })),
  ];
  const faults: string[] = [];
  for (const { items, seconds } of origins) {
    try {
      await install(source, items, seconds, folder);
      return true;
    } catch (fault) {
      faults.push((fault as Error).message);
    }
  }
  if (mirrors.length === 0) {
    const [{ url, sha256 }] = source.debian;
    faults.push(`a Debian mirror, ${url}: apt is set to none here; expected sha256 ${sha256}`);
  }
  throw new Error([`Cannot get ${source.name}:`, ...faults].join("\n  "));
}

async function main(): Promise<number> {
  const parent = join(root, "third_party");
  const mirrors = debianMirrors();
  const results = await Promise.allSettled(sources.map((it) => bring(it, parent, mirrors)));
  results.forEach((result, i) => {
    if (result.status === "rejected") console.error(result.reason.message);
    else if (result.value) console.log(`third_party/${sources[i].name}: fetched`);
  });
  return results.some(({ status }) => status === "rejected") ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
