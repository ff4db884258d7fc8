// The servers that are compared.
import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Answer } from "./exchange.ts";

/** What a contestant has to serve. */
export interface Task {
  /** A module of handlers/, without the suffix. */
  handler: string;
  /** The answer of the floor, which has no handler. */
  answer: Answer;
  /** Seconds for which idle connections are kept, if the default is too short. */
  idle?: number;
}

/** A server that is compared, or a baseline. */
export interface Contestant {
  /** The name in options and results. */
  name: string;
  /** The name in tables. */
  title: string;
  /** `bare` is a runtime that does nothing, `variant` is bjoern with an option changed. */
  role: "floor" | "ours" | "peer" | "other" | "bare" | "variant";
  /** The runtime it needs. */
  runtime: "c" | "bun" | "deno" | "node";
  /** The command that starts it. */
  command(task: Task): string[];
}

const here = import.meta.dirname!;
const root = join(here, "..");
/** Build output: in zig-out/, so that it goes when the library's build is removed. */
const built = join(root, "zig-out/bench");
const floor = join(built, "floor");
const node = join(built, "node.mjs");

const server = (name: string) => join(here, `servers/${name}.ts`);
const taskArgs = ({ handler, idle }: Task) => [handler, `${idle ?? ""}`];

/** The path of the binary itself: a wrapper would be measured along with it. */
function executable(name: string): string {
  const path = Bun.which(name);
  if (path === null) {
    throw new Error(`There is no ${name} on the PATH`);
  }
  return realpathSync(path);
}

/** Bun, which also runs the suite. */
export const bun: string = process.execPath;
/** Deno. */
export const deno = (): string => executable("deno");
/** Node. */
export const nodeProgram = (): string => executable("node");

const onBun = (name: string, ...more: string[]) => (task: Task) => [
  bun,
  server(name),
  ...taskArgs(task),
  ...more,
];
const onDeno = (name: string, ...more: string[]) => (task: Task) => [
  deno(),
  "run",
  "--quiet",
  "--no-check",
  "-A",
  server(name),
  ...taskArgs(task),
  ...more,
];

/** All contestants, in the order of the tables. */
export const contestants: Contestant[] = [
  {
    name: "floor",
    title: "floor (C)",
    role: "floor",
    runtime: "c",
    command: ({ answer }) => [floor, `${answer.type};charset=utf-8`, String(answer.body)],
  },
  {
    name: "bjoern-bun",
    title: "ours on Bun",
    role: "ours",
    runtime: "bun",
    command: onBun("bjoern"),
  },
  {
    name: "bjoern-deno",
    title: "ours on Deno",
    role: "ours",
    runtime: "deno",
    command: onDeno("bjoern"),
  },
  { name: "bun", title: "Bun.serve", role: "peer", runtime: "bun", command: onBun("bun") },
  { name: "deno", title: "Deno.serve", role: "peer", runtime: "deno", command: onDeno("deno") },
  {
    name: "node",
    title: "node:http",
    role: "other",
    runtime: "node",
    command: (task) => [nodeProgram(), node, ...taskArgs(task)],
  },
  {
    name: "bjoern-bun-no-spin",
    title: "ours on Bun, spin: 0",
    role: "variant",
    runtime: "bun",
    command: onBun("bjoern", "0"),
  },
  {
    name: "bjoern-deno-no-spin",
    title: "ours on Deno, spin: 0",
    role: "variant",
    runtime: "deno",
    command: onDeno("bjoern", "0"),
  },
  { name: "bare-bun", title: "bare Bun", role: "bare", runtime: "bun", command: onBun("nothing") },
  {
    name: "bare-deno",
    title: "bare Deno",
    role: "bare",
    runtime: "deno",
    command: onDeno("nothing"),
  },
];

/** Finds a contestant by its name. */
export const contestant = (name: string): Contestant =>
  contestants.find((contestant) => contestant.name === name)!;

function make(command: string, args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${stderr ?? error?.message}`);
  }
}

/** Builds what does not run from source: the floor, and Node's module without types. */
export function build(): void {
  const folders = ["third_party/libev", "third_party/picohttpparser"];
  mkdirSync(built, { recursive: true });
  make(executable("zig"), [
    // The flags that build.zig uses for the library.
    ...["cc", "-O3", "-std=gnu11", "-D_GNU_SOURCE", "-DNDEBUG", "-w", "-fno-strict-aliasing"],
    ...[process.arch === "x64" ? "-mcpu=x86_64_v2" : "-mcpu=baseline", "-Icsrc"],
    ...folders.flatMap((folder) => ["-isystem", folder]),
    ...["bench/servers/floor.c", "csrc/loop.c", "third_party/picohttpparser/picohttpparser.c"],
    ...["-o", floor],
  ]);
  make(bun, ["build", "--target=node", `--outfile=${node}`, "bench/servers/node.ts"]);
}
