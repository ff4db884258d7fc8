/**
 * Options of worker processes.
 *
 * @module
 */
import { checkKinds, refuseUnknown, wholeNumber } from "../checks.ts";
import { throwLater } from "../errors.ts";
import { complain } from "../say.ts";
import { describe, type WorkerEvent } from "./events.ts";

/**
 * Options of a {@linkcode Supervisor}. Times are in milliseconds.
 *
 * @example
 * ```ts
 * import { type WorkerOptions } from "@x/bjoern";
 *
 * const options: WorkerOptions = { workers: 4, maxRequests: 100_000, onEvent: console.log };
 * ```
 */
export interface WorkerOptions {
  /**
   * Number of processes; 0 or `"auto"` for one per core.
   *
   * @default {"auto"}
   */
  workers?: number | "auto";
  /**
   * Program and arguments of a worker, which gets the listening socket as descriptor 3, its number
   * in `BJOERN_WORKER` and an IPC channel. By default the command line of this process.
   *
   * @example
   * ```ts
   * import { type WorkerOptions } from "@x/bjoern";
   *
   * const options: WorkerOptions = { command: ["bun", "worker.ts"] };
   * ```
   */
  command?: string[];
  /**
   * Requests after which a worker is replaced, against leaks; up to a tenth more, so that they are
   * not all replaced at once. 0 means never.
   *
   * @default {0}
   */
  maxRequests?: number;
  /**
   * How long a worker may take to become ready; then it is killed. 0 means no limit.
   *
   * @default {30000}
   */
  startTimeout?: number;
  /**
   * How long a worker may take to finish its requests; then they are cut. 0 means no limit.
   *
   * @default {30000}
   */
  drainTimeout?: number;
  /**
   * Delay before a dead worker is restarted; doubled each time it dies early.
   *
   * @default {100}
   */
  restartDelay?: number;
  /**
   * The longest such delay. A worker that has served that long has not died early.
   *
   * @default {10000}
   */
  maxRestartDelay?: number;
  /**
   * Whether signals are handled: SIGTERM and SIGINT drain and end the workers, a second one kills
   * them; SIGHUP replaces the workers.
   *
   * @default {true}
   */
  handleSignals?: boolean;
  /** Called with each event; by default events are logged to standard error. */
  onEvent?: (event: WorkerEvent) => void;
}

/** Options with all defaults filled in. */
export type WorkerSettings =
  & Required<Omit<WorkerOptions, "workers" | "command">>
  & { count: number; command: string[] | undefined };

const MOST = 2 ** 31 - 1;

/** The options and their `typeof`; `""` if checked separately. */
const KINDS: Record<keyof WorkerOptions, string> = {
  workers: "",
  command: "",
  maxRequests: "",
  startTimeout: "",
  drainTimeout: "",
  restartDelay: "",
  maxRestartDelay: "",
  handleSignals: "boolean",
  onEvent: "function",
};

function whole(options: WorkerOptions, name: keyof WorkerOptions, fallback: number): number {
  return wholeNumber(name, options[name] ?? fallback, 0, MOST);
}

function log(event: WorkerEvent): void {
  complain(`bjoern: ${describe(event)}`);
}

function countOf(options: WorkerOptions): number {
  const { workers = "auto" } = options;
  if (typeof workers !== "number" && workers !== "auto") {
    throw new TypeError(
      `Option workers must be a number or "auto", not ${JSON.stringify(workers)}`,
    );
  }
  const count = workers === "auto" ? 0 : whole(options, "workers", 0);
  return count === 0 ? process.getBuiltinModule("node:os").availableParallelism() : count;
}

function commandOf({ command }: WorkerOptions): string[] | undefined {
  if (command !== undefined && !(Array.isArray(command) && typeof command[0] === "string")) {
    throw new TypeError("Option command must be a list: a program and its arguments");
  }
  return command;
}

/** An exception in it must not disturb the supervisor. */
function guarded(onEvent: (event: WorkerEvent) => void): (event: WorkerEvent) => void {
  return (event) => {
    try {
      onEvent(event);
    } catch (error) {
      throwLater(error);
    }
  };
}

/** Checks options and fills in the defaults. Throws a TypeError or RangeError. */
export function workerSettingsOf(options: WorkerOptions): WorkerSettings {
  refuseUnknown(options, Object.keys(KINDS), "workers.");
  checkKinds(options, KINDS);
  return {
    count: countOf(options),
    command: commandOf(options),
    maxRequests: whole(options, "maxRequests", 0),
    startTimeout: whole(options, "startTimeout", 30_000),
    drainTimeout: whole(options, "drainTimeout", 30_000),
    restartDelay: whole(options, "restartDelay", 100),
    maxRestartDelay: whole(options, "maxRestartDelay", 10_000),
    handleSignals: options.handleSignals ?? true,
    onEvent: guarded(options.onEvent ?? log),
  };
}
