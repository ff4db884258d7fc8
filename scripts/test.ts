// `npm test`: everything. `npm test -- wire`: the tests whose file name has "wire" in it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checks } from "./check.ts";
import { countLines, countSummary } from "./count.ts";
import { files } from "./files.ts";
import { hasFuzzer } from "./fuzz.ts";
import { onRuntimes } from "./runtimes.ts";
import { runStages, type Stage } from "./stage.ts";

const setUp: Stage[] = [
  { name: "sources", command: ["bun", "scripts/sources.ts"], isSetUp: true },
  { name: "zig build", command: ["zig", "build"], isSetUp: true },
];

const onLinux = process.platform === "linux";

/** Zig has no address sanitizer: without a C compiler some stages are skipped, but never in CI. */
const hasCompiler = Boolean(process.env.CI) || spawnSync("cc", ["--version"]).status === 0;
if (!hasCompiler) console.log("There is no cc here: the C tests run under Zig's sanitizer only.");

function inC(part: string): Stage[] {
  if (files("tests/c", "_test.c", part).length === 0) return [];
  const command = ["zig", "build", "test", `-Dfilter=${part}`];
  const sanitized = ["bun", "scripts/sanitized.ts", part], count = countSummary;
  const stages: Stage[] = [{ name: "zig build test", command, count: countLines }];
  if (hasCompiler) stages.push({ name: "C tests, sanitized", command: sanitized, count });
  if (onLinux && hasCompiler) {
    stages.push({ name: "C tests, as on macOS", command: [...sanitized, "--macos"], count });
  }
  return stages;
}

/** The stages that need another compiler, and take longer. */
function hard(): Stage[] {
  if (!hasCompiler) return [];
  const isFuzzed = Boolean(process.env.CI) || hasFuzzer();
  if (!isFuzzed) console.log("There is no clang with libFuzzer here: only the corpus is played.");
  const how = isFuzzed ? ["--seconds", "20", "--seed", "1"] : ["--replay"];
  const stages = [{ name: "fuzz", command: ["bun", "scripts/fuzz.ts", ...how] }];
  if (onLinux) {
    stages.push(
      { name: "faults", command: ["bun", "scripts/faults.ts"] },
      { name: "wire, sanitized", command: ["bun", "scripts/preloaded.ts"] },
    );
  }
  if (onLinux && process.arch === "x64") {
    stages.push({ name: "servers, as shipped", command: ["bun", "scripts/cross.ts", "hello"] });
  }
  return stages.map((stage) => ({ ...stage, count: countSummary }));
}

async function main(part = ""): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "bjoern-test-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const tests = [...inC(part), ...onRuntimes(files("tests", "_test.ts", part), folder)];
  if (tests.length === 0) {
    console.error(`No test file has "${part}" in its name.`);
    return 1;
  }
  return await runStages([...setUp, ...tests, ...(part ? [] : [...hard(), ...checks])]);
}

process.exit(await main(process.argv[2]));
