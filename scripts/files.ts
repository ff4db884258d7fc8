import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** The sorted paths of a folder's files whose names end in `suffix` and contain `part`. */
export function files(folder: string, suffix: string, part = ""): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.endsWith(suffix) && name.includes(part)).sort()
    .map((name) => join(folder, name));
}

/** The sorted paths of all files below a folder, with slashes. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
