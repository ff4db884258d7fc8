// Builds the library with the address, leak and undefined behaviour sanitizers, using the system's
// compiler. Zig's Debug build has only the last of the three.
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { files } from "./files.ts";
import { run } from "./run.ts";

// build.zig is the one to report warnings; libev breaks strict aliasing.
export const flags: string[] = [
  ..."-std=gnu11 -D_GNU_SOURCE -w -Werror=implicit-function-declaration -g -O1".split(" "),
  ..."-fno-omit-frame-pointer -fno-strict-aliasing -pthread".split(" "),
  ..."-fsanitize=address,undefined -fno-sanitize-recover=all".split(" "),
  ..."-Icsrc -isystem third_party/libev -isystem third_party/picohttpparser".split(" "),
];

/** The library's C sources. */
export function sources(): string[] {
  return [...files("csrc", ".c"), "third_party/picohttpparser/picohttpparser.c"];
}

/** Runs a command; prints its output only when it fails. */
export async function must(command: string[]): Promise<boolean> {
  const { well, output } = await run(command);
  if (!well) console.log(`${command.join(" ")}\n${output}`);
  return well;
}

/** Whether `work` succeeds for all items, as many at a time as there are processors. */
export async function all<T>(items: T[], work: (item: T) => Promise<boolean>): Promise<boolean> {
  let next = 0, well = true;
  const worker = async () => {
    while (next < items.length) well = await work(items[next++]) && well;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return well;
}

/** The path of a source's object file. */
export function objectOf(source: string, place: string): string {
  return join(place, basename(source, ".c") + ".o");
}

/**
 * Compiles the library into `place`/all.a, with `more` flags, along with a `shim` in place of the
 * system. A linker takes from an archive only what is missing, so a test may include a .c file
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
