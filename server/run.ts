/**
 * The ways to start a server.
 *
 * @module
 */
import { settingsOf } from "./options.ts";
import { Server } from "./server.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Addr, App, NetAddr, Options, UnixAddr } from "./types.ts";
import { type GroupOptions, runWorkers } from "./workers/run.ts";

/** A handler written for another server's types. */
// deno-lint-ignore no-explicit-any
export type Foreign = (this: any, request: any, info: any) => unknown;

/** An app written for another server's types. */
export type ForeignApp = Foreign | { fetch?: Foreign };

/** Options under which addresses are those of the sockets. */
export interface Direct {
  /** No proxy is trusted. */
  trustProxy?: false;
  /** Not used. */
  proxyProtocol?: false;
}

type Arguments = [host?: string | number | Options, port?: number | Options, options?: Options];

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null;
}

/** `host` and `port` come before the options or among them. */
function optionsOf([host, port, options]: Arguments): Options {
  if (isOptions(host)) {
    return host;
  }
  const last = isOptions(port) ? port : options;
  if (last !== undefined && !isOptions(last)) {
    throw new TypeError(`Options must be an object, not ${last === null ? "null" : typeof last}`);
  }
  const given: Options = { ...last };
  if (host !== undefined) {
    given.host = host;
  }
  if (port !== undefined && !isOptions(port)) {
    given.port = port;
  }
  return given;
}

/** Servers that listen and wait for `run()`. */
const waiting = new Set<Server<Addr>>();

function make(app: unknown, args: Arguments): Server<Addr> {
  return new Server(app as App<Addr>, settingsOf(optionsOf(args)));
}

/**
 * Listens, but does not accept until {@linkcode run} is called without arguments: for example to
 * bind a port before dropping privileges. Takes the same arguments as `run`, except for `workers`.
 *
 * @throws {TypeError} If `app` is not callable, or an argument has the wrong type or is unknown.
 * @throws {RangeError} If a number is out of range.
 * @throws {ListenError} If the address cannot be used.
 * @throws {LibraryError} If the C library cannot be loaded.
 * @throws {Error} If the system lacks the `backend`, or the `statsd` host is unknown.
 *
 * @example
 * ```ts
 * import { listen, run } from "@x/bjoern";
 *
 * const server = listen(() => "Hello", "127.0.0.1", 0);
 * run();
 * await server.shutdown();
 * ```
 */
export function listen(
  app: App<UnixAddr>,
  path: `unix:${string}`,
  options?: Options & Direct,
): Server<UnixAddr>;
/** On a Unix socket behind a proxy, with the clients' own addresses. */
export function listen(app: App<Addr>, path: `unix:${string}`, options: Options): Server<Addr>;
/** On a TCP address. */
export function listen(app: App, host: string, port?: number, options?: Options): Server;
/** On an inherited listening socket. */
export function listen(app: App, fd: number, options?: Options): Server;
/** At the address in the options. */
export function listen(app: App, options?: Options): Server;
/** An app with another server's types. */
export function listen(app: ForeignApp, host?: string, port?: number, options?: Options): Server;
export function listen(app: unknown, ...args: Arguments): Server<NetAddr> | Server<UnixAddr> {
  const server = make(app, args);
  waiting.add(server);
  server.finished.then(() => waiting.delete(server));
  return server as Server<NetAddr>;
}

/**
 * Serves `app`, a function `(request, info)` or an object with a `fetch` method, and returns the
 * running server at once; with `workers`, a {@linkcode Supervisor}.
 *
 * Without arguments it starts all servers prepared by {@linkcode listen}, and returns the last one.
 *
 * @throws {TypeError} If `app` is not callable, or an argument has the wrong type or is unknown.
 * @throws {RangeError} If a number is out of range.
 * @throws {ListenError} If the address cannot be used.
 * @throws {LibraryError} If the C library cannot be loaded.
 * @throws {Error} If the system lacks the `backend`, the `statsd` host is unknown, `listen()` has
 * not been called, or a process starts a second group of workers.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 *
 * const server = run((request) => new Response(`You asked for ${request.url}\n`), "127.0.0.1", 0);
 * console.log(`Listening on ${server.url}`);
 * await server.shutdown();
 * ```
 */
export function run(): Server;
/** With worker processes. */
export function run(app: App<Addr>, options: GroupOptions): Supervisor | Server<Addr>;
/** With worker processes, at this address. */
export function run(
  app: App<Addr>,
  host: string,
  port: number,
  options: GroupOptions,
): Supervisor | Server<Addr>;
/** On a Unix socket. */
export function run(
  app: App<UnixAddr>,
  path: `unix:${string}`,
  options?: Options & Direct,
): Server<UnixAddr>;
/** On a Unix socket behind a proxy, with the clients' own addresses. */
export function run(app: App<Addr>, path: `unix:${string}`, options: Options): Server<Addr>;
/** On a TCP address. */
export function run(app: App, host: string, port?: number, options?: Options): Server;
/** On an inherited listening socket. */
export function run(app: App, fd: number, options?: Options): Server;
/** At the address in the options. */
export function run(app: App, options?: Options): Server;
/** An app with another server's types. */
export function run(app: ForeignApp, host?: string, port?: number, options?: Options): Server;
/** An app with another server's types, at the address in the options. */
export function run(app: ForeignApp, options?: Options): Server;
export function run(
  ...all: [app?: unknown, ...args: Arguments]
): Server<NetAddr> | Server<UnixAddr> | Server<Addr> | Supervisor {
  if (all.length === 0) {
    return startWaiting() as Server<NetAddr>;
  }
  const [app, ...args] = all;
  const options: Options & Partial<GroupOptions> = optionsOf(args);
  if (options.workers !== undefined) {
    return runWorkers(app as App<Addr>, options as GroupOptions);
  }
  return make(app, args).start() as Server<NetAddr>;
}

function startWaiting(): Server<Addr> {
  const ready = [...waiting].filter((server) => !server.stopped);
  const last = ready.at(-1);
  waiting.clear();
  if (last === undefined) {
    throw new Error("Must call listen(app, host, ...) before calling run() without arguments");
  }
  for (const server of ready) {
    server.start();
  }
  return last;
}

/**
 * Serves `app` on a listening socket that the caller owns: a descriptor, such as one passed by
 * systemd, or an object with an `fd`. The server never closes it. `host` and `port` are not allowed
 * among the options.
 *
 * @throws {TypeError} If `app` is not callable, `listener` is no descriptor, or an option is
 * invalid.
 * @throws {RangeError} If a number is out of range.
 * @throws {ListenError} If the descriptor is not a listening socket.
 * @throws {LibraryError} If the C library cannot be loaded.
 * @throws {Error} If the system lacks the `backend`, or the `statsd` host is unknown.
 *
 * @example
 * ```ts
 * import { ListenError, serverRun } from "@x/bjoern";
 *
 * try {
 *   serverRun(0, () => "Hello");
 * } catch (error) {
 *   console.log(error instanceof ListenError); // true: standard input does not listen
 * }
 * ```
 */
export function serverRun(
  listener: number | { fd: number },
  app: App,
  options: Options = {},
): Server {
  const fd = typeof listener === "number" ? listener : listener?.fd;
  if (!Number.isInteger(fd) || fd < 0) {
    throw new TypeError(`A descriptor must be a whole number from 0: ${fd}`);
  }
  if (options.host !== undefined || options.port !== undefined) {
    throw new TypeError("serverRun() listens where the descriptor does: there is no host or port");
  }
  return new Server(app, settingsOf({ ...options, host: fd })).start();
}
