/**
 * WSGI-style apps (PEP 3333), as served by bjoern.
 *
 * @module
 */
import process from "node:process";
import { refuseUnknown } from "../server/checks.ts";
import type { Addr, Handler, Info, Result } from "../server/types.ts";
import type { OpenFile } from "../server/file.ts";
import { type File, FileWrapper } from "./environ/file_wrapper.ts";
import { Input } from "./environ/input.ts";
import {
  type Body,
  closeBody,
  concat,
  type ErrorStream,
  Items,
  streamOf,
  toBytes,
} from "./environ/items.ts";
import { type Head, Start, type StartResponse } from "./environ/start.ts";

export type { Body, ErrorStream, Item } from "./environ/items.ts";
export type { Block, Descriptor, File, Parts, Readable, Streamed } from "./environ/file_wrapper.ts";
export type { Fields, StartResponse } from "./environ/start.ts";
export { FileWrapper, Input };

/**
 * A request as seen by a WSGI-style app. Values are strings with one char per byte, as on the wire.
 */
export interface Environ {
  /** The method, as sent by the client. */
  REQUEST_METHOD: string;
  /** Always `""`. */
  SCRIPT_NAME: string;
  /** The path, with percent-escapes decoded once. */
  PATH_INFO: string;
  /** What follows `?`, not decoded. */
  QUERY_STRING: string;
  /** The request-target as the client sent it. */
  REQUEST_URI: string;
  /** The address at which the connection arrived; `"localhost"` on a Unix socket. */
  SERVER_NAME: string;
  /** Its port; `"80"` on a Unix socket. */
  SERVER_PORT: string;
  /** `"HTTP/1.1"` or `"HTTP/1.0"`. */
  SERVER_PROTOCOL: string;
  /** The client's address; `""` on a Unix socket. */
  REMOTE_ADDR: string;
  /** The client's port; `""` on a Unix socket. */
  REMOTE_PORT: string;
  /** The request's Content-Type, if it has one. */
  CONTENT_TYPE?: string;
  /** The request's Content-Length, if it has one: a chunked body has none. */
  CONTENT_LENGTH?: string;
  /**
   * The other header fields, with `-` as `_`. Repeated ones are joined with `", "`, Cookie with
   * `"; "`. Names with `_` are left out: they could spoof others (CVE-2015-0219).
   */
  [name: `HTTP_${string}`]: string | undefined;
  /** The version of PEP 3333's interface. */
  "wsgi.version": readonly [1, 0];
  /** `"http"`, or `"https"` if a trusted proxy says so. */
  "wsgi.url_scheme": string;
  /** The request's body; GET and HEAD have none. */
  "wsgi.input": Input;
  /** `true`: the input ends where the body does. */
  "wsgi.input_terminated": true;
  /** Where the app writes errors. */
  "wsgi.errors": ErrorStream;
  /** Turns a file into a body. */
  "wsgi.file_wrapper": (file: File, blockSize?: number) => FileWrapper;
  /** `false`: one thread runs the app. */
  "wsgi.multithread": false;
  /** `true`: other processes may run it as well. */
  "wsgi.multiprocess": true;
  /** `false`: it runs repeatedly. */
  "wsgi.run_once": false;
  /** The request's signal, which aborts when the client leaves. */
  readonly "bjoern.signal": AbortSignal;
}

/** A WSGI-style app. There is no `write`. */
export type EnvironApp = (
  environ: Environ,
  startResponse: StartResponse,
) => Body | Promise<Body>;

/** Options of {@linkcode environ}. */
export interface EnvironOptions {
  /**
   * How the decoded bytes of PATH_INFO become a string: one char per byte as in WSGI, or as UTF-8,
   * where an invalid path is answered with 400.
   *
   * @default {"latin1"}
   */
  charset?: "latin1" | "utf-8";
  /**
   * The `wsgi.errors` of every request.
   *
   * @default {process.stderr}
   */
  errors?: ErrorStream;
}

const WSGI = {
  "wsgi.version": [1, 0],
  "wsgi.input_terminated": true,
  "wsgi.file_wrapper": (file: File, blockSize?: number) => new FileWrapper(file, blockSize),
  "wsgi.multithread": false,
  "wsgi.multiprocess": true,
  "wsgi.run_once": false,
} as const;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Path and query of a request-target in any form (RFC 9112 section 3.2). */
function splitTarget(target: string): [path: string, query: string] {
  const local = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const [, path, query = ""] = /^([^?#]*)(?:\?([^#]*))?/.exec(local)!;
  return [path || "/", query];
}

/** Decodes once; `undefined` if an escape is broken or the bytes are not in the charset. */
function decode(path: string, charset: EnvironOptions["charset"]): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(path)) {
    return undefined;
  }
  const octets = path.replace(
    /%(..)/g,
    (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (charset !== "utf-8") {
    return octets;
  }
  try {
    return utf8.decode(Uint8Array.from(octets, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function endpoint(addr: Addr, host: string, port: string): [host: string, port: string] {
  return addr.transport === "tcp" ? [addr.hostname, String(addr.port)] : [host, port];
}

/** Header fields as keys. */
function* headerKeys(headers: Headers): Generator<[key: string, value: string]> {
  for (const [name, value] of headers) {
    if (name.includes("_")) {
      continue;
    }
    const key = name.toUpperCase().replaceAll("-", "_");
    yield [key === "CONTENT_TYPE" || key === "CONTENT_LENGTH" ? key : `HTTP_${key}`, value];
  }
}

/** `undefined` for a path that cannot be decoded. */
function makeEnviron(
  request: Request,
  info: Info<Addr>,
  options: EnvironOptions,
): Environ | undefined {
  const [path, query] = splitTarget(info.rawTarget);
  const decoded = decode(path, options.charset);
  if (decoded === undefined) {
    return undefined;
  }
  const [serverName, serverPort] = endpoint(info.localAddr, "localhost", "80");
  const [remoteAddr, remotePort] = endpoint(info.remoteAddr, "", "");
  return {
    REQUEST_METHOD: request.method,
    SCRIPT_NAME: "",
    PATH_INFO: decoded,
    QUERY_STRING: query,
    REQUEST_URI: info.rawTarget,
    SERVER_NAME: serverName,
    SERVER_PORT: serverPort,
    SERVER_PROTOCOL: `HTTP/${info.httpVersion}`,
    REMOTE_ADDR: remoteAddr,
    REMOTE_PORT: remotePort,
    ...Object.fromEntries(headerKeys(request.headers)),
    ...WSGI,
    "wsgi.url_scheme": request.url.startsWith("https:") ? "https" : "http",
    "wsgi.input": new Input(request),
    "wsgi.errors": options.errors ?? process.stderr,
    get "bjoern.signal"() {
      return request.signal;
    },
  };
}

/** Statuses without a body (RFC 9110 section 6.4.1, Fetch's "null body status"). */
const BODILESS = new Set([204, 205, 304]);

/** One request on its way through an app. */
class Call {
  readonly start: Start;
  readonly #info: Info<Addr>;
  readonly #errors: ErrorStream;
  readonly #isHead: boolean;

  constructor(env: Environ, info: Info<Addr>) {
    this.#info = info;
    this.#errors = env["wsgi.errors"];
    this.#isHead = env.REQUEST_METHOD === "HEAD";
    this.start = new Start(this.#errors);
  }

  /** Turns the app's result into a response, at once if it is complete. */
  respond(result: unknown): Response | Promise<Response> {
    if (result instanceof Promise) {
      return result.then((body) => this.respond(body));
    }
    if (typeof result === "string" || result instanceof Uint8Array) {
      return this.#respondWhole(toBytes(result));
    }
    const file = result instanceof FileWrapper ? result.open() : undefined;
    if (file !== undefined) {
      return this.#respondFile(result as FileWrapper, file);
    }
    return Array.isArray(result) ? this.#respondList(result) : this.#respondItems(result);
  }

  /** A descriptor is sent from its position, at most the Content-Length. */
  #respondFile(wrapper: FileWrapper, file: OpenFile): Response {
    this.#info.completed.catch(() => {}).then(() => closeBody(wrapper, this.#errors));
    try {
      const head = this.start.take();
      checkLength(head, file.size - file.position);
      if (!BODILESS.has(head.status)) {
        return make(head, file.respond({ length: head.length }).body);
      }
      file.close();
      return make(head, null);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #respondList(list: unknown[]): Response {
    try {
      const parts = list.map(toBytes);
      return this.#respondWhole(concat(parts));
    } finally {
      void closeBody(list, this.#errors);
    }
  }

  #respondWhole(bytes: Uint8Array<ArrayBuffer>): Response {
    const head = this.start.take();
    const isBodiless = BODILESS.has(head.status);
    if (this.#isHead || isBodiless) {
      if (!isBodiless && head.length === undefined && bytes.length > 0) {
        head.headers.set("content-length", String(bytes.length));
      }
      return make(head, null);
    }
    checkLength(head, bytes.length);
    return make(head, bytes.subarray(0, head.length));
  }

  /** The first item is read before the head is sent: until then an error can be answered. */
  async #respondItems(result: unknown): Promise<Response> {
    const items = new Items(result, this.#errors);
    try {
      const first = await items.next(() => {
        this.#info.completed.catch(() => items.close());
      });
      const head = this.start.take();
      if (first !== undefined && !BODILESS.has(head.status)) {
        return make(head, streamOf(items, first, head.length)); // HEAD: the server cancels it
      }
      if (!this.#isHead && !BODILESS.has(head.status)) {
        checkLength(head, 0);
      }
      await items.close();
      return make(head, null);
    } catch (error) {
      await items.close();
      throw error;
    }
  }
}

/** More than the Content-Length is not sent; less would leave the client waiting. */
function checkLength({ length }: Head, size: number): void {
  if (length !== undefined && size < length) {
    throw new RangeError(`The app's body has ${size} of the ${length} bytes of its Content-Length`);
  }
}

function make({ status, reason, headers }: Head, body: BodyInit | null): Response {
  return new Response(body, { status, statusText: reason, headers });
}

/**
 * Turns an app of the form `(environ, startResponse) => body` into a handler. The body is a string,
 * bytes, or an iterable or async iterable of them; the app may be async.
 *
 * - `startResponse` is called once before the first non-empty item; see {@linkcode StartResponse}
 *   for a second call.
 * - The first item is read before the head is sent, so earlier failures are answered with 500;
 *   later ones cut the connection. Items are read no faster than the client takes them.
 * - The iterator's `return()` and the body's `close()` are called once, in every case.
 * - Content-Length bounds the body. A list is sent with its length, an iterator in chunks.
 * - A path with a broken escape is answered with 400.
 *
 * @throws {TypeError} If `app` is not a function, or an option is unknown or invalid.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { environ } from "@x/bjoern/contrib/environ";
 *
 * const server = run(
 *   environ((env, startResponse) => {
 *     startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *     return ["Hello, ", env.PATH_INFO.slice(1), "!\n"];
 *   }),
 *   { port: 0 },
 * );
 * console.log(await (await fetch(new URL("/World", server.url))).text()); // Hello, World!
 * await server.shutdown();
 * ```
 */
export function environ(app: EnvironApp, options: EnvironOptions = {}): Handler<Addr> {
  if (typeof app !== "function") {
    throw new TypeError(`environ() takes a function (environ, startResponse), not ${typeof app}`);
  }
  refuseUnknown(options, ["charset", "errors"], "environ().");
  if (!["latin1", "utf-8", undefined].includes(options.charset)) {
    throw new TypeError(`environ(): charset is latin1 or utf-8, not ${options.charset}`);
  }
  return (request, info): Result | Promise<Result> => {
    const env = makeEnviron(request, info, options);
    if (env === undefined) {
      return new Response("Bad Request", { status: 400 });
    }
    const call = new Call(env, info);
    return call.respond(app(env, call.start.call));
  };
}
