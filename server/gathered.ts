/**
 * Joins bytes that arrive in parts.
 *
 * @module
 */

/** The most memory allocated at once; more only as it fills: a client may announce but not send. */
const MOST_AT_ONCE = 1 << 20;
/** The initial size if the length is unknown. */
const FIRST = 1 << 14;

/** Uninitialised memory, fully written before it is visible: clearing it would cost as much. */
export function uncleared(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer);
}

/** A separate copy. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Grows as needed, without unnecessary copies if the size is known. */
export class Gathered {
  readonly #expected: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #size = 0;

  /** `expected` is the size, if known. */
  constructor(expected: number | undefined) {
    this.#expected = expected ?? 0;
  }

  /** Room for `size` more bytes, to be written and then counted with `fill()`. */
  room(size: number): Uint8Array<ArrayBuffer> {
    const needed = this.#size + size;
    if (needed > this.#bytes.length) {
      const first = Math.max(FIRST, Math.min(this.#expected, MOST_AT_ONCE));
      const wanted = Math.max(first, 2 * this.#bytes.length, needed);
      const bytes = uncleared(
        needed <= this.#expected ? Math.min(wanted, this.#expected) : wanted,
      );
      bytes.set(this.#bytes.subarray(0, this.#size));
      this.#bytes.buffer.transfer(0);
      this.#bytes = bytes;
    }
    return this.#bytes.subarray(this.#size, needed);
  }

  /** Counts bytes written into `room()`. */
  fill(size: number): void {
    this.#size += size;
  }

  /** Adds a copy of `part`. */
  add(part: Uint8Array): void {
    this.room(part.length).set(part);
    this.fill(part.length);
  }

  /** All of them, in a buffer of exactly their size. */
  take(): Uint8Array<ArrayBuffer> {
    const { length } = this.#bytes;
    return this.#size === length
      ? this.#bytes
      : new Uint8Array(this.#bytes.buffer.transfer(this.#size));
  }
}
