import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The paths of a folder's files whose names end in `suffix` and have `part` in them, sorted. */
export function files(folder: string, suffix: string, part = ""): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.endsWith(suffix) && name.includes(part)).sort()
    .map((name) => join(folder, name));
}
