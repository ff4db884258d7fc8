/**
 * Worker processes that serve one listening socket together.
 *
 * The supervisor holds the socket and accepts nothing. Each worker inherits the socket itself, so
 * that TCP, Unix and abstract addresses are balanced alike, and waiting connections are not lost
 * with any of them.
 *
 * @module
 */
import { portOf, urlOf } from "./addresses.ts";
import { checkTimes, LONGEST } from "./checks.ts";
import type { Metrics } from "./metrics.ts";
import { listenUntil } from "./signals.ts";
import type { Addr } from "./types.ts";
import { ownCommand } from "./workers/command.ts";
import { type WorkerOptions, type WorkerSettings, workerSettingsOf } from "./workers/options.ts";
import { WorkerProcess } from "./workers/process.ts";
import { Slot } from "./workers/slot.ts";

/**
 * A listening socket, as returned by {@linkcode bindAndListen}.
 *
 * @example
 * ```ts
 * import { bindAndListen, type Shared } from "@x/bjoern";
 *
 * const shared: Shared = bindAndListen("127.0.0.1", 0);
 * shared.close();
 * ```
 */
export interface Shared {
  /** The descriptor. */
  readonly fd: number;
  /** Where it listens. */
  readonly addr: Addr;
  /** Closes it and removes its file. */
  close(): void;
}

/** As workers take it: 0 is no limit. */
function limitOf(timeout: number): number {
  return timeout > LONGEST ? 0 : Math.max(1, Math.ceil(timeout));
}

/**
 * Starts worker processes, replaces dead ones, replaces all without losing a connection, and stops
 * them. Its interface resembles {@linkcode Server}, except that `metrics()` returns a promise and
 * `reload()` takes no app.
 *
 * Workers whose supervisor has died finish their requests and exit.
 *
 * @example
 * ```ts
 * import { bindAndListen, Supervisor } from "@x/bjoern";
 *
 * const listener = bindAndListen("127.0.0.1", 0);
 * const supervisor = new Supervisor(listener, { workers: 2, command: ["sleep", "60"] });
 * console.log(supervisor.pids.length); // 2
 * supervisor.stop();
 * await supervisor.finished;
 * ```
 */
export class Supervisor {
  /** Where the workers listen. */
  readonly addr: Addr;
  /**
   * Settles when all workers are ready for the first time: with true, or with false if none became
   * ready and the supervisor has given up.
   */
  readonly ready: Promise<boolean>;
  /** Settles once all workers have ended. */
  readonly finished: Promise<void>;
  readonly #listener: Shared;
  readonly #settings: WorkerSettings;
  readonly #command: string[];
  readonly #slots: Slot[];
  readonly #live = new Set<WorkerProcess>();
  readonly #finish: () => void;
  /** Replacements run one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  /** A reload that has not begun yet. */
  #reload: Promise<boolean> | undefined;
  #isStopping = false;
  /** Whether any worker has ever become ready. */
  #hasServed = false;
  #status = 0;

  /**
   * Starts the workers. The supervisor closes `listener` when it ends.
   *
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If a number is out of range.
   * @throws {Error} If the option `command` is needed: if the system does not reveal how this
   * process was started, and in a worker.
   */
  constructor(listener: Shared, options: WorkerOptions = {}) {
    this.#settings = workerSettingsOf(options);
    this.#command = this.#settings.command ?? ownCommand();
    this.#listener = listener;
    this.addr = listener.addr;
    ({ promise: this.finished, resolve: this.#finish } = Promise.withResolvers<void>());
    const owner = {
      settings: this.#settings,
      spawn: (number: number) => this.#spawn(number),
      recycle: (slot: Slot, spent: WorkerProcess) => void this.#queue(() => slot.replace(spent)),
    };
    this.#slots = Array.from({ length: this.#settings.count }, (_, i) => new Slot(i + 1, owner));
    this.ready = this.#begin();
    if (this.#settings.handleSignals) {
      this.#listen();
    }
  }

  /** The TCP port; 0 for a Unix socket. */
  get port(): number {
    return portOf(this.addr);
  }

  /** `http://host:port/`, or `unix:/path`. */
  get url(): URL {
    return urlOf(this.addr);
  }

  /** The processes that serve, or are starting. */
  get pids(): number[] {
    return this.#slots.flatMap(({ current }) => current?.isAlive ? [current.pid] : []);
  }

  /**
   * The counters of each worker, by its number, for those that serve and reply within two seconds.
   * A replacement process counts from 0.
   */
  async metrics(): Promise<Map<number, Metrics>> {
    const counted = this.#slots.map(async ({ number, current }) =>
      [number, await current?.metrics()] as const
    );
    const told = await Promise.all(counted);
    return new Map(told.filter((one): one is [number, Metrics] => one[1] !== undefined));
  }

  /** An exit status: 0, or 1 if a worker had to be killed or none became ready. */
  get status(): number {
    return this.#status;
  }

  #spawn(number: number): WorkerProcess {
    const { fd } = this.#listener;
    const worker = new WorkerProcess({
      number,
      fd,
      command: this.#command,
      settings: this.#settings,
    });
    this.#live.add(worker);
    worker.ready.then((isReady) => this.#hasServed ||= isReady);
    worker.ended.then(() => this.#lose(worker));
    return worker;
  }

  #lose(worker: WorkerProcess): void {
    this.#live.delete(worker);
    if (this.#isStopping) {
      this.#status ||= worker.isKilled ? 1 : 0;
      this.#finishIfDone();
    }
  }

  /** What fails in all workers at once, such as a broken module, would fail forever. */
  async #begin(): Promise<boolean> {
    await Promise.all(this.#slots.map((slot) => slot.start().ready));
    await this.#work; // a reload may have replaced them
    if (this.#hasServed || this.#isStopping) {
      return this.#hasServed;
    }
    this.#settings.onEvent({ type: "failed" });
    this.#status = 1;
    this.stop();
    return false;
  }

  /** Runs `job` once those before it are done. */
  #queue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#work.then(job);
    this.#work = done;
    return done;
  }

  /**
   * Replaces all workers: starts new ones, and drains the old ones once all of them are ready. If
   * one does not become ready, the old ones keep serving.
   *
   * @returns Whether the workers were replaced.
   * @throws {TypeError} If an app is passed: workers load theirs themselves.
   */
  reload(...none: never[]): Promise<boolean> {
    if (none.length > 0) {
      throw new TypeError("Workers load their app themselves: reload() takes none");
    }
    return this.#reload ??= this.#queue(() => {
      this.#reload = undefined;
      return this.#replaceAll();
    });
  }

  async #replaceAll(): Promise<boolean> {
    if (this.#isStopping) {
      return false;
    }
    const { onEvent } = this.#settings;
    onEvent({ type: "reloading" });
    await Promise.all(this.#slots.map((slot) => slot.prepare()));
    if (this.#isStopping) {
      return false;
    }
    // One that was ready may have ended while others were not.
    const isNew = this.#slots.every((slot) => slot.isPrepared);
    for (const slot of this.#slots) {
      isNew ? slot.commit() : slot.abandon();
    }
    onEvent({ type: isNew ? "reloaded" : "kept" });
    return isNew;
  }

  /**
   * Closes the socket and lets the workers finish their requests.
   *
   * @param options `timeout` in ms, after which the rest is cut; by default `drainTimeout`.
   * @throws {TypeError} If it is not a number of at least 0, or there is another option.
   * @returns {@linkcode Supervisor.finished}
   */
  shutdown(options: { timeout?: number } = {}): Promise<void> {
    checkTimes(options, ["timeout"]);
    const limit = options.timeout === undefined ? undefined : limitOf(options.timeout);
    this.#end((worker) => worker.drain(false, limit));
    return this.finished;
  }

  /** Kills the workers immediately. */
  stop(): void {
    this.#end((worker) => worker.kill());
  }

  /** The socket first: new clients are refused, not left waiting. */
  #end(how: (worker: WorkerProcess) => void): void {
    this.#isStopping = true;
    this.#listener.close();
    this.#slots.forEach((slot) => slot.stop());
    this.#live.forEach(how);
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#live.size === 0) {
      this.#finish();
    }
  }

  #listen(): void {
    const end = () => this.#isStopping ? this.stop() : void this.shutdown();
    const reload = () => void this.reload();
    listenUntil(this.finished, { SIGTERM: end, SIGINT: end, SIGHUP: reload });
  }

  /** {@linkcode Supervisor.shutdown}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/**
 * Serves a socket with worker processes until a signal ends them, and returns the exit status: 0,
 * or 1 if a worker had to be killed or none became ready. See {@linkcode Supervisor}.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range.
 * @throws {Error} If the option `command` is needed: see {@linkcode Supervisor}.
 *
 * @example
 * ```ts
 * import { bindAndListen, supervise } from "@x/bjoern";
 *
 * const listener = bindAndListen("127.0.0.1", 0);
 * const status = await supervise(listener, { workers: 1, command: ["false"], onEvent: () => {} });
 * console.log(status); // 1: it never became ready
 * ```
 */
export async function supervise(listener: Shared, options: WorkerOptions = {}): Promise<number> {
  const supervisor = new Supervisor(listener, options);
  await supervisor.finished;
  return supervisor.status;
}
