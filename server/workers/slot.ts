/**
 * The place of one worker: there is always a process, or one about to start.
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
  /** Queues a call of `slot.replace(spent)`. */
  recycle(slot: Slot, spent: WorkerProcess): void;
}

/** A worker's place. */
export class Slot {
  readonly number: number;
  readonly #owner: Owner;
  readonly #backoff: Backoff;
  /** The process that serves, or will once started. */
  #current: WorkerProcess | undefined;
  /** The process to replace the current one. */
  #next: WorkerProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(number: number, owner: Owner) {
    const { restartDelay, maxRestartDelay } = owner.settings;
    this.number = number;
    this.#owner = owner;
    this.#backoff = new Backoff(restartDelay, maxRestartDelay);
  }

  /** The process that serves, or will once started. */
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
      return; // it has been replaced
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

  /** Whether the prepared process is still alive. */
  get isPrepared(): boolean {
    return this.#next?.isAlive ?? false;
  }

  /** Starts a new process. False if it has exited before it was ready. */
  prepare(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#next = this.#spawn();
    return this.#next.ready;
  }

  /** The prepared process takes over; the old one drains. */
  commit(): void {
    const old = this.#current;
    if (this.#next !== undefined) {
      this.#current = this.#next;
      this.#next = undefined;
      old?.drain(true);
    }
  }

  /** The prepared process is dropped, unless it is the only one. */
  abandon(): void {
    if (this.#current === undefined) {
      this.commit();
    } else {
      this.#next?.drain(true);
      this.#next = undefined;
    }
  }

  /** Replaces `spent`; if that fails, tries again later. */
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

  /** Starts no more processes. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
