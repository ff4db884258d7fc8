/**
 * Static files: a folder as a handler. Types come from npm's `mime`, which must be installed
 * separately.
 *
 * @module
 */
import type { Handler, Info, NetAddr, Result } from "../server/types.ts";
import { preferred } from "./accept_encoding.ts";
import { type Found, Lookup } from "./static/lookup.ts";
import { checkOptions, type FileEncoding, type StaticOptions, SUFFIXES } from "./static/options.ts";
import { type Representation, respond } from "./static/representation.ts";

export type { Symlinks } from "./static/folder.ts";
export type { Dotfiles } from "./static/path.ts";
export type { FileEncoding, StaticOptions };

/** The file exists, but not for this method. */
function refuse(method: string, found: Found | "folder"): Response {
  if (found !== "folder") {
    found.file.close();
  }
  const headers = { allow: "GET, HEAD, OPTIONS" };
  return method === "OPTIONS"
    ? new Response(null, { status: 204, headers })
    : new Response("Method Not Allowed", { status: 405, headers });
}

function notFound(): Response {
  return new Response("Not Found", { status: 404 });
}

/** One folder and how it is served. */
class Site<A> {
  readonly #lookup: Lookup;
  readonly #precompressed: readonly FileEncoding[];
  readonly #notFound: Handler<A>;
  /** Header fields common to all files. */
  readonly #fields: [name: string, value: string][] = [];

  constructor(root: string | URL, options: StaticOptions<A>) {
    checkOptions(options);
    this.#lookup = new Lookup(root, options);
    this.#precompressed = options.precompressed ?? [];
    this.#notFound = options.notFound ?? notFound as Handler<A>;
    if (options.maxAge !== undefined) {
      const immutable = options.immutable ? ", immutable" : "";
      this.#fields.push(["cache-control", `max-age=${options.maxAge}${immutable}`]);
    }
    if (this.#precompressed.length > 0) {
      this.#fields.push(["vary", "Accept-Encoding"]);
    }
  }

  answer(request: Request, info: Info<A>): Result | Promise<Result> {
    const { pathname, search } = new URL(request.url);
    const { method } = request;
    const found = this.#lookup.find(pathname);
    if (found === undefined) {
      return this.#notFound(request, info);
    }
    if (method !== "GET" && method !== "HEAD") {
      return refuse(method, found);
    }
    // No name in this path is empty: "//host/" would redirect to another host.
    return found === "folder"
      ? new Response(null, { status: 301, headers: { location: `${pathname}/${search}` } })
      : respond(request, this.#select(found, request.headers), this.#fields);
  }

  /** The representation that the client prefers. */
  #select({ file, path }: Found, headers: Headers): Representation {
    try {
      for (const coding of preferred(headers.get("accept-encoding"), this.#precompressed)) {
        const coded = this.#lookup.beside(path, SUFFIXES[coding]);
        if (coded !== undefined) {
          file.close();
          return { file: coded, coding, path };
        }
      }
    } catch (error) {
      file.close();
      throw error;
    }
    return { file, coding: undefined, path };
  }
}

/**
 * Creates a handler that serves the files of a folder, with sendfile(2).
 *
 * - Conditional requests and ranges are handled as in RFC 9110 sections 13 and 14. The ETag
 *   consists of a file's size and modification time: replacing a file must change one of them.
 *   Overlapping ranges are joined; more than 64 are answered with 416.
 * - Types are those of npm's `mime`, `application/octet-stream` for unknown ones; text is declared
 *   as UTF-8. `X-Content-Type-Options: nosniff` prevents clients from guessing others.
 * - `/docs` is redirected to `/docs/` with 301 if that folder has an index. Folders are not listed.
 * - Nothing outside `root` is served. Escaped slashes and backslashes, empty names (`//`), names
 *   that are not UTF-8, links forbidden by `symlinks`, and files that the process may not read are
 *   not found. The system is asked for the location of the opened file, so it cannot be swapped in
 *   between.
 * - A file requested with another method is answered with 405 and `Allow`, OPTIONS with 204.
 *
 * `root` is a folder, as a path or a `file:` URL. If it is a link, it is followed once, now. Deno
 * needs `--allow-read` for it, and for the link's target.
 *
 * @throws {TypeError} If `root` is not a folder, or an option is unknown or invalid.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { serveStatic } from "@x/bjoern/contrib/static";
 *
 * const server = run(serveStatic(new URL(".", import.meta.url), { maxAge: 3600 }), { port: 0 });
 * const own = import.meta.url.split("/").at(-1)!;
 * const response = await fetch(new URL(own, server.url), { headers: { range: "bytes=0-9" } });
 * console.log(response.status, response.headers.get("content-range"));
 * await response.body?.cancel();
 * await server.shutdown();
 * ```
 *
 * @example Everything else goes to the app
 * ```ts
 * import { run } from "@x/bjoern";
 * import { serveStatic } from "@x/bjoern/contrib/static";
 *
 * const server = run(serveStatic(".", { notFound: () => "Hello from the app\n" }), { port: 0 });
 * console.log(await (await fetch(new URL("/no/such/file", server.url))).text());
 * await server.shutdown();
 * ```
 */
export function serveStatic<A = NetAddr>(
  root: string | URL,
  options: StaticOptions<A> = {},
): Handler<A> {
  const site = new Site<A>(root, options);
  return (request, info) => site.answer(request, info);
}
