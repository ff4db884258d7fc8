/**
 * The output memory: bytes for the library to send, in order, until it has taken all.
 *
 * @module
 */
import { OUTPUT_SIZE } from "./memory.ts";

/** Bytes in the output memory. */
export interface Block {
  at: number;
  size: number;
}

/** The encoded part of a text, and its number of characters. */
export interface Encoded {
  read: number;
  bytes: Uint8Array;
}

/** No bytes. */
export const NOTHING: Block = { at: 0, size: 0 };

/** Shorter strings are copied by a loop: a call costs more. */
const SHORT = 64;

const encoder = new TextEncoder();

/** Where the next bytes go. The caller has ensured that there is room. */
export class Output {
  readonly #bytes: Uint8Array;
  #kept = 0;
  #used = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where the next bytes go. */
  get used(): number {
    return this.#used;
  }

  /** Whether there is room for `size` more bytes. */
  hasRoom(size: number): boolean {
    return this.#used + size <= OUTPUT_SIZE;
  }

  /** What is there so far is kept permanently. */
  keep(): void {
    this.#kept = this.#used;
  }

  /** What is not kept was sent: its place is reused. */
  makeWay(): void {
    this.#used = this.#kept;
  }

  /** Puts header lines, one byte per character. */
  latin1(lines: string): Block {
    const at = this.#used;
    for (let i = 0; i < lines.length; i++) {
      this.#bytes[at + i] = lines.charCodeAt(i);
    }
    this.#used = at + lines.length;
    return { at, size: lines.length };
  }

  /** Puts a copy of bytes and returns their position. */
  put(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.fill(bytes, at);
    return at;
  }

  /** Reserves room for `size` bytes, and returns its position. */
  reserve(size: number): number {
    const at = this.#used;
    this.#used += size;
    return at;
  }

  /** Puts a copy of bytes into reserved room. */
  fill(bytes: Uint8Array, at: number): void {
    this.#bytes.set(bytes, at);
  }

  /** Puts text as UTF-8 and returns its size. It needs room for three bytes per character. */
  text(text: string): number {
    const at = this.#used;
    if (text.length < SHORT) {
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) {
          break;
        }
        this.#bytes[at + i] = code;
      }
      if (i === text.length) {
        this.#used += i;
        return i;
      }
    }
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at));
    this.#used += written;
    return written;
  }

  /** Writes as much of a text as there is room for. It stays there until more is put. */
  lend(text: string): Encoded {
    const part = this.#bytes.subarray(this.#used);
    const { read, written } = encoder.encodeInto(text, part);
    return { read, bytes: part.subarray(0, written) };
  }
}
