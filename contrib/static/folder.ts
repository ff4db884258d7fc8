/**
 * The files below a root, opened only where the policy about symbolic links lets them lie.
 *
 * @module
 */
import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OpenFile } from "../../server/file.ts";

/** Where a file that is reached by symbolic links may lie. */
export type Symlinks = "inside" | "follow" | "never";

/** Why there is no file: these are answers about the path, others are troubles of the server. */
const ABSENT = new Set([
  "EACCES",
  "EINVAL", // neither a file nor a folder
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
]);

/** What Deno's permissions say of a link to where they do not reach. */
const NOT_PERMITTED = "NotCapable";

function realFolder(root: string | URL): string {
  try {
    const path = realpathSync(root instanceof URL ? fileURLToPath(root) : resolve(root));
    if (statSync(path).isDirectory()) {
      return path;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`The root ${root} cannot be served: ${reason}`, { cause: error });
  }
  throw new TypeError(`The root ${root} cannot be served: it is no folder`);
}

/** One root. */
export class Folder {
  /** Without a slash at its end. */
  readonly #root: string;
  readonly #symlinks: Symlinks;

  /** Throws a TypeError when `root` is no folder. */
  constructor(root: string | URL, symlinks: Symlinks) {
    this.#root = realFolder(root).replace(/\/$/, "");
    this.#symlinks = symlinks;
  }

  /** Opens a file by its path below the root, `""` or one that begins with a slash. */
  open(path: string): OpenFile | "folder" | "absent" {
    const full = `${this.#root}${path}` || "/";
    let file: OpenFile;
    try {
      file = OpenFile.open(full);
    } catch (error) {
      const { code = "", name } = error as { code?: string; name?: string };
      if (code === "EISDIR") {
        return "folder";
      }
      if (ABSENT.has(code) || name === NOT_PERMITTED) {
        return "absent";
      }
      throw error;
    }
    if (this.#allows(file.realPath, full)) {
      return file;
    }
    file.close();
    if (file.realPath === "") {
      throw new Error(`The system does not tell where ${full} lies: use symlinks: "follow"`);
    }
    return "absent";
  }

  /** Asked about what is open already: nobody can put a link in its place after that. */
  #allows(realPath: string, asked: string): boolean {
    switch (this.#symlinks) {
      case "follow":
        return true;
      case "inside":
        return realPath.startsWith(`${this.#root}/`);
      case "never":
        // As Linux writes of a file that has been replaced since.
        return realPath === asked || realPath === `${asked} (deleted)`;
    }
  }
}
