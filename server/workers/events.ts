/**
 * What a supervisor has to tell about its workers.
 *
 * @module
 */

/** A worker process: `worker` counts from 1 and stays when a process takes another one's place. */
export interface WorkerSubject {
  /** The worker's number. */
  worker: number;
  /** Its process; 0 when there could be none. */
  pid: number;
}

/**
 * What has happened, for {@linkcode WorkerOptions.onEvent}.
 *
 * @example
 * ```ts
 * import { type WorkerEvent } from "@x/bjoern";
 *
 * const crashes = (event: WorkerEvent) => event.type === "exited" && !event.expected;
 * ```
 */
export type WorkerEvent =
  /** A process was started; it does not serve yet. */
  | ({ type: "started" } & WorkerSubject)
  /** It cannot be started, or not be talked to. */
  | ({ type: "error"; message: string } & WorkerSubject)
  /** It serves. */
  | ({ type: "ready" } & WorkerSubject)
  /** It was still not ready after `startTimeout` and is killed. */
  | ({ type: "late" } & WorkerSubject)
  /** It has served `maxRequests` and goes on until another one is ready. */
  | ({ type: "spent" } & WorkerSubject)
  /** It was told to finish what it has. */
  | ({ type: "draining" } & WorkerSubject)
  /** It has not ended, in time or before {@linkcode Supervisor.stop}, and is killed. */
  | ({ type: "killed" } & WorkerSubject)
  /** It has ended: with a status, or by a signal. */
  | ({
    type: "exited";
    status: number | null;
    signal: string | null;
    /** Whether it was told to. */
    expected: boolean;
  } & WorkerSubject)
  /** Another process takes the place of a dead one in `delay` ms. */
  | { type: "restarting"; worker: number; delay: number }
  /** All workers are being replaced. */
  | { type: "reloading" }
  /** They have been. */
  | { type: "reloaded" }
  /** They have not: a new one did not become ready. The old ones serve on. */
  | { type: "kept" }
  /** No worker has ever become ready: the supervisor gives up. */
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
