/**
 * Events that a supervisor reports about its workers.
 *
 * @module
 */

/** A worker process. `worker` counts from 1 and stays the same when a process is replaced. */
export interface WorkerSubject {
  /** The worker's number. */
  worker: number;
  /** Its process; 0 if none could be started. */
  pid: number;
}

/**
 * What happened, for {@linkcode WorkerOptions.onEvent}.
 *
 * @example
 * ```ts
 * import { type WorkerEvent } from "@x/bjoern";
 *
 * const crashes = (event: WorkerEvent) => event.type === "exited" && !event.expected;
 * ```
 */
export type WorkerEvent =
  /** A process was started; it is not serving yet. */
  | ({ type: "started" } & WorkerSubject)
  /** It could not be started, or not be reached. */
  | ({ type: "error"; message: string } & WorkerSubject)
  /** It is serving. */
  | ({ type: "ready" } & WorkerSubject)
  /** It was not ready after `startTimeout` and is killed. */
  | ({ type: "late" } & WorkerSubject)
  /** It has served `maxRequests` and continues until its replacement is ready. */
  | ({ type: "spent" } & WorkerSubject)
  /** It was asked to finish its requests and exit. */
  | ({ type: "draining" } & WorkerSubject)
  /** It did not exit in time, or {@linkcode Supervisor.stop} was called: it is killed. */
  | ({ type: "killed" } & WorkerSubject)
  /** It has exited: with a status, or because of a signal. */
  | ({
    type: "exited";
    status: number | null;
    signal: string | null;
    /** Whether it was asked to. */
    expected: boolean;
  } & WorkerSubject)
  /** A dead process will be replaced in `delay` ms. */
  | { type: "restarting"; worker: number; delay: number }
  /** All workers are being replaced. */
  | { type: "reloading" }
  /** All workers have been replaced. */
  | { type: "reloaded" }
  /** They were not replaced: a new one did not become ready. The old ones keep serving. */
  | { type: "kept" }
  /** No worker ever became ready: the supervisor gives up. */
  | { type: "failed" };

function ending(status: number | null, signal: string | null): string {
  return signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
}

/** An event as a line of a log. */
export function describe(event: WorkerEvent): string {
  switch (event.type) {
    case "restarting":
      return `worker ${event.worker} starts again in ${event.delay} ms`;
    case "reloading":
      return "starting new workers";
    case "reloaded":
      return "new workers serve";
    case "kept":
      return "a new worker did not become ready: the old ones serve on";
    case "failed":
      return "no worker became ready";
  }
  const whose = `worker ${event.worker} (process ${event.pid})`;
  switch (event.type) {
    case "started":
      return `${whose} was started`;
    case "error":
      return `${whose}: ${event.message}`;
    case "ready":
      return `${whose} serves`;
    case "late":
      return `${whose} took too long to become ready and is killed`;
    case "spent":
      return `${whose} has served its number of requests`;
    case "draining":
      return `${whose} finishes what it has`;
    case "killed":
      return `${whose} has not ended and is killed`;
    case "exited":
      return `${whose} ${ending(event.status, event.signal)}`;
  }
}
