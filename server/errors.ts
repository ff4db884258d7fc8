/**
 * The errors that this package throws or passes on.
 *
 * @module
 */
import { Reason } from "./records.ts";

/**
 * The server cannot listen on the given address.
 *
 * @example
 * ```ts
 * import { ListenError, run } from "@x/bjoern";
 *
 * const first = run(() => "Hi", "127.0.0.1", 0);
 * try {
 *   run(() => "Hi", "127.0.0.1", first.port);
 * } catch (error) {
 *   if (error instanceof ListenError) console.log(error.code); // EADDRINUSE
 * }
 * first.stop();
 * ```
 */
export class ListenError extends Error {
  /** Always `"ListenError"`. */
  override readonly name = "ListenError";
  /** The system's error code, such as `"EADDRINUSE"`. */
  readonly code: string;

  /** Thrown by {@linkcode run} and similar functions. */
  constructor(where: string, reason: string, errno: number) {
    super(`Cannot listen on ${where}: ${reason}`);
    this.code = reason.startsWith("getaddrinfo") ? "ENOTFOUND" : nameOf(errno);
  }
}

/**
 * A file cannot be sent.
 *
 * @example
 * ```ts
 * import { FileError, sendFile } from "@x/bjoern";
 *
 * try {
 *   sendFile("/no/such/file");
 * } catch (error) {
 *   if (error instanceof FileError) console.log(error.code); // ENOENT
 * }
 * ```
 */
export class FileError extends Error {
  /** Always `"FileError"`. */
  override readonly name = "FileError";
  /** The system's error code, such as `"ENOENT"` or `"EISDIR"`. */
  readonly code: string;

  /** Thrown by {@linkcode sendFile} and {@linkcode OpenFile}. */
  constructor(file: string, reason: string, errno: number) {
    super(`Cannot read ${file}: ${reason}`);
    this.code = nameOf(errno);
  }
}

/** The system's error numbers, by name. */
export function errnos(): Readonly<Record<string, number>> {
  return process.getBuiltinModule("node:os").constants.errno;
}

function nameOf(errno: number): string {
  const found = Object.entries(errnos()).find(([, number]) => number === errno);
  return found?.[0] ?? `E${errno}`;
}

/**
 * A request ended before it was complete or answered. Reading its body rejects with this error, and
 * it is the abort reason of the request's signal.
 *
 * @example
 * ```ts
 * import { RequestError, type Handler } from "@x/bjoern";
 *
 * const upload: Handler = async (request) => {
 *   try {
 *     return `${(await request.bytes()).length} bytes\n`;
 *   } catch (error) {
 *     if (error instanceof RequestError) console.log(error.name, error.status);
 *     throw error;
 *   }
 * };
 * ```
 */
export class RequestError extends Error {
  /** `"TimeoutError"` or `"AbortError"`, as in a DOMException. */
  override readonly name: "AbortError" | "TimeoutError";
  /** The status sent to the client; 0 if none could be. */
  readonly status: number;

  /** Made by the server. */
  constructor(message: string, status: number, name: "AbortError" | "TimeoutError" = "AbortError") {
    super(message);
    this.name = name;
    this.status = status;
  }
}

function describe(reason: number): ConstructorParameters<typeof RequestError> {
  switch (reason) {
    case Reason.TIMED_OUT:
      return ["The client took too long", 408, "TimeoutError"];
    case Reason.MALFORMED:
      return ["The request's body is malformed", 400];
    case Reason.TOO_LARGE:
      return ["The request's body is larger than maxBodySize", 413];
    case Reason.CLOSED:
      return ["The connection was closed after an earlier response", 0];
    case Reason.EXPIRED:
      return ["The request took longer than requestTimeout", 503, "TimeoutError"];
    case Reason.SHED:
      return ["The connection held too much of maxBufferedSize", 0];
    case Reason.CUT:
      return ["The response could not be completed", 0];
    default:
      return ["The client disconnected", 0];
  }
}

/** Makes an error from a user's function that nobody awaits an uncaught one, as from a timer. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The error for an `enum bj_reason`; once a response has begun no other status can be sent. */
export function requestError(reason: number, hasBegun = false): RequestError {
  const [message, status, name] = describe(reason);
  return new RequestError(message, hasBegun ? 0 : status, name);
}
