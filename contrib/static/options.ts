/**
 * What a folder is served by.
 *
 * @module
 */
import { refuseUnknown } from "../../server/checks.ts";
import type { Handler, NetAddr } from "../../server/types.ts";
import { raised } from "../escapes.ts";
import type { Symlinks } from "./folder.ts";
import type { Dotfiles } from "./path.ts";

/** A coding of files that are compressed already: `.br` and `.gz`. */
export type FileEncoding = "br" | "gzip";

/** Options of `serveStatic()`. */
export interface StaticOptions<A = NetAddr> {
  /**
   * The file that answers for its folder; `""` for none.
   *
   * @default {"index.html"}
   */
  index?: string;
  /**
   * What a path may leave out, tried in this order when there is no such file: with `["html"]`
   * the path `/about` means `about.html` too.
   *
   * @default {[]}
   */
  extensions?: readonly string[];
  /**
   * What the paths of requests begin with and those of files do not, such as `"/assets"`.
   *
   * @default {""}
   */
  prefix?: string;
  /**
   * Which codings to look for beside a file, as `app.js.br` and `app.js.gz`; of those that the
   * client likes equally the first is taken. They have to be made anew when the file changes.
   *
   * @default {[]}
   */
  precompressed?: readonly FileEncoding[];
  /**
   * What symbolic links below the root may lead to: files inside of it, any file, or none.
   *
   * @default {"inside"}
   */
  symlinks?: Symlinks;
  /**
   * Whether names that begin with a dot are served, or ignored as if they were not there. Those
   * below `/.well-known/` (RFC 8615) are served anyway.
   *
   * @default {"ignore"}
   */
  dotfiles?: Dotfiles;
  /** Seconds that a client may use a file without asking again; by default nothing is said. */
  maxAge?: number;
  /**
   * Whether a file never changes within `maxAge`, so that a reload need not ask (RFC 8246).
   *
   * @default {false}
   */
  immutable?: boolean;
  /**
   * Answers what is not there, with any method.
   *
   * @default {() => new Response("Not Found", { status: 404 })}
   */
  notFound?: Handler<A>;
}

/** What a file that is compressed already has behind its name. */
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

/** Throws a TypeError for options that mean nothing. */
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

/** As a request's URL would have it, without a slash at the end. */
export function normalPrefix(prefix: string): string {
  const { pathname } = new URL(`http://localhost${prefix}`);
  check(!pathname.includes("//"), `prefix has an empty name in it: ${prefix}`);
  return raised(pathname.replace(/\/$/, ""));
}
