/**
 * The place of one worker: some process is always there, or about to be.
 *
 * @module
 */
import { Backoff } from "./backoff.ts";
import type { WorkerSettings } from "./options.ts";
import type { WorkerProcess } from "./process.ts";

/** What a slot needs from its supervisor. */
export interface Owner {
  readonly settings: WorkerSettings;
  /** Starts a process. */
  spawn(number: number): WorkerProcess;
  /** Has `slot.replace(spent)` called in its turn. */
  recycle(slot: Slot, spent: WorkerProcess): void;
}

/** A worker's place. */
export class Slot {
  readonly number: number;
  readonly #owner: Owner;
  readonly #backoff: Backoff;
  /** It serves, or will when it has started. */
  #current: WorkerProcess | undefined;
  /** It is to take the place of the current one. */
  #next: WorkerProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(number: number, owner: Owner) {
    const { restartDelay, maxRestartDelay } = owner.settings;
    this.number = number;
    this.#owner = owner;
    this.#backoff = new Backoff(restartDelay, maxRestartDelay);
  }

  /** The process that serves, or will when it has started. */
  get current(): WorkerProcess | undefined {
    return this.#current;
  }

  /** Starts the first process. */
  start(): WorkerProcess {
    return this.#current = this.#spawn();
  }

  #spawn(): WorkerProcess {
    const worker = this.#owner.spawn(this.number);
    worker.onSpent = () => this.#owner.recycle(this, worker);
    worker.ended.then((lived) => this.#lose(worker, lived));
    return worker;
  }

  #lose(worker: WorkerProcess, lived: number): void {
    if (worker === this.#next) {
      this.#next = undefined;
    } else if (worker === this.#current) {
      this.#current = undefined;
    } else {
      return; // another one has its place
    }
    if (this.#current === undefined && this.#next === undefined && !this.#isStopped) {
      this.#startLater(lived);
    }
  }

  #startLater(lived: number): void {
    const delay = this.#backoff.after(lived);
    this.#owner.settings.onEvent({ type: "restarting", worker: this.number, delay });
    this.#timer = setTimeout(() => this.start(), delay);
  }

  /** Whether the process that is to come is still there. */
  get isPrepared(): boolean {
    return this.#next?.isAlive ?? false;
  }

  /** Starts the process that is to come. False when it has ended before it was ready. */
  prepare(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#next = this.#spawn();
    return this.#next.ready;
  }

  /** The prepared process takes the place; the one that had it drains. */
  commit(): void {
    const old = this.#current;
    if (this.#next !== undefined) {
      this.#current = this.#next;
      this.#next = undefined;
      old?.drain(true);
    }
  }

  /** The prepared process goes, unless it is the only one. */
  abandon(): void {
    if (this.#current === undefined) {
      this.commit();
    } else {
      this.#next?.drain(true);
      this.#next = undefined;
    }
  }

  /** Puts another process in the place of `spent`; when that fails, later again. */
  async replace(spent: WorkerProcess): Promise<void> {
    if (this.#isStopped || this.#current !== spent) {
      return;
    }
    if (await this.prepare()) {
      this.commit();
    } else if (this.#current === spent) {
      const delay = this.#backoff.after(0);
      this.#timer = setTimeout(() => this.#owner.recycle(this, spent), delay);
    }
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
