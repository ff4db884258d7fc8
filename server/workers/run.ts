/**
 * `run()` with the option `workers`.
 *
 * @module
 */
import { handlerOf } from "../app.ts";
import { bindAndListen, duplicate } from "../listener.ts";
import { settingsOf } from "../options.ts";
import type { Server } from "../server.ts";
import { type Shared, Supervisor } from "../supervisor.ts";
import type { Addr, App, Options } from "../types.ts";
import { workerNumber, workerRun } from "../worker.ts";
import { type WorkerOptions, workerSettingsOf } from "./options.ts";

/**
 * Options of a server with worker processes. `drainTimeout`, `handleSignals` (here `true` by
 * default), `signal` and `onListen` apply to the supervisor.
 *
 * @example
 * ```ts
 * import { type GroupOptions } from "@x/bjoern";
 *
 * const options: GroupOptions = { port: 8080, workers: { workers: 4, maxRequests: 100_000 } };
 * ```
 */
export interface GroupOptions extends Options {
  /** Number of workers, `"auto"` for one per core, or more options for them. */
  workers: number | "auto" | WorkerOptions;
}

function shared(options: Options): Shared {
  const { place } = settingsOf(options);
  const { listenBacklog, reusePort, mode } = options;
  return "fd" in place
    ? duplicate(place.fd)
    : bindAndListen(place.host, place.port, { listenBacklog, reusePort, mode });
}

function supervisorOf(listener: Shared, options: WorkerOptions): Supervisor {
  try {
    return new Supervisor(listener, options);
  } catch (error) {
    listener.close();
    throw error;
  }
}

function stopOnAbort(supervisor: Supervisor, signal: AbortSignal | undefined): void {
  const stop = () => supervisor.stop();
  signal?.addEventListener("abort", stop);
  supervisor.finished.then(() => signal?.removeEventListener("abort", stop));
  if (signal?.aborted) {
    stop();
  }
}

/**
 * Listens and starts the workers, for a program that is only a supervisor. Throws what
 * {@linkcode runWorkers} throws.
 */
export function startWorkers(options: Options, workers: WorkerOptions): Supervisor {
  const { drainTimeout, handleSignals, signal, onListen } = options;
  const supervisor = supervisorOf(shared(options), { drainTimeout, handleSignals, ...workers });
  try {
    onListen?.(supervisor.addr);
  } catch (error) {
    supervisor.stop();
    throw error;
  }
  stopOnAbort(supervisor, signal);
  return supervisor;
}

let isRunning = false;

/**
 * Serves `app` with several processes. The first one to call it becomes the supervisor and starts
 * the others by running its own program again; there the same call serves. So the code around it
 * runs in each of them.
 *
 * @returns The supervisor, or in a worker the server.
 * @throws {Error} If it is called twice, or the option `command` is needed.
 * @throws {TypeError} If `app` is not callable, or an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 * @throws {ListenError} If the address cannot be used.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 *
 * run(() => `Hello from process ${process.pid}\n`, { port: 0, workers: 2 });
 * setTimeout(() => process.kill(process.pid, "SIGTERM"), 500);
 * ```
 */
export function runWorkers(app: App<Addr>, options: GroupOptions): Supervisor | Server<Addr> {
  handlerOf(app);
  const { workers, ...own } = options;
  const given = typeof workers === "object" && workers !== null ? workers : { workers };
  workerSettingsOf(given);
  if (isRunning) {
    throw new Error("A process can have only one group of workers");
  }
  if (workerNumber() !== undefined) {
    const server = workerRun(
      app,
      { ...own, onListen: undefined, signal: undefined },
      given.maxRequests,
    );
    isRunning = true;
    return server;
  }
  const supervisor = startWorkers(own, given);
  isRunning = true;
  supervisor.finished.then(() => process.exitCode ||= supervisor.status);
  return supervisor;
}
