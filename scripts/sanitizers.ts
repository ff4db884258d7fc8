// The library under the address, leak and undefined behaviour sanitizers, by the system's compiler.
// Zig's own Debug build has only the last of the three.
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { files } from "./files.ts";
import { run } from "./run.ts";

// Warnings are the business of build.zig; libev breaks strict aliasing.
export const flags: string[] = [
  ..."-std=gnu11 -D_GNU_SOURCE -w -Werror=implicit-function-declaration -g -O1".split(" "),
  ..."-fno-omit-frame-pointer -fno-strict-aliasing -pthread".split(" "),
  ..."-fsanitize=address,undefined -fno-sanitize-recover=all".split(" "),
  ..."-Icsrc -isystem third_party/libev -isystem third_party/picohttpparser".split(" "),
];

/** The library's sources. */
export function sources(): string[] {
  return [...files("csrc", ".c"), "third_party/picohttpparser/picohttpparser.c"];
}

/** Runs a command that says nothing when all is well. */
export async function must(command: string[]): Promise<boolean> {
  const { well, output } = await run(command);
  if (!well) console.log(`${command.join(" ")}\n${output}`);
  return well;
}

/** Whether `work` did well on all the items, as many at a time as there are processors. */
export async function all<T>(items: T[], work: (item: T) => Promise<boolean>): Promise<boolean> {
  let next = 0, well = true;
  const worker = async () => {
    while (next < items.length) well = await work(items[next++]) && well;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return well;
}

/** Where the object of a source is. */
export function objectOf(source: string, place: string): string {
  return join(place, basename(source, ".c") + ".o");
}

/**
 * Compiles the library into `place`/all.a, with `more` flags, and what the library then takes for
 * the system. From an archive the linker takes only what is missing: a test may include a .c file
 * instead.
 */
export async function compile(
  compiler: string,
  place: string,
  more: string[] = [],
  shim: string[] = [],
): Promise<boolean> {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const object = (source: string) => objectOf(source, place);
  const toObject = (source: string) => {
    const own = shim.includes(source) ? [`-I${dirname(source)}`] : more;
    return must([compiler, ...flags, ...own, "-c", source, "-o", object(source)]);
  };
  const parts = [...sources(), ...shim];
  return await all(parts, toObject) &&
    await must(["ar", "rcs", join(place, "all.a"), ...parts.map(object)]);
}
