// Builds the C tests with the system's compiler under the address, leak and undefined behaviour
// sanitizers, and runs them. Zig's own Debug build has only the last of the three. With --macos the
// library is that of macOS, on top of tests/macos/macos.h.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { files } from "./files.ts";

const { values: { macos }, positionals: [filter = ""] } = parseArgs({
  options: { macos: { type: "boolean", default: false } },
  allowPositionals: true,
});
const folder = macos ? "zig-out/macos" : "zig-out/sanitized";

// Warnings are the business of build.zig; libev breaks strict aliasing.
const flags = [
  ..."-std=gnu11 -w -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -pthread".split(" "),
  ..."-fsanitize=address,undefined -fno-sanitize-recover=all".split(" "),
  ..."-Icsrc -isystem third_party/libev -isystem third_party/picohttpparser".split(" "),
];
const asOnMacos = "-U__linux__ -U__linux -D__APPLE__ -Itests/macos -include macos.h".split(" ");

function run(command: string, args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] })
      .on("error", (reason) => {
        console.log(reason.message);
        resolve(false);
      })
      .on("exit", (code, signal) => {
        if (signal) console.log(`${basename(command)}: ${signal}`);
        resolve(code === 0);
      });
  });
}

/** Whether `work` did well on all the items, as many at a time as there are processors. */
async function all<T>(items: T[], work: (item: T) => Promise<boolean>): Promise<boolean> {
  let next = 0, well = true;
  const worker = async () => {
    while (next < items.length) well = await work(items[next++]) && well;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return well;
}

function object(source: string): string {
  return join(folder, basename(source, ".c") + ".o");
}

function compile(source: string): Promise<boolean> {
  const isShim = source.startsWith("tests/macos");
  const system = !macos ? [] : isShim ? ["-Itests/macos"] : asOnMacos;
  return run("cc", [...flags, ...system, "-c", source, "-o", object(source)]);
}

async function main(): Promise<number> {
  const tests = files("tests/c", "_test.c", filter);
  const ours = [...files("csrc", ".c"), ...macos ? files("tests/macos", ".c") : []];
  const sources = [...ours, "third_party/picohttpparser/picohttpparser.c"];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (!await all([...sources, ...tests], compile)) return 1;

  // From an archive the linker takes only what is missing: a test may include a .c file instead.
  const archive = join(folder, "all.a");
  if (!await run("ar", ["rcs", archive, ...sources.map(object)])) return 1;
  const program = (test: string) => join(folder, basename(test, ".c"));
  const link = (test: string) => run("cc", [...flags, object(test), archive, "-o", program(test)]);
  if (!await all(tests, link)) return 1;

  let well = true;
  for (const test of tests) well = await run(program(test), []) && well;
  return well ? 0 : 1;
}

process.exit(await main());
