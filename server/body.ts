/**
 * A request's body on its way from the connection to the handler.
 *
 * @module
 */

/** Where a body comes from. */
export interface Source {
  /** The handler reads: the client may be told to go on (100), and `taken` octets make room. */
  consume(taken: number): void;
}

/** What who reads too late is told. */
export const OVER =
  "The request is over: read what you need of it before you respond, or call waitUntil()";

/** Octets taken before the library is told: a part of what it lets be unread. */
const CREDIT = 65536;

const decoder = new TextDecoder();

/**
 * Parts that have arrived and one reader who may wait for the next. Parts that came with the head
 * are views of the arena until `detach()` copies them.
 */
export class Body {
  /** Whether somebody has begun to read. */
  used = false;
  #source: Source;
  #parts: Uint8Array[];
  #ended: boolean;
  #borrowed: boolean;
  #isOver = false;
  #taken = 0;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;

  constructor(source: Source, first: Uint8Array, ended: boolean) {
    this.#source = source;
    this.#parts = first.length > 0 ? [first] : [];
    this.#borrowed = first.length > 0;
    this.#ended = ended;
  }

  /** Copies what still stands in the arena. */
  detach(): void {
    if (this.#borrowed) {
      this.#borrowed = false;
      this.#parts = this.#parts.map((part) => part.slice());
    }
  }

  /** Adds a copy of the next part. */
  push(part: Uint8Array, ended: boolean): void {
    if (part.length > 0) {
      this.#parts.push(part.slice());
    }
    this.#ended = ended;
    this.#wake?.();
  }

  /** Nothing more comes: readers get `error` after what has arrived. */
  fail(error: Error): void {
    if (!this.#ended) {
      this.#error ??= error;
      this.#wake?.();
    }
  }

  /** The exchange is over: what is not here as a copy is not here any more. */
  expire(): void {
    if (this.#borrowed) {
      this.#borrowed = false;
      this.#parts = [];
      this.#ended = false;
    }
    this.#isOver = true;
    this.#wake?.();
  }

  /** The next part, `undefined` at the end; the caller owns it. */
  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#parts.length === 0) {
      if (this.#error !== undefined) {
        throw this.#error;
      }
      if (this.#isOver && !this.#ended) {
        throw new TypeError(OVER);
      }
      if (this.#ended) {
        return undefined;
      }
      this.#source.consume(0);
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    this.detach();
    const part = this.#parts.shift()!;
    this.#taken += part.length;
    if (!this.#ended && this.#taken >= CREDIT) {
      this.#source.consume(this.#taken);
      this.#taken = 0;
    }
    return part as Uint8Array<ArrayBuffer>;
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
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let part = await this.#next(); part !== undefined; part = await this.#next()) {
      parts.push(part);
      size += part.length;
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #begin(): void {
    if (this.used || this.#stream?.locked) {
      throw new TypeError("Body is unusable: it has been read already");
    }
    this.used = true;
  }

  /** Reads everything as bytes of the caller's own. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#begin();
    const now = this.#now();
    return now === undefined ? await this.#all() : now.slice();
  }

  /** Reads everything as UTF-8. A body that is here is decoded where it stands. */
  async text(): Promise<string> {
    this.#begin();
    return decoder.decode(this.#now() ?? await this.#all());
  }

  /** A stream of the parts; reading pauses the client when the handler is behind. */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#stream ??= new ReadableStream({
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
