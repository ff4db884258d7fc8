/**
 * Maps URLs to files.
 *
 * @module
 */
import type { OpenFile } from "../../server/file.ts";
import { raised } from "../escapes.ts";
import { Folder } from "./folder.ts";
import { normalPrefix, type StaticOptions } from "./options.ts";
import { type Dotfiles, filePath } from "./path.ts";

/** The file for a path. */
export interface Found {
  /** The receiver closes it. */
  file: OpenFile;
  /** Its path below the root, which determines its type. */
  path: string;
}

/** The files of one folder by URL path. */
export class Lookup {
  readonly #folder: Folder;
  readonly #prefix: string;
  readonly #index: string;
  readonly #extensions: readonly string[];
  readonly #dotfiles: Dotfiles;

  /** Throws a TypeError if `root` is not a folder. */
  constructor(root: string | URL, options: StaticOptions<never>) {
    this.#folder = new Folder(root, options.symlinks ?? "inside");
    this.#prefix = normalPrefix(options.prefix ?? "");
    this.#index = options.index ?? "index.html";
    this.#extensions = options.extensions ?? [];
    this.#dotfiles = options.dotfiles ?? "ignore";
  }

  /** The file for a URL's path, or "folder" for a folder that has an index. */
  find(asked: string): Found | "folder" | undefined {
    const pathname = raised(asked);
    const isBelow = pathname === this.#prefix || pathname.startsWith(`${this.#prefix}/`);
    const path = isBelow
      ? filePath(pathname.slice(this.#prefix.length), this.#dotfiles)
      : undefined;
    if (path === undefined || path.endsWith("/")) {
      return path === undefined ? undefined : this.#findIndex(path);
    }
    const file = this.#folder.open(path);
    if (typeof file === "object") {
      return { file, path };
    }
    const index = file === "folder" ? this.#findIndex(`${path}/`) : undefined;
    index?.file.close();
    return index === undefined ? this.#findExtended(path) : "folder";
  }

  #findIndex(folder: string): Found | undefined {
    const path = `${folder}${this.#index}`;
    const file = this.#index === "" ? "absent" : this.#folder.open(path);
    return typeof file === "object" ? { file, path } : undefined;
  }

  #findExtended(name: string): Found | undefined {
    if (name === "") {
      return undefined; // the root's own name: what follows would lie beside it
    }
    for (const extension of this.#extensions) {
      const path = `${name}.${extension}`;
      const file = this.#folder.open(path);
      if (typeof file === "object") {
        return { file, path };
      }
    }
    return undefined;
  }

  /** A variant next to a file that was found. */
  beside(path: string, suffix: string): OpenFile | undefined {
    const file = this.#folder.open(`${path}${suffix}`);
    return typeof file === "object" ? file : undefined;
  }
}
