// Tests on both runtimes, with the library under the sanitizers. LD_PRELOAD loads these first, so
// that their malloc() is used throughout. Linux only.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { none, sum } from "./count.ts";
import { files } from "./files.ts";
import { onRuntimes } from "./runtimes.ts";
import { flags, must, sources } from "./sanitizers.ts";
import { runStages, type Stage } from "./stage.ts";

const folder = "zig-out/preloaded";
const library = join(folder, "libbjoern.so");

/** Tests that serve in their own process: a sanitizer's report from another one would be lost. */
const TESTS = ["wire_", "file_", "lifecycle_", "contract_late_"];

/** Leaks alone do not fail a run: the runtimes have some. */
function preloaded(command: string[]): string[] {
  const { stdout } = spawnSync("cc", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  return [
    ...["env", `BJOERN_LIBRARY=${resolve(library)}`, `LD_PRELOAD=${stdout.trim()}`],
    ...["ASAN_OPTIONS=detect_leaks=1", "LSAN_OPTIONS=exitcode=0", ...command],
  ];
}

/** Counts our leaks: those with a file of csrc in the stack. */
function leaks(output: string): number {
  return output.split("\n\n").filter((part) => /leak of/.test(part) && /csrc\//.test(part)).length;
}

function sanitized(stage: Stage): Stage {
  return {
    ...stage,
    name: `${stage.name}, preloaded`,
    command: preloaded(stage.command),
    count: (output) => sum(stage.count?.(output) ?? none, { ...none, failed: leaks(output) }),
  };
}

async function main(part = ""): Promise<number> {
  if (process.platform !== "linux") {
    console.log("LD_PRELOAD is of Linux.");
    return 1;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (!await must(["cc", ...flags, "-shared", "-fPIC", ...sources(), "-o", library])) return 1;
  const tests = TESTS.flatMap((name) => files("tests", "_test.ts", name))
    .filter((path) => path.includes(part));
  return await runStages(onRuntimes(tests, folder).map(sanitized));
}

process.exit(await main(process.argv[2]));
