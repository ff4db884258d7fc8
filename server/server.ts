/**
 * The server as its users see it.
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
 * A running server, made by {@linkcode run}, {@linkcode listen} or {@linkcode serverRun}.
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
  /** Settles once the server has stopped and {@linkcode Info.waitUntil} waits for nothing. */
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

  /** Begins to accept connections; done by {@linkcode run}. */
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

  /** Whether it has stopped: it serves nothing any more. */
  get stopped(): boolean {
    return this.#core.isStopped;
  }

  /** Requests that are not answered yet. */
  get pendingRequests(): number {
    return this.#core.pendingRequests;
  }

  /** Aborts when it begins to shut down: see {@linkcode Info.draining}. */
  get draining(): AbortSignal {
    return this.#core.draining;
  }

  /**
   * Stops accepting, closes idle connections and lets running requests finish, their responses
   * with `Connection: close`.
   *
   * @param options `timeout` in ms, after which the rest is cut; by default there is none. `patience`
   * in ms, for which idle connections may still ask; by default they are closed at once.
   * @throws {TypeError} When one of them is no number from 0.
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
   * Closes every connection now. Requests that are not answered are aborted, and what
   * {@linkcode Info.waitUntil} was given is not waited for.
   */
  stop(): void {
    this.#core.stop();
  }

  /** Hands the requests from now on to another app. */
  reload(app: App<A>): void {
    this.#core.handler = this.#wrap(handlerOf(app));
  }

  /** Keeps the process alive while the server runs, which is the default. */
  ref(): void {
    this.#core.ref();
  }

  /** Lets the process end although the server runs. */
  unref(): void {
    this.#core.unref();
  }

  /** What has been counted so far. */
  metrics(): Metrics {
    return this.#core.metrics();
  }

  /** {@linkcode Server.shutdown}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
