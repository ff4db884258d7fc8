/**
 * What supervisor and worker say to each other, over the IPC channel that `node:child_process` opens
 * in both runtimes. Its end is a message too: the supervisor has died.
 *
 * @module
 */

/** The descriptor that has the listening socket in a worker. */
export const LISTENER_FD = 3;

/** The environment variable that has a worker's number. */
export const WORKER = "BJOERN_WORKER";

import type { Metrics } from "../metrics.ts";

/** From a worker: it serves; it has served `maxRequests`; what it has counted. */
export type Report = { bjoern: "ready" | "spent" } | { bjoern: "counted"; metrics: Metrics };

/** To a worker: tell what you have counted. */
export interface Count {
  bjoern: "count";
}

/** To a worker: finish what you have and exit. */
export interface Drain {
  bjoern: "drain";
  /** ms until requests are cut; 0 for no limit. */
  timeout: number;
  /** Whether other processes go on serving the socket, so that there is time for idle clients. */
  replaced: boolean;
}

/** Whether a message is one of these: users may have messages of their own. */
export function isOurs(message: unknown): message is Report | Count | Drain {
  return typeof message === "object" && message !== null && "bjoern" in message;
}
