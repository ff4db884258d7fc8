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
 * Options of a server that consists of worker processes. `drainTimeout`, `handleSignals` (here `true`
 * by default), `signal` and `onListen` are the supervisor's.
 *
 * @example
 * ```ts
 * import { type GroupOptions } from "@x/bjoern";
 *
 * const options: GroupOptions = { port: 8080, workers: { workers: 4, maxRequests: 100_000 } };
 * ```
 */
export interface GroupOptions extends Options {
  /** How many, `"auto"` for as many as there are processors, or more about them. */
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
 * Listens where `options` say and starts the workers: for a program that is a supervisor and nothing
 * else. Throws what {@linkcode runWorkers} throws.
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
 * Serves `app` by several processes. The one that calls it first becomes their supervisor and starts
 * them by running its own program again; in these the same call serves. So what stands around it
 * happens in each of them.
 *
 * @returns The supervisor, or in a worker the server.
 * @throws {Error} When it is called again, or the command must be told.
 * @throws {TypeError} When `app` is not callable or an option has the wrong type.
 * @throws {RangeError} When a number is out of its range.
 * @throws {ListenError} When the address cannot be used.
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
    throw new Error("A process can have one group of workers");
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
