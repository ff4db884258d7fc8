// `npm run faults`: the library when system calls fail. C programs run with a shim between the
// library and the system (tests/faults/shim.h); real servers run out of descriptors, or have strace
// fail their system calls.
// `npm run faults -- memory`: the programs with "memory" in their names. Linux only.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { countLines } from "./count.ts";
import { files } from "./files.ts";
import { compile, flags, must, objectOf, sources } from "./sanitizers.ts";
import { runStages, type Stage } from "./stage.ts";

const folder = "zig-out/faults";

/** Calls of a single unit that fail separately: the unit, the library's call, the shim's. */
const special = [
  ["loop", "realloc", "libev_realloc"],
  ["parking", "socket_send", "wake_send"],
  ["gate", "epoll_ctl", "gate_ctl"],
];

/** The calls of shim.h. */
function calls(): string[] {
  const names = readFileSync("tests/faults/shim.h", "utf8").matchAll(/^ {2}X\((\w+)\)/gm);
  const all = Array.from(names, ([, name]) => name);
  return ["clock_gettime", ...all.filter((name) => !special.some(([, , its]) => its === name))];
}

function rename(object: string, from: string, to: string): string[] {
  return ["objcopy", "--redefine-sym", `${from}=fault_${to}`, object];
}

/** Builds the library with its system calls renamed to the shim's. */
async function build(): Promise<boolean> {
  if (!await compile("cc", folder, [])) return false;
  const object = (source: string) => objectOf(source, folder);
  for (const [unit, from, to] of special) {
    if (!await must(rename(join(folder, `${unit}.o`), from, to))) return false;
  }
  const all = calls().flatMap((name) => ["--redefine-sym", `${name}=fault_${name}`]);
  for (const source of sources()) {
    if (!await must(["objcopy", ...all, object(source)])) return false;
  }
  return await must(["ar", "rcs", join(folder, "all.a"), ...sources().map(object)]);
}

async function link(test: string): Promise<boolean> {
  const parts = [test, "tests/faults/shim.c", join(folder, "all.a")];
  return await must(["cc", ...flags, ...parts, "-o", join(folder, basename(test, ".c"))]);
}

function inC(test: string): Stage {
  const name = basename(test, ".c");
  return { name, command: ["nice", "-n", "19", join(folder, name)], count: countLines };
}

function onRuntime(...command: string[]): Stage {
  return {
    name: `descriptors, ${command[0]}`,
    command: ["nice", "-n", "19", "bun", "tests/faults/descriptors.ts", ...command],
    count: countLines,
  };
}

function injected(runtime: string): Stage {
  return {
    name: `injected, ${runtime}`,
    command: ["nice", "-n", "19", "bun", "tests/faults/injected.ts", runtime],
    count: countLines,
  };
}

function hasStrace(): boolean {
  const { error } = spawnSync("strace", ["-V"]);
  if (error) console.log("injected                skipped: needs strace (apt-get install strace)");
  return !error;
}

async function main(part = ""): Promise<number> {
  if (process.platform !== "linux") {
    console.log("The shim is of Linux.");
    return 1;
  }
  const tests = files("tests/faults", "_test.c", part);
  if (tests.length > 0 && !await build()) return 1;
  for (const test of tests) if (!await link(test)) return 1;
  const runtimes = [
    onRuntime("bun", "run"),
    onRuntime("deno", "run", "-A", "--no-check"),
    ...hasStrace() ? [injected("bun"), injected("deno")] : [],
  ];
  const wanted = runtimes.filter(({ name }) => name.includes(part));
  return await runStages([...tests.map(inC), ...wanted]);
}

process.exit(await main(process.argv[2]));
