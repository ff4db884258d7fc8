/**
 * One process of a worker, from its start to its end.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { LONGEST } from "../checks.ts";
import type { Metrics } from "../metrics.ts";
import { type Count, type Drain, isOurs, WORKER } from "./messages.ts";
import type { WorkerSettings } from "./options.ts";

/** How long a worker may take to exit after `drainTimeout`, in ms. */
const GRACE = 2_000;

/** How long a worker may take to report its counters, in ms: a hanging one must not block. */
const TELL = 2_000;

/** A worker's state, which only advances. */
type State =
  | "starting" // runs the user's module
  | "ready" // serves
  | "draining" // finishes its requests, or is being killed
  | "dead";

/** The parameters of a process. */
export interface Start {
  number: number;
  /** The listening socket. */
  fd: number;
  command: string[];
  settings: WorkerSettings;
}

/** A running worker. */
export class WorkerProcess {
  readonly number: number;
  /** 0 if no process could be started. */
  readonly pid: number;
  /** Settles once it is ready (true), or has exited before (false). */
  readonly ready: Promise<boolean>;
  /** Settles with the time it has served, in ms. */
  readonly ended: Promise<number>;
  /** Called when it has served `maxRequests`. */
  onSpent: () => void = () => {};
  #state: State = "starting";
  #isKilled = false;
  #readyAt: number | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** What it was last told to drain by: ms, and whether others take its place. */
  #timeout: number;
  #isReplaced = false;
  /** A pending request for its counters. */
  #asked: PromiseWithResolvers<Metrics | undefined> | undefined;
  readonly #child: ChildProcess | undefined;
  readonly #settings: WorkerSettings;
  readonly #setReady: (isReady: boolean) => void;
  readonly #setEnded: (lived: number) => void;

  constructor({ number, fd, command: [program, ...args], settings }: Start) {
    ({ promise: this.ready, resolve: this.#setReady } = Promise.withResolvers<boolean>());
    ({ promise: this.ended, resolve: this.#setEnded } = Promise.withResolvers<number>());
    this.number = number;
    this.#settings = settings;
    this.#timeout = settings.drainTimeout;
    try {
      // An import would also load it in programs without workers.
      const { spawn } = process.getBuiltinModule("node:child_process");
      this.#child = spawn(program, args, {
        env: { ...process.env, [WORKER]: String(number) },
        stdio: ["ignore", "inherit", "inherit", fd, "ipc"],
      });
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
    this.pid = this.#child?.pid ?? 0;
    this.#watch();
  }

  /** Whether it is ready or starting. */
  get isAlive(): boolean {
    return this.#state === "starting" || this.#state === "ready";
  }

  /** Whether it had to be killed. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  #tell(type: "started" | "ready" | "late" | "spent" | "draining" | "killed"): void {
    this.#settings.onEvent({ type, worker: this.number, pid: this.pid });
  }

  #watch(): void {
    const child = this.#child;
    child?.on("error", (error) => this.#fail(error));
    if (child === undefined || this.pid === 0) {
      return;
    }
    child.on("exit", (status, signal) => this.#end(status, signal));
    child.on("message", (message) => this.#hear(message));
    this.#tell("started");
    this.#limit(this.#settings.startTimeout, "late");
  }

  /** 0 means no limit. */
  #limit(time: number, type: "late" | "killed"): void {
    clearTimeout(this.#deadline);
    if (time > 0) {
      this.#deadline = setTimeout(() => this.kill(type), time);
    }
  }

  #hear(message: unknown): void {
    if (!isOurs(message)) {
      return;
    }
    if (message.bjoern === "ready" && this.#state === "starting") {
      clearTimeout(this.#deadline);
      this.#state = "ready";
      this.#readyAt = performance.now();
      this.#tell("ready");
      this.#setReady(true);
    } else if (message.bjoern === "spent" && this.#state === "ready") {
      this.#tell("spent");
      this.onSpent();
    } else if (message.bjoern === "counted") {
      this.#count(message.metrics);
    }
  }

  #count(metrics?: Metrics): void {
    this.#asked?.resolve(metrics);
    this.#asked = undefined;
  }

  /** Its counters, if it reports them. */
  metrics(): Promise<Metrics | undefined> {
    if (this.#asked !== undefined) {
      return this.#asked.promise;
    }
    const asked = Promise.withResolvers<Metrics | undefined>();
    if (this.#state !== "ready" || !this.#child?.connected) {
      asked.resolve(undefined);
      return asked.promise;
    }
    this.#asked = asked;
    const timer = setTimeout(() => this.#count(), TELL);
    const order: Count = { bjoern: "count" };
    this.#child.send(order, () => {});
    return asked.promise.finally(() => clearTimeout(timer));
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#settings.onEvent({ type: "error", worker: this.number, pid: this.pid, message });
    if (this.pid === 0) {
      this.#end(null, null);
    }
  }

  #end(status: number | null, signal: string | null): void {
    if (this.#state === "dead") {
      return;
    }
    const expected = this.#state === "draining";
    clearTimeout(this.#deadline);
    this.#state = "dead";
    const { number: worker, pid } = this;
    if (pid !== 0) {
      this.#settings.onEvent({ type: "exited", worker, pid, status, signal, expected });
    }
    this.#count();
    this.#setReady(false);
    this.#setEnded(this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt);
  }

  /**
   * Makes it finish its requests and exit, within `limit` ms if given; otherwise it is
   * killed. `replaced` says whether others keep serving, which may change.
   */
  drain(replaced: boolean, limit?: number): void {
    if (this.#state === "dead" || this.#isKilled) {
      return;
    }
    const isDraining = this.#state === "draining";
    if (isDraining && limit === undefined && replaced === this.#isReplaced) {
      return; // as it was told
    }
    this.#isReplaced = replaced;
    this.#timeout = limit ?? this.#timeout;
    const timeout = this.#timeout;
    if (!isDraining || limit !== undefined) {
      this.#limit(timeout > 0 ? Math.min(timeout + GRACE, LONGEST) : 0, "killed");
    }
    if (!isDraining) {
      this.#state = "draining";
      this.#tell("draining");
    }
    if (this.#readyAt === undefined) {
      this.#signal("SIGTERM"); // It may not be listening yet; then the signal just ends it.
    } else if (this.#child?.connected) {
      const order: Drain = { bjoern: "drain", timeout, replaced };
      // A worker without a channel drains for that reason.
      this.#child.send(order, () => {});
    }
  }

  /** Ends it now. */
  kill(type: "late" | "killed" = "killed"): void {
    if (this.#state !== "dead") {
      this.#isKilled = true;
      this.#state = "draining";
      this.#tell(type);
      this.#signal("SIGKILL");
    }
  }

  /**
   * Uses the child's own `kill()` only if nothing else is permitted: Deno treats that as its end
   * and closes the channel, but with a list in `--allow-run` forbids signals by process id.
   */
  #signal(name: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === 0) {
      return; // there is none; 0 would mean our process group
    }
    try {
      process.kill(this.pid, name);
    } catch {
      this.#child?.kill(name); // returns false if it has just exited
    }
  }
}
