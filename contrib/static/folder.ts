/**
 * The files below a root, opened only where the symbolic link policy permits.
 *
 * @module
 */
import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OpenFile } from "../../server/file.ts";

/** Where symbolic links may lead. */
export type Symlinks = "inside" | "follow" | "never";

/** Errors that mean there is no such file; others are problems of the server. */
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

/** Deno's error for a link to where its permissions do not reach. */
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
  throw new TypeError(`The root ${root} cannot be served: it is not a folder`);
}

/** One root. */
export class Folder {
  /** Without a trailing slash. */
  readonly #root: string;
  readonly #symlinks: Symlinks;

  /** Throws a TypeError if `root` is not a folder. */
  constructor(root: string | URL, symlinks: Symlinks) {
    this.#root = realFolder(root).replace(/\/$/, "");
    this.#symlinks = symlinks;
  }

  /** Opens a file by its path below the root, `""` or one starting with a slash. */
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
      throw new Error(`The system does not reveal the location of ${full}: use symlinks: "follow"`);
    }
    return "absent";
  }

  /** Checked on the open file: a link can no longer be put in its place. */
  #allows(realPath: string, asked: string): boolean {
    switch (this.#symlinks) {
      case "follow":
        return true;
      case "inside":
        return realPath.startsWith(`${this.#root}/`);
      case "never":
        // How Linux marks a file that has been replaced since.
        return realPath === asked || realPath === `${asked} (deleted)`;
    }
  }
}
