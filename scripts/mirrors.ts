// The Debian mirrors that apt is configured with. The files are read directly, as `apt-get
// indextargets` lists nothing before the first `apt-get update`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

function configuration(etc: string): string[] {
  const parts = join(etc, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  return [join(etc, "sources.list"), ...names.map((name) => join(parts, name))]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path));
}

/** The addresses in a file of either format: `deb [options] URI suite ...` or `URIs: URI ...`. */
function addresses(text: string): string[] {
  const settings = text.replace(/^\s*#.*$/gm, "");
  return settings.match(/(?<=\s)https?:\/\/[^\s\]]+/g) ?? [];
}

/** Only Debian's main archive has the sources: skips other vendors and Debian's other archives. */
function isMainArchive(address: string): boolean {
  const { pathname } = new URL(address);
  return /debian/i.test(pathname) && !/security|snapshot|archive|debug|ports/i.test(pathname);
}

/** Addresses that end in a slash, in apt's order; none without apt. */
export function debianMirrors(etc = "/etc/apt"): string[] {
  const found = configuration(etc).flatMap((path) => addresses(readFileSync(path, "utf8")));
  return [...new Set(found.filter(isMainArchive).map((uri) => uri.replace(/\/*$/, "/")))];
}
