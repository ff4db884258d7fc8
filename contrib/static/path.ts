/**
 * From the path of a URL to a path in a folder.
 *
 * @module
 */

/** Whether names that begin with a dot are served. */
export type Dotfiles = "ignore" | "allow";

/** Decodes once; `undefined` when an escape is broken or the octets are not UTF-8. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/**
 * Whether a file may have this name. A slash was an escape, and a backslash is one where others
 * look at the same path; NUL would end it.
 */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}

function isHidden(name: string, depth: number): boolean {
  return name.startsWith(".") && !(depth === 0 && name === ".well-known"); // RFC 8615
}

/**
 * The path below a root that the path of a URL means, decoded. It is `""` or begins with a slash,
 * and ends with one when that one does; `undefined` when no file can be meant.
 */
export function filePath(pathname: string, dotfiles: Dotfiles): string | undefined {
  const segments = pathname.split("/").slice(1);
  let path = "";
  for (const [depth, segment] of segments.entries()) {
    const isLast = depth === segments.length - 1;
    const name = decode(segment);
    if (name === undefined || !(isName(name) || (isLast && name === ""))) {
      return undefined;
    }
    if (dotfiles === "ignore" && isHidden(name, depth)) {
      return undefined;
    }
    path += `/${name}`;
  }
  return path;
}
