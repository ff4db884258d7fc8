/**
 * An access log: one line for each request that was answered or whose client left.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { handlerOf } from "../server/app.ts";
import { refuseUnknown } from "../server/checks.ts";
import { complain } from "../server/say.ts";
import type { Addr, App, Handler, Info, NetAddr } from "../server/types.ts";

/** A request that is over. */
export interface LogEntry {
  /** When it arrived. */
  time: Date;
  /** The client's address; `""` on a Unix socket. */
  remoteAddr: string;
  /** The method, as sent by the client. */
  method: string;
  /** The request-target as the client sent it. */
  target: string;
  /** The client's HTTP version. */
  version: "1.0" | "1.1";
  /** The response's status; 499 if the client left before there was one. */
  status: number;
  /** Bytes of the response's body. */
  bytes: number;
  /** Milliseconds until the last byte was handed to the kernel. */
  duration: number;
  /** The request's Referer. */
  referer: string | undefined;
  /** The request's User-Agent. */
  userAgent: string | undefined;
  /** Whether the response was cut short, usually because the client left. */
  aborted: boolean;
}

/** Formats an entry as a line; `undefined` for none. */
export type LogFormat = (entry: LogEntry) => string | undefined;

/** Options of {@linkcode accessLog}. */
export interface LogOptions {
  /**
   * Apache's common or combined log format, JSON lines, a function, or `"off"`, which costs
   * nothing.
   *
   * @default {"combined"}
   */
  format?: "common" | "combined" | "json" | "off" | LogFormat;
  /** Called with each line, without the line feed; by default lines go to standard output. */
  write?: (line: string) => void | Promise<void>;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** `10/Oct/2026:13:55:36 +0000` */
function clfTime(time: Date): string {
  const date = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${date}:${time.toISOString().slice(11, 19)} +0000`;
}

/** Text from a client must not end the field or the line. */
function quoted(text: string | undefined): string {
  const safe = (text ?? "-").replace(
    // deno-lint-ignore no-control-regex
    /["\\\x00-\x1f\x7f-\uffff]/g,
    (char) =>
      char === '"' || char === "\\"
        ? `\\${char}`
        : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${safe}"`;
}

function common(entry: LogEntry): string {
  const { remoteAddr, time, method, target, version, status, bytes } = entry;
  const line = quoted(`${method} ${target} HTTP/${version}`);
  return `${remoteAddr || "-"} - - [${clfTime(time)}] ${line} ${status} ${bytes || "-"}`;
}

const FORMATS: Record<"common" | "combined" | "json", LogFormat> = {
  common,
  combined: (entry) => `${common(entry)} ${quoted(entry.referer)} ${quoted(entry.userAgent)}`,
  json: (entry) => JSON.stringify(entry),
};

/** A failing log costs its line, never the process. */
function tell(error: unknown): void {
  complain("An access log has failed:", error);
}

let hasFailed = false;

/** The reader of the log may go away, or the disk be full: no reason to stop serving. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && !hasFailed) {
    hasFailed = true;
    tell(error);
  }
}

/** Writes to a pipe up to this size are atomic: POSIX's PIPE_BUF on Linux. */
const WHOLE = 4096;

function writeOut(text: string): void {
  try {
    process.stdout.write(text);
  } catch (error) {
    onOutputError(error as NodeJS.ErrnoException);
  }
}

/** Writes the lines of one turn together, as many at a time as are atomic. */
function toStandardOutput(): (line: string) => void {
  let waiting = "", size = 0, isScheduled = false;
  if (!process.stdout.listeners("error").includes(onOutputError)) {
    process.stdout.on("error", onOutputError);
  }
  const flush = () => {
    if (size > 0) {
      writeOut(waiting);
    }
    [waiting, size] = ["", 0];
  };
  return (line) => {
    const more = Buffer.byteLength(line) + 1;
    if (size + more > WHOLE) {
      flush();
    }
    waiting += `${line}\n`;
    size += more;
    if (!isScheduled) {
      isScheduled = true;
      queueMicrotask(() => {
        isScheduled = false;
        flush();
      });
    }
  };
}

function formatOf(format: Exclude<LogOptions["format"], "off">): LogFormat {
  const found = typeof format === "function" ? format : FORMATS[format ?? "combined"];
  if (found === undefined) {
    throw new TypeError(`There is no log format "${format}": it is common, combined, json or off`);
  }
  return found;
}

/** The status of a request whose client left before there was a response, as in nginx. */
const LEFT = 499;

/** The request must be read before it is answered. */
function begin(request: Request, info: Info<Addr>, needsHeaders: boolean): LogEntry {
  const { remoteAddr } = info;
  const headers = needsHeaders ? request.headers : undefined;
  return {
    time: new Date(),
    remoteAddr: remoteAddr.transport === "tcp" ? remoteAddr.hostname : "",
    method: request.method,
    target: info.rawTarget,
    version: info.httpVersion,
    status: LEFT,
    bytes: 0,
    duration: 0,
    referer: headers?.get("referer") ?? undefined,
    userAgent: headers?.get("user-agent") ?? undefined,
    aborted: false,
  };
}

/**
 * Wraps an app so that every request is logged when its response has been sent.
 *
 * Clients cannot forge lines: their text is escaped. A client that leaves gives a line with the
 * status it would have got, or 499, never an error. The app's exceptions are left to `onError`, and
 * logged here with status 500. Exceptions of `format` or `write` go to standard error, as does the
 * first failure of standard output. If the reader of standard output lags, Deno waits and Bun
 * buffers lines.
 *
 * @throws {TypeError} If `app` is not callable, or an option is unknown or invalid.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { accessLog } from "@x/bjoern/contrib/log";
 *
 * const server = run(accessLog(() => "Hello", { format: "common" }), { port: 0 });
 * await (await fetch(server.url)).text();
 * await server.shutdown(); // 127.0.0.1 - - [...] "GET / HTTP/1.1" 200 5
 * ```
 */
export function accessLog<A = NetAddr>(app: App<A>, options: LogOptions = {}): Handler<A> {
  refuseUnknown(options, ["format", "write"], "accessLog().");
  const handler = handlerOf(app) as Handler<A>;
  if (options.format === "off") {
    return handler;
  }
  const format = formatOf(options.format);
  const write = options.write ?? toStandardOutput();
  const needsHeaders = format !== FORMATS.common;
  return (request, info) => {
    const start = performance.now();
    const entry = begin(request, info as unknown as Info<Addr>, needsHeaders);
    const end = async (aborted: boolean) => {
      const { status, bytes } = info.sent;
      entry.status = status || LEFT;
      entry.bytes = bytes;
      entry.aborted = aborted;
      entry.duration = performance.now() - start;
      const line = format(entry);
      if (line !== undefined) {
        await write(line);
      }
    };
    info.completed.then(() => end(false), () => end(true)).catch(tell);
    return handler(request, info);
  };
}
