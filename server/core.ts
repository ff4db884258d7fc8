/**
 * The parts of a server: the library's server, its memory, the exchanges in flight.
 *
 * @module
 */
import { library, more, tools } from "../ffi/library.ts";
import type { Library, Pointer } from "../ffi/symbols.ts";
import { Answerer } from "./answer.ts";
import { admits } from "./body_limit.ts";
import { RequestError, requestError, throwLater } from "./errors.ts";
import { Exchange, type Host } from "./exchange.ts";
import { patchGlobals, restoreGlobals } from "./globals.ts";
import { readAddress } from "./listening.ts";
import { discharge, enlist } from "./live.ts";
import { Loop } from "./loop.ts";
import { Memory } from "./memory.ts";
import { COUNTER_WORDS, type Metrics, readMetrics } from "./metrics.ts";
import { openServer } from "./opening.ts";
import type { Settings } from "./options.ts";
import { Event, EVENT_WORDS, EventFlag, EventType } from "./records.ts";
import { makeRequest } from "./request.ts";
import { stopOnSignals } from "./signals.ts";
import type { Trust } from "./trust.ts";
import type { Addr, Handler } from "./types.ts";
import { Writer } from "./writer.ts";

/** The abort reason for a stopped server's remaining requests. */
function stopped(): RequestError {
  return new RequestError("The server was stopped", 0);
}

/** A listening server and all its activity. */
export class Core implements Host {
  readonly memory: Memory = new Memory();
  readonly addr: Addr;
  readonly trust: Trust | undefined;
  readonly finished: Promise<void>;
  handler: Handler<never>;
  pendingRequests = 0;
  readonly #settings: Settings;
  readonly #library: Library;
  readonly #writer: Writer;
  readonly #answerer: Answerer;
  /** By slot: those that later events may refer to. */
  readonly #exchanges: (Exchange | undefined)[] = [];
  /** Those of the last turn not answered yet. */
  #alive: Exchange[] = [];
  /** Made on demand: on Deno that takes part of a start. */
  #draining: AbortController | undefined;
  #drainReason: Error | undefined;
  /** Those that want to know of it. */
  readonly #drainable = new Set<Exchange>();
  readonly #waiting = new Set<Promise<unknown>>();
  readonly #finish: () => void;
  readonly #counters = new Float64Array(COUNTER_WORDS);
  #server: Pointer | null;
  #loop: Loop | undefined;
  /** Whether it keeps the process alive, which may be set before there is a loop. */
  #isReferenced = true;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(handler: Handler<never>, settings: Settings) {
    this.handler = handler;
    this.#settings = settings;
    this.trust = settings.trust;
    this.#library = library();
    const server = openServer(this.#library, this.memory, settings);
    this.#server = server;
    enlist(this);
    this.addr = readAddress((to) => this.#library.bj_server_address(server, to))!;
    this.#writer = new Writer(this.#library, server, this.memory, () => this.#loop?.send());
    this.#answerer = new Answerer(this.#writer, settings.onError);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    settings.signal?.addEventListener("abort", this.stop);
  }

  start(): void {
    const { signal, onListen, spin, handleSignals, drainTimeout } = this.#settings;
    if (this.#loop !== undefined || this.#server === null) {
      return;
    }
    if (this.#settings.patchGlobals !== false) {
      patchGlobals();
    }
    this.#loop = new Loop(this, spin);
    if (!this.#isReferenced) {
      this.#loop.unref();
    }
    if (handleSignals) {
      stopOnSignals(this, drainTimeout);
    }
    try {
      onListen?.(this.addr);
    } catch (error) {
      this.stop();
      throw error;
    }
    if (signal?.aborted) {
      this.stop();
    }
  }

  /**
   * One batch of events, answered as far as the handlers do so synchronously. What was written
   * since the last turn goes first: all output of a job and its microtasks leaves together.
   */
  turn(): number {
    this.#writer.flush();
    this.#detach();
    this.memory.turn++;
    const count = this.#server === null ? 0 : this.#library.bj_server_turn(this.#server);
    if (count > 0) {
      this.#writer.held = true;
      this.#handle(count);
      this.#writer.held = false;
      this.#writer.flush();
    }
    return count;
  }

  send(): void {
    this.#writer.flush();
  }

  #handle(count: number): void {
    for (let i = 0; i < count && this.#server !== null; i++) {
      try {
        this.#handleEvent(i * EVENT_WORDS);
      } catch (error) {
        throwLater(error); // The user's logger has thrown: the batch continues.
      }
    }
  }

  #handleEvent(at: number): void {
    if (this.memory.events[at + Event.type] === EventType.REQUEST) {
      this.#dispatch(at);
    } else {
      this.#notice(at);
    }
  }

  #dispatch(at: number): void {
    const exchange = new Exchange(this, at);
    this.pendingRequests++;
    try {
      const request = makeRequest(exchange);
      if (exchange.body === null || this.#admits(request, exchange)) {
        const { handler } = this; // called without `this`
        this.#answerer.answer(exchange, handler(request, exchange as never));
      }
    } catch (error) {
      this.#answerer.fail(exchange, error);
    }
    if (this.#server === null) {
      exchange.abort(stopped());
    } else if (!exchange.over || exchange.awaitsSent) {
      this.#exchanges[exchange.slot] = exchange;
      this.#alive.push(exchange);
    }
  }

  #admits(request: Request, exchange: Exchange): boolean {
    const { bodyLimit } = this.#settings;
    return bodyLimit === undefined || admits(bodyLimit, request, exchange, this.#writer);
  }

  /** Exchanges that last until the next turn copy their part of the shared memory. */
  #detach(): void {
    for (const exchange of this.#alive) {
      if (!exchange.over) {
        exchange.detach();
      }
    }
    this.#alive.length = 0;
  }

  #notice(at: number): void {
    const { events } = this.memory;
    const type = events[at + Event.type];
    if (type === EventType.STOPPED) {
      this.#close();
      return;
    }
    const exchange = this.#exchanges[events[at + Event.request]];
    if (exchange !== undefined && exchange.generation === events[at + Event.generation]) {
      this.#tell(exchange, type, at);
    }
  }

  #tell(exchange: Exchange, type: number, at: number): void {
    const { events, arena } = this.memory;
    const flags = events[at + Event.flags];
    switch (type) {
      case EventType.BODY: {
        const start = events[at + Event.body_at];
        const part = arena.subarray(start, start + events[at + Event.body_size]);
        exchange.body?.push(part, (flags & EventFlag.END) !== 0);
        return;
      }
      case EventType.READABLE:
        exchange.body?.readable(events[at + Event.body_size], (flags & EventFlag.END) !== 0);
        return;
      case EventType.DRAINED:
        exchange.onDrain?.();
        return;
      case EventType.LEFT:
        exchange.left();
        return;
      case EventType.SENT:
        this.#exchanges[exchange.slot] = undefined;
        exchange.onSent();
        return;
      case EventType.ABORTED:
        this.#exchanges[exchange.slot] = undefined;
        exchange.abort(requestError(flags, exchange.status > 0));
        return;
    }
  }

  get draining(): AbortSignal {
    if (this.#draining === undefined) {
      this.#draining = new AbortController();
      if (this.#drainReason !== undefined) {
        this.#draining.abort(this.#drainReason);
      }
    }
    return this.#draining.signal;
  }

  get isStopped(): boolean {
    return this.#server === null;
  }

  wait(micros: number): number {
    return this.#server === null ? 0 : more().bj_server_wait(this.#server, micros);
  }

  park(): boolean {
    return this.#server !== null && more().bj_server_park(this.#server) === 0;
  }

  wakeFd(): number {
    return more().bj_server_wake_fd(this.#server);
  }

  consume(exchange: Exchange, taken: number, rest: boolean): void {
    this.#writer.consume(exchange, taken, rest);
  }

  /** The library watches the connection again; the kernel is informed in the next turn. */
  read({ slot, generation }: Exchange, to: Uint8Array): number {
    if (this.#server === null) {
      return 0;
    }
    this.#loop?.wake();
    return more().bj_server_read(this.#server, slot, generation, to, to.length);
  }

  /** Listening to the server's own signal, requests would live as long as that does. */
  awaitDrain(exchange: Exchange): void {
    if (this.#drainReason !== undefined) {
      exchange.drain(this.#drainReason);
    } else if (!exchange.over) {
      this.#drainable.add(exchange);
    }
  }

  #announceDrain(reason: Error): void {
    this.#drainReason ??= reason;
    this.#draining?.abort(this.#drainReason);
    for (const exchange of this.#drainable) {
      exchange.drain(this.#drainReason);
    }
    this.#drainable.clear();
  }

  ended(exchange: Exchange): void {
    this.pendingRequests--;
    if (this.#drainable.size > 0) {
      this.#drainable.delete(exchange);
    }
    if (!exchange.awaitsSent && this.#exchanges[exchange.slot] === exchange) {
      this.#exchanges[exchange.slot] = undefined;
    }
  }

  localAddr({ slot, generation }: Exchange): Addr {
    const server = this.#server;
    return server !== null &&
        readAddress((to) => tools().bj_server_local(server, slot, generation, to)) ||
      this.addr;
  }

  waitUntil(value: unknown, exchange: Exchange): void {
    const promise = Promise.resolve(value);
    const done = () => {
      this.#waiting.delete(promise);
      this.#settle();
    };
    this.#waiting.add(promise);
    promise.then(done, (error) => {
      this.#answerer.report(exchange, error);
      done();
    });
  }

  metrics(): Metrics {
    if (this.#server !== null) {
      more().bj_server_counters(this.#server, this.#counters);
    }
    return readMetrics(this.#counters);
  }

  shutdown({ timeout, patience = 0 }: { timeout?: number; patience?: number }): Promise<void> {
    if (this.#loop === undefined) {
      this.stop();
      return this.finished;
    }
    if (this.#server !== null) {
      more().bj_server_drain(this.#server, patience);
      this.#loop.wake();
      this.#announceDrain(new DOMException("The server is shutting down", "AbortError"));
    }
    if (timeout !== undefined && !this.#isOver) {
      clearTimeout(this.#deadline);
      this.#deadline = setTimeout(this.stop, timeout);
    }
    return this.finished;
  }

  /** Bound, as it is also a listener. Stops waiting for anything. */
  readonly stop = (): void => {
    this.#close();
    this.#waiting.clear();
    this.#settle();
  };

  #close(): void {
    const server = this.#server;
    if (server === null) {
      return;
    }
    this.#server = null;
    discharge(this);
    this.#writer.close();
    for (const exchange of this.#exchanges) {
      exchange?.abort(stopped());
    }
    this.#announceDrain(stopped());
    more().bj_server_close(server);
    more().bj_server_counters(server, this.#counters);
    more().bj_server_free(server);
    if (this.#loop !== undefined) {
      this.#loop.close();
      if (this.#settings.patchGlobals !== false) {
        restoreGlobals();
      }
    }
    this.#settle();
  }

  /** Whether it has stopped and waits for nothing. */
  get #isOver(): boolean {
    return this.#server === null && this.#waiting.size === 0;
  }

  /** Finishes once that is so; until then `shutdown()`'s timeout keeps running. */
  #settle(): void {
    if (this.#isOver) {
      clearTimeout(this.#deadline);
      this.#settings.signal?.removeEventListener("abort", this.stop);
      this.#finish();
    }
  }

  ref(): void {
    this.#isReferenced = true;
    this.#loop?.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    this.#loop?.unref();
  }
}
