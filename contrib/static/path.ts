/**
 * From a URL path to a path in a folder.
 *
 * @module
 */

/** Whether names starting with a dot are served. */
export type Dotfiles = "ignore" | "allow";

/** Decodes once; `undefined` if an escape is broken or the bytes are not UTF-8. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/**
 * Whether a file may have this name. A slash was an escape, and other software may treat a
 * backslash as one; NUL would end the name.
 */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}

function isHidden(name: string, depth: number): boolean {
  return name.startsWith(".") && !(depth === 0 && name === ".well-known"); // RFC 8615
}

/**
 * The decoded path below a root for a URL path. It is `""` or starts with a slash, and ends with
 * one if the URL path does; `undefined` if it cannot name a file.
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
