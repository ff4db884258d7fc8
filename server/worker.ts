/**
 * The worker's side: a process started by a supervisor.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import type { Wrap } from "./app.ts";
import { readAddress } from "./listening.ts";
import { type Settings, settingsOf } from "./options.ts";
import { Server } from "./server.ts";
import { listenUntil } from "./signals.ts";
import type { Addr, App, Options } from "./types.ts";
import { isOurs, LISTENER_FD, type Report, WORKER } from "./workers/messages.ts";

/** How long the process may take to exit after its server has stopped, in ms. */
const LEAVE = 500;

/** Whether the descriptor is a socket with an address; an IPC channel has none. */
function isListening(fd: number): boolean {
  const addr = readAddress((to) => tools().bj_address(fd, to));
  return addr !== undefined && (addr.transport === "tcp" || addr.path !== "");
}

let number: number | undefined;

/**
 * The number of this worker, counted from 1, or `undefined` in a process not started by a
 * supervisor.
 *
 * @example
 * ```ts
 * import { workerNumber } from "@x/bjoern";
 *
 * console.log(workerNumber()); // undefined
 * ```
 */
export function workerNumber(): number | undefined {
  const named = native.env(WORKER);
  // A process started by a worker inherits its environment, but not its socket. Where the
  // environment may not be read, the channel is the sign.
  if (number === undefined && (named || process.connected) && isListening(LISTENER_FD)) {
    number = Number(named ?? 1);
  }
  return number;
}

/**
 * Wraps handlers so that `tell` is called once, after `most` requests in total or up to a tenth
 * more, so that workers started together are not replaced together.
 */
export function counter(most: number, tell: () => void): Wrap {
  let left = most + Math.floor(Math.random() * most / 10);
  return (handler) => (request, info) => {
    if (--left === 0) {
      tell();
    }
    return handler(request, info);
  };
}

function report(report: Report): void {
  if (process.connected) {
    process.send!(report);
  }
}

let isClosed = false;

/**
 * Closes the listening socket in this process: while any process has it open, clients are not
 * refused. Deno duplicates each inherited descriptor, and its `closeSync` closes only the
 * duplicate.
 */
function closeListener(): void {
  if (isClosed) {
    return;
  }
  isClosed = true;
  try {
    process.getBuiltinModule("node:fs").closeSync(LISTENER_FD);
  } catch {
    // The runtime does not know this descriptor.
  }
  if (isListening(LISTENER_FD)) {
    tools().bj_file_close(LISTENER_FD);
  }
}

/** Obeys the supervisor, and drains when it has gone. */
function obey(server: Server<Addr>, { drainTimeout, keepAliveTimeout }: Settings): void {
  const drain = (timeout: number, patience: number) => {
    server.shutdown({ patience, ...(timeout > 0 ? { timeout } : {}) });
    closeListener();
  };
  const leave = () => drain(drainTimeout, 0);
  const hear = (message: unknown) => {
    if (isOurs(message) && message.bjoern === "drain") {
      const { timeout, replaced } = message;
      drain(timeout, replaced ? keepAliveTimeout || timeout : 0);
    } else if (isOurs(message) && message.bjoern === "count") {
      report({ bjoern: "counted", metrics: server.metrics() });
    }
  };
  const ignore = () => {}; // A terminal sends these to all processes; the supervisor handles them.
  const signals = { SIGTERM: leave, SIGINT: ignore, SIGHUP: ignore };
  listenUntil(server.finished, { ...signals, message: hear, disconnect: leave });
  server.finished.then(quit);
  if (!process.connected) {
    leave();
  }
}

/** Work left running by the user's module must not keep the worker alive. */
function quit(): void {
  if (process.connected) {
    process.disconnect!();
  }
  setTimeout(() => process.exit(), LEAVE).unref();
}

/**
 * Serves `app` on the socket inherited by this worker, reports to the supervisor that it is ready,
 * and obeys it. An address in `options` is ignored.
 *
 * @param maxRequests Requests after which the supervisor replaces this worker; 0, the default,
 * means never.
 * @throws {Error} If this process was not started by a supervisor.
 * @throws {TypeError} If `app` is not callable, or an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { bindAndListen, supervise, workerNumber, workerRun } from "@x/bjoern";
 *
 * if (workerNumber() === undefined) {
 *   const listener = bindAndListen("127.0.0.1", 0);
 *   setTimeout(() => process.kill(process.pid, "SIGTERM"), 500);
 *   process.exitCode = await supervise(listener, { workers: 2 });
 * } else {
 *   workerRun(() => `Hello from ${workerNumber()}`);
 * }
 * ```
 */
export function workerRun(app: App<Addr>, options: Options = {}, maxRequests = 0): Server<Addr> {
  if (workerNumber() === undefined) {
    throw new Error("This process was not started by a supervisor");
  }
  const own = { ...options, host: LISTENER_FD, port: undefined, handleSignals: false };
  const settings = settingsOf(own);
  const count = maxRequests > 0
    ? counter(maxRequests, () => report({ bjoern: "spent" }))
    : undefined;
  const server = new Server(app, settings, count).start();
  obey(server, settings);
  report({ bjoern: "ready" });
  return server;
}
