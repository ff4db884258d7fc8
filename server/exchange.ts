/**
 * One request and its response, from the event record to the last command. The handler gets it as
 * its `info`.
 *
 * @module
 */
import { ip } from "./addresses.ts";
import { Body, OVER } from "./body.ts";
import { type RequestError, requestError } from "./errors.ts";
import { type Forwarded, readForwarded } from "./forwarded.ts";
import { joined } from "./headers.ts";
import { Incoming } from "./incoming.ts";
import { latin1, type Memory } from "./memory.ts";
import { Event, EVENT_WORDS, EventFlag, METHODS } from "./records.ts";
import { targetUri } from "./target_uri.ts";
import type { Trust } from "./trust.ts";
import type { Addr, Info, Sent, SocketAddress } from "./types.ts";

/** What an exchange needs from its server. */
export interface Host {
  readonly memory: Memory;
  readonly pendingRequests: number;
  readonly trust: Trust | undefined;
  consume(exchange: Exchange, taken: number, rest: boolean): void;
  read(exchange: Exchange, to: Uint8Array): number;
  ended(exchange: Exchange): void;
  awaitDrain(exchange: Exchange): void;
  localAddr(exchange: Exchange): Addr;
  waitUntil(value: unknown, exchange: Exchange): void;
}

/** The state of a response. */
export const State = { OPEN: 0, STARTED: 1, DONE: 2, ABORTED: 3 } as const;

/** Whether the bytes from `at` on are the name, ignoring case. */
function isName(name: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < name.length; i++) {
    const octet = bytes[at + i];
    const lower = octet >= 65 && octet <= 90 ? octet + 32 : octet;
    if (lower !== name.charCodeAt(i)) {
      return false;
    }
  }
  return true;
}

/**
 * The head is read from shared memory during the turn; `detach()` copies what a handler that
 * continues may still need.
 */
export class Exchange implements Info<Addr> {
  readonly host: Host;
  readonly slot: number;
  readonly generation: number;
  readonly flags: number;
  state: number = State.OPEN;
  /** Whether somebody waits for the response to be sent. */
  notify = false;
  /** Whether the library knows that, and will report it. */
  awaitsSent = false;
  /** Whether the client has closed its side. */
  hasLeft = false;
  /** Called with the reason if the exchange ends early: cancels the response's stream. */
  onAbort: ((reason: Error) => void) | undefined = undefined;
  /** Called when the client has read enough of the response. */
  onDrain: (() => void) | undefined = undefined;
  body: Body | null = null;
  /** Bytes of the response so far: see {@linkcode Info.sent}. */
  status = 0;
  bytes = 0;
  #words: Uint32Array;
  #at: number;
  #bytes: Uint8Array;
  #base = 0;
  #fields: Uint32Array;
  #turn: number;
  #controller: AbortController | undefined = undefined;
  #draining: AbortController | undefined = undefined;
  #reason: RequestError | undefined = undefined;
  #completed: PromiseWithResolvers<void> | undefined = undefined;

  constructor(host: Host, at: number) {
    const { events, arena, fields, turn } = host.memory;
    this.host = host;
    this.slot = events[at + Event.request];
    this.generation = events[at + Event.generation];
    this.flags = events[at + Event.flags];
    this.#words = events;
    this.#at = at;
    this.#bytes = arena;
    this.#fields = fields;
    this.#turn = turn;
    if ((this.flags & EventFlag.BODY) !== 0) {
      this.#receive(events[at + Event.body_at], events[at + Event.body_size]);
    }
  }

  #receive(at: number, size: number): void {
    const first = this.host.memory.arena.subarray(at, at + size);
    this.body = new Body(new Incoming(this), first, (this.flags & EventFlag.END) !== 0);
  }

  /** Copies what is needed after the turn out of shared memory. */
  detach(): void {
    if (this.#turn < 0) {
      return;
    }
    this.#check();
    this.#turn = -1;
    const at = this.#at;
    this.#words = this.#words.slice(at, at + EVENT_WORDS);
    this.#at = 0;
    this.#base = this.#words[Event.head_at];
    this.#bytes = this.#bytes.slice(this.#base, this.#base + this.#words[Event.head_size]);
    const first = 2 * this.#words[Event.fields_at];
    this.#fields = this.#fields.slice(first, first + 2 * this.#words[Event.fields_count]);
    this.#words[Event.fields_at] = 0;
    this.body?.detach();
  }

  /** Whether the response is complete or no longer wanted. */
  get over(): boolean {
    return this.state >= State.DONE;
  }

  #check(): void {
    if (this.#turn >= 0 && this.#turn !== this.host.memory.turn) {
      throw new TypeError(OVER);
    }
  }

  #word(member: number): number {
    this.#check();
    return this.#words[this.#at + member];
  }

  #text(at: number, size: number): string {
    return latin1(this.#bytes, at - this.#base, size);
  }

  /** The method, as sent by the client. */
  get method(): string {
    const code = this.#word(Event.method);
    return METHODS[code & 0xffff] || this.#text(this.#word(Event.head_at), code >>> 16);
  }

  /** See {@linkcode Info.rawTarget}. */
  get rawTarget(): string {
    return this.#text(this.#word(Event.target_at), this.#word(Event.target_size));
  }

  get #authority(): string {
    const size = this.#word(Event.authority_size);
    return size === 0 ? "" : this.#text(this.#word(Event.authority_at), size);
  }

  /** The target URI (RFC 9112 section 3.3), absolute and normalised. */
  get url(): string {
    return targetUri(this.rawTarget, this.flags, this.#authority, this.#told);
  }

  /** Calls `visit` with each field in order, its name in lower case. */
  eachField(visit: (name: string, value: string) => void): void {
    const head = this.#word(Event.head_at);
    const absolute = (this.flags & EventFlag.ABSOLUTE) !== 0;
    const first = 2 * this.#word(Event.fields_at);
    const last = first + 2 * this.#word(Event.fields_count);
    for (let i = first; i < last; i += 2) {
      const name = this.#fields[i];
      const value = this.#fields[i + 1];
      const lower = this.#text(head + (name & 0xffff), name >>> 16).toLowerCase();
      if (absolute && lower === "host") {
        // The target's own authority takes its place (RFC 9112 section 3.2.2).
        visit(lower, this.#authority);
      } else {
        visit(lower, this.#text(head + (value & 0xffff), value >>> 16));
      }
    }
  }

  /** The value of a field by its lower-case name; repeated ones as a list. */
  field(name: string): string | null {
    if (name === "host" && (this.flags & EventFlag.ABSOLUTE) !== 0) {
      return this.#authority;
    }
    const head = this.#word(Event.head_at);
    const first = 2 * this.#word(Event.fields_at);
    const last = first + 2 * this.#word(Event.fields_count);
    let found: string | null = null;
    for (let i = first; i < last; i += 2) {
      const at = this.#fields[i];
      if (
        at >>> 16 === name.length && isName(name, this.#bytes, head - this.#base + (at & 0xffff))
      ) {
        const value = this.#text(head + (this.#fields[i + 1] & 0xffff), this.#fields[i + 1] >>> 16);
        found = found === null ? value : joined(name, found, value);
      }
    }
    return found;
  }

  /** Bytes of the body: all, if the client has announced the length, otherwise those received. */
  get bodySize(): number {
    return Number(this.field("content-length") ?? this.#word(Event.body_size));
  }

  /** See {@linkcode Info.httpVersion}. */
  get httpVersion(): "1.0" | "1.1" {
    return (this.flags & EventFlag.HTTP10) !== 0 ? "1.0" : "1.1";
  }

  /** Whether the response never has a body (RFC 9110 section 9.3.2). */
  get isHead(): boolean {
    return METHODS[this.#words[this.#at + Event.method] & 0xffff] === "HEAD";
  }

  /** See {@linkcode Info.peerAddr}. */
  get peerAddr(): Addr {
    this.#check();
    const words = this.#words;
    const at = this.#at + Event.peer;
    if ((words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0) {
      return { transport: "unix", path: "" };
    }
    const peer = new Uint8Array(words.buffer, words.byteOffset + 4 * at, 16);
    return { transport: "tcp", hostname: ip(peer), port: this.#word(Event.peer_port) };
  }

  /** What trusted proxies say, parsed on demand. */
  get #told(): Forwarded | undefined {
    const { trust } = this.host;
    return trust && readForwarded(trust, this.peerAddr, (name) => this.field(name));
  }

  /** See {@linkcode Info.remoteAddr}. */
  get remoteAddr(): Addr {
    return this.#told?.client ?? this.peerAddr;
  }

  /** See {@linkcode Info.localAddr}. */
  get localAddr(): Addr {
    return this.host.localAddr(this);
  }

  /** See {@linkcode Info.pendingRequests}. */
  get pendingRequests(): number {
    return this.host.pendingRequests;
  }

  /** See {@linkcode Info.draining}. */
  get draining(): AbortSignal {
    if (this.#draining === undefined) {
      this.#draining = new AbortController();
      this.host.awaitDrain(this);
    }
    return this.#draining.signal;
  }

  /** The server begins to drain. */
  drain(reason: unknown): void {
    this.#draining?.abort(reason);
  }

  /** See {@linkcode Info.requestIP}. */
  requestIP(_request?: Request): SocketAddress | null {
    const addr = this.remoteAddr;
    if (addr.transport === "unix") {
      return null;
    }
    const family = addr.hostname.includes(":") ? "IPv6" : "IPv4";
    return { address: addr.hostname, port: addr.port, family };
  }

  /** See {@linkcode Info.waitUntil}. */
  waitUntil(promise: Promise<unknown>): void {
    if (!this.over) {
      this.detach();
    }
    this.host.waitUntil(promise, this);
  }

  /** See {@linkcode Info.sent}. */
  get sent(): Sent {
    return { status: this.status, bytes: this.bytes };
  }

  /** See {@linkcode Info.completed}. */
  get completed(): Promise<void> {
    if (this.#completed === undefined) {
      this.#completed = Promise.withResolvers<void>();
      this.#completed.promise.catch(() => {}); // handled only by those who use it
      this.notify = true;
      if (this.#reason !== undefined) {
        this.#completed.reject(this.#reason);
      } else if (this.over) {
        this.#completed.resolve();
      }
    }
    return this.#completed.promise;
  }

  /** The request's signal, which can abort until the response is sent. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.notify = true;
      if (this.#reason !== undefined) {
        this.#controller.abort(this.#reason);
      } else if (this.hasLeft) {
        this.left();
      }
    }
    return this.#controller.signal;
  }

  /** The last command of the response is written. */
  finish(): void {
    this.state = State.DONE;
    this.body?.expire();
    if (!this.awaitsSent) {
      this.onSent();
    }
    this.host.ended(this);
  }

  /** The last byte of the response has been handed to the kernel. */
  onSent(): void {
    this.#completed?.resolve();
  }

  /** The client has closed its side: it has most likely gone, but may still read the response. */
  left(): void {
    this.hasLeft = true;
    this.#controller?.abort(requestError(0));
  }

  /** The exchange has ended early. */
  abort(reason: RequestError): void {
    const wasOver = this.over;
    this.state = State.ABORTED;
    this.#reason ??= reason;
    this.#completed?.reject(reason);
    this.#controller?.abort(reason);
    if (!wasOver) {
      this.host.ended(this);
      this.body?.fail(reason);
      this.onAbort?.(reason);
      this.onDrain?.();
    }
  }
}
