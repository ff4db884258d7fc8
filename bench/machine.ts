// Where a run took place, and with what.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { bun, deno, nodeProgram } from "./contestants.ts";
import type { Cores } from "./cores.ts";
import { wrkVersion } from "./wrk.ts";

/** What figures depend on. */
export interface Machine {
  processor: string;
  cores: number;
  memory: string;
  kernel: string;
  /** Cores of the server and of the load generator. */
  pinned: Cores;
  /** By program. */
  versions: Record<string, string>;
  /** The commit, and whether anything was changed since. */
  commit: string;
}

const root = join(import.meta.dirname!, "..");

function output(command: string, ...args: string[]): string {
  const { stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return stdout?.trim() ?? "";
}

/** What package.json pins a package at. */
function packageVersion(name: string): string {
  const path = join(root, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** Looks around. */
export function machine(pinned: Cores): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    pinned,
    versions: {
      Bun: output(bun, "--version"),
      Deno: /\S+$/.exec(output(deno(), "--version").split(" (")[0])?.[0] ?? "",
      Node: output(nodeProgram(), "--version").slice(1),
      Hono: packageVersion("hono"),
      Zig: output("zig", "version"),
      wrk: wrkVersion(),
    },
    commit: output("git", "describe", "--always", "--dirty") || "unknown",
  };
}
