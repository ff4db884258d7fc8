/**
 * A router: chooses the handler by path and method.
 *
 * @module
 */
import { checkKind, refuseUnknown } from "../server/checks.ts";
import type { Handler, Info, NetAddr, Result } from "../server/types.ts";
import { raised } from "./escapes.ts";

/** The name in a segment: `"id"` for `":id"`. */
export type Segment<S extends string> = S extends `:${infer Name}` ? Name : never;

/** The names in a path: `"shelf" | "book"` for `"/:shelf/:book"`. */
export type Names<P extends string> = P extends `${infer S}/${infer Rest}`
  ? Segment<S> | Names<Rest>
  : Segment<P>;

/** Syntax beyond `/:name`, with less precise types. */
export type Special = "(" | ")" | "{" | "}" | "?" | "+" | "*" | "." | "-" | "\\";

/** The decoded parameters of a path: `{ id: string }` for `"/users/:id"`. */
export type Params<P extends string> = string extends P ? Readonly<Record<string, string>>
  : P extends `${string}${Special}${string}` ? Readonly<Record<string, string | undefined>>
  : { readonly [Name in Names<P>]: string };

/** Answers the requests of one route. */
export type RouteHandler<P extends string = string, A = NetAddr> = (
  request: Request,
  info: Info<A>,
  params: Params<P>,
) => Result | Promise<Result>;

/** One handler for every method, or one for each, such as `{ GET, POST }`. */
export type Route<P extends string = string, A = NetAddr> =
  | RouteHandler<P, A>
  | { readonly [method: Uppercase<string>]: RouteHandler<P, A> };

/** Routes by path. */
export type Routes<P extends string = string, A = NetAddr> = {
  readonly [Path in P]: Route<Path, A>;
};

/** Options of {@linkcode router}. */
export interface RouterOptions<A = NetAddr> {
  /**
   * Answers requests that no route matches.
   *
   * @default {() => new Response("Not Found", { status: 404 })}
   */
  notFound?: Handler<A>;
}

type Methods<A> = Map<string, RouteHandler<string, A>>;
/** Stands for all methods. */
const ANY = "";

interface Entry<A> {
  /** The prefix of all matching paths. */
  prefix: string;
  pattern: URLPattern;
  /** The longest path that is tried. */
  longest: number;
  methods: Methods<A>;
}

interface Match<A> {
  methods: Methods<A>;
  groups: Record<string, string | undefined>;
}

function methodsOf<A>(path: string, route: unknown): Methods<A> {
  const handlers: [string, unknown][] = typeof route === "function"
    ? [[ANY, route]]
    : Object.entries(typeof route === "object" && route !== null ? route : { [ANY]: route });
  if (handlers.length === 0) {
    throw new TypeError(`The route ${path} has no handler: write () => response`);
  }
  for (const [method, handler] of handlers) {
    if (typeof handler !== "function") {
      throw new TypeError(`The route ${path} has no function for ${method || "its requests"}`);
    }
    if (method !== method.toUpperCase()) {
      throw new TypeError(`The route ${path} has the method ${method}: methods are upper case`);
    }
  }
  return new Map(handlers as [string, RouteHandler<string, A>][]);
}

/** The text before any syntax; a trailing slash may belong to an optional part. */
function prefixOf(path: string): string {
  return /^[^:*?+(){}\\]*/.exec(path)![0].replace(/\/$/, "");
}

/** A parameter or group with what belongs to it, or a wildcard. */
const VARYING =
  /:[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\((?:[^()\\]|\\.)*\))?[?*+]?|\((?:[^()\\]|\\.)*\)[?*+]?|\*/gu;

/** How long a path may be that so many parts can divide among themselves. */
const LONGEST = [Infinity, Infinity, 2048, 128];
const LONGEST_OTHERWISE = 32;

/**
 * The longest path tried against a pattern: where several parts meet in one segment, or several
 * reach beyond one, the engine may try all ways to divide it, as many as a power of its length.
 */
function longestFor(path: string): number {
  const varying = (text: string) => text.match(VARYING) ?? [];
  const inOne = path.split("/").map((segment) => varying(segment).length);
  const beyond = varying(path).filter((part) => /[*+]\)?$|^\(/.test(part)).length;
  return LONGEST[Math.max(beyond, ...inOne)] ?? LONGEST_OTHERWISE;
}

function isPlain(path: string): boolean {
  return !/[:*?+(){}\\]/.test(path);
}

/** Normalised as in a request's URL. */
function normal(path: string): string {
  return raised(new URL(path, "http://localhost").pathname);
}

/** Decodes escapes once; `undefined` if one is broken. */
function decode(groups: Match<unknown>["groups"]): Record<string, string> | undefined {
  try {
    const values = Object.entries(groups).filter(([, value]) => value !== undefined);
    return Object.fromEntries(values.map(([name, value]) => [name, decodeURIComponent(value!)]));
  } catch {
    return undefined;
  }
}

/** Paths without parameters are looked up; patterns are tried in order. */
class Table<A> {
  readonly #plain = new Map<string, Methods<A>>();
  readonly #entries: Entry<A>[] = [];
  readonly #known = new Set<string>();

  constructor(routes: Record<string, unknown>) {
    for (const [path, route] of Object.entries(routes)) {
      if (!path.startsWith("/")) {
        throw new TypeError(`A route's path begins with "/": ${path}`);
      }
      const methods = methodsOf<A>(path, route);
      methods.forEach((_, method) => this.#known.add(method));
      if (isPlain(path)) {
        this.#plain.set(normal(path), methods);
      } else {
        const pattern = new URLPattern({ pathname: raised(path) });
        const prefix = normal(prefixOf(path) || "/");
        this.#entries.push({ prefix, pattern, longest: longestFor(path), methods });
      }
    }
  }

  *match(pathname: string): Generator<Match<A>> {
    const methods = this.#plain.get(pathname);
    if (methods !== undefined) {
      yield { methods, groups: {} };
    }
    for (const { prefix, pattern, longest, methods } of this.#entries) {
      const groups = pathname.startsWith(prefix) && pathname.length <= longest
        ? pattern.exec({ pathname })?.pathname.groups
        : undefined;
      if (groups !== undefined) {
        yield { methods, groups };
      }
    }
  }

  /** All methods of all routes. */
  get methods(): Iterable<string> {
    return this.#known;
  }
}

/** GET also answers HEAD: the server omits the body. */
function handlerFor<A>(methods: Methods<A>, method: string): RouteHandler<string, A> | undefined {
  return methods.get(method) ?? (method === "HEAD" ? methods.get("GET") : undefined) ??
    methods.get(ANY);
}

function allow(methods: Iterable<string>): Headers {
  const allowed = new Set(methods);
  allowed.delete(ANY);
  if (allowed.has("GET")) {
    allowed.add("HEAD");
  }
  allowed.add("OPTIONS");
  return new Headers({ allow: [...allowed].sort().join(", ") });
}

/** No route has the method; `methods` are those of the path. */
function refuse(method: string, methods: Iterable<string>): Response {
  return method === "OPTIONS"
    ? new Response(null, { status: 204, headers: allow(methods) })
    : new Response("Method Not Allowed", { status: 405, headers: allow(methods) });
}

function notFound(): Response {
  return new Response("Not Found", { status: 404 });
}

/** Calls the first matching route with the method. */
function dispatch<A>(
  table: Table<A>,
  orElse: Handler<A>,
  request: Request,
  info: Info<A>,
): Result | Promise<Result> {
  const { method } = request;
  const seen: string[] = [];
  for (const { methods, groups } of table.match(raised(new URL(request.url).pathname))) {
    const handler = handlerFor(methods, method);
    if (handler !== undefined) {
      const params = decode(groups);
      return params === undefined
        ? new Response("Bad Request", { status: 400 })
        : handler(request, info, params);
    }
    seen.push(...methods.keys());
  }
  return seen.length > 0 ? refuse(method, seen) : orElse(request, info);
}

/**
 * Creates a handler from routes: paths in the syntax of URLPattern, which matches whole segments
 * (`/hello` does not match `/helloXYZ`), each with a handler or a handler for each method.
 *
 * - Paths without parameters take precedence over patterns, which are tried in the order given.
 * - A pattern with two parameters in a segment, or two `*`, matches paths of up to 2048 characters,
 *   one with three of up to 128, one with more of up to 32: a longer one could take seconds.
 * - Parameters are decoded once; if that fails, the answer is 400.
 * - HEAD is answered by the handler for GET, OPTIONS with 204 and `Allow`, unless they have their
 *   own.
 * - If a path's routes lack the method, the answer is 405 with `Allow`; without a match it is 404.
 *
 * @throws {TypeError} If a path or pattern is invalid, a route has no function, a method is not in
 * upper case, or an option is unknown.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { router } from "@x/bjoern/contrib/router";
 *
 * const server = run(
 *   router({
 *     "/": () => "Home\n",
 *     "/users/:id": {
 *       GET: (_request, _info, { id }) => `User ${id}\n`,
 *       DELETE: () => new Response(null, { status: 204 }),
 *     },
 *   }),
 *   { port: 0 },
 * );
 * console.log(await (await fetch(new URL("/users/7", server.url))).text()); // User 7
 * await server.shutdown();
 * ```
 */
export function router<const P extends string, A = NetAddr>(
  routes: Routes<P, A>,
  options: RouterOptions<A> = {},
): Handler<A> {
  refuseUnknown(options, ["notFound"], "router().");
  checkKind("notFound", options.notFound ?? notFound, "function");
  const table = new Table<A>(routes);
  const orElse = options.notFound ?? notFound as Handler<A>;
  return (request, info) =>
    info.rawTarget === "*"
      ? refuse(request.method, table.methods)
      : dispatch(table, orElse, request, info);
}
