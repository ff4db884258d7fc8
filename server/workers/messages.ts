/**
 * Messages between supervisor and worker, over the IPC channel that `node:child_process` opens
 * in both runtimes. Its end is a message too: the supervisor has died.
 *
 * @module
 */

/** The descriptor of the listening socket in a worker. */
export const LISTENER_FD = 3;

/** The environment variable with a worker's number. */
export const WORKER = "BJOERN_WORKER";

import type { Metrics } from "../metrics.ts";

/** From a worker: it is serving; it has served `maxRequests`; its counters. */
export type Report = { bjoern: "ready" | "spent" } | { bjoern: "counted"; metrics: Metrics };

/** To a worker: report your counters. */
export interface Count {
  bjoern: "count";
}

/** To a worker: finish your requests and exit. */
export interface Drain {
  bjoern: "drain";
  /** ms until requests are cut; 0 for no limit. */
  timeout: number;
  /** Whether other processes keep serving the socket, so that there is time for idle clients. */
  replaced: boolean;
}

/** Whether a message is one of these: users may send their own. */
export function isOurs(message: unknown): message is Report | Count | Drain {
  return typeof message === "object" && message !== null && "bjoern" in message;
}
