/**
 * A request's body between the connection and the handler.
 *
 * @module
 */

import { copyOf, Gathered, uncleared } from "./gathered.ts";

/** The source of a body. */
export interface Source {
  /** The length of the whole body, if known. */
  readonly length: number | undefined;
  /**
   * The handler reads: the client may get a 100 (Continue), and `taken` bytes make room. With
   * `rest`, the remaining bytes are taken with `read()`.
   */
  consume(taken: number, rest: boolean): void;
  /** Reads available bytes into `to`; returns how many. */
  read(to: Uint8Array): number;
}

/** The error for reading too late. */
export const OVER =
  "The request is over: read what you need of it before you respond, or call waitUntil(), which " +
  "keeps what has arrived by then";

/** Bytes taken before this is reported to the library: a fraction of what may be unread. */
const CREDIT = 65536;

/** If at least this much remains, it is read directly. */
const LARGE = 32768;

/** Small parts are joined up to this size: each costs far more than its bytes. */
const BLOCK = 16384;

/** Bytes of one part. Smaller ones cost more: an event each, and a window update to the client. */
const MOST_READ = 1 << 22;

const decoder = new TextDecoder();

/**
 * Parts that have arrived, and one reader that may wait for the next. Parts that came with the head
 * are views of the arena until `detach()` copies them. The rest of a large body is announced when
 * it is there, and read directly into its reader's memory.
 */
export class Body {
  /** Whether reading has begun. */
  used = false;
  #source: Source;
  #parts: Uint8Array[];
  /** The memory of the last part, which may have room left. */
  #block: Uint8Array | undefined;
  #ended: boolean;
  #borrowed: boolean;
  #isOver = false;
  /** Bytes so far, and how many of them were not yet reported to the library. */
  #arrived: number;
  #taken = 0;
  /** Whether the rest is read from the source, how much is available, and whether that is all. */
  #isRest = false;
  #readable = 0;
  #isLast = false;
  /** What a reader of the whole body has so far: parts go there directly. */
  #whole: Gathered | undefined;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  constructor(source: Source, first: Uint8Array, ended: boolean) {
    this.#source = source;
    this.#parts = first.length > 0 ? [first] : [];
    this.#borrowed = first.length > 0;
    this.#arrived = first.length;
    this.#ended = ended;
  }

  /** Copies what is still in the arena. */
  detach(): void {
    if (this.#borrowed) {
      this.#borrowed = false;
      this.#parts = this.#parts.map(copyOf);
    }
  }

  /** Adds a copy of the next part. */
  push(part: Uint8Array, ended: boolean): void {
    this.#arrived += part.length;
    if (this.#whole !== undefined) {
      this.#whole.add(part);
      this.#take(part.length);
    } else if (part.length > 0) {
      this.#keep(part);
    }
    this.#ended = ended;
    this.#wake?.();
  }

  #keep(part: Uint8Array): void {
    const last = this.#parts.at(-1);
    const size = (last?.length ?? 0) + part.length;
    if (last === undefined || last.buffer !== this.#block?.buffer || size > BLOCK) {
      this.#block = copyOf(part);
      this.#parts.push(this.#block);
      return;
    }
    if (size > this.#block.length) {
      this.#block = uncleared(Math.min(2 * size, BLOCK));
      this.#block.set(last);
    }
    this.#block.set(part, last.length);
    this.#parts[this.#parts.length - 1] = this.#block.subarray(0, size);
  }

  /** `size` bytes can be read; `isLast` if they are the last ones. */
  readable(size: number, isLast: boolean): void {
    this.#readable = size;
    this.#isLast = isLast;
    this.#wake?.();
  }

  /** What is not copied belongs to the arena, which will soon hold other clients' data. */
  #forget(): void {
    if (this.#borrowed) {
      this.#borrowed = false;
      this.#parts = [];
      this.#ended = false;
    }
  }

  /** No more data comes: readers get `error` after what has arrived. */
  fail(error: Error): void {
    this.#forget();
    if (!this.#ended) {
      this.#error ??= error;
      this.#wake?.();
    }
  }

  /** The exchange is over: what was not copied is gone. */
  expire(): void {
    this.#forget();
    this.#isOver = true;
    this.#wake?.();
  }

  /** Waits for a change; throws if nothing more can come. */
  async #change(): Promise<void> {
    if (this.#error !== undefined) {
      throw this.#error;
    }
    if (this.#isOver) {
      throw new TypeError(OVER);
    }
    this.#isRest ||= this.#source.length! - this.#arrived >= LARGE;
    this.#source.consume(0, this.#isRest);
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }

  /** Reads what is available into `to`. Returns the number of bytes. */
  #read(to: Uint8Array): number {
    const size = this.#source.read(to);
    this.#ended ||= this.#isLast && size === this.#readable;
    this.#readable = 0; // more is announced again
    this.#arrived += size;
    return size;
  }

  #take(size: number): void {
    this.#taken += size;
    if (!this.#ended && this.#taken >= CREDIT) {
      this.#source.consume(this.#taken, this.#isRest);
      this.#taken = 0;
    }
  }

  /** The next part, `undefined` at the end; owned by the caller. */
  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#parts.length === 0) {
      if (this.#ended) {
        return undefined;
      }
      if (this.#readable > 0) {
        const part = uncleared(Math.min(this.#readable, MOST_READ));
        const size = this.#read(part);
        if (size > 0) {
          return size === part.length ? part : copyOf(part.subarray(0, size));
        }
      }
      await this.#change();
    }
    this.detach();
    const part = this.#parts.shift()!;
    this.#take(part.length);
    return part.length < part.buffer.byteLength ? copyOf(part) : part as Uint8Array<ArrayBuffer>;
  }

  /** The whole body, valid until control returns to the event loop; `undefined` if incomplete. */
  #now(): Uint8Array | undefined {
    if (!this.#ended || this.#parts.length > 1) {
      return undefined;
    }
    this.#borrowed = false;
    return this.#parts.pop() ?? new Uint8Array();
  }

  /** The parts that are here, in one. */
  #gather(): Gathered {
    const whole = new Gathered(this.#source.length);
    for (const part of this.#parts.splice(0)) {
      whole.add(part);
      this.#take(part.length);
    }
    this.#borrowed = false;
    return whole;
  }

  async #all(): Promise<Uint8Array<ArrayBuffer>> {
    const whole = this.#whole = this.#gather();
    while (!this.#ended) {
      if (this.#readable > 0) {
        whole.fill(this.#read(whole.room(this.#readable)));
      } else {
        await this.#change();
      }
    }
    return whole.take();
  }

  #begin(): void {
    if (this.used || this.#stream?.locked) {
      throw new TypeError("Body is unusable: it has been read already");
    }
    this.used = true;
    this.#stream?.getReader(); // for good: its owner must not mistake the end for the whole
  }

  /** Takes everything as bytes owned by the caller, if complete and not being read. */
  takeNow(): Uint8Array<ArrayBuffer> | undefined {
    if (this.used || this.#stream !== undefined || !this.#ended) {
      return undefined;
    }
    this.used = true;
    const now = this.#now();
    return now === undefined ? this.#gather().take() : copyOf(now);
  }

  /** Reads everything as bytes owned by the caller, at once if complete. */
  bytes(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    this.#begin();
    const now = this.#now();
    return now === undefined ? this.#all() : copyOf(now);
  }

  /** Reads everything as UTF-8. A complete body is decoded in place. */
  text(): string | Promise<string> {
    this.#begin();
    const now = this.#now();
    return now === undefined ? this.#all().then((all) => decoder.decode(all)) : decoder.decode(now);
  }

  /** A stream of the parts; the client is paused while the handler is behind. */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.#stream === undefined) {
      this.#stream = this.#streamed();
      if (this.used) {
        this.#stream.getReader(); // for good: there is nothing left to read
      }
    }
    return this.#stream;
  }

  #streamed(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      type: "bytes",
      pull: async (controller) => {
        this.used = true;
        const part = await this.#next();
        if (part !== undefined) {
          controller.enqueue(part);
        } else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
      cancel: () => {
        this.used = true;
        this.#parts = [];
      },
    }, { highWaterMark: 0 });
  }
}
