/**
 * One process of a worker, from its start to its end.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import type { Metrics } from "../metrics.ts";
import { type Count, type Drain, isOurs, WORKER } from "./messages.ts";
import type { WorkerSettings } from "./options.ts";

/** Beyond `drainTimeout`, for a worker to end by itself. */
const GRACE = 2_000;

/** For a worker to tell what it has counted, in ms: one that hangs must not hang who asks. */
const TELL = 2_000;

/** Where a worker is; it never goes back. */
type State =
  | "starting" // runs the user's module
  | "ready" // serves
  | "draining" // finishes what it has, or is being killed
  | "dead";

/** What a process is started with. */
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
  /** 0 when no process could be started. */
  readonly pid: number;
  /** Settles once it is ready (true), or has ended before that (false). */
  readonly ready: Promise<boolean>;
  /** Settles with how many ms it has served. */
  readonly ended: Promise<number>;
  /** Called when it has served `maxRequests`. */
  onSpent: () => void = () => {};
  #state: State = "starting";
  #isKilled = false;
  #readyAt: number | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Somebody wants to know what it has counted. */
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
    try {
      // Imported, it would be loaded by everybody who has no workers.
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

  /** Whether it is of use: ready or on the way to it. */
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

  /** 0 is no limit. */
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

  /** What it has counted, if it tells. */
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
   * Has it finish what it has and exit, within `limit` ms if that is said now; one that does not is
   * killed. `replaced` tells whether others go on serving, which may change.
   */
  drain(replaced: boolean, limit?: number): void {
    if (this.#state === "dead" || this.#isKilled) {
      return;
    }
    const timeout = limit ?? this.#settings.drainTimeout;
    if (this.#state !== "draining" || limit !== undefined) {
      this.#limit(timeout > 0 ? timeout + GRACE : 0, "killed");
    }
    if (this.#state !== "draining") {
      this.#state = "draining";
      this.#tell("draining");
    }
    if (this.#readyAt === undefined) {
      this.#signal("SIGTERM"); // It may not listen to us yet; then the signal just ends it.
    } else if (this.#child?.connected) {
      const order: Drain = { bjoern: "drain", timeout, replaced };
      // Who cannot be told has no channel any more, and drains for that reason.
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
   * By the child's own `kill()` only where nothing else is permitted: Deno takes that for its end
   * and closes the channel, but with a list in `--allow-run` lets nobody signal by number.
   */
  #signal(name: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === 0) {
      return; // there is none; 0 would be all of our own group
    }
    try {
      process.kill(this.pid, name);
    } catch {
      this.#child?.kill(name); // says false if it has just ended
    }
  }
}
