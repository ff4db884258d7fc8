// The machine and the versions a run was measured with.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { bun, deno, nodeProgram } from "./contestants.ts";
import type { Cores } from "./cores.ts";
import { wrkVersion } from "./wrk.ts";

/** Everything besides the plan that the figures depend on. */
export interface Machine {
  processor: string;
  cores: number;
  memory: string;
  kernel: string;
  /** The cores of the server and of the load generator. */
  pinned: Cores;
  /** By program. */
  versions: Record<string, string>;
  /** The commit, marked if the working tree had changes. */
  commit: string;
}

const root = join(import.meta.dirname!, "..");

function output(command: string, ...args: string[]): string {
  const { stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return stdout?.trim() ?? "";
}

/** The version of a package that package.json pins. */
function packageVersion(name: string): string {
  const path = join(root, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** Describes this machine. */
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
