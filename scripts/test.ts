// `npm test`: everything. `npm test -- wire`: the tests whose file name has "wire" in it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checks } from "./check.ts";
import { countLines, countReport, countSummary, none } from "./count.ts";
import { files } from "./files.ts";
import { runStages, type Stage } from "./stage.ts";

const setUp: Stage[] = [
  { name: "sources", command: ["bun", "scripts/sources.ts"], isSetUp: true },
  { name: "zig build", command: ["zig", "build"], isSetUp: true },
];

const onLinux = process.platform === "linux";

/** Zig ships no address sanitizer. A machine without another compiler does without, CI does not. */
const hasCompiler = Boolean(process.env.CI) || spawnSync("cc", ["--version"]).status === 0;
if (!hasCompiler) console.log("There is no cc here: the C tests run under Zig's sanitizer only.");

function inC(part: string): Stage[] {
  if (files("tests/c", "_test.c", part).length === 0) return [];
  const sanitized = ["bun", "scripts/sanitized.ts", part];
  const stages = [{
    name: "zig build test",
    command: ["zig", "build", "test", `-Dfilter=${part}`],
  }];
  if (hasCompiler) stages.push({ name: "C tests, sanitized", command: sanitized });
  if (onLinux && hasCompiler) {
    stages.push({ name: "C tests, as on macOS", command: [...sanitized, "--macos"] });
  }
  return stages.map((stage) => ({ ...stage, count: countLines }));
}

/** The same files under both runtimes. Types are a check of their own. */
function inTypeScript(part: string, folder: string): Stage[] {
  const tests = files("tests", "_test.ts", part).map((path) => `./${path}`);
  if (tests.length === 0) return [];
  const stage = (name: string, options: (report: string) => string[]): Stage => {
    const report = join(folder, `${name}.xml`);
    return {
      name,
      command: [...name.split(" "), ...options(report), ...tests],
      count: () => existsSync(report) ? countReport(readFileSync(report, "utf8")) : none,
    };
  };
  return [
    stage("bun test", (report) => [
      ...["--timeout", "30000", "--only-failures"],
      ...["--reporter", "junit", "--reporter-outfile", report],
    ]),
    stage("deno test", (report) => ["-A", "--no-check", `--junit-path=${report}`]),
  ];
}

/** What takes a compiler of its own, and longer. */
function hard(): Stage[] {
  if (!hasCompiler) return [];
  const stages = [{ name: "fuzz corpus", command: ["bun", "scripts/fuzz.ts", "--replay"] }];
  if (onLinux) stages.push({ name: "faults", command: ["bun", "scripts/faults.ts"] });
  return stages.map((stage) => ({ ...stage, count: countSummary }));
}

async function main(part = ""): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "bjoern-test-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const tests = [...inC(part), ...inTypeScript(part, folder)];
  if (tests.length === 0) {
    console.error(`No test file has "${part}" in its name.`);
    return 1;
  }
  return await runStages([...setUp, ...tests, ...(part ? [] : [...hard(), ...checks])]);
}

process.exit(await main(process.argv[2]));
