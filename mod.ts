/**
 * A fast, small HTTP/1.1 server for Deno and Bun: libev and a strict parser in C, one Fetch handler
 * for both runtimes.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 *
 * const server = run(() => new Response("Hello, World!"), "127.0.0.1", 0);
 * console.log(`Listening on ${server.url}`);
 * await server.shutdown();
 * ```
 *
 * @module
 */
export { LibraryError } from "./ffi/library.ts";
export { FileError, ListenError, RequestError } from "./server/errors.ts";
export { type Features, features, version } from "./server/features.ts";
export { type FileOptions, OpenFile, sendFile } from "./server/file.ts";
export { bindAndListen, Listener, type ListenerOptions } from "./server/listener.ts";
export type { Histogram, Metrics } from "./server/metrics.ts";
export { DEFAULT_LISTEN_BACKLOG } from "./server/options.ts";
export { Response } from "./server/response.ts";
export {
  type Direct,
  type Foreign,
  type ForeignApp,
  listen,
  run,
  serverRun,
} from "./server/run.ts";
export { Server } from "./server/server.ts";
export type { StatsdOptions } from "./server/statsd.ts";
export { type Shared, supervise, Supervisor } from "./server/supervisor.ts";
export { workerNumber, workerRun } from "./server/worker.ts";
export type { WorkerEvent, WorkerSubject } from "./server/workers/events.ts";
export type { WorkerOptions } from "./server/workers/options.ts";
export type { GroupOptions } from "./server/workers/run.ts";
export type {
  Addr,
  Address,
  App,
  BodyLimit,
  Handler,
  Info,
  NetAddr,
  OnError,
  Options,
  Result,
  Sent,
  SocketAddress,
  UnixAddr,
} from "./server/types.ts";
