/**
 * A request's body on its way from the connection to the handler.
 *
 * @module
 */

import { copyOf, Gathered, uncleared } from "./gathered.ts";

/** Where a body comes from. */
export interface Source {
  /** Bytes of the whole body, if that is known. */
  readonly length: number | undefined;
  /**
   * The handler reads: the client may be told to go on (100), and `taken` bytes make room. With
   * `rest`, what is still to come is taken by `read()`.
   */
  consume(taken: number, rest: boolean): void;
  /** Reads bytes that are there into `to`; returns how many. */
  read(to: Uint8Array): number;
}

/** What who reads too late is told. */
export const OVER =
  "The request is over: read what you need of it before you respond, or call waitUntil(), which " +
  "keeps what has arrived by then";

/** Bytes taken before the library is told: a part of what it lets be unread. */
const CREDIT = 65536;

/** When at least so much is to come it is read without a detour. */
const LARGE = 32768;

/** Small parts become one of so many bytes: each by itself would cost far more than it has. */
const BLOCK = 16384;

/** Bytes of one part. Smaller ones cost more: an event each, and word to the client of the room. */
const MOST_READ = 1 << 22;

const decoder = new TextDecoder();

/**
 * Parts that have arrived and one reader who may wait for the next. Parts that came with the head
 * are views of the arena until `detach()` copies them. The rest of a large body is told of when it
 * is there, and read straight into memory of its reader's.
 */
export class Body {
  /** Whether somebody has begun to read. */
  used = false;
  #source: Source;
  #parts: Uint8Array[];
  /** The memory of the last part, which may have room for more. */
  #block: Uint8Array | undefined;
  #ended: boolean;
  #borrowed: boolean;
  #isOver = false;
  /** Bytes so far, and how many of them the library has not been told of. */
  #arrived: number;
  #taken = 0;
  /** Whether the rest is read from the source, how much of it is there, and whether that is all. */
  #isRest = false;
  #readable = 0;
  #isLast = false;
  /** What a reader of the whole has so far: parts go there at once. */
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

  /** Copies what still stands in the arena. */
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

  /** So many bytes can be read; whether they are the last ones. */
  readable(size: number, isLast: boolean): void {
    this.#readable = size;
    this.#isLast = isLast;
    this.#wake?.();
  }

  /** What is not copied is the arena's, which soon has what others send. */
  #forget(): void {
    if (this.#borrowed) {
      this.#borrowed = false;
      this.#parts = [];
      this.#ended = false;
    }
  }

  /** Nothing more comes: readers get `error` after what has arrived. */
  fail(error: Error): void {
    this.#forget();
    if (!this.#ended) {
      this.#error ??= error;
      this.#wake?.();
    }
  }

  /** The exchange is over: what is not here as a copy is not here any more. */
  expire(): void {
    this.#forget();
    this.#isOver = true;
    this.#wake?.();
  }

  /** Waits until something has changed; throws if nothing more can come. */
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

  /** Reads what is there into `to`. Returns how many bytes that were. */
  #read(to: Uint8Array): number {
    const size = this.#source.read(to);
    this.#ended ||= this.#isLast && size === this.#readable;
    this.#readable = 0; // more is told of anew
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

  /** The next part, `undefined` at the end; the caller owns it. */
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

  /** The whole body, valid until control returns to the event loop; `undefined` if it is to come. */
  #now(): Uint8Array | undefined {
    if (!this.#ended || this.#parts.length > 1) {
      return undefined;
    }
    this.#borrowed = false;
    return this.#parts.pop() ?? new Uint8Array();
  }

  async #all(): Promise<Uint8Array<ArrayBuffer>> {
    const whole = this.#whole = new Gathered(this.#source.length);
    for (const part of this.#parts.splice(0)) {
      whole.add(part);
      this.#take(part.length);
    }
    this.#borrowed = false;
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
    this.#stream?.getReader(); // for good: who has it must not take the end for the whole
  }

  /** Takes everything as bytes of the caller's own, if it is here and nobody has begun to read. */
  takeNow(): Uint8Array<ArrayBuffer> | undefined {
    const now = this.used || this.#stream !== undefined ? undefined : this.#now();
    this.used ||= now !== undefined;
    return now && copyOf(now);
  }

  /** Reads everything as bytes of the caller's own, at once if it is here. */
  bytes(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    this.#begin();
    const now = this.#now();
    return now === undefined ? this.#all() : copyOf(now);
  }

  /** Reads everything as UTF-8. A body that is here is decoded where it stands. */
  text(): string | Promise<string> {
    this.#begin();
    const now = this.#now();
    return now === undefined ? this.#all().then((all) => decoder.decode(all)) : decoder.decode(now);
  }

  /** A stream of the parts; reading pauses the client when the handler is behind. */
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
