/**
 * The public server class.
 *
 * @module
 */
import { portOf, urlOf } from "./addresses.ts";
import { handlerOf, type Wrap } from "./app.ts";
import { checkTimes, LONGEST } from "./checks.ts";
import { Core } from "./core.ts";
import type { Metrics } from "./metrics.ts";
import type { Settings } from "./options.ts";
import type { Addr, App, NetAddr } from "./types.ts";

/**
 * A running server, returned by {@linkcode run}, {@linkcode listen} or {@linkcode serverRun}.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 *
 * const server = run(() => "Hello", "127.0.0.1", 0);
 * console.log(await (await fetch(server.url)).text()); // Hello
 * await server.shutdown({ timeout: 1000 });
 * ```
 */
export class Server<A extends Addr = NetAddr> {
  /**
   * Settles once the server has stopped and all {@linkcode Info.waitUntil} promises have settled.
   */
  readonly finished: Promise<void>;
  /** Where the server listens. */
  readonly addr: A;
  readonly #core: Core;
  readonly #wrap: Wrap;

  /** Use {@linkcode run}. */
  constructor(app: App<A>, settings: Settings, wrap: Wrap = (handler) => handler) {
    this.#wrap = wrap;
    this.#core = new Core(wrap(handlerOf(app)), settings);
    this.addr = this.#core.addr as A;
    this.finished = this.#core.finished;
  }

  /** Starts accepting connections; {@linkcode run} does this. */
  start(): this {
    this.#core.start();
    return this;
  }

  /** The TCP port; 0 for a Unix socket. */
  get port(): number {
    return portOf(this.addr);
  }

  /** `http://host:port/`, or `unix:/path`. */
  get url(): URL {
    return urlOf(this.addr);
  }

  /** Whether the server has stopped. */
  get stopped(): boolean {
    return this.#core.isStopped;
  }

  /** Requests not answered yet. */
  get pendingRequests(): number {
    return this.#core.pendingRequests;
  }

  /** Aborts when the server begins to shut down: see {@linkcode Info.draining}. */
  get draining(): AbortSignal {
    return this.#core.draining;
  }

  /**
   * Stops accepting, closes idle connections and lets running requests finish, with
   * `Connection: close` in their responses.
   *
   * @param options `timeout` in ms, after which the rest is cut; none by default. `patience` in ms,
   * during which idle connections may still send a request; by default they are closed at once.
   * @throws {TypeError} If an option is unknown or not a number of at least 0.
   * @returns {@linkcode Server.finished}
   */
  shutdown(options: { timeout?: number; patience?: number } = {}): Promise<void> {
    checkTimes(options, ["timeout", "patience"]);
    const { timeout = Infinity, patience = 0 } = options;
    return this.#core.shutdown({
      timeout: timeout > LONGEST ? undefined : timeout,
      patience: Math.ceil(Math.min(patience, LONGEST)),
    });
  }

  /**
   * Closes all connections immediately. Unanswered requests are aborted, and promises passed to
   * {@linkcode Info.waitUntil} are not awaited.
   */
  stop(): void {
    this.#core.stop();
  }

  /**
   * Passes all further requests to another app.
   *
   * @throws {TypeError} If `app` is not callable.
   */
  reload(app: App<A>): void {
    this.#core.handler = this.#wrap(handlerOf(app));
  }

  /** Keeps the process alive while the server runs (the default). */
  ref(): void {
    this.#core.ref();
  }

  /** Lets the process exit while the server runs. */
  unref(): void {
    this.#core.unref();
  }

  /** The counters so far. */
  metrics(): Metrics {
    return this.#core.metrics();
  }

  /** {@linkcode Server.shutdown}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
