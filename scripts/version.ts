// `npm version 1.2.3` runs this between changing package.json and committing: sets the version in
// the other two manifests.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };

const places: [file: string, before: RegExp][] = [
  ["deno.json", /(?<="version": ")[^"]+/],
  ["build.zig.zon", /(?<=\.version = ")[^"]+/],
];
for (const [file, place] of places) {
  const path = join(import.meta.dirname!, "..", file);
  writeFileSync(path, readFileSync(path, "utf8").replace(place, manifest.version));
}
