/**
 * Options for serving a folder.
 *
 * @module
 */
import { refuseUnknown } from "../../server/checks.ts";
import type { Handler, NetAddr } from "../../server/types.ts";
import { raised } from "../escapes.ts";
import type { Symlinks } from "./folder.ts";
import type { Dotfiles } from "./path.ts";

/** The coding of precompressed files: `.br` and `.gz`. */
export type FileEncoding = "br" | "gzip";

/** Options of `serveStatic()`. */
export interface StaticOptions<A = NetAddr> {
  /**
   * The file served for its folder; `""` for none.
   *
   * @default {"index.html"}
   */
  index?: string;
  /**
   * Extensions that a path may omit, tried in this order if there is no such file: with `["html"]`
   * the path `/about` also means `about.html`.
   *
   * @default {[]}
   */
  extensions?: readonly string[];
  /**
   * A prefix of request paths that file paths do not have, such as `"/assets"`.
   *
   * @default {""}
   */
  prefix?: string;
  /**
   * Codings to look for next to a file, such as `app.js.br` and `app.js.gz`; of those that the
   * client accepts equally, the first is used. They must be regenerated when the file changes.
   *
   * @default {[]}
   */
  precompressed?: readonly FileEncoding[];
  /**
   * Where symbolic links below the root may lead: inside the root, anywhere, or nowhere.
   *
   * @default {"inside"}
   */
  symlinks?: Symlinks;
  /**
   * Whether names starting with a dot are served, or treated as missing. Those below
   * `/.well-known/` (RFC 8615) are always served.
   *
   * @default {"ignore"}
   */
  dotfiles?: Dotfiles;
  /** How many seconds a client may reuse a file without asking again; not sent by default. */
  maxAge?: number;
  /**
   * Whether files never change within `maxAge`, so that a reload need not ask (RFC 8246).
   *
   * @default {false}
   */
  immutable?: boolean;
  /**
   * Answers requests for missing files, with any method.
   *
   * @default {() => new Response("Not Found", { status: 404 })}
   */
  notFound?: Handler<A>;
}

/** Suffixes of precompressed files. */
export const SUFFIXES: Record<FileEncoding, string> = { br: ".br", gzip: ".gz" };

function check(isRight: boolean, complaint: string): void {
  if (!isRight) {
    throw new TypeError(`serveStatic(): ${complaint}`);
  }
}

function isOneOf(value: unknown, ...values: unknown[]): boolean {
  return value === undefined || values.includes(value);
}

function checkNames({ index, extensions = [], prefix }: StaticOptions<never>): void {
  check(
    index === undefined || (typeof index === "string" && !/[/\\\0]/.test(index)),
    `index is a file name without a folder, not ${index}`,
  );
  check(Array.isArray(extensions), `extensions is a list, not ${extensions}`);
  for (const extension of extensions) {
    check(/^[^./\\\0][^/\\\0]*$/.test(extension), `"${extension}" is no extension such as "html"`);
  }
  check(
    prefix === undefined || /^(?:\/[^?#]*)?$/.test(prefix),
    `prefix is a path that begins with a slash, not ${prefix}`,
  );
}

const NAMES: (keyof StaticOptions)[] = [
  "index",
  "extensions",
  "prefix",
  "precompressed",
  "symlinks",
  "dotfiles",
  "maxAge",
  "immutable",
  "notFound",
];

/** Throws a TypeError for invalid options. */
export function checkOptions(options: StaticOptions<never>): void {
  refuseUnknown(options, NAMES, "serveStatic().");
  const { precompressed = [], symlinks, dotfiles, maxAge, immutable, notFound } = options;
  checkNames(options);
  check(Array.isArray(precompressed), `precompressed is a list, not ${precompressed}`);
  for (const coding of precompressed) {
    check(Object.hasOwn(SUFFIXES, coding), `"${coding}" is no coding of files: it is br or gzip`);
  }
  check(
    isOneOf(symlinks, "inside", "follow", "never"),
    `symlinks is inside, follow or never, not ${symlinks}`,
  );
  check(isOneOf(dotfiles, "ignore", "allow"), `dotfiles is ignore or allow, not ${dotfiles}`);
  check(
    maxAge === undefined || (Number.isInteger(maxAge) && maxAge >= 0),
    `maxAge is a whole number of seconds, not ${maxAge}`,
  );
  check(!immutable || maxAge !== undefined, "immutable means nothing without maxAge");
  check(isOneOf(typeof notFound, "undefined", "function"), "notFound is a handler");
}

/** Normalised as in a request's URL, without a trailing slash. */
export function normalPrefix(prefix: string): string {
  const { pathname } = new URL(`http://localhost${prefix}`);
  check(!pathname.includes("//"), `prefix has an empty name in it: ${prefix}`);
  return raised(pathname.replace(/\/$/, ""));
}
