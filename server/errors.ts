/**
 * The errors that this module throws or passes on.
 *
 * @module
 */
import { Reason } from "./records.ts";

/**
 * The server cannot listen where it was told to.
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
  /** The system's name for the reason, such as `"EADDRINUSE"`. */
  readonly code: string;

  /** Made by {@linkcode run} and its like. */
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
  /** The system's name for the reason, such as `"ENOENT"` or `"EISDIR"`. */
  readonly code: string;

  /** Made by {@linkcode sendFile} and {@linkcode OpenFile}. */
  constructor(file: string, reason: string, errno: number) {
    super(`Cannot read ${file}: ${reason}`);
    this.code = nameOf(errno);
  }
}

/** The system's numbers of errors, by name. */
export function errnos(): Readonly<Record<string, number>> {
  return process.getBuiltinModule("node:os").constants.errno;
}

function nameOf(errno: number): string {
  const found = Object.entries(errnos()).find(([, number]) => number === errno);
  return found?.[0] ?? `E${errno}`;
}

/**
 * A request ended before it was complete or answered. Reading its body rejects with it, and it is
 * the reason of the request's aborted signal.
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
  /** `"TimeoutError"` or `"AbortError"`, as a DOMException would have it. */
  override readonly name: "AbortError" | "TimeoutError";
  /** The status that the client was answered by, 0 when it could not be. */
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

/** What a user's function throws where nobody waits for it: an uncaught error, as from a timer. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The error for an `enum bj_reason`; a client whose response has begun gets no other status. */
export function requestError(reason: number, hasBegun = false): RequestError {
  const [message, status, name] = describe(reason);
  return new RequestError(message, hasBegun ? 0 : status, name);
}
